package content_test

import (
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/content"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

func post(title string, more ...any) map[string]any {
	fields := map[string]any{"title": title, "body": "Words of *" + title + "*.", "status": schema.StatusPublished}
	for i := 0; i+1 < len(more); i += 2 {
		fields[more[i].(string)] = more[i+1]
	}
	return fields
}

func TestAPostFillsWhatFollowsFromItsText(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	p := sitetest.Make(t, app, schema.Posts, post("Über uns & Öl"))
	for field, want := range map[string]string{
		"slug": "ueber-uns-oel", "locale": "en", "format": "markdown",
		"html": "<p>Words of <em>Über uns &amp; Öl</em>.</p>", "summary": "Words of Über uns & Öl.",
	} {
		if got := strings.TrimSpace(p.GetString(field)); got != want {
			t.Errorf("%s is %q, want %q", field, got, want)
		}
	}
	if p.GetInt("reading_minutes") != 1 || p.GetDateTime("published_at").IsZero() {
		t.Errorf("reading time %d, published at %v", p.GetInt("reading_minutes"), p.GetDateTime("published_at"))
	}
	second := sitetest.Make(t, app, schema.Posts, post("Über uns & Öl"))
	if got := second.GetString("slug"); got != "ueber-uns-oel-2" {
		t.Errorf("the second post has the slug %q", got)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	sitetest.Make(t, app, schema.Posts, post("Taken"))
	about := sitetest.Make(t, app, schema.Pages, post("About"))
	team := sitetest.Make(t, app, schema.Pages, post("Team", "parent", about.Id))
	cases := []struct {
		name, collection, field string
		fields                  map[string]any
	}{
		{"a slug that is taken", schema.Posts, "slug", post("Other", "slug", "taken")},
		{"a reserved page", schema.Pages, "slug", post("Search", "slug", "search")},
		{"scheduled without a time", schema.Posts, "published_at", post("Soon", "status", schema.StatusScheduled)},
		{"a parent that is gone", schema.Pages, "parent", post("Lost", "parent", "nothing00000000")},
		{"a body that is too long as a page", schema.Posts, "body", post("Long", "body", strings.Repeat("& ", 850_000), "format", "html")},
		{"a body nested without end", schema.Posts, "body", post("Deep", "body", strings.Repeat("> ", 5000)+"x")},
		{"a menu with a script", schema.Menus, "items", map[string]any{"name": "m", "items": []any{map[string]any{"label": "x", "url": "javascript:alert(1)"}}}},
		{"a menu without labels", schema.Menus, "items", map[string]any{"name": "m", "items": []any{map[string]any{"url": "/"}}}},
		{"a redirect to a script", schema.Redirects, "to", map[string]any{"from": "/x", "to": "javascript:alert(1)"}},
		{"a redirect of the home page", schema.Redirects, "from", map[string]any{"from": "/", "to": "/x/"}},
		{"a redirect to itself", schema.Redirects, "to", map[string]any{"from": "/a/", "to": "/a"}},
		{"a prefix into itself", schema.Redirects, "to", map[string]any{"from": "/a", "to": "/a/b/", "prefix": true}},
		{"a site without a title", schema.Settings, "value", map[string]any{"feature": "site", "value": map[string]any{"title": " "}}},
	}
	for _, c := range cases {
		_, err := sitetest.TryMake(app, c.collection, c.fields)
		var fields validation.Errors
		if !errors.As(err, &fields) || fields[c.field] == nil {
			t.Errorf("%s: got %v, want an error beside %s", c.name, err, c.field)
		}
	}
	about.Set("parent", team.Id)
	if err := app.Save(about); err == nil {
		t.Error("a page came to lie below itself")
	}
	if err := app.Delete(about); err == nil {
		t.Error("a page was deleted from above its children")
	}
}

func TestAScheduledPostAppearsAndIsAnnouncedOnce(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	announced := 0
	events.OnPublish(app).BindFunc(func(e *events.PublishEvent) error {
		announced++
		return e.Next()
	})
	due := time.Now().Add(time.Hour)
	p := sitetest.Make(t, app, schema.Posts, post("Later", "published_at", due.UTC().Format(time.RFC3339)))
	if p.GetString("status") != schema.StatusScheduled || announced != 0 {
		t.Fatalf("a post of tomorrow is %s, announced %d times", p.GetString("status"), announced)
	}
	if err := content.PublishDue(app, time.Now()); err != nil {
		t.Fatal(err)
	}
	p, _ = app.FindRecordById(schema.Posts, p.Id)
	if p.GetString("status") != schema.StatusScheduled {
		t.Fatal("it was published before its time")
	}
	// Its time comes: the clock is the record's.
	p.Set("published_at", time.Now().Add(-time.Minute).UTC().Format(time.RFC3339))
	if _, err := app.DB().Update(schema.Posts, map[string]any{"published_at": p.GetString("published_at")}, nil).Execute(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := content.PublishDue(app, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	p, _ = app.FindRecordById(schema.Posts, p.Id)
	p.Set("title", "Later, edited")
	if err := app.Save(p); err != nil {
		t.Fatal(err)
	}
	if p.GetString("status") != schema.StatusPublished || announced != 1 {
		t.Errorf("it is %s and was announced %d times", p.GetString("status"), announced)
	}
}

// A post that was found due was once saved as it had been found, over what its
// writer had saved meanwhile.
func TestPublishingKeepsWhatWasEditedMeanwhile(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	due := time.Now().Add(time.Hour)
	first := sitetest.Make(t, app, schema.Posts, post("First", "published_at", due.UTC().Format(time.RFC3339)))
	second := sitetest.Make(t, app, schema.Posts, post("Second", "published_at", due.Add(time.Minute).UTC().Format(time.RFC3339)))
	third := sitetest.Make(t, app, schema.Posts, post("Third", "published_at", due.Add(2*time.Minute).UTC().Format(time.RFC3339)))
	app.OnRecordUpdate(schema.Posts).BindFunc(func(e *core.RecordEvent) error {
		if e.Record.Id != first.Id {
			return e.Next()
		}
		for id, change := range map[string]map[string]any{second.Id: {"title": "Second, edited"}, third.Id: {"status": "draft"}} {
			if _, err := e.App.DB().Update(schema.Posts, change, dbx.HashExp{"id": id}).Execute(); err != nil {
				return err
			}
		}
		return e.Next()
	})
	if _, err := app.DB().Update(schema.Posts, map[string]any{"published_at": "2026-01-01 00:00:00.000Z"}, dbx.HashExp{"id": first.Id}).Execute(); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{second.Id, third.Id} {
		if _, err := app.DB().Update(schema.Posts, map[string]any{"published_at": "2026-01-02 00:00:00.000Z"}, dbx.HashExp{"id": id}).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	if err := content.PublishDue(app, time.Now()); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[string]string{first.Id: "First published", second.Id: "Second, edited published", third.Id: "Third draft"} {
		r, err := app.FindRecordById(schema.Posts, id)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.GetString("title") + " " + r.GetString("status"); got != want {
			t.Errorf("it is %q, want %q", got, want)
		}
	}
}

func TestTwoClicksOnPublishAnnounceOnce(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	announced := 0
	events.OnPublish(app).BindFunc(func(e *events.PublishEvent) error {
		announced++
		return e.Next()
	})
	draft := sitetest.Make(t, app, schema.Posts, post("Twice", "status", schema.StatusDraft))
	var loaded []*core.Record
	for range 2 { // both requests read the draft before either saves
		r, err := app.FindRecordById(schema.Posts, draft.Id)
		if err != nil {
			t.Fatal(err)
		}
		loaded = append(loaded, r)
	}
	for _, r := range loaded {
		r.Set("status", schema.StatusPublished)
		if err := app.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	if announced != 1 {
		t.Errorf("announced %d times", announced)
	}
}

// A text of a megabyte once kept everybody from writing while it was rendered.
func TestATextIsRenderedWhileOthersWrite(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	c, err := app.FindCollectionByNameOrId(schema.Posts)
	if err != nil {
		t.Fatal(err)
	}
	r := core.NewRecord(c)
	r.Load(post("Long"))
	saved := make(chan error, 1)
	err = app.RunInTransaction(func(core.App) error { // nobody else can write now
		go func() { saved <- app.Save(r) }()
		for deadline := time.Now().Add(20 * time.Second); r.GetString("html") == ""; runtime.Gosched() {
			if time.Now().After(deadline) {
				return errors.New("the text waits for the writer to be rendered")
			}
		}
		return nil
	})
	if err := errors.Join(err, <-saved); err != nil {
		t.Error(err)
	}
}

func TestOnPublishMayRefuse(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	events.OnPublish(app).BindFunc(func(*events.PublishEvent) error { return errors.New("not on a Sunday") })
	if _, err := sitetest.TryMake(app, schema.Posts, post("Refused")); err == nil {
		t.Fatal("it was published all the same")
	}
	if n, _ := app.CountRecords(schema.Posts); n != 0 {
		t.Errorf("%d posts are left", n)
	}
}

func TestSearch(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	tag := sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Sourdough"})
	inTitle := sitetest.Make(t, app, schema.Posts, post("Rye bread", "body", "A loaf."))
	inBody := sitetest.Make(t, app, schema.Posts, post("Ovens", "body", "Rye in <b>the</b> oven. "+strings.Repeat("Heat. ", 200), "tags", []string{tag.Id}))
	sitetest.Make(t, app, schema.Posts, post("Secret rye", "status", schema.StatusDraft))
	found := func(q string) []string {
		t.Helper()
		r, err := content.Search(app, "en", q, 1, 20)
		if err != nil {
			t.Fatalf("search %q: %v", q, err)
		}
		var ids []string
		for _, i := range r.Items {
			ids = append(ids, i.Record)
		}
		return ids
	}
	equal := func(q string, want ...string) {
		t.Helper()
		if got := found(q); strings.Join(got, " ") != strings.Join(want, " ") {
			t.Errorf("%q finds %v, want %v", q, got, want)
		}
	}
	equal("rye", inTitle.Id, inBody.Id)
	equal("RY", inTitle.Id, inBody.Id)
	equal("rye bread", inTitle.Id)
	equal("sourdough", inBody.Id)
	for _, q := range []string{"", " ", `"`, `" OR "`, "NEAR(a b)", "title:rye*", "rye NOT bread", "^", "\x00", strings.Repeat("x", 100_000), strings.Repeat("a ", 9999)} {
		found(q)
	}
	equal("title:rye* bread)", inTitle.Id[:0])

	tag.Set("name", "Levain")
	if err := app.Save(tag); err != nil {
		t.Fatal(err)
	}
	equal("levain", inBody.Id)
	equal("sourdough")
	inTitle.Set("status", schema.StatusArchived)
	if err := app.Save(inTitle); err != nil {
		t.Fatal(err)
	}
	equal("rye", inBody.Id)
	if err := app.Delete(tag); err != nil {
		t.Fatal(err)
	}
	equal("levain")
	if err := app.Delete(inBody); err != nil {
		t.Fatal(err)
	}
	equal("rye")
}

func TestSearchSnippetsAreSafe(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	sitetest.Make(t, app, schema.Posts, post("Needle", "body", "`<script>alert(1)</script>` needle <b>bold</b>"))
	res, body := app.Get("/api/site/search?q=needle")
	if res.StatusCode != http.StatusOK || strings.Contains(body, "<script") || !strings.Contains(body, `"totalItems":1`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestAFailedSaveLeavesNothingBehind(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	p := sitetest.Make(t, app, schema.Posts, post("First"))
	app.OnRecordUpdateExecute(schema.Posts).BindFunc(func(e *core.RecordEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		return errors.New("the last step failed")
	})
	p.Set("slug", "second")
	if err := app.Save(p); err == nil {
		t.Fatal("the save went through")
	}
	if _, found, _ := content.FindRedirect(app, "/blog/first/", ""); found {
		t.Error("a redirect of a save that failed is there")
	}
}

func TestSettingsOfTheSite(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	want := settings.SiteDefaults()
	want.Title, want.Locales = "Corner Bakery", []string{"de"}
	if err := settings.Save(app, settings.SiteFeature, want); err != nil {
		t.Fatal(err)
	}
	got, err := settings.LoadSite(app)
	if err != nil || got.Title != want.Title || len(got.Locales) != 1 {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := sitetest.TryMake(app, schema.Pages, post("German", "slug", "de")); err == nil {
		t.Error("a page took the address of a language")
	}
}
