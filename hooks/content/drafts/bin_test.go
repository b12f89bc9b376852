package drafts_test

import (
	"errors"
	"testing"
	"time"

	"bungalow/hooks/content/drafts"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/dbx"
)

func TestADeletedPostComesBackAsItWas(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	announced := 0
	events.OnPublish(app).BindFunc(func(e *events.PublishEvent) error {
		announced++
		return e.Next()
	})
	by := person(t, app, roles.Editor)
	p, _ := live(t, app, by, "First.")
	comment := sitetest.Make(t, app, schema.Comments, map[string]any{"thread": "/blog/a-title/", "author": "Eve", "body": "Hi", "status": schema.CommentApproved})
	if _, err := app.DB().Update(schema.Posts, map[string]any{"created": "2024-01-02 03:04:05.000Z"}, dbx.HashExp{"id": p.Id}).Execute(); err != nil {
		t.Fatal(err)
	}
	p = stored(t, app, schema.Posts, p.Id)
	if _, err := drafts.Bin(app, by, schema.Posts, p.Id); err != nil {
		t.Fatal(err)
	}
	if res, _ := app.Get("/blog/a-title/"); res.StatusCode != 404 {
		t.Errorf("a post in the bin answers %d", res.StatusCode)
	}
	back, err := drafts.Unbin(app, by, schema.Posts, p.Id)
	if err != nil {
		t.Fatal(err)
	}
	back = stored(t, app, schema.Posts, back.Id)
	for _, field := range []string{"id", "created", "slug", "status", "published_at", "body", "html", "announced_at", "authors"} {
		if got, want := back.GetString(field), p.GetString(field); got != want {
			t.Errorf("%s is %q, was %q", field, got, want)
		}
	}
	if announced != 1 {
		t.Errorf("announced %d times", announced)
	}
	if res, _ := app.Get("/blog/a-title/"); res.StatusCode != 200 {
		t.Errorf("a post that is back answers %d", res.StatusCode)
	}
	if stored(t, app, schema.Comments, comment.Id).GetString("status") != schema.CommentApproved {
		t.Error("its comments are gone")
	}
	if list, _ := drafts.History(app, by.Person, schema.Posts, p.Id); len(list) < 2 {
		t.Errorf("its history is %d versions", len(list))
	}
	if _, err := drafts.Unbin(app, by, schema.Posts, p.Id); !errors.Is(err, drafts.ErrMissing) {
		t.Errorf("bringing it back twice: %v", err)
	}
	if got := actions(t, app, p.Id); got != "post.create post.publish post.bin post.unbin" {
		t.Errorf("the audit says %q", got)
	}
}

func TestWhatChangedMeanwhileIsMinded(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	by := person(t, app, roles.Editor)
	first, _ := live(t, app, by, "First.")
	if _, err := drafts.Bin(app, by, schema.Posts, first.Id); err != nil {
		t.Fatal(err)
	}
	second, _ := live(t, app, by, "Second.") // the address was free
	if second.GetString("slug") != "a-title" {
		t.Fatalf("the address of a binned post is kept: %s", second.GetString("slug"))
	}
	back, err := drafts.Unbin(app, by, schema.Posts, first.Id)
	if err != nil || back.GetString("slug") != "a-title-2" {
		t.Errorf("it came back at %v, %v", back.GetString("slug"), err)
	}

	parent := sitetest.Make(t, app, schema.Pages, map[string]any{"title": "Parent", "body": "x", "status": "draft"})
	child := sitetest.Make(t, app, schema.Pages, map[string]any{"title": "Child", "body": "x", "status": "scheduled", "parent": parent.Id,
		"published_at": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	if _, err := drafts.Bin(app, by, schema.Pages, parent.Id); err == nil {
		t.Error("a page was binned from above its children")
	}
	for _, id := range []string{child.Id, parent.Id} {
		if _, err := drafts.Bin(app, by, schema.Pages, id); err != nil {
			t.Fatal(err)
		}
	}
	var raw string
	if err := app.DB().Select("data").From(schema.Revisions).Where(dbx.HashExp{"record": child.Id, "state": "binned"}).Row(&raw); err != nil {
		t.Fatal(err)
	}
	past := time.Now().Add(-time.Hour).UTC().Format("2006-01-02 15:04:05.000Z")
	if _, err := app.DB().NewQuery("UPDATE revisions SET data = json_set(data, '$.published_at', {:past}) WHERE record = {:id}").
		Bind(dbx.Params{"past": past, "id": child.Id}).Execute(); err != nil {
		t.Fatal(err)
	}
	page, err := drafts.Unbin(app, by, schema.Pages, child.Id)
	if err != nil || page.GetString("parent") != "" || page.GetString("path") != "child" || page.GetString("status") != schema.StatusDraft {
		t.Errorf("%v, %v", page, err)
	}
}

func TestTheBinIsEmptied(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	by := person(t, app, roles.Editor)
	old, _ := live(t, app, by, "Old.")
	young, _ := live(t, app, by, "Young.")
	for _, r := range []string{old.Id, young.Id} {
		if _, err := drafts.Bin(app, by, schema.Posts, r); err != nil {
			t.Fatal(err)
		}
	}
	rows := func(id string) int64 {
		n, err := app.CountRecords(schema.Revisions, dbx.HashExp{"record": id})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if err := drafts.EmptyBin(app, time.Now().AddDate(0, 0, drafts.BinDays-1)); err != nil || rows(old.Id) == 0 {
		t.Errorf("it was emptied a day early, %v", err)
	}
	if _, err := app.DB().Update(schema.Revisions, map[string]any{"at": "2024-01-01 00:00:00.000Z"}, dbx.HashExp{"record": old.Id}).Execute(); err != nil {
		t.Fatal(err)
	}
	if err := drafts.EmptyBin(app, time.Now()); err != nil || rows(old.Id) != 0 || rows(young.Id) == 0 {
		t.Errorf("%d rows of the old one, %d of the young one, %v", rows(old.Id), rows(young.Id), err)
	}
	if err := drafts.Purge(app, by, schema.Posts, young.Id); err != nil || rows(young.Id) != 0 {
		t.Errorf("%d rows are left, %v", rows(young.Id), err)
	}
}
