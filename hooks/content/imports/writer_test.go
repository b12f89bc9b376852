package imports_test

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bungalow/hooks/comments"
	"bungalow/hooks/content/imports"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// importer is how hooks joins the comments to the import.
type importer struct{}

func (importer) ImportComments(app core.App, batch []imports.Comment) (created, known int, err error) {
	var moved []comments.Imported
	for _, c := range batch {
		moved = append(moved, comments.Imported{SourceKey: c.Key, Parent: c.Parent, Thread: c.Thread, Author: c.Author, HTML: c.HTML, Status: c.Status, At: c.At})
	}
	return comments.Import(app, moved)
}

func run(t *testing.T, app core.App, stream imports.Stream, o imports.Options) *imports.Report {
	t.Helper()
	if o.Comments == nil {
		o.Comments = importer{}
	}
	r, err := imports.Import(context.Background(), app, stream, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// tally writes the counts of a report down.
func tally(r *imports.Report) string {
	var b strings.Builder
	for _, k := range []imports.Kind{"posts", "pages", "tags", "authors", "media", "menus", "comments", "redirects", "other"} {
		if c := r.Counts[k]; c != nil {
			fmt.Fprintf(&b, "%s +%d ~%d =%d !%d -%d\n", k, c.Created, c.Updated, c.Unchanged, c.Kept, c.Skipped)
		}
	}
	return b.String()
}

// state lists everything that an import may touch.
func state(t *testing.T, app core.App) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, c := range []string{schema.Posts, schema.Pages, schema.Tags, schema.Authors, schema.Media, schema.Menus, schema.Redirects, schema.Comments} {
		records, err := app.FindAllRecords(c)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range records {
			data, err := json.Marshal(r.FieldsData())
			if err != nil {
				t.Fatal(err)
			}
			all[c+"/"+r.Id] = string(data)
		}
	}
	return all
}

func get(site *sitetest.Site, path string) (int, string, string) {
	w := httptest.NewRecorder()
	site.Handler.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	body, _ := io.ReadAll(w.Body)
	return w.Code, string(body), w.Header().Get("Location")
}

func TestThemeUnitTestMovesInCompletely(t *testing.T) {
	t.Parallel()
	file := sitetest.Material(t, "wordpress/theme-unit-test.wxr.xml")
	site := sitetest.New(t)
	dry := run(t, site, imports.WordPress(file), imports.Options{DryRun: true})
	if n := len(state(t, site)); n != 0 {
		t.Fatalf("the dry run left %d records", n)
	}
	first := run(t, site, imports.WordPress(file), imports.Options{})
	if tally(dry) != tally(first) {
		t.Errorf("the dry run counted\n%sand the import\n%s", tally(dry), tally(first))
	}
	t.Log("\n" + tally(first))
	public := map[string]int{}
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
			switch {
			case r.GetString("status") != schema.StatusPublished:
				if code != 404 {
					t.Errorf("%s is %s and answers %d", path, r.GetString("status"), code)
				}
			case code != 200 || !strings.Contains(html.UnescapeString(body), r.GetString("title")):
				t.Errorf("%s answers %d", path, code)
			default:
				public[c]++
			}
			if !r.GetDateTime("announced_at").IsZero() != (r.GetString("status") == schema.StatusPublished) {
				t.Errorf("%s: announced at %v", path, r.GetDateTime("announced_at"))
			}
		}
	}
	if public[schema.Posts] != 55 || public[schema.Pages] != 21 {
		t.Errorf("public: %v", public)
	}
	if code, _, to := get(site, "/2013/01/11/markup-html-tags-and-formatting/"); code != 301 || to != "/blog/markup-html-tags-and-formatting/" {
		t.Errorf("old permalink: %d %s", code, to)
	}
	if code, _, to := get(site, "/?p=1178"); code != 301 || to != "/blog/markup-html-tags-and-formatting/" {
		t.Errorf("old number: %d %s", code, to)
	}
	if code, _, to := get(site, "/greek/%ce%b5%cf%80%ce%af%cf%80%ce%b5%ce%b4%ce%bf-2/"); code != 301 || !strings.HasPrefix(to, "/greek/epi") {
		t.Errorf("old address in Greek: %d %s", code, to)
	}
	before := state(t, site)
	second := run(t, site, imports.WordPress(file), imports.Options{})
	for k, c := range second.Counts {
		if c.Created+c.Updated+c.Kept != 0 {
			t.Errorf("the second run: %s %+v", k, *c)
		}
	}
	if after := state(t, site); !maps.Equal(before, after) {
		t.Error("the second run changed something")
	}
}

func TestHugoDocsMoveInCompletely(t *testing.T) {
	t.Parallel()
	dir := sitetest.Material(t, "markdown/hugo-docs")
	site := sitetest.New(t)
	r := run(t, site, imports.MarkdownFolder(dir), imports.Options{})
	t.Log("\n" + tally(r))
	pages, err := site.FindAllRecords(schema.Pages)
	if err != nil || len(pages) != 54 {
		t.Fatalf("%d pages, %v", len(pages), err)
	}
	for _, p := range pages {
		if code, body, _ := get(site, "/"+p.GetString("path")+"/"); code != 200 || !strings.Contains(html.UnescapeString(body), p.GetString("title")) {
			t.Errorf("%s answers %d", p.GetString("path"), code)
		}
	}
	for old, to := range map[string]string{"/extras/permalinks/": "/content-management/urls/", "/content/": "/content-management/", "/layout/sitemap/": "/templates/sitemap/"} {
		if code, _, at := get(site, old); code != 301 || at != to {
			t.Errorf("%s: %d %s", old, code, at)
		}
	}
}

func TestGhostMovesIn(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	r := run(t, site, imports.Ghost("testdata/ghost/small/input.json"), imports.Options{})
	want := "posts +5 ~0 =0 !0 -0\npages +1 ~0 =0 !0 -0\ntags +1 ~0 =0 !0 -0\nauthors +1 ~0 =0 !0 -0\nredirects +1 ~0 =0 !0 -0\nother +0 ~0 =0 !0 -1\n"
	if tally(r) != want {
		t.Errorf("got\n%swant\n%s", tally(r), want)
	}
	for path, want := range map[string]int{"/blog/hello/": 200, "/about/": 200, "/blog/members/": 404, "/blog/letter/": 404, "/blog/lexical/": 404, "/blog/mistyped/": 404} {
		if code, _, _ := get(site, path); code != want {
			t.Errorf("%s answers %d, want %d", path, code, want)
		}
	}
}

func TestFolderMovesInWithPictures(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	dir := filepath.Join(t.TempDir(), "site")
	png, err := os.ReadFile("testdata/dot.png")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{"posts/a.md": "---\ntitle: A\ndate: 2020-01-02\ncover: ../img/dot.png\n---\n![x](../img/dot.png)\n", "img/dot.png": string(png),
		"posts/b.md": "---\ntitle: B\ndate: 2020-01-02\n---\n![x](../img/no.png) ![y](../img/bad.png)\n", "img/bad.png": "no picture"} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(data), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	dry := run(t, site, imports.MarkdownFolder(dir), imports.Options{DryRun: true})
	r := run(t, site, imports.MarkdownFolder(dir), imports.Options{})
	t.Log(dry.Notes, r.Notes)
	media, err := site.FindFirstRecordByFilter(schema.Media, "file != ''")
	if err != nil {
		t.Fatal(err)
	}
	post, err := site.FindFirstRecordByData(schema.Posts, "slug", "a")
	if err != nil {
		t.Fatal(err)
	}
	if want := "![x](/media/" + media.Id + "/" + media.GetString("file") + ")\n"; post.GetString("body") != want || post.GetString("cover") != media.Id {
		t.Errorf("body %q, cover %q", post.GetString("body"), post.GetString("cover"))
	}
	second := run(t, site, imports.MarkdownFolder(dir), imports.Options{})
	if c := second.Counts[imports.KindPost]; c.Unchanged != 2 || c.Created+c.Updated+c.Kept != 0 {
		t.Errorf("second run: %+v", *c)
	}
}
