package drafts_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"bungalow/hooks/content/drafts"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// person makes a member of staff who can act.
func person(t *testing.T, app core.App, role roles.Role) drafts.By {
	t.Helper()
	record, _ := sitetest.Staff(t, app, role)
	return drafts.By{Person: record, Actor: audit.Of(record, "127.0.0.1")}
}

func body(words string) drafts.Version { return drafts.Version{"title": "A title", "body": words} }

// live makes a published post by the person and gives its base.
func live(t *testing.T, app core.App, by drafts.By, words string) (*core.Record, string) {
	t.Helper()
	r, err := drafts.Create(app, by, schema.Posts, body(words))
	if err != nil {
		t.Fatal(err)
	}
	r, err = drafts.Publish(app, by, schema.Posts, r.Id, base(t, r), body(words), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	return r, base(t, r)
}

func base(t *testing.T, r *core.Record) string {
	t.Helper()
	b, err := drafts.Base(r)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func stored(t *testing.T, app core.App, collection, id string) *core.Record {
	t.Helper()
	r, err := app.FindRecordById(collection, id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func actions(t *testing.T, app core.App, record string) string {
	t.Helper()
	var all []string
	if err := app.DB().Select("action").From(schema.Audit).Where(dbx.HashExp{"record": record}).OrderBy("rowid").Column(&all); err != nil {
		t.Fatal(err)
	}
	return strings.Join(all, " ")
}

func TestAPublishedTextStaysWhileItsNextVersionIsWritten(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	announced := 0
	events.OnPublish(app).BindFunc(func(e *events.PublishEvent) error {
		announced++
		return e.Next()
	})
	by := person(t, app, roles.Author)
	p, b := live(t, app, by, "First.")
	draft, stale, err := drafts.Autosave(app, by, schema.Posts, p.Id, b, body("Second."))
	if err != nil || stale || draft == nil {
		t.Fatalf("%v %v %v", draft, stale, err)
	}
	again, _, err := drafts.Autosave(app, by, schema.Posts, p.Id, b, body("Second, longer."))
	if err != nil || again.ID != draft.ID {
		t.Fatalf("a second draft beside the first: %v %v", again, err)
	}
	if _, err := drafts.Save(app, by, schema.Posts, p.Id, b, body("Third.")); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, app, schema.Posts, p.Id).GetString("body"); got != "First." {
		t.Errorf("visitors see %q", got)
	}
	_, v, err := drafts.Draft(app, by.Person, stored(t, app, schema.Posts, p.Id))
	if err != nil || v["body"] != "Third." {
		t.Errorf("the draft is %v, %v", v["body"], err)
	}
	if _, err := drafts.Publish(app, by, schema.Posts, p.Id, b, body("Third."), time.Time{}); err != nil {
		t.Fatal(err)
	}
	after := stored(t, app, schema.Posts, p.Id)
	if !strings.Contains(after.GetString("html"), "Third.") || announced != 1 {
		t.Errorf("%q, announced %d times", after.GetString("html"), announced)
	}
	if d, _, _ := drafts.Draft(app, by.Person, after); d != nil {
		t.Error("the draft is still there")
	}
	if got := actions(t, app, p.Id); got != "post.create post.publish post.draft post.publish" {
		t.Errorf("the audit says %q", got)
	}
}

func TestADraftThatSaysTheSameIsDropped(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	by := person(t, app, roles.Editor)
	p, b := live(t, app, by, "First.")
	for _, words := range []string{"Second.", "First."} {
		if _, _, err := drafts.Autosave(app, by, schema.Posts, p.Id, b, body(words)); err != nil {
			t.Fatal(err)
		}
	}
	if d, _, _ := drafts.Draft(app, by.Person, p); d != nil {
		t.Error("a draft without changes is kept")
	}
	if _, err := drafts.Discard(app, by, schema.Posts, p.Id); !errors.Is(err, drafts.ErrNoDraft) {
		t.Errorf("discarding nothing: %v", err)
	}
}

func TestOfTwoWhoPublishAtOnceOneWins(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, bob := person(t, app, roles.Editor), person(t, app, roles.Editor)
	p, b := live(t, app, ada, "First.")
	results := make([]error, 2)
	var both sync.WaitGroup
	for i, by := range []drafts.By{ada, bob} {
		both.Go(func() {
			_, results[i] = drafts.Publish(app, by, schema.Posts, p.Id, b, body(fmt.Sprintf("Version %d.", i)), time.Time{})
		})
	}
	both.Wait()
	won := 0
	if results[0] != nil {
		won = 1
	}
	var conflict *drafts.Conflict
	if results[won] != nil || !errors.As(results[1-won], &conflict) {
		t.Fatalf("got %v", results)
	}
	if conflict.Theirs["body"] != fmt.Sprintf("Version %d.", won) || conflict.Yours["body"] != fmt.Sprintf("Version %d.", 1-won) {
		t.Errorf("theirs %v, yours %v", conflict.Theirs["body"], conflict.Yours["body"])
	}
	loser := []drafts.By{ada, bob}[1-won]
	if _, stale, err := drafts.Autosave(app, loser, schema.Posts, p.Id, b, body("Mine.")); err != nil || !stale {
		t.Errorf("an autosave over a change: stale %v, %v", stale, err)
	}
	if _, err := drafts.Publish(app, loser, schema.Posts, p.Id, conflict.Base, conflict.Yours, time.Time{}); err != nil {
		t.Errorf("having seen the other version: %v", err)
	}
}

func TestScheduling(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	by := person(t, app, roles.Editor)
	in := time.Now().Add(time.Hour)
	r, err := drafts.Create(app, by, schema.Posts, body("Soon."))
	if err != nil {
		t.Fatal(err)
	}
	if r, err = drafts.Schedule(app, by, schema.Posts, r.Id, base(t, r), body("Soon."), in); err != nil || r.GetString("status") != schema.StatusScheduled {
		t.Fatalf("%v %v", r, err)
	}
	var fields validation.Errors
	if _, err := drafts.Schedule(app, by, schema.Posts, r.Id, "", body("x"), time.Now()); !errors.As(err, &fields) {
		t.Errorf("a time that has gone: %v", err)
	}

	p, b := live(t, app, by, "First.")
	if _, err := drafts.Schedule(app, by, schema.Posts, p.Id, b, body("Second."), in); err != nil {
		t.Fatal(err)
	}
	if err := drafts.PublishDue(app, time.Now()); err != nil || stored(t, app, schema.Posts, p.Id).GetString("body") != "First." {
		t.Errorf("changes came before their time, %v", err)
	}
	if err := drafts.PublishDue(app, in.Add(time.Second)); err != nil || stored(t, app, schema.Posts, p.Id).GetString("body") != "Second." {
		t.Errorf("changes did not come at their time, %v", err)
	}
}

func TestScheduledChangesOfATextThatWasChangedAreKeptBack(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, bob := person(t, app, roles.Editor), person(t, app, roles.Editor)
	p, b := live(t, app, ada, "First.")
	in := time.Now().Add(time.Hour)
	if _, err := drafts.Schedule(app, ada, schema.Posts, p.Id, b, body("Ada's."), in); err != nil {
		t.Fatal(err)
	}
	if _, err := drafts.Publish(app, bob, schema.Posts, p.Id, b, body("Bob's."), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if err := drafts.PublishDue(app, in.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	r := stored(t, app, schema.Posts, p.Id)
	draft, v, err := drafts.Draft(app, ada.Person, r)
	if err != nil || draft == nil || draft.State != schema.RevisionDraft || draft.Note == "" || v["body"] != "Ada's." || r.GetString("body") != "Bob's." {
		t.Errorf("%+v %v %v", draft, v["body"], err)
	}
}

func TestHistoryAndRestore(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	by := person(t, app, roles.Editor)
	r, err := drafts.Create(app, by, schema.Posts, body("One."))
	if err != nil {
		t.Fatal(err)
	}
	r.Set("body", "Two, through the API.")
	if err := app.Save(r); err != nil {
		t.Fatal(err)
	}
	if _, err := drafts.Save(app, by, schema.Posts, r.Id, "", body("Three.")); err != nil {
		t.Fatal(err)
	}
	list, err := drafts.History(app, by.Person, schema.Posts, r.Id)
	if err != nil || len(list) != 3 || list[1].Name != "" || list[2].Name != "editor" {
		t.Fatalf("%+v, %v", list, err)
	}
	if _, v, _, err := drafts.Find(app, by.Person, list[1].ID); err != nil || v["body"] != "Two, through the API." {
		t.Errorf("what the API wrote is %v, %v", v["body"], err)
	}
	if _, err := drafts.Restore(app, by, list[2].ID); err != nil || stored(t, app, schema.Posts, r.Id).GetString("body") != "One." {
		t.Errorf("the draft was not restored: %v", err)
	}
	if _, err := drafts.Publish(app, by, schema.Posts, r.Id, "", body("Four."), time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := drafts.Restore(app, by, list[2].ID); err != nil {
		t.Fatal(err)
	}
	now := stored(t, app, schema.Posts, r.Id)
	if _, v, _ := drafts.Draft(app, by.Person, now); now.GetString("body") != "Four." || v["body"] != "One." {
		t.Errorf("restoring changed what visitors see: %q, draft %v", now.GetString("body"), v["body"])
	}
	if _, err := drafts.Unpublish(app, by, schema.Posts, r.Id); err != nil || stored(t, app, schema.Posts, r.Id).GetString("status") != schema.StatusDraft {
		t.Errorf("unpublish: %v", err)
	}
}

func TestAVersionComesBackWithoutWhatIsGone(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	by := person(t, app, roles.Editor)
	tag := sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Old"})
	kept := sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Kept"})
	r, err := drafts.Create(app, by, schema.Posts, drafts.Version{"title": "x", "body": "One.", "tags": []string{tag.Id, kept.Id}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drafts.Save(app, by, schema.Posts, r.Id, "", drafts.Version{"title": "y", "tags": []string{}}); err != nil {
		t.Fatal(err)
	}
	if err := app.Delete(tag); err != nil {
		t.Fatal(err)
	}
	list, _ := drafts.History(app, by.Person, schema.Posts, r.Id)
	if _, err := drafts.Restore(app, by, list[len(list)-1].ID); err != nil {
		t.Fatal(err)
	}
	if got := stored(t, app, schema.Posts, r.Id).GetStringSlice("tags"); len(got) != 1 || got[0] != kept.Id {
		t.Errorf("its tags are %v", got)
	}
}

func TestTheHistoryHasLimits(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	by := person(t, app, roles.Editor)
	count := func(id string) (n int) {
		list, err := drafts.History(app, by.Person, schema.Posts, id)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	r, err := drafts.Create(app, by, schema.Posts, body("0"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range drafts.MaxRevisions + 5 {
		if _, err := drafts.Save(app, by, schema.Posts, r.Id, "", body(fmt.Sprint(i, "."))); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(r.Id); n != drafts.MaxRevisions {
		t.Errorf("%d versions are kept", n)
	}
	long := strings.Repeat("words ", 333_333) // 2 MB
	for i := range 10 {
		sitetest.Make(t, app, schema.Revisions, map[string]any{"collection": schema.Posts, "record": r.Id, "state": schema.RevisionKept,
			"data": map[string]any{"body": fmt.Sprint(i) + long}, "at": time.Now().Add(time.Duration(i-100) * time.Millisecond)})
	}
	if _, err := drafts.Save(app, by, schema.Posts, r.Id, "", body("The last.")); err != nil {
		t.Fatal(err)
	}
	var size int
	if err := app.DB().Select("sum(length(data))").From(schema.Revisions).Where(dbx.HashExp{"record": r.Id}).Row(&size); err != nil {
		t.Fatal(err)
	}
	if n := count(r.Id); n < 8 || size > drafts.MaxRevisionBytes || size < drafts.MaxRevisionBytes/2 {
		t.Errorf("%d versions are kept, of %d bytes", n, size)
	}
	var fields validation.Errors
	if _, _, err := drafts.Autosave(app, by, schema.Posts, r.Id, "", body(strings.Repeat("x", 2<<20+1))); !errors.As(err, &fields) {
		t.Errorf("a draft beyond 2 MB: %v", err)
	}
}

func TestNothingIsHalfWritten(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	by := person(t, app, roles.Editor)
	p, b := live(t, app, by, "First.")
	if _, _, err := drafts.Autosave(app, by, schema.Posts, p.Id, b, body("Second.")); err != nil {
		t.Fatal(err)
	}
	versions := func() int {
		list, err := drafts.History(app, by.Person, schema.Posts, p.Id)
		if err != nil {
			t.Fatal(err)
		}
		return len(list)
	}
	before := versions()
	app.OnRecordCreate(schema.Audit).BindFunc(func(*core.RecordEvent) error { return errors.New("the disk is full") })
	if _, err := drafts.Publish(app, by, schema.Posts, p.Id, b, body("Second."), time.Time{}); err == nil {
		t.Fatal("it was published without a line in the audit")
	}
	now := stored(t, app, schema.Posts, p.Id)
	if d, _, _ := drafts.Draft(app, by.Person, now); d == nil || now.GetString("body") != "First." || versions() != before {
		t.Errorf("half of it is there: %q, draft %v, %d versions", now.GetString("body"), d, versions())
	}
	if _, err := drafts.Bin(app, by, schema.Posts, p.Id); err == nil {
		t.Fatal("it was deleted without a line in the audit")
	}
	if _, n, _ := drafts.Binned(app, by.Person, schema.Posts, 1, 10); n != 0 {
		t.Error("it is in the bin and there too")
	}
}

func TestAuthorsKeepOutOfOthersTexts(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	editor, ada, bob, analyst := person(t, app, roles.Editor), person(t, app, roles.Author), person(t, app, roles.Author), person(t, app, roles.Analyst)
	adas, err := drafts.Create(app, ada, schema.Posts, body("Ada's secret."))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drafts.Save(app, ada, schema.Posts, adas.Id, "", body("Ada's other secret.")); err != nil {
		t.Fatal(err)
	}
	if _, _, err := drafts.Autosave(app, editor, schema.Posts, adas.Id, "", body("The editor's words.")); err != nil {
		t.Fatal(err)
	}
	list, err := drafts.History(app, ada.Person, schema.Posts, adas.Id)
	if err != nil || len(list) != 2 {
		t.Fatalf("Ada sees %d versions, %v", len(list), err)
	}
	all, _ := drafts.History(app, editor.Person, schema.Posts, adas.Id)
	if len(all) != 3 {
		t.Fatalf("the editor sees %d versions", len(all))
	}
	page, err := drafts.Create(app, editor, schema.Pages, body("A page."))
	if err != nil {
		t.Fatal(err)
	}
	for _, who := range []drafts.By{bob, analyst, {}} {
		for act, err := range attempts(app, who, adas.Id, list[0].ID) {
			if !errors.Is(err, drafts.ErrMissing) {
				t.Errorf("%s by a stranger to the text: %v", act, err)
			}
		}
	}
	for _, r := range all {
		if r.Actor == editor.Person.Id {
			if _, _, _, err := drafts.Find(app, ada.Person, r.ID); !errors.Is(err, drafts.ErrMissing) {
				t.Errorf("Ada reads what the editor is still writing: %v", err)
			}
		}
	}
	if _, err := drafts.Open(app, ada.Person, schema.Pages, page.Id); !errors.Is(err, drafts.ErrMissing) {
		t.Errorf("an author opens a page: %v", err)
	}
	if _, err := drafts.Create(app, ada, schema.Pages, body("x")); !errors.Is(err, drafts.ErrMissing) {
		t.Errorf("an author makes a page: %v", err)
	}
	if _, err := drafts.Open(app, editor.Person, schema.Staff, ada.Person.Id); !errors.Is(err, drafts.ErrMissing) {
		t.Errorf("an account was opened as a text: %v", err)
	}
	// An author can't leave a text to nobody, nor lock herself out.
	if _, err := drafts.Save(app, ada, schema.Posts, adas.Id, "", drafts.Version{"authors": []string{}}); err != nil {
		t.Fatal(err)
	}
	if may, _ := drafts.May(app, ada.Person, stored(t, app, schema.Posts, adas.Id)); !may {
		t.Error("Ada has lost her post")
	}
	if _, err := drafts.Bin(app, ada, schema.Posts, adas.Id); err != nil {
		t.Fatal(err)
	}
	if _, n, _ := drafts.Binned(app, bob.Person, schema.Posts, 1, 10); n != 0 {
		t.Error("Bob sees Ada's bin")
	}
	for _, err := range []error{drafts.Purge(app, bob, schema.Posts, adas.Id), second(drafts.Unbin(app, bob, schema.Posts, adas.Id))} {
		if !errors.Is(err, drafts.ErrMissing) {
			t.Errorf("Bob in Ada's bin: %v", err)
		}
	}
	if _, n, _ := drafts.Binned(app, ada.Person, schema.Posts, 1, 10); n != 1 {
		t.Error("Ada's post is not in her bin")
	}
}

func second(_ *core.Record, err error) error { return err }

// attempts tries every act on a text.
func attempts(app core.App, by drafts.By, id, revision string) map[string]error {
	if by.Person == nil { // a stranger: only what needs no name
		_, err := drafts.Open(app, nil, schema.Posts, id)
		return map[string]error{"open": err}
	}
	_, historyErr := drafts.History(app, by.Person, schema.Posts, id)
	_, _, _, findErr := drafts.Find(app, by.Person, revision)
	_, _, autosaveErr := drafts.Autosave(app, by, schema.Posts, id, "", body("x"))
	return map[string]error{
		"history": historyErr, "find": findErr, "autosave": autosaveErr,
		"open":      second(drafts.Open(app, by.Person, schema.Posts, id)),
		"save":      second(drafts.Save(app, by, schema.Posts, id, "", body("x"))),
		"publish":   second(drafts.Publish(app, by, schema.Posts, id, "", body("x"), time.Time{})),
		"schedule":  second(drafts.Schedule(app, by, schema.Posts, id, "", body("x"), time.Now().Add(time.Hour))),
		"unpublish": second(drafts.Unpublish(app, by, schema.Posts, id)),
		"discard":   second(drafts.Discard(app, by, schema.Posts, id)),
		"restore":   second(drafts.Restore(app, by, revision)),
		"bin":       second(drafts.Bin(app, by, schema.Posts, id)),
	}
}

// The REST API shows revisions to editors alone, and nobody writes them there.
func TestRevisionsThroughTheAPI(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, adas := sitetest.Staff(t, app, roles.Author)
	_, bobs := sitetest.Staff(t, app, roles.Author)
	_, editors := sitetest.Staff(t, app, roles.Editor)
	p, err := drafts.Create(app, drafts.By{Person: ada, Actor: audit.Of(ada, "")}, schema.Posts, body("Ada's secret."))
	if err != nil {
		t.Fatal(err)
	}
	list, _ := drafts.History(app, ada, schema.Posts, p.Id)
	one := "/api/collections/revisions/records/" + list[0].ID
	for token, want := range map[string]int{"": 404, bobs: 404, adas: 404, editors: 200} {
		if res, text := app.JSON(http.MethodGet, one, token, ""); res.StatusCode != want || (want == 404) == strings.Contains(text, "secret") {
			t.Errorf("reading answers %d, want %d", res.StatusCode, want)
		}
		if res, text := app.JSON(http.MethodGet, "/api/collections/revisions/records", token, ""); res.StatusCode == 200 && want == 404 && strings.Contains(text, list[0].ID) {
			t.Errorf("it is listed: %s", text)
		}
		for method, path := range map[string]string{http.MethodPatch: one, http.MethodDelete: one, http.MethodPost: "/api/collections/revisions/records"} {
			if res, _ := app.JSON(method, path, token, `{"collection":"posts","record":"x","state":"kept"}`); res.StatusCode/100 == 2 {
				t.Errorf("%s of a revision answers %d", method, res.StatusCode)
			}
		}
	}
	if res, _ := app.JSON(http.MethodDelete, "/api/collections/posts/records/"+p.Id, bobs, ""); res.StatusCode != 404 {
		t.Errorf("Bob deletes Ada's post: %d", res.StatusCode)
	}
	if res, _ := app.JSON(http.MethodDelete, "/api/collections/posts/records/"+p.Id, adas, ""); res.StatusCode != 204 {
		t.Errorf("Ada's delete answers %d", res.StatusCode)
	}
	if bin, n, _ := drafts.Binned(app, ada, schema.Posts, 1, 10); n != 1 || bin[0].Name != "author" {
		t.Errorf("what the API deletes is not in the bin: %+v", bin)
	}
}

// Whoever publishes a long text keeps nobody from writing while it is rendered.
func TestALongTextIsRenderedBeforeTheTransaction(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	by := person(t, app, roles.Editor)
	r, err := drafts.Create(app, by, schema.Posts, body("Short."))
	if err != nil {
		t.Fatal(err)
	}
	rendered := false
	app.OnRecordUpdate(schema.Posts).BindFunc(func(e *core.RecordEvent) error {
		rendered = e.Record.GetRaw("bungalow_rendering") != nil
		return e.Next()
	})
	if _, err := drafts.Save(app, by, schema.Posts, r.Id, "", body("*Long.*")); err != nil || !rendered {
		t.Errorf("the record brought no rendering, %v", err)
	}
	if got := stored(t, app, schema.Posts, r.Id).GetString("html"); !strings.Contains(got, "<em>Long.</em>") {
		t.Errorf("it became %q", got)
	}
}

func TestAnAddressFollowsTheTitleUntilSomebodyKnowsIt(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	by := person(t, app, roles.Author)
	save := func(id, title, slug, want string, act func(app core.App, by drafts.By, collection, id, base string, v drafts.Version) (*core.Record, error)) {
		t.Helper()
		r, err := act(app, by, schema.Posts, id, "", drafts.Version{"title": title, "slug": slug})
		if err != nil || r.GetString("slug") != want {
			t.Fatalf("%q with %q is at %q, %v", title, slug, r.GetString("slug"), err)
		}
	}
	publish := func(app core.App, by drafts.By, collection, id, base string, v drafts.Version) (*core.Record, error) {
		return drafts.Publish(app, by, collection, id, base, v, time.Time{})
	}
	r, err := drafts.Create(app, by, schema.Posts, drafts.Version{"title": "Untitled"})
	if err != nil {
		t.Fatal(err)
	}
	save(r.Id, "A walk", "untitled", "a-walk", drafts.Save)
	save(r.Id, "A long walk", "my-walk", "my-walk", drafts.Save)
	save(r.Id, "A very long walk", "my-walk", "my-walk", drafts.Save)
	other, err := drafts.Create(app, by, schema.Posts, drafts.Version{"title": "Untitled"})
	if err != nil {
		t.Fatal(err)
	}
	save(other.Id, "News", "untitled", "news", publish)
	save(other.Id, "Old news", "news", "news", publish)
}
