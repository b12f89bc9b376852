package desk_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/theme"
	"bungalow/pb_public"
)

// What features build their pages from renders with no more than it needs.
func TestPartsNeedOnlyWhatTheyMust(t *testing.T) {
	t.Parallel()
	for call, want := range map[string]string{
		`{{template "field" (dict "Name" "title" "Label" "Title")}}`:                                       `<input id="f-title" name="title" type="text" value="">`,
		`{{template "field" (dict "Name" "n" "Label" "N" "Value" 0 "Type" "number" "Error" "Too small")}}`: `aria-invalid="true" aria-describedby="f-n-error"`,
		`{{template "field" (dict "Name" "x" "Label" "X" "Type" "area" "Value" "<a>" "Help" "H")}}`:        `aria-describedby="f-x-help ">&lt;a&gt;</textarea>`,
		`{{template "switch" (dict "Name" "open" "Label" "Open")}}`:                                        `role="switch" value="true">`,
		`{{template "empty" (dict "Title" "None")}}`:                                                       `<h2>None</h2>`,
		`{{template "head" (dict "Title" "Posts")}}`:                                                       `<h1>Posts</h1>`,
	} {
		disk := t.TempDir()
		page := filepath.Join(disk, "_theme", "desk", "test", "part.html")
		if err := os.MkdirAll(filepath.Dir(page), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(page, []byte(`{{define "main"}}`+call+`{{end}}`), 0o644); err != nil {
			t.Fatal(err)
		}
		th, err := theme.Load(disk, pb_public.Files, theme.Options{Funcs: map[string]any{"icon": func(string) string { return "" }}})
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		if err := th.RenderSection(&out, "en", "desk/test/part.html", "main", nil); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v\n%s", call, err, out.String())
		}
	}
}

// A template with a fault is found here and not by whoever opens the page.
func TestEveryPageOfTheDeskParses(t *testing.T) {
	t.Parallel()
	th := theme.Of(sitetest.New(t))
	if err := th.CheckSection("desk"); err != nil {
		t.Error(err)
	}
	if pages, err := th.SectionPages("desk"); err != nil || len(pages) < 3 {
		t.Errorf("%v, %v", pages, err)
	}
}
