package media_test

import (
	"slices"
	"testing"

	"bungalow/hooks/content/media"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

func TestUsesFollowWhatRecordsShow(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	a, b := sitetest.Make(t, app, schema.Media, map[string]any{"source_url": "https://example.com/a.jpg"}), sitetest.Make(t, app, schema.Media, nil)
	places := func(id string) string {
		t.Helper()
		uses, err := media.Uses(app, id)
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, u := range uses {
			all = append(all, u.Collection+" "+u.Place)
		}
		slices.Sort(all)
		out := ""
		for _, p := range all {
			out += p + "; "
		}
		return out
	}
	body := "![x](/media/" + a.Id + "/a.png) and ![x](/media/" + a.Id + "/a.png?w=320)"
	post := sitetest.Make(t, app, schema.Posts, map[string]any{"title": "A", "body": body, "cover": b.Id, "status": "draft"})
	page := sitetest.Make(t, app, schema.Pages, map[string]any{"title": "A", "body": "x", "cover": a.Id, "status": "draft"})
	author := sitetest.Make(t, app, schema.Authors, map[string]any{"name": "Ada", "avatar": a.Id})
	logo := sitetest.Make(t, app, schema.Settings, map[string]any{"feature": "site", "value": map[string]any{"title": "T", "logo": a.Id}})
	draft := sitetest.Make(t, app, schema.Revisions, map[string]any{"collection": "posts", "record": post.Id, "state": "draft", "data": map[string]any{"body": "/media/" + b.Id + "/x.png", "cover": a.Id}})
	if got := places(a.Id); got != "authors photo; pages cover; posts body; revisions draft; settings logo; " {
		t.Errorf("a is shown by %s", got)
	}
	if got := places(b.Id); got != "posts cover; revisions draft; " {
		t.Errorf("b is shown by %s", got)
	}
	counts, err := media.CountUses(app, a.Id, b.Id, "none")
	if err != nil || counts[a.Id] != 5 || counts[b.Id] != 2 || len(counts) != 2 {
		t.Errorf("%v, %v", counts, err)
	}
	post.Set("body", "plain")
	draft.Set("state", "kept")
	for _, r := range []*core.Record{post, draft} {
		if err := app.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range []*core.Record{page, author, logo} {
		if err := app.Delete(r); err != nil {
			t.Fatal(err)
		}
	}
	if got := places(a.Id); got != "revisions draft; " { // the deleted page lies in the bin
		t.Errorf("a is still shown by %s", got)
	}
	if err := app.Delete(b); err != nil {
		t.Fatal(err)
	}
	if got := places(b.Id); got != "" {
		t.Errorf("what is deleted is shown by %s", got)
	}
}
