package library_test

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"bungalow/hooks/content"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

func tagsOf(t *testing.T, app core.App, post string) []string {
	t.Helper()
	r, err := app.FindRecordById(schema.Posts, post)
	if err != nil {
		t.Fatal(err)
	}
	return r.GetStringSlice("tags")
}

// worked runs the queue until nothing waits.
func worked(t *testing.T, app core.App) {
	t.Helper()
	if err := queue.Start(app); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = queue.Stop(t.Context(), app) })
	for {
		s, err := queue.Status(app)
		if err != nil {
			t.Fatal(err)
		}
		if s.Waiting+s.Running == 0 {
			return
		}
	}
}

func TestTagsAreMergedWithTheirPostsAndAddress(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Editor)
	wood := sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Wood", "description": "Planks"})
	timber := sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Timber"})
	stone := sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Stone"})
	post := func(title, status string, tags ...string) string {
		return sitetest.Make(t, app, schema.Posts, map[string]any{"title": title, "body": "x", "status": status, "tags": tags}).Id
	}
	one, both, other, draft := post("One", "published", wood.Id, stone.Id), post("Both", "published", timber.Id, wood.Id), post("Other", "published", stone.Id), post("Draft", "draft", wood.Id)
	version := sitetest.Make(t, app, schema.Revisions, map[string]any{"collection": "posts", "record": one, "state": "draft", "data": map[string]any{"tags": []string{wood.Id}}})
	sitetest.Make(t, app, schema.Redirects, map[string]any{"from": "/older", "to": "/tag/wood/"})
	if _, body := app.Get("/tag/timber/"); strings.Contains(body, ">One<") {
		t.Fatal("merged already")
	}
	body := ada.see("/desk/tags/?sort=posts", 200)
	has(t, body, "Wood", "Timber", `data-label="Posts">3<`)
	path := "/desk/tags/" + wood.Id + "/"
	has(t, ada.see(path, 200), `value="Timber"`, "Planks", `href="/tag/wood/"`)
	for _, into := range []string{"Wood", "nothing", ""} {
		_, body := ada.send(path+"merge/", url.Values{"into": {into}}, 422)
		has(t, body, `aria-invalid="true"`)
	}
	_, undo := ada.undoAfter(path+"merge/", url.Values{"into": {"timber"}})
	for id, want := range map[string][]string{one: {timber.Id, stone.Id}, both: {timber.Id}, other: {stone.Id}, draft: {timber.Id}} {
		if got := tagsOf(t, app, id); !slices.Equal(got, want) {
			t.Errorf("a post has %v, want %v", got, want)
		}
	}
	if v, _ := app.FindRecordById(schema.Revisions, version.Id); !strings.Contains(v.GetString("data"), timber.Id) {
		t.Error("a draft still has the old tag")
	}
	for from, to := range map[string]string{"/tag/wood/": "/tag/timber/", "/older/": "/tag/timber/"} {
		if res, _ := app.Get(from); res.StatusCode != 301 || res.Header.Get("Location") != to {
			t.Errorf("%s answers %d %s", from, res.StatusCode, res.Header.Get("Location"))
		}
	}
	if _, body := app.Get("/tag/timber/"); !strings.Contains(body, "One") {
		t.Error("the page of the tag is stale")
	}
	worked(t, app.TestApp)
	if found, err := content.Search(app, "en", "timber", 1, 10); err != nil || found.Total != 2 {
		t.Errorf("the search finds %+v, %v", found, err)
	}
	if audited(t, app, "tag.merge", wood.Id) != 1 {
		t.Error("the audit misses it")
	}
	ada.send(undo, nil, 303)
	for id, want := range map[string][]string{one: {wood.Id, stone.Id}, both: {timber.Id, wood.Id}, draft: {wood.Id}} {
		if got := tagsOf(t, app, id); !slices.Equal(got, want) {
			t.Errorf("taken back, a post has %v, want %v", got, want)
		}
	}
	if res, _ := app.Get("/tag/wood/"); res.StatusCode != 200 {
		t.Errorf("taken back, the tag answers %d", res.StatusCode)
	}
	if res, _ := app.Get("/older/"); res.Header.Get("Location") != "/tag/wood/" {
		t.Errorf("taken back, the old redirect leads to %s", res.Header.Get("Location"))
	}
}

func TestATagIsAddedRenamedAndDeleted(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Editor)
	ada.send("/desk/tags/", url.Values{"name": {" Wood "}, "text": {"Planks"}}, 303)
	tag, err := app.FindFirstRecordByData(schema.Tags, "slug", "wood")
	if err != nil || tag.GetString("description") != "Planks" {
		t.Fatalf("%v, %v", tag, err)
	}
	_, body := ada.send("/desk/tags/", url.Values{"name": {""}, "text": {"Kept"}}, 422)
	has(t, body, `aria-invalid="true"`, "Kept")
	post := sitetest.Make(t, app, schema.Posts, map[string]any{"title": "One", "body": "x", "status": "published", "tags": []string{tag.Id}}).Id
	path := "/desk/tags/" + tag.Id + "/"
	ada.send(path, url.Values{"name": {"Timber"}, "slug": {"timber"}}, 303)
	if res, _ := app.Get("/tag/wood/"); res.Header.Get("Location") != "/tag/timber/" {
		t.Errorf("the old address leads to %q", res.Header.Get("Location"))
	}
	sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Stone"})
	_, body = ada.send(path, url.Values{"name": {"Timber"}, "slug": {"stone"}}, 422)
	has(t, body, `aria-invalid="true"`)
	_, undo := ada.undoAfter(path+"delete/", url.Values{"x": {"1"}})
	if got := tagsOf(t, app, post); len(got) != 0 {
		t.Errorf("the post keeps %v", got)
	}
	ada.send(undo, nil, 303)
	if got := tagsOf(t, app, post); !slices.Equal(got, []string{tag.Id}) {
		t.Errorf("taken back, the post has %v", got)
	}
	ada.see("/desk/tags/none/", 404)
	ada.send("/desk/tags/none/delete/", nil, 404)
	as(t, app, roles.Author).see("/desk/tags/", 403)
}

func TestAnAuthorHasAPhotoAnAccountAndPosts(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, bob := as(t, app, roles.Editor), as(t, app, roles.Author)
	ada.send("/desk/authors/", url.Values{"name": {"Bob"}}, 303)
	author, err := app.FindFirstRecordByData(schema.Authors, "slug", "bob")
	if err != nil {
		t.Fatal(err)
	}
	path := "/desk/authors/" + author.Id + "/"
	has(t, ada.see(path, 200), `<option value="`+bob.Person.Id+`"`)
	res, body := ada.sendFiles(path, "text/html", files{"bob.png", picture(t, 8, 8)}, "name", "Bob", "slug", "bob", "text", "Builds", "url", "https://example.com", "staff", bob.Person.Id)
	if res.StatusCode != 303 {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	author, _ = app.FindRecordById(schema.Authors, author.Id)
	if author.GetString("avatar") == "" || author.GetString("staff") != bob.Person.Id || author.GetString("bio") != "Builds" {
		t.Errorf("%v", author)
	}
	res, body = ada.sendFiles(path, "text/html", files{"bob.png", "broken"}, "name", "Bob", "url", "none")
	if res.StatusCode != 422 || !strings.Contains(body, `name="file" type="file" accept="image/*" aria-invalid="true"`) {
		t.Errorf("a broken photo: %d", res.StatusCode)
	}
	has(t, ada.see("/desk/authors/", 200), "author</td>")
	other := sitetest.Make(t, app, schema.Authors, map[string]any{"name": "Robert"})
	post := sitetest.Make(t, app, schema.Posts, map[string]any{"title": "One", "body": "x", "status": "draft", "authors": []string{author.Id}})
	page := sitetest.Make(t, app, schema.Pages, map[string]any{"title": "P", "body": "x", "status": "draft", "authors": []string{author.Id, other.Id}})
	_, undo := ada.undoAfter(path+"merge/", url.Values{"into": {"Robert"}})
	for _, r := range []*core.Record{post, page} {
		if now, _ := app.FindRecordById(r.Collection(), r.Id); !slices.Equal(now.GetStringSlice("authors"), []string{other.Id}) {
			t.Errorf("%s has %v", r.GetString("title"), now.GetStringSlice("authors"))
		}
	}
	if now, _ := app.FindRecordById(schema.Authors, other.Id); now.GetString("staff") != bob.Person.Id {
		t.Error("the account did not come along")
	}
	ada.send(undo, nil, 303)
	if now, _ := app.FindRecordById(schema.Authors, other.Id); now.GetString("staff") != "" {
		t.Error("taken back, the account stays")
	}
	if now, err := app.FindRecordById(schema.Authors, author.Id); err != nil || now.GetString("staff") != bob.Person.Id || now.GetString("bio") != "Builds" {
		t.Errorf("taken back: %v, %v", now, err)
	}
	ada.send(path, url.Values{"name": {"Bob"}, "slug": {"bob"}, "avatar": {author.GetString("avatar")}, "no_photo": {"true"}}, 303)
	if now, _ := app.FindRecordById(schema.Authors, author.Id); now.GetString("avatar") != "" {
		t.Error("the photo stays")
	}
}

// A crash in the middle must leave nothing half merged: it is one transaction.
func TestAMergeThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Editor)
	wood, timber := sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Wood"}), sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Timber"})
	post := sitetest.Make(t, app, schema.Posts, map[string]any{"title": "One", "body": "x", "status": "draft", "tags": []string{wood.Id}}).Id
	app.OnRecordCreate(schema.Redirects).BindFunc(func(*core.RecordEvent) error { return errors.New("a full disk") })
	ada.send("/desk/tags/"+wood.Id+"/merge/", url.Values{"into": {timber.GetString("slug")}}, 500)
	if got := tagsOf(t, app, post); !slices.Equal(got, []string{wood.Id}) {
		t.Errorf("the post has %v", got)
	}
	if _, err := app.FindRecordById(schema.Tags, wood.Id); err != nil {
		t.Error("the tag is gone")
	}
}

func TestCountsReadAnIndexAlone(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	for field, index := range map[string]string{"tags": "idx_posts_tags", "authors": "idx_posts_authors"} {
		if p := plan(t, app, "SELECT j.value, count(*) FROM posts, json_each(posts."+field+") j GROUP BY j.value"); !strings.Contains(p, "COVERING INDEX "+index) {
			t.Errorf("%s: %s", field, p)
		}
	}
}

func BenchmarkNamedList(b *testing.B) {
	app := sitetest.New(b)
	fill(b, app, 10_000, "tags (id, name, slug, created, updated) SELECT printf('t%014d', i), 'Tag ' || i, 'tag-' || i, '2026-01-01', '2026-01-01' FROM n")
	fill(b, app, 10_000, `posts (id, title, slug, locale, status, body, html, tags, authors, created, updated)
		SELECT printf('p%014d', i), 'Post ' || i, 'post-' || i, 'en', 'published', replace(hex(zeroblob(3000)), '0', 'word '), '<p></p>',
		json_array(printf('t%014d', i), printf('t%014d', i / 2 + 1)), '[]', '2026-01-01', '2026-01-01' FROM n`)
	fill(b, app, 10_000, "redirects (id, `from`, `to`, status, prefix, hits, created, updated) SELECT printf('r%014d', i), '/old-' || i, '/new-' || i, '301', FALSE, i, datetime('2026-01-01', '+' || i || ' minutes'), '2026-01-01' FROM n")
	editor := as(b, app, roles.Editor)
	for _, path := range []string{"/desk/tags/", "/desk/tags/?sort=posts&page=" + strconv.Itoa(100), "/desk/tags/?q=99", "/desk/authors/", "/desk/redirects/", "/desk/redirects/?q=new+99&sort=hits"} {
		b.Run(path, func(b *testing.B) {
			for b.Loop() {
				editor.see(path, 200)
			}
		})
	}
}
