package hooks_test

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bungalow/hooks"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/sitetest"
	"bungalow/pb_public"
)

// quoted is a string of Go or of a template.
const quoted = "(\"(?:[^\"\\\\\n]|\\\\.)*\"|`[^`]*`)"

var (
	inTemplates = regexp.MustCompile(`\bT ` + quoted)
	inPlural    = regexp.MustCompile(`\bN \(?[^"` + "`" + `{}]*?` + quoted + ` ` + quoted)
	inGo        = []*regexp.Regexp{
		regexp.MustCompile(`\be\.T\(` + quoted),
		regexp.MustCompile(`\bspeak\(` + quoted),
		regexp.MustCompile(`\be\.Done\([^"\n]*?(?:"[^"\n]*"[^"\n]*?)??, ` + quoted),
	}
)

// TestTheDeskSpeaksGerman finds the English texts of the desk and asks for their
// translation. What a handler puts together is not found; it stays English
// where nobody translated it.
func TestTheDeskSpeaksGerman(t *testing.T) {
	t.Parallel()
	raw, err := fs.ReadFile(pb_public.Files, "_theme/strings/desk.de.json")
	if err != nil {
		t.Fatal(err)
	}
	var german map[string]string
	if err := json.Unmarshal(raw, &german); err != nil {
		t.Fatal(err)
	}
	used := deskWords(t)
	if len(used) < 300 {
		t.Fatalf("the search finds only %d texts", len(used))
	}
	var missing []string
	for word := range used {
		switch translated := german[word]; {
		case translated == "":
			missing = append(missing, word)
		case !slices.Equal(verbs(word), verbs(translated)):
			t.Errorf("%q has other placeholders than %q", translated, word)
		}
	}
	slices.Sort(missing)
	for _, word := range missing {
		t.Errorf("desk.de.json lacks %q", word)
	}
}

var verb = regexp.MustCompile(`%[sdv]`)

func verbs(s string) []string { return verb.FindAllString(s, -1) }

// deskWords collects what is said in templates, by handlers, and by the parts
// of the features: labels of menus, cards and settings.
func deskWords(t *testing.T) map[string]bool {
	t.Helper()
	used := map[string]bool{}
	add := func(literal string) {
		word, err := strconv.Unquote(literal)
		if err != nil {
			t.Fatalf("%s: %v", literal, err)
		}
		if word != "" {
			used[word] = true
		}
	}
	err := fs.WalkDir(pb_public.Files, "_theme/desk", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		source, err := fs.ReadFile(pb_public.Files, name)
		if err != nil {
			return err
		}
		for _, m := range inTemplates.FindAllStringSubmatch(string(source), -1) {
			add(m[1])
		}
		for _, m := range inPlural.FindAllStringSubmatch(string(source), -1) {
			add(m[1])
			add(m[2])
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range goFiles(t) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		source, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, pattern := range inGo {
			for _, m := range pattern.FindAllStringSubmatch(string(source), -1) {
				add(m[1])
			}
		}
	}
	partWords(t, used)
	return used
}

// partWords adds what the features' parts hold as data.
func partWords(t *testing.T, used map[string]bool) {
	app := sitetest.New(t)
	hooks.Routes(app, hooks.Config{})
	add := func(words ...string) {
		for _, word := range words {
			if word != "" {
				used[word] = true
			}
		}
	}
	for _, does := range audit.AllWords() {
		add(does)
	}
	d := desk.Of(app)
	person, _ := sitetest.Staff(t, app, "owner")
	for _, group := range d.Menu(person, "") {
		add(group.Name)
		for _, item := range group.Items {
			add(item.Label)
		}
	}
	for _, card := range d.Cards(person) {
		add(card.Title)
	}
	for _, search := range d.Searches(person) {
		add(search.Name)
	}
	for _, setting := range d.Settings() {
		add(setting.Title, setting.Help)
		options, err := setting.Options(app)
		if err != nil {
			t.Fatal(err)
		}
		if reflect.TypeOf(options).Kind() != reflect.Pointer {
			continue
		}
		for _, field := range desk.Fields(options) {
			add(field.Label, field.Help, field.Unit, field.Group)
		}
	}
}
