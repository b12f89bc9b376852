package drafts_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/content/drafts"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

func TestLists(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	editor, ada := person(t, app, roles.Editor), person(t, app, roles.Author)
	tag := sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Bread"})
	for i, title := range []string{"beta", "Alpha", "100% gamma"} {
		fields := map[string]any{"title": title, "body": "x", "status": "draft", "locale": "en"}
		if i == 1 {
			fields["status"], fields["tags"], fields["locale"] = "published", []string{tag.Id}, "de"
		}
		sitetest.Make(t, app, schema.Posts, fields)
	}
	mine, err := drafts.Create(app, ada, schema.Posts, drafts.Version{"title": "delta", "body": "x"})
	if err != nil {
		t.Fatal(err)
	}
	titles := func(by drafts.By, f drafts.Filter) string {
		t.Helper()
		f.PerPage = 10
		list, err := f.Find(app, by.Person, schema.Posts)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, l := range list.Lines {
			all = append(all, l.Title)
		}
		if list.Total != len(all) {
			t.Errorf("%d of %d", len(all), list.Total)
		}
		return strings.Join(all, ", ")
	}
	for want, f := range map[string]drafts.Filter{
		"delta, 100% gamma, Alpha, beta": {},
		"100% gamma, Alpha, beta, delta": {Sort: "title"},
		"delta, beta, Alpha, 100% gamma": {Sort: "-title"},
		"beta, Alpha, 100% gamma, delta": {Sort: "-updated"},
		"Alpha":                          {Tag: tag.Id},
		"100% gamma":                     {Query: "100% GAMM"},
		"":                               {Query: "%_"},
		"delta":                          {Author: mine.GetStringSlice("authors")[0], Sort: "; DROP TABLE posts"},
		"delta, 100% gamma, beta":        {Status: "draft"},
		"Alpha ":                         {Locale: "de", Status: "published"},
	} {
		if got := titles(editor, f); got != strings.TrimSpace(want) {
			t.Errorf("%+v lists %q, want %q", f, got, want)
		}
	}
	if got := titles(ada, drafts.Filter{}); got != "delta" {
		t.Errorf("an author lists %q", got)
	}
	if got := titles(person(t, app, roles.Analyst), drafts.Filter{}); got != "" {
		t.Errorf("an analyst lists %q", got)
	}
	pages, err := drafts.Filter{PerPage: 10}.Find(app, ada.Person, schema.Pages)
	if err != nil || pages.Total != 0 {
		t.Errorf("an author lists %d pages, %v", pages.Total, err)
	}
}

func TestTagsAreMadeOnce(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	by := person(t, app, roles.Author)
	ids, err := drafts.EnsureTags(app, by, []string{"Über  uns", "ueber uns", " ", "Bread", "BREAD"})
	if err != nil || len(ids) != 4 || ids[0] != ids[1] || ids[2] != ids[3] {
		t.Errorf("%v, %v", ids, err)
	}
	many := make([]string, drafts.MaxNewTags+30)
	for i := range many {
		many[i] = fmt.Sprint("tag ", i)
	}
	if ids, err := drafts.EnsureTags(app, by, many); err != nil || len(ids) != drafts.MaxNewTags {
		t.Errorf("%d tags at once, %v", len(ids), err)
	}
	if _, err := drafts.EnsureTags(app, person(t, app, roles.Moderator), []string{"x"}); err == nil {
		t.Error("a moderator made a tag")
	}
}

// fillPosts makes n posts of some length, without their hooks: what counts here is
// how much is stored.
func fillPosts(t testing.TB, app core.App, n int, author string) {
	t.Helper()
	body := strings.Repeat("<p>Words that fill a post, as many as people write.</p>\n", 90) // 5 kB
	err := app.RunInTransaction(func(tx core.App) error {
		_, err := tx.DB().NewQuery(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {:n})
			INSERT INTO posts (id, title, slug, locale, status, published_at, format, body, html, authors, tags, created, updated)
			SELECT 'p' || printf('%014d', i), 'Post number ' || i, 'post-' || i, 'en', CASE i % 4 WHEN 0 THEN 'draft' ELSE 'published' END,
				'2026-01-01 00:00:00.000Z', 'html', {:body}, {:body}, json_array({:author}), '[]', strftime('%Y-%m-%d %H:%M:%fZ', 'now', '-' || i || ' minutes'), strftime('%Y-%m-%d %H:%M:%fZ', 'now', '-' || i || ' minutes') FROM n`).
			Bind(dbx.Params{"n": n, "body": body, "author": author}).Execute()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The pages of a list are the list, whichever end they are read from.
func TestPagesOfAListMissNothing(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	editor := person(t, app, roles.Editor)
	fillPosts(t, app, 23, "nobody")
	for _, sort := range []string{"", "updated", "-updated", "title", "-title", "published_at", "-published_at", "nonsense"} {
		for _, f := range []drafts.Filter{{}, {Status: schema.StatusDraft}, {Query: "number 1"}} {
			f.Sort, f.PerPage = sort, 1000
			whole, err := f.Find(app, editor.Person, schema.Posts)
			if err != nil || len(whole.Lines) != whole.Total {
				t.Fatalf("%d of %d, %v", len(whole.Lines), whole.Total, err)
			}
			var pages []drafts.Line
			f.PerPage = 4
			for f.Page = 1; f.Page <= 8; f.Page++ {
				page, err := f.Find(app, editor.Person, schema.Posts)
				if err != nil || page.Total != whole.Total {
					t.Fatalf("page %d has %d of %d, %v", f.Page, page.Total, whole.Total, err)
				}
				pages = append(pages, page.Lines...)
			}
			if !slices.EqualFunc(pages, whole.Lines, func(a, b drafts.Line) bool { return a.ID == b.ID }) {
				t.Errorf("by %q %+v: the pages differ from the list", sort, f)
			}
		}
	}
}

// Lists read an index alone: with 10,000 posts of 5 kB each takes milliseconds.
func TestListsOfTenThousandPosts(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	editor, ada := person(t, app, roles.Editor), person(t, app, roles.Author)
	author, err := drafts.EnsureAuthor(app, ada.Person)
	if err != nil {
		t.Fatal(err)
	}
	fillPosts(t, app, 10_000, author)
	for name, c := range map[string]struct {
		by drafts.By
		f  drafts.Filter
	}{
		"all":            {editor, drafts.Filter{}},
		"the last page":  {editor, drafts.Filter{Page: 200}},
		"by title":       {editor, drafts.Filter{Sort: "title"}},
		"by publication": {editor, drafts.Filter{Sort: "published_at"}},
		"a search":       {editor, drafts.Filter{Query: "number 99"}},
		"of an author":   {editor, drafts.Filter{Author: author}},
		"own posts":      {ada, drafts.Filter{Status: "draft"}},
	} {
		c.f.PerPage = 50
		best := time.Hour
		for range 5 {
			start := time.Now()
			list, err := c.f.Find(app, c.by.Person, schema.Posts)
			if err != nil || list.Total == 0 {
				t.Fatalf("%s: %d, %v", name, list.Total, err)
			}
			best = min(best, time.Since(start))
		}
		t.Logf("%s: %v", name, best.Round(100*time.Microsecond))
		if best > 400*time.Millisecond { // a machine that runs much else; 50 ms is the aim
			t.Errorf("%s takes %v", name, best)
		}
	}
	var plan []struct {
		Detail string `db:"detail"`
	}
	err = app.DB().NewQuery("EXPLAIN QUERY PLAN SELECT id, title, slug, status, locale, published_at, updated, authors FROM posts INDEXED BY idx_posts_desk ORDER BY updated DESC, id LIMIT 50").All(&plan)
	if err != nil || len(plan) == 0 || !strings.Contains(plan[0].Detail, "COVERING INDEX idx_posts_desk") {
		t.Errorf("%+v, %v", plan, err)
	}
}

func BenchmarkList(b *testing.B) {
	app := sitetest.New(b)
	fillPosts(b, app, 10_000, "nobody")
	editor, _ := sitetest.Staff(b, app, roles.Editor)
	for b.Loop() {
		if _, err := (drafts.Filter{PerPage: 50}).Find(app, editor, schema.Posts); err != nil {
			b.Fatal(err)
		}
	}
}
