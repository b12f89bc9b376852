package theme_test

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"bungalow/hooks/kit/theme"
)

func section(t *testing.T, page string) *theme.Theme {
	t.Helper()
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	th, err := theme.Load("", fstest.MapFS{
		"_theme/layouts/base.html":        file(`{{define "base"}}site{{end}}`),
		"_theme/desk/layouts/base.html":   file(`{{define "base"}}<html>{{block "main" .}}{{end}}</html>{{end}}`),
		"_theme/desk/partials/parts.html": file(`{{define "part"}}[{{.}}]{{end}}`),
		"_theme/desk/posts/list.html":     file(page),
		"_theme/strings/desk.de.json":     file(`{"Save":"Sichern","%d post":"%d Beitrag"}`),
	}, theme.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return th
}

func TestASectionHasLayoutsAndWordsOfItsOwn(t *testing.T) {
	t.Parallel()
	th := section(t, `{{define "main"}}{{template "part" .}}{{T "Save"}} {{N 1 "%d post" "%d posts"}} {{N 2 "%d post" "%d posts"}}{{end}}`)
	for _, c := range []struct{ locale, block, want string }{
		{"en", "", "<html>[&lt;b&gt;]Save 1 post 2 posts</html>"},
		{"de", "", "<html>[&lt;b&gt;]Sichern 1 Beitrag 2 posts</html>"},
		{"de-AT", "main", "[&lt;b&gt;]Sichern 1 Beitrag 2 posts"},
	} {
		var out strings.Builder
		if err := th.RenderSection(&out, c.locale, "desk/posts/list.html", c.block, "<b>"); err != nil || out.String() != c.want {
			t.Errorf("%s %q: %q, %v", c.locale, c.block, out.String(), err)
		}
	}
	if pages, err := th.SectionPages("desk"); err != nil || strings.Join(pages, " ") != "desk/posts/list.html" {
		t.Errorf("pages %v, %v", pages, err)
	}
	if pages := th.Pages(); len(pages) != 0 {
		t.Errorf("the site's pages are %v", pages)
	}
}

func TestAFaultInASectionNamesFileAndLine(t *testing.T) {
	t.Parallel()
	th := section(t, "{{define \"main\"}}\n{{.Nothing.Here}}{{end}}")
	var fault *theme.Error
	err := th.RenderSection(&strings.Builder{}, "en", "desk/posts/list.html", "", struct{}{})
	if !errors.As(err, &fault) || fault.Line != 2 || !strings.Contains(fault.File, "desk/posts/list.html") {
		t.Errorf("got %v", err)
	}
	if err := section(t, "{{if}}").CheckSection("desk"); !errors.As(err, &fault) {
		t.Errorf("a broken page passes the check: %v", err)
	}
	for _, name := range []string{"desk/none.html", "desk/posts/list.html"} {
		if err := th.RenderSection(&strings.Builder{}, "en", name, "no-such-block", nil); err == nil {
			t.Errorf("%s renders a block that is not there", name)
		}
	}
}
