package imports_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bungalow/hooks/content/imports"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// export writes a changed copy of the small WordPress export.
func export(t *testing.T, replace ...string) string {
	t.Helper()
	data, err := os.ReadFile("testdata/wordpress/small/input.xml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "export.xml")
	if err := os.WriteFile(file, []byte(strings.NewReplacer(replace...).Replace(string(data))), 0o644); err != nil {
		t.Fatal(err)
	}
	return file
}

func bySlug(t *testing.T, app core.App, collection, slug string) *core.Record {
	t.Helper()
	r, err := app.FindFirstRecordByData(collection, "slug", slug)
	if err != nil {
		t.Fatalf("%s %s: %v", collection, slug, err)
	}
	return r
}

func TestSmallExportMovesIn(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	fired := 0
	events.OnPublish(site).BindFunc(func(e *events.PublishEvent) error { fired++; return e.Next() })
	r := run(t, site, imports.WordPress(export(t)), imports.Options{})
	want := "posts +5 ~0 =0 !0 -0\npages +2 ~0 =0 !0 -0\ntags +2 ~0 =0 !0 -0\nauthors +1 ~0 =0 !0 -0\nmedia +0 ~0 =0 !0 -1\n" +
		"menus +1 ~0 =0 !0 -0\ncomments +2 ~0 =0 !0 -1\nredirects +5 ~0 =0 !0 -0\nother +0 ~0 =0 !0 -2\n"
	if tally(r) != want {
		t.Errorf("got\n%swant\n%s", tally(r), want)
	}
	if fired != 0 {
		t.Errorf("content.OnPublish fired %d times", fired)
	}
	for path, want := range map[string]int{"/blog/hello/": 200, "/parent/": 200, "/parent/child/": 200, "/child/": 404, "/blog/locked/": 404, "/blog/private/": 404, "/blog/binned/": 404, "/blog/later/": 404} {
		if code, _, _ := get(site, path); code != want {
			t.Errorf("%s answers %d, want %d", path, code, want)
		}
	}
	post := bySlug(t, site, schema.Posts, "hello")
	if len(post.GetStringSlice("tags")) != 2 || len(post.GetStringSlice("authors")) != 1 || !post.GetBool("featured") || !post.GetBool("comments_open") {
		t.Errorf("%v", post.FieldsData())
	}
	menu, err := site.FindFirstRecordByData(schema.Menus, "name", "Main")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := menu.GetString("items"), `[{"label":"Elsewhere","url":"https://example.org/","children":[{"label":"Parent","url":"/parent/"}]}]`; got != want {
		t.Errorf("menu %s, want %s", got, want)
	}
	answer, err := site.FindFirstRecordByData(schema.Comments, "author", "Eve")
	if err != nil || answer.GetString("parent") == "" || answer.GetString("thread") != "/blog/hello/" || answer.GetString("status") != schema.CommentSpam {
		t.Errorf("answer: %v %v", answer, err)
	}
}

func TestSecondRunBringsChangesAndSparesEdits(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	run(t, site, imports.WordPress(export(t)), imports.Options{})
	parent := bySlug(t, site, schema.Pages, "parent")
	parent.Set("title", "Edited here")
	if err := site.Save(parent); err != nil {
		t.Fatal(err)
	}
	changed := export(t, "Second ]]]]>", "Changed ]]]]>", "<title>Parent</title>", "<title>Changed there</title>", "<title>Private</title>", "<title>Private still</title>")
	r := run(t, site, imports.WordPress(changed), imports.Options{})
	if p, g := r.Counts[imports.KindPost], r.Counts[imports.KindPage]; p.Updated != 2 || p.Unchanged != 3 || g.Kept != 1 || g.Unchanged != 1 {
		t.Errorf("posts %+v pages %+v", *p, *g)
	}
	if len(r.Kept) != 1 || r.Kept[0].Name != "Changed there" {
		t.Errorf("kept: %v", r.Kept)
	}
	if got := bySlug(t, site, schema.Pages, "parent").GetString("title"); got != "Edited here" {
		t.Errorf("the edit was overwritten: %s", got)
	}
	post := bySlug(t, site, schema.Posts, "hello")
	if !strings.Contains(post.GetString("body"), "Changed") || !strings.Contains(post.GetString("html"), "Changed") {
		t.Error("the change at the source did not arrive")
	}
	if code, _, _ := get(site, "/blog/private/"); code != 404 {
		t.Errorf("the private post answers %d", code)
	}
	before := state(t, site)
	third := run(t, site, imports.WordPress(changed), imports.Options{})
	if p := third.Counts[imports.KindPost]; p.Unchanged != 5 || !maps.Equal(before, state(t, site)) {
		t.Errorf("the third run changed something: %+v", *p)
	}
	run(t, site, imports.WordPress(export(t, "<wp:post_parent>20</wp:post_parent>", "<wp:post_parent>0</wp:post_parent>")), imports.Options{})
	if code, _, to := get(site, "/parent/child/"); code != 301 || to != "/child/" {
		t.Errorf("the page that moved at the source: %d %s", code, to)
	}
}

func TestNothingHereIsOverwritten(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	sitetest.Make(t, site, schema.Posts, map[string]any{"title": "Mine", "slug": "hello", "status": "published", "format": "html", "body": "<p>mine</p>"})
	sitetest.Make(t, site, schema.Pages, map[string]any{"title": "Mine", "slug": "parent", "status": "published", "format": "html", "body": "<p>mine</p>"})
	sitetest.Make(t, site, schema.Tags, map[string]any{"name": "My news", "slug": "news"})
	sitetest.Make(t, site, schema.Menus, map[string]any{"name": "Main", "items": []any{}})
	sitetest.Make(t, site, schema.Redirects, map[string]any{"from": "/2020/01/02/hello/", "to": "/elsewhere/"})
	before := state(t, site)
	r := run(t, site, imports.WordPress(export(t)), imports.Options{})
	after := state(t, site)
	for id, was := range before {
		if after[id] != was {
			t.Errorf("%s changed:\n%s\n%s", id, was, after[id])
		}
	}
	var renamed []string
	for _, l := range r.Renamed {
		renamed = append(renamed, string(l.Kind)+": "+l.Why)
	}
	if got := strings.Join(renamed, ", "); got != "posts: hello became hello-2, pages: parent became parent-2, menus: Main became Main 2" {
		t.Errorf("renamed: %s", got)
	}
	if code, body, _ := get(site, "/parent-2/child/"); code != 200 || !strings.Contains(body, "Child") {
		t.Errorf("the child answers %d", code)
	}
	if c := r.Counts[imports.KindTag]; c.Created != 1 || c.Unchanged != 1 {
		t.Errorf("tags %+v", *c)
	}
}

func TestCommentsSwitchedOff(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t, "comments")
	r, err := imports.Import(context.Background(), site, imports.WordPress(export(t)), imports.Options{})
	if err != nil || r.Counts[imports.KindComment].Skipped != 3 {
		t.Errorf("%v %s", err, tally(r))
	}
}

func TestCommentsOfHiddenPostsWait(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	run(t, site, imports.WordPress(export(t, "<wp:post_type>post</wp:post_type>\n<wp:is_sticky>", "<wp:post_password>x</wp:post_password><wp:post_type>post</wp:post_type>\n<wp:is_sticky>")), imports.Options{})
	c, err := site.FindFirstRecordByData(schema.Comments, "author", "Bob")
	if err != nil || c.GetString("status") != schema.CommentPending {
		t.Errorf("%v %v", c, err)
	}
}

func TestPagesInCircles(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	page := func(id, parent string) string {
		return "<item><title>P" + id + "</title><wp:post_id>" + id + "</wp:post_id><wp:post_parent>" + parent + "</wp:post_parent><wp:status>publish</wp:status><wp:post_date>2020-01-01 00:00:00</wp:post_date><wp:post_type>page</wp:post_type></item>"
	}
	file := filepath.Join(t.TempDir(), "x.xml")
	source := "<rss><channel><link>https://a.example</link>" + page("1", "2") + page("2", "1") + page("3", "99") + page("4", "5") + page("5", "6") + page("6", "0") + "</channel></rss>"
	if err := os.WriteFile(file, []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	r := run(t, site, imports.WordPress(file), imports.Options{})
	if c := r.Counts[imports.KindPage]; c.Created != 6 {
		t.Errorf("%s %v", tally(r), r.Skipped)
	}
	if code, _, _ := get(site, "/p6/p5/p4/"); code != 200 {
		t.Errorf("the deepest page answers %d", code)
	}
	second := run(t, site, imports.WordPress(file), imports.Options{})
	if c := second.Counts[imports.KindPage]; c.Unchanged != 6 {
		t.Errorf("second run %s", tally(second))
	}
}

// An export that is cut anywhere moves in as far as it goes and says so; the
// whole one then completes it.
func TestCutExportIsCompletedLater(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/wordpress/small/input.xml")
	if err != nil {
		t.Fatal(err)
	}
	whole := sitetest.New(t)
	run(t, whole, imports.WordPress(export(t)), imports.Options{})
	for _, cut := range []int{0, 300, 900, 1500, 2500, 3300, 4000, 5000, 5500, bytes.LastIndex(data, []byte("</channel>"))} {
		site := sitetest.New(t)
		file := filepath.Join(t.TempDir(), "cut.xml")
		if err := os.WriteFile(file, data[:cut], 0o644); err != nil {
			t.Fatal(err)
		}
		r := run(t, site, imports.WordPress(file), imports.Options{})
		if r.Fault == "" {
			t.Errorf("cut at %d: no fault reported", cut)
		}
		r = run(t, site, imports.WordPress(export(t)), imports.Options{})
		if r.Fault != "" || len(state(t, site)) != len(state(t, whole)) {
			t.Errorf("cut at %d: %d records after the whole import, want %d (%s)", cut, len(state(t, site)), len(state(t, whole)), r.Fault)
		}
	}
}

func TestFailingDatabaseLeavesNoHalfBatch(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	full := errors.New("database or disk is full")
	site.OnRecordCreateExecute(schema.Pages).BindFunc(func(e *core.RecordEvent) error { return full })
	_, err := imports.Import(context.Background(), site, imports.WordPress(export(t)), imports.Options{Comments: importer{}})
	if !errors.Is(err, full) {
		t.Errorf("error %v", err)
	}
	if left := state(t, site); len(left) != 0 {
		t.Errorf("%d records are left of the batch", len(left))
	}
}

func TestRefusedItemLeavesNothing(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	deep := strings.Repeat("<div>", 600)
	r := run(t, site, imports.WordPress(export(t, "First [caption", deep+"First [caption")), imports.Options{})
	if c := r.Counts[imports.KindPost]; c.Skipped != 1 || c.Created != 4 {
		t.Errorf("%s%v", tally(r), r.Skipped)
	}
	if c := r.Counts[imports.KindComment]; c.Skipped != 3 {
		t.Errorf("comments of a refused post: %+v", *c)
	}
	if n, err := site.CountRecords(schema.Redirects); err != nil || n != 3 {
		t.Errorf("%d redirects, %v", n, err)
	}
}

// A large site is exported in several files, and one file may hold a number twice.
func TestExportInParts(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	file := filepath.Join(t.TempDir(), "part.xml")
	part := func(items string) *imports.Report {
		if err := os.WriteFile(file, []byte("<rss><channel><link>https://a.example</link>"+items+"</channel></rss>"), 0o644); err != nil {
			t.Fatal(err)
		}
		return run(t, site, imports.WordPress(file), imports.Options{})
	}
	item := func(id, parent, title string) string {
		return "<item><title>" + title + "</title><wp:post_id>" + id + "</wp:post_id><wp:post_parent>" + parent + "</wp:post_parent><wp:status>publish</wp:status><wp:post_date>2020-01-01 00:00:00</wp:post_date><wp:post_type>page</wp:post_type>" +
			"<category><![CDATA[Old]]></category></item>"
	}
	part(item("1", "0", "Top"))
	r := part(item("2", "1", "Below") + item("2", "1", "Again"))
	if c := r.Counts[imports.KindPage]; c.Created != 1 || c.Skipped != 1 {
		t.Errorf("%s", tally(r))
	}
	if code, _, _ := get(site, "/top/below/"); code != 200 {
		t.Errorf("the page of the second part answers %d", code)
	}
	post := strings.Replace(item("3", "0", "Post"), "page<", "post<", 1)
	if r := part(strings.Replace(post, "</item>", `<category domain="category" nicename="old-one">Old</category><category>Other</category></item>`, 1)); r.Counts[imports.KindTag].Created != 2 {
		t.Errorf("%s", tally(r))
	}
}
