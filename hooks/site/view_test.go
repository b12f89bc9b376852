package site

import (
	"bytes"
	"encoding/json"
	"html/template"
	"io/fs"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"bungalow/hooks/kit/theme"
	"bungalow/pb_public"
)

func builtInTheme(tb testing.TB) *theme.Theme {
	tb.Helper()
	icon, err := Icons(pb_public.Files, "_theme/icons")
	if err != nil {
		tb.Fatal(err)
	}
	th, err := theme.Load("", pb_public.Files, theme.Options{Funcs: template.FuncMap{"icon": icon}})
	if err != nil {
		tb.Fatal(err)
	}
	return th
}

// renderPage renders one fixture and parses what came out.
func renderPage(t *testing.T, th *theme.Theme, name string, v View) (string, *html.Node) {
	t.Helper()
	template, _, _ := strings.Cut(name, "-")
	var b bytes.Buffer
	if err := th.Render(&b, "pages/"+template+".html", v); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	doc, err := html.Parse(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), doc
}

func TestEveryPageRendersEverythingItCanShow(t *testing.T) {
	t.Parallel()
	th, views := builtInTheme(t), fixtureViews(t)
	for _, page := range th.Pages() {
		name := strings.TrimSuffix(strings.TrimPrefix(page, "pages/"), ".html")
		if !slices.ContainsFunc(slices.Collect(maps.Keys(views)), func(v string) bool { return v == name || strings.HasPrefix(v, name+"-") }) {
			t.Errorf("no fixture renders %s", page)
		}
	}
	for name, v := range views {
		out, doc := renderPage(t, th, name, v)
		for _, bad := range []string{"<no value>", "ZgotmplZ", "<nil>", "%!", "%d", "%s", "<script>alert", "<b>nothing"} {
			if strings.Contains(out, bad) {
				t.Errorf("%s contains %q", name, bad)
			}
		}
		checkDocument(t, name, v, doc)
	}
}

// checkDocument holds what every page promises: one h1, headings without
// gaps, ids once, names for what can be clicked, nothing inline.
func checkDocument(t *testing.T, name string, v View, doc *html.Node) {
	t.Helper()
	level, ids, count := 0, map[string]bool{}, map[string]int{}
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		count[n.Data]++
		if l := strings.Index("h1h2h3h4h5h6", n.Data)/2 + 1; len(n.Data) == 2 && n.Data[0] == 'h' && l > 0 && n.Data != "hr" {
			if l > level+1 {
				t.Errorf("%s: %s follows a heading of level %d", name, n.Data, level)
			}
			level = l
		}
		checkElement(t, name, n, ids)
	}
	for tag, want := range map[string]int{"h1": 1, "main": 1, "title": 1} {
		if count[tag] != want {
			t.Errorf("%s has %d <%s>, want %d", name, count[tag], tag, want)
		}
	}
	if got := attribute(find(doc, "html"), "lang"); got != v.Lang {
		t.Errorf("%s: lang is %q, want %q", name, got, v.Lang)
	}
	if title := find(doc, "title"); title.FirstChild == nil || strings.TrimSpace(title.FirstChild.Data) != title.FirstChild.Data {
		t.Errorf("%s: the title is empty or has space around it", name)
	}
}

func checkElement(t *testing.T, name string, n *html.Node, ids map[string]bool) {
	t.Helper()
	for _, a := range n.Attr {
		if a.Key == "style" || strings.HasPrefix(a.Key, "on") {
			t.Errorf("%s: <%s> has %s, which the site's policy refuses", name, n.Data, a.Key)
		}
		if a.Key == "id" {
			if ids[a.Val] {
				t.Errorf("%s: two elements have the id %q", name, a.Val)
			}
			ids[a.Val] = true
		}
		if a.Key == "href" && a.Val == "" {
			t.Errorf("%s: a <%s> leads nowhere", name, n.Data)
		}
	}
	switch n.Data {
	case "style":
		t.Errorf("%s has an inline style sheet", name)
	case "script":
		if attribute(n, "src") == "" && attribute(n, "type") != "application/ld+json" {
			t.Errorf("%s has an inline script", name)
		}
	case "img":
		if !slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "alt" }) {
			t.Errorf("%s has an image without alt", name)
		}
	case "a", "button":
		if attribute(n, "aria-label") == "" && words(n) == "" {
			t.Errorf("%s: a <%s> to %q has no name", name, n.Data, attribute(n, "href"))
		}
	case "nav":
		if attribute(n, "aria-label") == "" && attribute(n, "aria-labelledby") == "" {
			t.Errorf("%s has a <nav> without a name", name)
		}
	}
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func find(doc *html.Node, tag string) *html.Node {
	for n := range doc.Descendants() {
		if n.Type == html.ElementNode && n.Data == tag {
			return n
		}
	}
	return nil
}

// words is the text of n that a screen reader would say.
func words(n *html.Node) string {
	if n.Type == html.TextNode {
		return strings.TrimSpace(n.Data)
	}
	if attribute(n, "aria-hidden") == "true" {
		return ""
	}
	if n.Data == "img" {
		return attribute(n, "alt")
	}
	var b strings.Builder
	for c := range n.ChildNodes() {
		b.WriteString(words(c))
	}
	return b.String()
}

func TestEveryPageRendersWithAlmostNothing(t *testing.T) {
	t.Parallel()
	th := builtInTheme(t)
	bare := View{Home: &Home{}, List: &List{}, Post: &Post{}, Page: &Page{}, Author: &Author{}, Archive: &Archive{}, Search: &Search{}, Error: &Error{}}
	site := bare
	site.Site, site.Lang = Site{Title: "The Veranda", HomeURL: "/", BlogURL: "/blog/"}, "de-AT"
	site.Home = &Home{Lead: &PostCard{}, Posts: make([]PostCard, 2)}
	for _, v := range []View{bare, site} {
		for _, page := range th.Pages() {
			out, _ := renderPage(t, th, strings.TrimSuffix(strings.TrimPrefix(page, "pages/"), ".html"), v)
			for _, bad := range []string{"<no value>", "ZgotmplZ", "<nil>", "0001", "<title></title>"} {
				if strings.Contains(out, bad) {
					t.Errorf("%s contains %q", page, bad)
				}
			}
		}
	}
}

func TestStructuredDataIsJSONAndCannotEndItsBlock(t *testing.T) {
	t.Parallel()
	v := fullView("en", "/", "")
	v.Home = &Home{}
	_, doc := renderPage(t, builtInTheme(t), "home", v)
	found := false
	for n := range doc.Descendants() {
		if n.Data == "script" && attribute(n, "type") == "application/ld+json" {
			found = true
			var got map[string]any
			if err := json.Unmarshal([]byte(n.FirstChild.Data), &got); err != nil {
				t.Fatalf("%v in %s", err, n.FirstChild.Data)
			}
			if got["name"] != "</script><script>alert(1)</script>" {
				t.Errorf("the name came out as %q", got["name"])
			}
		}
	}
	if !found {
		t.Error("no structured data on the page")
	}
}

func TestErrorPageChoosesItsWordsByStatus(t *testing.T) {
	t.Parallel()
	th := builtInTheme(t)
	for status, want := range map[int]string{404: "There is no page here", 410: "There is no page here", 500: "Something went wrong", 503: "Something went wrong"} {
		out, _ := renderPage(t, th, "error", View{Error: &Error{Status: status}})
		if !strings.Contains(out, want) {
			t.Errorf("%d does not say %q", status, want)
		}
		if form := strings.Contains(out, `role="search"`); form != (status < 500) {
			t.Errorf("%d: a search form is there: %v", status, form)
		}
	}
}

var keyUse = regexp.MustCompile(`\bt \$?\.Lang "([^"]+)"|\bt \$\.Lang \(printf "([^"]+)%d"|\.t\("([^"]*[^".])"`)

func TestStringsAndTemplatesNameTheSameKeys(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for _, place := range []struct {
		fsys    fs.FS
		pattern string
	}{{pb_public.Files, "_theme/layouts/*.html"}, {pb_public.Files, "_theme/partials/*.html"}, {pb_public.Files, "_theme/pages/*.html"}, {os.DirFS("."), "*.go"}} {
		files, err := fs.Glob(place.fsys, place.pattern)
		if err != nil || len(files) == 0 {
			t.Fatalf("no files are %s: %v", place.pattern, err)
		}
		for _, file := range files {
			source, _ := fs.ReadFile(place.fsys, file)
			for _, m := range keyUse.FindAllStringSubmatch(string(source), -1) {
				used[m[1]+m[2]+m[3]] = true
			}
		}
	}
	for _, locale := range []string{"en", "de"} {
		source, err := fs.ReadFile(pb_public.Files, "_theme/strings/"+locale+".json")
		if err != nil {
			t.Fatal(err)
		}
		var catalogue map[string]any
		if err := json.Unmarshal(source, &catalogue); err != nil {
			t.Fatal(err)
		}
		for key := range catalogue {
			if !used[key] && !used[strings.TrimRight(key, "0123456789")] && !usedByGo[key] {
				t.Errorf("%s.json has %q, which no template uses", locale, key)
			}
		}
		for key := range used {
			if key == "month." {
				key = "month.12"
			}
			if catalogue[key] == nil {
				t.Errorf("%s.json lacks %q", locale, key)
			}
		}
	}
}

// usedByGo are the keys that Go code of this package puts together.
var usedByGo = func() map[string]bool {
	keys := map[string]bool{"language": true}
	for name := range notices {
		keys["notice."+name] = true
	}
	return keys
}()

var fontURL = regexp.MustCompile(`url\("([^"?]+)\?v=[0-9a-f]+"\)`)

// The face is preloaded by the address that the theme gives it, so the style
// sheet has to name the same one, or it would be fetched twice.
func TestStyleSheetNamesFacesByTheirHash(t *testing.T) {
	t.Parallel()
	th := builtInTheme(t)
	css, err := fs.ReadFile(pb_public.Files, "assets/css/site.css")
	if err != nil {
		t.Fatal(err)
	}
	faces := fontURL.FindAllStringSubmatch(string(css), -1)
	if len(faces) != 4 {
		t.Fatalf("found %d faces, want 4", len(faces))
	}
	for _, m := range faces {
		if want := `url("` + th.Asset(m[1]) + `")`; m[0] != want {
			t.Errorf("site.css has %s, want %s", m[0], want)
		}
	}
}

func TestThemeScriptStaysSmall(t *testing.T) {
	t.Parallel()
	js, err := fs.ReadFile(pb_public.Files, "assets/js/theme.js")
	if err != nil {
		t.Fatal(err)
	}
	if len(js) > 1024 {
		t.Errorf("theme.js blocks the first paint and has %d bytes; keep it to 1024", len(js))
	}
}

func TestStyleSheetsAreWhole(t *testing.T) {
	t.Parallel()
	comment := regexp.MustCompile(`(?s)/\*.*?\*/`)
	for _, name := range []string{"site.css", "code.css"} {
		source, err := fs.ReadFile(pb_public.Files, "assets/css/"+name)
		if err != nil {
			t.Fatal(err)
		}
		css := comment.ReplaceAllString(string(source), "")
		if open, closed := strings.Count(css, "{"), strings.Count(css, "}"); open != closed {
			t.Errorf("%s opens %d braces and closes %d", name, open, closed)
		}
		if strings.Contains(css, "@import") || strings.Contains(css, "//") {
			t.Errorf("%s fetches something from elsewhere", name)
		}
	}
}
