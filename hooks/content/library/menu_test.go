package library_test

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bungalow/hooks/content/library"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

// menu reads "a >b >>c d" as lines.
func menu(s string) []library.MenuLine {
	var lines []library.MenuLine
	for _, word := range strings.Fields(s) {
		label := strings.TrimLeft(word, ">")
		lines = append(lines, library.MenuLine{Label: label, URL: "/" + label + "/", Level: len(word) - len(label)})
	}
	return lines
}

func menuText(lines []library.MenuLine) string {
	var words []string
	for _, l := range lines {
		words = append(words, strings.Repeat(">", l.Level)+l.Label)
	}
	return strings.Join(words, " ")
}

func TestStepsOfAMenu(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		before, act string
		line        int
		after       string
	}{
		{"a b c", "up", 0, "a b c"},
		{"a b c", "up", 2, "a c b"},
		{"a b c", "down", 0, "b a c"},
		{"a b c", "down", 2, "a b c"},
		{"a >x b >y", "up", 2, "b >y a >x"},
		{"a >x b >y", "down", 0, "b >y a >x"},
		{"a >x >y", "up", 1, "x a >y"},
		{"a >x >y b", "down", 2, "a >x y b"},
		{"a b", "in", 1, "a >b"},
		{"a b", "in", 0, "a b"},
		{"a >b >>c", "in", 1, "a >b >>c"},
		{"a >b c >>d", "in", 2, "a >b >c >>d"},
		{"a b >c >>d", "in", 1, "a b >c >>d"},
		{"a >b >>c", "out", 1, "a b >c"},
		{"a >b >c", "out", 1, "a b >c"},
		{"a b", "out", 0, "a b"},
		{"a >b c", "remove", 0, "c"},
		{"a b", "dance", 0, "a b"},
		{"a b", "up", 7, "a b"},
		{"a >>>b", "up", -1, "a >b"},
	} {
		if got := menuText(library.Arrange(menu(c.before), c.act, c.line)); got != c.after {
			t.Errorf("%s of line %d in %q: %q, want %q", c.act, c.line, c.before, got, c.after)
		}
	}
}

// Whatever steps are done, no line is lost but by removing, and levels nest.
func FuzzArrange(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 9, 20})
	f.Fuzz(func(t *testing.T, steps []byte) {
		lines := menu("a >b >>c d e >f")
		acts := []string{"up", "down", "in", "out"}
		for _, s := range steps[:min(len(steps), 60)] {
			lines = library.Arrange(lines, acts[s%4], int(s/4)%6)
			above := -1
			var names []string
			for _, l := range lines {
				if l.Level > above+1 || l.Level > 2 {
					t.Fatalf("levels jump in %s", menuText(lines))
				}
				above = l.Level
				names = append(names, l.Label)
			}
			if slices.Sort(names); strings.Join(names, "") != "abcdef" {
				t.Fatalf("lines were lost: %s", menuText(lines))
			}
		}
	})
}

func form(name string, lines []library.MenuLine, more ...string) url.Values {
	v := url.Values{"name": {name}}
	for _, l := range lines {
		v.Add("label", l.Label)
		v.Add("url", l.URL)
		v.Add("level", strconv.Itoa(l.Level))
	}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

func TestAMenuIsMadeArrangedAndShown(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Editor)
	sitetest.Make(t, app, schema.Pages, map[string]any{"title": "About us", "slug": "about", "body": "x", "status": "published"})
	sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Wood"})
	to, _ := ada.send("/desk/menus/", url.Values{"name": {"main"}}, 303)
	_, body := ada.send("/desk/menus/", url.Values{"name": {"main"}}, 422)
	has(t, body, `aria-invalid="true"`)
	body = ada.see(to, 200)
	has(t, body, "About us · /about/", "/tag/wood/ Wood", "No lines yet")
	_, body = ada.send(to+"arrange/", form("main", menu("a b"), "do", "up:1"), 200)
	has(t, body, "Not saved yet", "Nothing is at this address")
	if strings.Index(body, `value="b"`) > strings.Index(body, `value="a"`) {
		t.Error("the line did not move")
	}
	_, body = ada.send(to+"arrange/", form("main", menu("a"), "do", "add", "target", "/about/ About us"), 200)
	has(t, body, `value="About us"`, `value="/about/"`)
	_, body = ada.send(to+"arrange/", form("main", nil, "do", "add", "new_label", "Far", "new_url", "https://example.com"), 200)
	has(t, body, `value="https://example.com"`)
	_, body = ada.send(to+"arrange/", form("main", nil, "do", "add"), 422)
	has(t, body, "Choose where the line leads")
	id := strings.Trim(strings.TrimPrefix(to, "/desk/menus/"), "/")
	if r, _ := app.FindRecordById(schema.Menus, id); r.GetString("items") != "[]" {
		t.Errorf("an arrangement was saved: %s", r.GetString("items"))
	}
	lines := []library.MenuLine{{Label: "About us", URL: "/about/"}, {Label: "Wood", URL: "/tag/wood/", Level: 1}, {Label: "Far", URL: "https://example.com"}}
	ada.send(to, form("main", lines), 303)
	if r, _ := app.FindRecordById(schema.Menus, id); r.GetString("items") != `[{"label":"About us","url":"/about/","children":[{"label":"Wood","url":"/tag/wood/"}]},{"label":"Far","url":"https://example.com"}]` {
		t.Errorf("stored %s", r.GetString("items"))
	}
	if _, page := app.Get("/about/"); !strings.Contains(page, `href="/tag/wood/"`) {
		t.Error("the site does not show it")
	}
	has(t, ada.see(to, 200), `value="Wood"`)
	hasNot(t, ada.see(to, 200), "Nothing is at this address")
	for _, bad := range []library.MenuLine{{Label: "", URL: "/x/"}, {Label: "x", URL: "javascript:alert(1)"}, {Label: "x", URL: "x"}} {
		_, body = ada.send(to, form("main", []library.MenuLine{bad}), 422)
		has(t, body, `role="alert"`)
	}
	_, undo := ada.undoAfter(to+"delete/", url.Values{"x": {"1"}})
	ada.see(to, 404)
	ada.send(to, form("main", lines), 404)
	ada.send(undo, nil, 303)
	has(t, ada.see(to, 200), `value="Far"`)
	has(t, ada.see("/desk/menus/", 200), "3 lines", "footer")
	as(t, app, roles.Author).see("/desk/menus/", 403)
}
