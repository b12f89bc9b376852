package exports_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/content/exports"
	"bungalow/hooks/content/imports"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// png is a picture of one pixel.
const png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89\x00\x00\x00\rIDATx\x9cc\xf8\xff\xff\xff\x7f\x00\t\xfb\x03\xfd\x05CE\xca\x00\x00\x00\x00IEND\xaeB`\x82"

// filled is a site with something of everything.
func filled(t *testing.T) *sitetest.Site {
	t.Helper()
	app := sitetest.New(t)
	file, err := filesystem.NewFileFromBytes([]byte(png), "sea.png")
	if err != nil {
		t.Fatal(err)
	}
	sea := sitetest.Make(t, app, schema.Media, map[string]any{"file": file, "alt": "The sea"})
	tag := sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Stone & wood"})
	ada := sitetest.Make(t, app, schema.Authors, map[string]any{"name": "Ada"})
	at := "/media/" + sea.Id + "/" + sea.GetString("file")
	for _, post := range []map[string]any{
		{"title": "A: \"first\" #1", "slug": "first", "body": "Hello **sea**\n\n![](" + at + ")\n", "status": "published", "published_at": "2026-01-02 03:04:05.000Z",
			"tags": []string{tag.Id}, "authors": []string{ada.Id}, "cover": sea.Id, "featured": true, "comments_open": true, "excerpt": "Two\nlines", "seo_title": "S", "seo_description": "D"},
		{"title": "Draft", "body": "---\nnot a fence", "status": "draft"},
		{"title": "Html", "format": "html", "body": "<p>One</p>\n\n    <p>Two</p>", "status": "published", "published_at": "2026-01-02 03:04:05.000Z"},
		{"title": "Later", "body": "x", "status": "scheduled", "published_at": "2090-01-02 03:04:05.000Z"},
	} {
		sitetest.Make(t, app, schema.Posts, post)
	}
	about := sitetest.Make(t, app, schema.Pages, map[string]any{"title": "About", "slug": "about", "body": "We", "status": "published", "published_at": "2026-01-02 03:04:05.000Z"})
	sitetest.Make(t, app, schema.Pages, map[string]any{"title": "Team", "slug": "team", "body": "Us", "status": "published", "parent": about.Id, "position": 3})
	sitetest.Make(t, app, schema.Redirects, map[string]any{"from": "/old-first", "to": "/blog/first/"})
	sitetest.Make(t, app, schema.Redirects, map[string]any{"from": "/elsewhere", "to": "https://example.com/", "status": "302"})
	return app
}

func exported(t *testing.T, app core.App) (string, *exports.Report) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "site")
	to, err := exports.Folder(dir)
	if err != nil {
		t.Fatal(err)
	}
	report, err := exports.Markdown(t.Context(), app, to)
	if err = errors.Join(err, to.Close()); err != nil {
		t.Fatal(err)
	}
	return dir, report
}

func TestMarkdownGoesOutAndComesBack(t *testing.T) {
	t.Parallel()
	app := filled(t)
	dir, report := exported(t, app)
	if report.Counts[schema.Posts] != 4 || report.Counts[schema.Pages] != 2 || report.Counts[schema.Media] != 1 || report.Counts[schema.Redirects] != 2 || len(report.Skipped) != 0 {
		t.Errorf("%+v", report)
	}
	there := sitetest.New(t)
	got, err := imports.Import(t.Context(), there, imports.MarkdownFolder(dir), imports.Options{Media: true})
	if err != nil || got.Fault != "" {
		t.Fatalf("%+v, %v", got, err)
	}
	for _, collection := range []string{schema.Posts, schema.Pages} {
		all, err := app.FindAllRecords(collection)
		if err != nil {
			t.Fatal(err)
		}
		for _, was := range all {
			is, err := there.FindFirstRecordByData(collection, "slug", was.GetString("slug"))
			if err != nil {
				t.Errorf("%s did not come back: %v", was.GetString("title"), err)
				continue
			}
			for _, field := range []string{"title", "status", "format", "excerpt", "featured", "comments_open", "seo_title", "path", "position"} {
				if was.GetString(field) != is.GetString(field) {
					t.Errorf("%s of %s was %q and is %q", field, was.GetString("title"), was.GetString(field), is.GetString(field))
				}
			}
			if !was.GetDateTime("published_at").IsZero() && was.GetString("status") != "draft" && !was.GetDateTime("published_at").Time().Truncate(time.Second).Equal(is.GetDateTime("published_at").Time().Truncate(time.Second)) {
				t.Errorf("%s was of %v and is of %v", was.GetString("title"), was.GetDateTime("published_at"), is.GetDateTime("published_at"))
			}
			if was.GetString("slug") != "first" && strings.TrimSpace(was.GetString("body")) != strings.TrimSpace(is.GetString("body")) {
				t.Errorf("the body of %s was %q and is %q", was.GetString("title"), was.GetString("body"), is.GetString("body"))
			}
		}
	}
	first, _ := there.FindFirstRecordByData(schema.Posts, "slug", "first")
	if len(first.GetStringSlice("tags")) != 1 || len(first.GetStringSlice("authors")) != 1 || first.GetString("cover") == "" || !strings.Contains(first.GetString("body"), "/media/"+first.GetString("cover")+"/") {
		t.Errorf("%v", first.FieldsData())
	}
	if cover, err := there.FindRecordById(schema.Media, first.GetString("cover")); err != nil || cover.GetString("alt") != "The sea" || cover.GetInt("width") != 1 {
		t.Errorf("the cover is %v, %v", cover, err)
	}
	if res, _ := there.Get("/old-first/"); res.Header.Get("Location") != "/blog/first/" {
		t.Errorf("the old address leads to %q", res.Header.Get("Location"))
	}
	if csv, err := os.ReadFile(filepath.Join(dir, "redirects.csv")); err != nil || !strings.Contains(string(csv), "/elsewhere,https://example.com/,302,false,0") {
		t.Errorf("%s %v", csv, err)
	}
}

func TestAnExportWritesOverNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := exports.Folder(dir); !errors.Is(err, exports.ErrNotEmpty) {
		t.Errorf("%v", err)
	}
	to, err := exports.Folder(filepath.Join(dir, "new"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := to.Create("../out.md", time.Time{}); err == nil {
		t.Error("a file left the folder")
	}
}

func TestEverythingGoesOutWithoutSecrets(t *testing.T) {
	t.Parallel()
	app := filled(t)
	staff, _ := sitetest.Staff(t, app, roles.Editor)
	var out bytes.Buffer
	to := exports.Zip(&out)
	report, err := exports.All(t.Context(), app, to)
	if err = errors.Join(err, to.Close()); err != nil || report.Counts[schema.Staff] != 1 {
		t.Fatalf("%+v, %v", report, err)
	}
	z, err := zip.NewReader(bytes.NewReader(out.Bytes()), int64(out.Len()))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(r)
		if strings.Contains(string(body), staff.TokenKey()) || strings.Contains(string(body), "password\":") {
			t.Errorf("%s holds a secret", f.Name)
		}
	}
	for _, want := range []string{"content/posts/first.md", "content/about.md", "content/about/team.md", "redirects.csv", "data/staff.jsonl", "data/posts.jsonl"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not among %v", want, names)
		}
	}
}

func TestAMissingFileIsNamed(t *testing.T) {
	t.Parallel()
	app := filled(t)
	sea, err := app.FindFirstRecordByData(schema.Media, "alt", "The sea")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(app.DataDir(), "storage", sea.BaseFilesPath())); err != nil {
		t.Fatal(err)
	}
	if _, report := exported(t, app); len(report.Skipped) != 1 || !strings.Contains(report.Skipped[0], "missing") {
		t.Errorf("%+v", report)
	}
}
