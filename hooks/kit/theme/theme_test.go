package theme

import (
	"bytes"
	"errors"
	"html/template"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pocketbase/pocketbase/tests"
)

func builtIn() fstest.MapFS {
	return fstest.MapFS{
		"_theme/layouts/base.html":      {Data: []byte(`{{define "base"}}<title>{{block "title" .}}Site{{end}}</title>{{template "partials/nav.html" .}}<main>{{block "main" .}}{{end}}</main>{{end}}`)},
		"_theme/partials/nav.html":      {Data: []byte(`<nav>{{t .Lang "menu"}}</nav>`)},
		"_theme/pages/post.html":        {Data: []byte(`{{define "title"}}{{.Title}}{{end}}{{define "main"}}<h1>{{.Title}}</h1>{{end}}`)},
		"_theme/pages/shop/cart.html":   {Data: []byte(`{{define "main"}}cart{{end}}`)},
		"_theme/strings/en.json":        {Data: []byte(`{"menu": "Menu", "only": "English only"}`)},
		"_theme/strings/de.json":        {Data: []byte(`{"menu": "Menü"}`)},
		"assets/css/site.css":           {Data: []byte("body{}")},
		"assets/js/theme.js":            {Data: []byte("1")},
		"_theme/mail/not-a-page.html":   {Data: []byte("{{broken")},
		"_theme/pages/notes/readme.txt": {Data: []byte("{{broken")},
	}
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	// Sizes may stay equal within one tick of the file system's clock.
	later := time.Now().Add(time.Duration(len(content)+int(writes.Add(1))) * time.Second)
	if err := os.Chtimes(file, later, later); err != nil {
		t.Fatal(err)
	}
}

func load(t *testing.T, disk string, opts Options) *Theme {
	t.Helper()
	th, err := Load(disk, builtIn(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return th
}

func render(t *testing.T, th *Theme, page string, data any) string {
	t.Helper()
	var b bytes.Buffer
	if err := th.Render(&b, page, data); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

type data struct{ Lang, Title string }

func TestRender(t *testing.T) {
	t.Parallel()
	th := load(t, "", Options{})
	got := render(t, th, "pages/post.html", data{"de", "<b>Hi</b>"})
	want := "<title>&lt;b&gt;Hi&lt;/b&gt;</title><nav>Menü</nav><main><h1>&lt;b&gt;Hi&lt;/b&gt;</h1></main>"
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := render(t, th, "pages/shop/cart.html", data{Lang: "fr"}); got != "<title>Site</title><nav>Menu</nav><main>cart</main>" {
		t.Errorf("got %s", got)
	}
	if got := strings.Join(th.Pages(), " "); got != "pages/post.html pages/shop/cart.html" {
		t.Errorf("pages: %s", got)
	}
	if err := th.Render(&bytes.Buffer{}, "pages/none.html", nil); err == nil || !strings.Contains(err.Error(), "pages/none.html") {
		t.Errorf("err = %v", err)
	}
}

func TestRenderWritesAllOrNothing(t *testing.T) {
	t.Parallel()
	th := load(t, "", Options{})
	var b bytes.Buffer
	err := th.Render(&b, "pages/post.html", struct{ Lang string }{"en"})
	var fault *Error
	if !errors.As(err, &fault) || fault.File != "built-in _theme/pages/post.html" || fault.Line != 1 || b.Len() > 0 {
		t.Fatalf("err = %#v, %d bytes written", err, b.Len())
	}
}

func TestDiskWinsFileByFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "_theme/partials/nav.html", "<nav>mine</nav>")
	write(t, dir, "_theme/strings/de.json", `{"own": "Eigenes"}`)
	write(t, dir, "_theme/layouts/other.html", "unused")
	th := load(t, dir, Options{})
	if got := render(t, th, "pages/post.html", data{"de", "T"}); !strings.Contains(got, "<nav>mine</nav><main><h1>T") {
		t.Errorf("got %s", got)
	}
	if th.T("de", "own") != "Eigenes" || th.T("de", "menu") != "Menü" {
		t.Error("a catalogue on disk must add to the built-in one")
	}
}

func TestLayoutWithoutBase(t *testing.T) {
	t.Parallel()
	fsys := builtIn()
	fsys["_theme/layouts/base.html"] = &fstest.MapFile{Data: []byte(`plain {{block "main" .}}{{end}}`)}
	th, err := Load("", fsys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := render(t, th, "pages/shop/cart.html", nil); got != "plain cart" {
		t.Errorf("got %s", got)
	}
}

func TestBrokenFilesAreNamed(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, file, content, line, says string }{
		{"syntax", "_theme/pages/post.html", "{{define \"main\"}}\n\n{{if}}\n{{end}}{{end}}", ":3:", "missing value"},
		{"unclosed", "_theme/partials/nav.html", "<nav>\n{{if .A}}", ":2:", "unexpected EOF"},
		{"function", "_theme/layouts/base.html", "\n{{raw .X}}", ":2:", `"raw" not defined`},
		{"missing template", "_theme/pages/post.html", "{{define \"main\"}}\n{{template \"nowhere\"}}{{end}}", ":2:", "nowhere"},
		{"bad HTML", "_theme/pages/post.html", "{{define \"main\"}}\n<a href='{{if .A}}x'{{end}}>{{end}}", ":2:", "different contexts"},
		{"strings", "_theme/strings/de.json", "{\n\"a\": \"b\"\n\"c\": 1}", ":3:", ""},
		{"number", "_theme/strings/de.json", `{"a": 1}`, ": ", `"a" must be a text`},
		{"plural", "_theme/strings/de.json", `{"a": {"one": "x"}}`, ": ", `"other"`},
		{"list", "_theme/strings/de.json", `[]`, ": ", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, tt.file, tt.content)
			_, err := Load(dir, builtIn(), Options{})
			var fault *Error
			if !errors.As(err, &fault) {
				t.Fatalf("err = %v", err)
			}
			if want := filepath.Join(dir, tt.file) + tt.line; !strings.HasPrefix(err.Error(), want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("got %s\nwant %s … %s", err, want, tt.says)
			}
			if page := string(fault.Page()); !strings.Contains(page, template.HTMLEscapeString(filepath.Base(tt.file))) ||
				fault.Line > 0 && !strings.Contains(page, "&gt; ") && !strings.Contains(page, "\n> ") && !strings.Contains(page, "<pre>> ") {
				t.Errorf("the page does not show the line:\n%s", page)
			}
		})
	}
}

func TestMissingLayout(t *testing.T) {
	t.Parallel()
	if _, err := Load("", fstest.MapFS{"_theme/pages/a.html": {Data: []byte("x")}}, Options{}); err == nil || !strings.Contains(err.Error(), "layout") {
		t.Errorf("err = %v", err)
	}
	if th, err := Load("", fstest.MapFS{}, Options{}); err != nil || len(th.Pages()) != 0 {
		t.Errorf("nothing at all is no fault: %v", err)
	}
}

func TestDevShowsEditsAndFaultsAtOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	th := load(t, dir, Options{Dev: true})
	write(t, dir, "_theme/pages/post.html", `{{define "main"}}edited{{end}}`)
	if got := render(t, th, "pages/post.html", data{}); !strings.Contains(got, "edited") {
		t.Errorf("got %s", got)
	}
	changes := 0
	th.OnChange(func() { changes++ })
	seen := th.fingerprint()
	write(t, dir, "_theme/pages/post.html", `{{define "main"}}{{`)
	if th.look(seen); changes != 1 {
		t.Error("cached pages hide the fault")
	}
	var fault *Error
	if err := th.Render(&bytes.Buffer{}, "pages/post.html", data{}); !errors.As(err, &fault) || fault.Line != 1 {
		t.Errorf("err = %v", err)
	}
}

func TestChangesOnDiskAreNoticed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	th := load(t, dir, Options{})
	changes := 0
	th.OnChange(func() { changes++ })
	seen := th.fingerprint()
	for _, step := range []struct {
		name    string
		do      func()
		changes int
		shows   string
	}{
		{"nothing", func() {}, 0, "<h1>T"},
		{"a first file", func() { write(t, dir, "_theme/pages/post.html", `{{define "main"}}one{{end}}`) }, 1, "one"},
		{"nothing after it", func() {}, 1, "one"},
		{"broken", func() { write(t, dir, "_theme/pages/post.html", `{{define "main"}}{{end}`) }, 1, "one"},
		{"mended", func() { write(t, dir, "_theme/pages/post.html", `{{define "main"}}two{{end}}`) }, 2, "two"},
		{"another folder", func() {
			next := t.TempDir()
			write(t, next, "_theme/pages/post.html", `{{define "main"}}three{{end}}`)
			if err := errors.Join(os.RemoveAll(dir), os.Rename(next, dir)); err != nil {
				t.Fatal(err)
			}
		}, 3, "three"},
		{"removed", func() { _ = os.RemoveAll(filepath.Join(dir, "_theme")) }, 4, "<h1>T"},
		{"an asset nobody shows", func() { write(t, dir, "assets/css/site.css", "a{}") }, 4, "<h1>T"},
	} {
		step.do()
		seen = th.look(seen)
		if got := render(t, th, "pages/post.html", data{"en", "T"}); changes != step.changes || !strings.Contains(got, step.shows) {
			t.Fatalf("%s: %d changes, want %d; got %s", step.name, changes, step.changes, got)
		}
	}
	th.Asset("/assets/css/site.css")
	write(t, dir, "assets/css/site.css", "b{}")
	if th.look(seen); changes != 5 {
		t.Error("a changed asset that pages show must drop them")
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	th := load(t, dir, Options{})
	changed := make(chan struct{}, 8)
	th.OnChange(func() { changed <- struct{}{} })
	stop := make(chan struct{})
	done := th.Watch(stop)
	write(t, dir, "_theme/partials/nav.html", "new")
	<-changed
	close(stop)
	<-done
	<-load(t, "", Options{}).Watch(stop)
}

func TestAsset(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	th := load(t, dir, Options{})
	first := th.Asset("/assets/css/site.css")
	if !strings.HasPrefix(first, "/assets/css/site.css?v=") || len(first) != len("/assets/css/site.css?v=")+HashLength {
		t.Fatalf("got %s", first)
	}
	write(t, dir, "assets/css/site.css", "changed{}")
	if th.Asset("/assets/css/site.css") == first {
		t.Error("the address must change with the file")
	}
	if err := os.Remove(filepath.Join(dir, "assets/css/site.css")); err != nil {
		t.Fatal(err)
	}
	if th.Asset("/assets/css/site.css") != first {
		t.Error("the built-in file is back, and so must be its address")
	}
	for _, same := range []string{"/assets/none.css", "/assets", "", "/", "https://example.com/a.css", "/../secret"} {
		if got := th.Asset(same); got != same {
			t.Errorf("Asset(%q) = %q", same, got)
		}
	}
}

func TestOfAndSet(t *testing.T) {
	t.Parallel()
	app, err := tests.NewTestApp()
	if err != nil {
		t.Fatal(err)
	}
	defer app.Cleanup()
	if Of(app) != nil {
		t.Error("an app without a theme has none")
	}
	th := load(t, "", Options{})
	if Set(app, th); Of(app) != th {
		t.Error("Of does not return what was set")
	}
}

func TestEject(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "pb_public")
	if err := Eject(builtIn(), dir); err != nil {
		t.Fatal(err)
	}
	for name, file := range builtIn() {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !bytes.Equal(got, file.Data) {
			t.Errorf("%s: %v", name, err)
		}
	}
	write(t, dir, "_theme/pages/post.html", "mine")
	if err := os.Remove(filepath.Join(dir, "_theme/layouts/base.html")); err != nil {
		t.Fatal(err)
	}
	if err := Eject(builtIn(), dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("err = %v", err)
	}
	if got, _ := os.ReadFile(filepath.Join(dir, "_theme/pages/post.html")); string(got) != "mine" {
		t.Error("a file was overwritten")
	}
	if _, err := os.Stat(filepath.Join(dir, "_theme/layouts/base.html")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("files were copied although one stood in the way")
	}
}
