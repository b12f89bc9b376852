package imports_test

import (
	"html"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"bungalow/hooks/content/imports"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// Every sample moves in whole: a dry run counts what the import does, what is
// public answers with its title, what is not answers 404, and a second run
// changes nothing.
func TestSamplesMoveIn(t *testing.T) {
	t.Parallel()
	readers := map[string]func(dir string) imports.Stream{
		"wordpress": func(dir string) imports.Stream { return imports.WordPress(filepath.Join(dir, "input.xml")) },
		"ghost":     func(dir string) imports.Stream { return imports.Ghost(filepath.Join(dir, "input.json")) },
		"markdown":  imports.MarkdownFolder,
	}
	samples, err := filepath.Glob("testdata/*/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range samples {
		read := readers[filepath.Base(filepath.Dir(dir))]
		if read == nil {
			continue
		}
		t.Run(filepath.ToSlash(strings.TrimPrefix(dir, "testdata")), func(t *testing.T) {
			t.Parallel()
			site := sitetest.New(t)
			dry := run(t, site, read(dir), imports.Options{DryRun: true})
			if n := len(state(t, site)); n != 0 {
				t.Fatalf("the dry run left %d records", n)
			}
			first := run(t, site, read(dir), imports.Options{})
			if tally(dry) != tally(first) {
				t.Errorf("the dry run counted\n%sand the import\n%s", tally(dry), tally(first))
			}
			answersAsItShould(t, site)
			before := state(t, site)
			second := run(t, site, read(dir), imports.Options{})
			for k, c := range second.Counts {
				if c.Created+c.Updated+c.Kept != 0 {
					t.Errorf("the second run: %s %+v", k, *c)
				}
			}
			if !maps.Equal(before, state(t, site)) {
				t.Error("the second run changed something")
			}
		})
	}
}

// answersAsItShould asks for every post and page.
func answersAsItShould(t *testing.T, site *sitetest.Site) {
	t.Helper()
	for _, c := range []string{schema.Posts, schema.Pages} {
		records, err := site.FindAllRecords(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			path := "/blog/" + r.GetString("slug") + "/"
			if c == schema.Pages {
				path = "/" + r.GetString("path") + "/"
			}
			code, body, _ := get(site, path)
			if public := r.GetString("status") == schema.StatusPublished; public != (code == 200) || !public && code != 404 {
				t.Errorf("%s is %s and answers %d", path, r.GetString("status"), code)
			} else if public && !strings.Contains(html.UnescapeString(body), r.GetString("title")) {
				t.Errorf("%s does not show %q", path, r.GetString("title"))
			}
		}
	}
}

// What readers and other sites knew leads to where it is now.
func TestOldAddressesOfSamples(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stream imports.Stream
		leads  map[string]string
	}{
		"wordpress": {imports.WordPress("testdata/wordpress/plugins/input.xml"), map[string]string{
			"/2024/03/01/sourdough/": "/blog/sourdough/", "/?p=10": "/blog/sourdough/", "/category/bread/rye/": "/tag/rye/", "/category/bread/": "/tag/bread/",
		}},
		"ghost": {imports.Ghost("testdata/ghost/modern/input.json"), map[string]string{"/cards/": "/blog/cards/"}},
		"jekyll": {imports.MarkdownFolder("testdata/markdown/jekyll-real"), map[string]string{
			"/jekyll/update/2024/hello-world/": "/blog/hello-world/", "/older.html": "/blog/hello-world/", "/docs/install.html": "/install/",
			"/2024/02/second-post/": "/blog/second-post/", "/big%20news/2024/03/04/pretty/": "/blog/pretty/",
		}},
		"hugo": {imports.MarkdownFolder("testdata/markdown/hugo-real"), map[string]string{"/posts/with/slash/": "/blog/with-slash/", "/about-de/": "/ueber-uns/"}},
	} {
		site := sitetest.New(t)
		run(t, site, c.stream, imports.Options{})
		for old, to := range c.leads {
			if code, _, at := get(site, old); code != 301 || at != to {
				t.Errorf("%s: %s answers %d and leads to %q, want %q", name, old, code, at, to)
			}
		}
	}
}

func TestMenusOfSamples(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	run(t, site, imports.WordPress("testdata/wordpress/plugins/input.xml"), imports.Options{})
	run(t, site, imports.Ghost("testdata/ghost/modern/input.json"), imports.Options{})
	for name, want := range map[string]string{
		"Top":        `[{"label":"Home","url":"/"},{"label":"Bread","url":"/tag/bread/"},{"label":"Shop","url":"/shop/?a=1#b"}]`,
		"Navigation": `[{"label":"Home","url":"/"},{"label":"About","url":"/about/"},{"label":"Out","url":"https://example.org/"}]`,
	} {
		var menu *core.Record
		menu, err := site.FindFirstRecordByData(schema.Menus, "name", name)
		if err != nil || menu.GetString("items") != want {
			t.Errorf("%s: %v %v", name, menu, err)
		}
	}
}
