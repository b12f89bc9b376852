package hooks_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"bungalow/hooks"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// These tests hold the house rules of docs/architecture.md.

const (
	pocketbaseTests = "github.com/pocketbase/pocketbase/tests"
	longestFile     = 400 // lines
)

// goFiles lists every Go file of the module, relative to its root.
func goFiles(t *testing.T) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules") {
			return fs.SkipDir
		}
		if filepath.Ext(name) == ".go" {
			files = append(files, filepath.ToSlash(strings.TrimPrefix(name, ".."+string(filepath.Separator))))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 50 {
		t.Fatalf("found only %d Go files", len(files))
	}
	return files
}

// feature is the name of the feature that a package belongs to, or "".
func feature(pkg string) string {
	rest, ok := strings.CutPrefix(pkg, "bungalow/hooks/")
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(rest, "/")
	if name == "kit" {
		return ""
	}
	return name
}

func under(pkg, parent string) bool { return pkg == parent || strings.HasPrefix(pkg, parent+"/") }

// forbidden says why a package may not import another, or "".
func forbidden(from, to string, test bool) string {
	const kit, testKit = "bungalow/hooks/kit", "bungalow/hooks/kit/sitetest"
	switch {
	case under(to, pocketbaseTests) && !test && from != testKit:
		return "what PocketBase's tests share is for tests only"
	case to == testKit && !test:
		return "the test kit is for tests only"
	case test || !under(to, "bungalow"):
		return ""
	case from == "bungalow" && to != "bungalow/hooks":
		return "main knows hooks and nothing behind it"
	case to == "bungalow":
		return "nobody imports main"
	case from == testKit:
		return ""
	case under(from, kit) && !under(to, kit):
		return "the kit imports the kit alone"
	case feature(from) != "" && feature(to) != "" && feature(from) != feature(to):
		return "a feature never imports a feature"
	case feature(from) != "" && to == "bungalow/hooks":
		return "a feature does not know who puts it together"
	case under(from, "bungalow/pb_migrations") && feature(to) != "":
		return "a migration imports no feature"
	case under(from, "bungalow/hooks") && (under(to, "bungalow/tests") || under(to, "bungalow/bench")):
		return "the product imports no tests"
	}
	return ""
}

func TestImportsGoOneWay(t *testing.T) {
	t.Parallel()
	for _, name := range goFiles(t) {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", name), nil, parser.ImportsOnly)
		if err != nil {
			t.Error(err)
			continue
		}
		from := path.Join("bungalow", path.Dir(name))
		for _, spec := range file.Imports {
			to := strings.Trim(spec.Path.Value, `"`)
			if why := forbidden(from, to, strings.HasSuffix(name, "_test.go")); why != "" {
				t.Errorf("%s imports %s: %s", name, to, why)
			}
		}
	}
}

func TestForbiddenKnowsTheRules(t *testing.T) {
	t.Parallel()
	const h = "bungalow/hooks/"
	cases := []struct {
		from, to string
		test     bool
		ok       bool
	}{
		{"bungalow", "bungalow/hooks", false, true},
		{"bungalow", h + "site", false, false},
		{"bungalow/hooks", h + "content/media", false, true},
		{h + "site", h + "kit/web", false, true},
		{h + "site", h + "content", false, false},
		{h + "site", h + "content/text", false, false},
		{h + "site", "bungalow/hooks", false, false},
		{h + "content", h + "content/text", false, true},
		{h + "kit/web", h + "kit/roles", false, true},
		{h + "kit/web", h + "site", false, false},
		{h + "kit/theme", "bungalow/pb_public", false, false},
		{h + "kit/sitetest", "bungalow/hooks", false, true},
		{h + "site", h + "kit/sitetest", false, false},
		{h + "site", h + "kit/sitetest", true, true},
		{h + "site", pocketbaseTests, false, false},
		{h + "site", pocketbaseTests, true, true},
		{"bungalow/pb_migrations", h + "content", false, false},
		{h + "site", "bungalow/tests/binary", false, false},
	}
	for _, c := range cases {
		if why := forbidden(c.from, c.to, c.test); (why == "") != c.ok {
			t.Errorf("%s → %s (test %v): %q", c.from, c.to, c.test, why)
		}
	}
}

var leftover = regexp.MustCompile(`\b(TODO|FIXME|XXX)\b|panic\("(not implemented|unimplemented)`)

func TestFilesAreShortAndFinished(t *testing.T) {
	t.Parallel()
	for _, name := range goFiles(t) {
		raw, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(raw), "\n"); n > longestFile && !strings.HasSuffix(name, "_test.go") {
			t.Errorf("%s has %d lines, at most %d are read in one go", name, n, longestFile)
		}
		if found := leftover.FindString(string(raw)); found != "" && name != "hooks/house_test.go" {
			t.Errorf("%s holds a left-over: %s", name, found)
		}
	}
}

// documented reads a page of the reference.
func documented(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("..", "docs", "reference", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func TestDocsNameEveryCommandAndFlag(t *testing.T) {
	t.Parallel()
	docs := documented(t, "commands.md")
	app := pocketbase.NewWithConfig(pocketbase.Config{DefaultDataDir: t.TempDir()})
	if err := hooks.Register(app, app.RootCmd, hooks.Config{}); err != nil {
		t.Fatal(err)
	}
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if c.Hidden {
			return
		}
		name := strings.TrimSpace(strings.TrimPrefix(c.CommandPath(), c.Root().Name()))
		if c.Runnable() && name != "" && !strings.Contains(docs, "`"+name+" ") && !strings.Contains(docs, "## "+name) {
			t.Errorf("docs/reference/commands.md does not name the command %q", name)
		}
		check := func(f *pflag.Flag) {
			if !f.Hidden && !strings.Contains(docs, "`--"+f.Name+"`") {
				t.Errorf("docs/reference/commands.md does not name --%s of %q", f.Name, name)
			}
			if env := hooks.EnvName(f.Name); c == c.Root() && f.Name != "help" && f.Name != "version" && !strings.Contains(docs, "`"+env+"`") {
				t.Errorf("docs/reference/commands.md does not name %s", env)
			}
		}
		c.Flags().VisitAll(check)
		c.PersistentFlags().VisitAll(check)
		for _, child := range c.Commands() {
			walk(child)
		}
	}
	walk(app.RootCmd)
}

func TestDocsNameEveryAddress(t *testing.T) {
	t.Parallel()
	docs, desk := documented(t, "addresses.md"), documented(t, "desk.md")
	for _, r := range hooks.Routes(sitetest.New(t), hooks.Config{}) {
		path := strings.TrimSuffix(r.Path, "{$}")
		switch {
		case !strings.HasPrefix(path, "/desk/"):
			if !strings.Contains(docs, path) {
				t.Errorf("docs/reference/addresses.md does not name %s", path)
			}
		case r.Method == http.MethodGet && !strings.Contains(desk, "`"+path+"`"):
			t.Errorf("docs/reference/desk.md does not name %s", path)
		}
	}
}

func TestDocsNameEverySettingOfTheSite(t *testing.T) {
	t.Parallel()
	docs := documented(t, "settings.md")
	options := reflect.TypeFor[settings.Site]()
	for i := range options.NumField() {
		key, _, _ := strings.Cut(options.Field(i).Tag.Get("json"), ",")
		if !strings.Contains(docs, "`"+key+"`") {
			t.Errorf("docs/reference/settings.md does not name %q of the site", key)
		}
	}
}

// Every function On… that gives a hook is an event that a site may bind.
func TestDocsNameEveryEvent(t *testing.T) {
	t.Parallel()
	docs := documented(t, "events.md")
	event := regexp.MustCompile(`Of\[\*\w+\]\(app, "([a-z]+\.On\w+)"\)`)
	var names []string
	for _, name := range goFiles(t) {
		raw, err := os.ReadFile(filepath.Join("..", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range event.FindAllStringSubmatch(string(raw), -1) {
			names = append(names, match[1])
		}
	}
	if !slices.Contains(names, "content.OnPublish") {
		t.Fatalf("the search for events finds %v", names)
	}
	for _, name := range names {
		if !strings.Contains(docs, "`"+name+"`") {
			t.Errorf("docs/reference/events.md does not name %s", name)
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)

func TestLinksInDocsLeadSomewhere(t *testing.T) {
	t.Parallel()
	err := filepath.WalkDir("..", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && name != ".." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "testdata", "pb_public"}, d.Name())) {
			return fs.SkipDir
		}
		if filepath.Ext(name) != ".md" {
			return nil
		}
		raw, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		for _, match := range link.FindAllStringSubmatch(string(raw), -1) {
			if strings.Contains(match[1], ":") || strings.HasPrefix(match[1], "/") {
				continue
			}
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), match[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", name, match[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
