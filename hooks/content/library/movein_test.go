package library_test

import (
	"archive/zip"
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bungalow/hooks/content/library"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

func zipOf(t *testing.T, in ...string) string {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for i := 0; i+1 < len(in); i += 2 {
		w, err := z.Create(in[i])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = w.Write([]byte(in[i+1]))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestAnArchiveIsTriedThenMovedIn(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Editor)
	archive := zipOf(t, "content/posts/hello.md", "---\ntitle: Hello there\ndate: 2026-01-02\n---\nHi", "content/notes.txt", "x", "../escape.md", "---\ntitle: Out\n---\n")
	res, body := ada.sendFiles("/desk/import/", "text/html", files{"site.zip", archive}, "kind", "markdown")
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", res.StatusCode, mainOf(body))
	}
	page := res.Header.Get("Location")
	id := strings.Trim(strings.TrimPrefix(page, "/desk/import/"), "/")
	has(t, ada.see(page, 200), "Trying it", "hx-get")
	worked(t, app.TestApp)
	has(t, ada.see(page, 200), "This is what would happen", "Move it in")
	if n, _ := app.CountRecords(schema.Posts); n != 0 {
		t.Fatalf("a dry run left %d posts", n)
	}
	ada.send(page+"start/", nil, 303)
	worked(t, app.TestApp)
	body = ada.see(page, 200)
	has(t, body, "moved in", "posts</td>")
	if post, err := app.FindFirstRecordByData(schema.Posts, "slug", "hello"); err != nil || post.GetString("title") != "Hello there" {
		t.Errorf("%v, %v", post, err)
	}
	if _, err := app.FindFirstRecordByData(schema.Pages, "title", "Out"); err == nil {
		t.Error("a name left the archive's folder")
	}
	for _, action := range []string{"import.upload", "import.start", "import.done"} {
		if audited(t, app, action, id) != 1 {
			t.Errorf("the audit misses %s", action)
		}
	}
	ada.send(page+"start/", nil, 303) // again: nothing doubles
	worked(t, app.TestApp)
	if n, _ := app.CountRecords(schema.Posts); n != 1 {
		t.Errorf("%d posts", n)
	}
	has(t, ada.see("/desk/import/", 200), "site.zip")
	ada.send(page+"delete/", nil, 303)
	ada.see(page, 404)
	if _, err := os.Stat(filepath.Join(app.DataDir(), "library_imports", id)); err == nil {
		t.Error("the upload stays")
	}
}

func TestUploadsThatCantBeMovedInAreRefused(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Editor)
	for name, c := range map[string]struct{ kind, file, content string }{
		"no zip": {"markdown", "a.zip", "none"}, "ending": {"wordpress", "a.json", "{}"}, "kind": {"drupal", "a.xml", "<a/>"},
		"bomb": {"markdown", "a.zip", zipOf(t, "big.md", strings.Repeat("\x00", 64<<20+1))},
	} {
		res, body := ada.sendFiles("/desk/import/", "text/html", files{c.file, c.content}, "kind", c.kind)
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, `class="error"`) {
			t.Errorf("%s: %d %s", name, res.StatusCode, mainOf(body))
		}
	}
	if left, _ := os.ReadDir(filepath.Join(app.DataDir(), "library_imports")); len(left) != 0 {
		t.Errorf("%d uploads stay", len(left))
	}
	as(t, app, roles.Author).see("/desk/import/", 403)
}

func TestAnImportIsStoppedAndStartedAgain(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Editor)
	by := library.By{Person: ada.Person, Actor: audit.Of(ada.Person, "")}
	m, err := library.TakeIn(app, by, "markdown", "one.md", strings.NewReader("# One\n\nText"))
	if err != nil {
		t.Fatal(err)
	}
	if err := library.StartImport(app, by, m.ID, false); err == nil {
		t.Error("started while it is tried")
	}
	page := "/desk/import/" + m.ID + "/"
	ada.send(page+"stop/", nil, 303)
	worked(t, app.TestApp) // the job finds it stopped
	has(t, ada.see(page, 200), "stopped")
	ada.send(page+"start/", nil, 303)
	worked(t, app.TestApp)
	has(t, ada.see(page, 200), "moved in")
	if n, _ := app.CountRecords(schema.Pages); n != 1 {
		t.Errorf("%d pages", n)
	}
}

func TestTheSiteIsDownloaded(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, owner := as(t, app, roles.Editor), as(t, app, roles.Owner)
	sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Hello", "body": "x", "status": "draft"})
	read := func(d *desk, path string) string {
		res, body := d.Desk(d.cookie, path, "")
		z, err := zip.NewReader(strings.NewReader(body), int64(len(body)))
		if err != nil || res.Header.Get("Content-Type") != "application/zip" {
			t.Fatalf("%s: %d %v", path, res.StatusCode, err)
		}
		names := ""
		for _, f := range z.File {
			names += f.Name + " "
		}
		return names
	}
	if names := read(ada, "/desk/export/markdown.zip"); !strings.Contains(names, "content/posts/hello.md") || strings.Contains(names, "data/") {
		t.Errorf("it holds %s", names)
	}
	if names := read(owner, "/desk/export/all.zip"); !strings.Contains(names, "data/staff.jsonl") {
		t.Errorf("it holds %s", names)
	}
	ada.see("/desk/export/all.zip", 403)
	if audited(t, app, "export.download", "") != 2 {
		t.Error("the audit misses it")
	}
}
