package forms_test

import (
	"encoding/csv"
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/forms"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/pocketbase/core"
)

func quoted(s string) string {
	raw, _ := json.Marshal(s)
	return string(raw)
}

// owner is a session of a new owner.
func owner(t testing.TB, app core.App) string {
	t.Helper()
	person, _ := sitetest.Staff(t, app, roles.Owner)
	return sitetest.Cookie(t, app, person)
}

// send posts to the contact form and gives the submission.
func send(t testing.TB, app *sitetest.Site, name, email, message string) *core.Record {
	t.Helper()
	_, body := app.JSON("POST", "/f/contact", "", `{"name":`+quoted(name)+`,"email":`+quoted(email)+`,"message":`+quoted(message)+`}`)
	r, err := app.FindRecordById(schema.Submissions, idOf(t, body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestStaffSortTheSpamAndTheFilterLearns(t *testing.T) {
	t.Parallel()
	app := contact(t)
	me := owner(t, app)
	r := send(t, app, "Mallory", "m@example.com", "Cheap watches for everybody")
	res, _ := app.Desk(me, "/desk/submissions/", url.Values{"id": {r.Id, "gone"}, "do": {"spam"}, "back": {"/desk/submissions/?form=x"}}.Encode())
	if res.StatusCode != 303 || res.Header.Get("Location") != "/desk/submissions/?form=x" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	check := func(status string, inSpam bool, label spam.Label) {
		t.Helper()
		r, err := app.FindRecordById(schema.Submissions, r.Id)
		if err != nil || r.GetString("status") != status {
			t.Errorf("the submission is %v, %v", r, err)
		}
		talk, err := app.FindRecordById(schema.Conversations, r.GetString("conversation"))
		if err != nil || (talk.GetString("status") == schema.ConversationSpam) != inSpam {
			t.Errorf("the conversation is %s, %v", talk.GetString("status"), err)
		}
		var learned string
		if err := app.DB().NewQuery("SELECT label FROM _spam_learned WHERE ref = {:id}").Bind(map[string]any{"id": r.Id}).Row(&learned); err != nil || learned != string(label) {
			t.Errorf("learned %q, %v", learned, err)
		}
	}
	check("spam", true, spam.Bad)
	if _, page := app.Desk(me, "/desk/submissions/?status=spam", ""); !strings.Contains(page, "Mallory") {
		t.Error("the spam is not listed")
	}
	app.Desk(me, "/desk/submissions/", url.Values{"id": {r.Id}, "do": {"ok"}}.Encode())
	check("ok", false, spam.Good)
	// The inbox says so too.
	talk, err := app.FindRecordById(schema.Conversations, r.GetString("conversation"))
	if err != nil {
		t.Fatal(err)
	}
	talk.Set("status", schema.ConversationSpam)
	if err := app.Save(talk); err != nil {
		t.Fatal(err)
	}
	check("spam", true, spam.Bad)
	lines, err := app.FindAllRecords(schema.Audit)
	if err != nil || len(lines) < 2 {
		t.Errorf("%d lines in the audit, %v", len(lines), err)
	}
	if res, _ := app.Desk(me, "/desk/submissions/", "id="+r.Id+"&do=delete"); res.StatusCode != 303 || total(t, app) != 0 {
		t.Errorf("deleting answers %d", res.StatusCode)
	}
	if res, _ := app.Desk(me, "/desk/submissions/", "id="+r.Id+"&do=nonsense"); res.StatusCode != 400 {
		t.Errorf("nonsense answers %d", res.StatusCode)
	}
}

func TestExportsAreHarmlessAndComplete(t *testing.T) {
	t.Parallel()
	app := contact(t)
	me := owner(t, app)
	send(t, app, `=HYPERLINK("https://evil.example")`, "ada@example.com", "+1\n-2, \"quoted\"")
	send(t, app, "@SUM(1)", "bob@example.com", "Hello")
	form, err := app.FindFirstRecordByData(schema.Forms, "slug", "contact")
	if err != nil {
		t.Fatal(err)
	}
	res, body := app.Desk(me, "/desk/submissions.csv?form="+form.Id, "")
	rows, err := csv.NewReader(strings.NewReader(body)).ReadAll()
	if err != nil || res.StatusCode != 200 || len(rows) != 3 || !strings.Contains(res.Header.Get("Content-Disposition"), "attachment") {
		t.Fatalf("%d %v %v", res.StatusCode, rows, err)
	}
	if strings.Join(rows[0], " ") != "id created form status name email message files extra" || rows[1][4] != `'=HYPERLINK("https://evil.example")` || rows[1][6] != "'+1\n-2, \"quoted\"" || rows[2][4] != "'@SUM(1)" {
		t.Errorf("%q", rows)
	}
	_, body = app.Desk(me, "/desk/submissions.json?q=HYPERLINK", "")
	var list []map[string]any
	if err := json.Unmarshal([]byte(body), &list); err != nil || len(list) != 1 || list[0]["form"] != "contact" || list[0]["data"].(map[string]any)["email"] != "ada@example.com" {
		t.Errorf("%v %s", err, body)
	}
	if _, body := app.Desk(me, "/desk/submissions.json?q=nothing-like-it", ""); strings.TrimSpace(body) != "[]" {
		t.Errorf("an empty list is %q", body)
	}
}

func TestAPersonIsErasedEverywhere(t *testing.T) {
	t.Parallel()
	app := contact(t)
	me := owner(t, app)
	mine := send(t, app, "Ada", "Ada@example.com", "One")
	send(t, app, "Ada", "ada@example.com", "Two")
	other := send(t, app, "Bob", "bob@example.com", "Three")
	path := "/desk/submissions/" + mine.Id + "/erase/"
	if res, page := app.Desk(me, path, "email=wrong@example.com"); res.StatusCode != 422 || total(t, app) != 3 || !strings.Contains(page, "as it stands above") {
		t.Errorf("without the address: %d", res.StatusCode)
	}
	if res, _ := app.Desk(me, path, "email=ada@example.com"); res.StatusCode != 303 {
		t.Errorf("%d", res.StatusCode)
	}
	if _, err := app.FindRecordById(schema.Submissions, other.Id); err != nil || total(t, app) != 1 {
		t.Errorf("%d submissions left, %v", total(t, app), err)
	}
	talks, err := app.CountRecords(schema.Conversations)
	if err != nil || talks != 1 {
		t.Errorf("%d conversations left, %v", talks, err)
	}
}

func TestTheSweepKeepsItsDays(t *testing.T) {
	t.Parallel()
	app := contact(t)
	makeForm(t, app, "short", short, map[string]any{"retention_days": 7})
	ok, bad := send(t, app, "Ada", "ada@example.com", "Hello"), send(t, app, "Mallory", "m@example.com", "Watches")
	if err := forms.Judge(app, audit.System("test"), bad.Id, true); err != nil {
		t.Fatal(err)
	}
	app.JSON("POST", "/f/short", "", `{"name":"Eve"}`)
	for _, step := range []struct{ days, want int }{{6, 3}, {8, 2}, {29, 2}, {31, 1}, {4000, 1}} {
		if err := forms.Sweep(app, time.Now().AddDate(0, 0, step.days)); err != nil || total(t, app) != step.want {
			t.Errorf("after %d days %d are left, want %d, %v", step.days, total(t, app), step.want, err)
		}
	}
	if _, err := app.FindRecordById(schema.Submissions, ok.Id); err != nil {
		t.Error("a message that is no spam is gone")
	}
}

func TestTheBuilderSavesWhatIsWrittenAndShowsWhatIsWrong(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	me := owner(t, app)
	if res, page := app.Desk(me, "/desk/forms/", "title="); res.StatusCode != 422 || !strings.Contains(page, "needs a title") {
		t.Errorf("without a title: %d", res.StatusCode)
	}
	res, _ := app.Desk(me, "/desk/forms/", "title=Sommerfest+für+Große")
	path := res.Header.Get("Location")
	r, err := app.FindFirstRecordByData(schema.Forms, "slug", "sommerfest-fur-gro-e")
	if err != nil || path != "/desk/forms/"+r.Id+"/" {
		t.Fatalf("%q %v", path, err)
	}
	form := url.Values{"title": {"Fair"}, "slug": {"fair"}, "open": {"on"}, "spam_policy": {"file"}, "order": {"1", "0"},
		"f.0.type": {"select"}, "f.0.label": {"Which day?"}, "f.0.options": {"sat | Saturday\nSunday"}, "f.0.required": {"true"},
		"f.1.type": {"text"}, "f.1.label": {"Name"}, "f.1.name": {"who"}, "f.1.max": {"50"}}
	if res, page := app.Desk(me, path, form.Encode()); res.StatusCode != 303 {
		t.Fatalf("%d %s", res.StatusCode, page)
	}
	r, err = app.FindRecordById(schema.Forms, r.Id)
	if err != nil {
		t.Fatal(err)
	}
	saved, err := forms.FromRecord(r)
	if err != nil || saved.Slug != "fair" || len(saved.Fields) != 2 || saved.Fields[0].Name != "who" || saved.Fields[0].Max != "50" || saved.Fields[1].Name != "which_day" || saved.Fields[1].Options[0].Label != "Saturday" {
		t.Errorf("%+v %v", saved, err)
	}
	form.Set("f.1.max", "many")
	form.Set("recipients", "nobody")
	if res, page := app.Desk(me, path, form.Encode()); res.StatusCode != 422 || !strings.Contains(page, "whole numbers") || !strings.Contains(page, `value="many"`) || !strings.Contains(page, "is not an e-mail address") {
		t.Errorf("what is wrong: %d", res.StatusCode)
	}
	// Buttons that change the fields save nothing.
	form.Set("f.1.max", "")
	for do, want := range map[string]string{"add:file": "Kinds of files", "up:1": `value="0"`, "remove:0": "Which day?", "double:0": "Name"} {
		form.Set("do", do)
		if res, page := app.Desk(me, path, form.Encode()); res.StatusCode != 200 || !strings.Contains(page, want) || !strings.Contains(page, "Not saved yet") {
			t.Errorf("%s: %d", do, res.StatusCode)
		}
	}
	if res, page := app.Desk(me, path+"preview/", form.Encode()); res.StatusCode != 200 && res.StatusCode != 422 || strings.Contains(page, "<html") {
		t.Errorf("the preview: %d %s", res.StatusCode, page)
	}
	if _, page := app.Desk(me, path+"html/", ""); !strings.Contains(page, "{{ form &#34;fair&#34; }}") || !strings.Contains(page, "&lt;select name=&#34;which_day&#34;") {
		t.Error("what is to be copied is not there")
	}
	if res, _ := app.Desk(me, path+"delete/", "slug=wrong"); res.StatusCode != 422 {
		t.Errorf("deleting without the name: %d", res.StatusCode)
	}
	app.JSON("POST", "/f/fair", "", `{"who":"Ada","which_day":"sat"}`)
	editor, _ := sitetest.Staff(t, app, roles.Editor)
	if res, _ := app.Desk(sitetest.Cookie(t, app, editor), path+"delete/", "slug=fair"); res.StatusCode != 403 {
		t.Errorf("an editor deletes messages: %d", res.StatusCode)
	}
	if res, _ := app.Desk(me, path+"delete/", "slug=fair"); res.StatusCode != 303 || total(t, app) != 0 {
		t.Errorf("deleting: %d, %d left", res.StatusCode, total(t, app))
	}
}

func TestStaticHTMLCanBeSent(t *testing.T) {
	t.Parallel()
	f := &forms.Form{Slug: "x"}
	html := forms.StaticHTML(f, `https://example.org"><script>`)
	if strings.Contains(html, "<script>") || !strings.Contains(html, "/f/x") || !strings.Contains(html, `name="_hp"`) {
		t.Error(html)
	}
}
