package inbox_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

func must[T any](t testing.TB) func(v T, err error) T {
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// until waits for longer than a mailbox that said nothing is left alone.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(100 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("within 100 s this did not come true: %s", what)
		}
	}
}

// site is one whose mail address is known and whose queue runs with a clock of
// its own that a test can move.
func newSite(t testing.TB) *sitetest.Site {
	t.Helper()
	site := sitetest.New(t)
	s := site.Settings()
	s.Meta.SenderAddress, s.Meta.SenderName, s.Meta.AppURL = "hello@haus.example", "Haus", "https://haus.example"
	check(t, site.Save(s))
	return site
}

func run(t testing.TB, app core.App) {
	t.Helper()
	check(t, queue.Start(app))
	t.Cleanup(func() { _ = queue.Stop(context.Background(), app) })
}

// later moves the queue's clock past the time in which an answer can be undone.
func later(app core.App) {
	queue.SetClock(app, func() time.Time { return time.Now().Add(inbox.Undo + time.Second) })
}

var ann = inbox.Submission{Subject: "Opening hours", Name: "Ann", Email: "Ann@Example.com", Text: "When do you open on Sundays?"}

func actor(t testing.TB, app core.App) (audit.Actor, *core.Record, string) {
	t.Helper()
	person, token := sitetest.Staff(t, app, roles.Moderator)
	return audit.Of(person, ""), person, token
}

func TestAFormBecomesAConversation(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	c := must[*core.Record](t)(inbox.Receive(app, ann))
	if c.GetInt("number") != 1 || c.GetString("status") != "open" || c.GetString("email") != "ann@example.com" || !c.GetBool("unread") ||
		c.GetString("preview") != ann.Text || c.GetString("origin") != "form" {
		t.Fatalf("%v", c.PublicExport())
	}
	list := must[[]*core.Record](t)(inbox.Messages(app, c.Id))
	if len(list) != 1 || list[0].GetString("direction") != "in" || list[0].GetString("state") != "received" || list[0].GetString("from") != "Ann <ann@example.com>" && list[0].GetString("from") != "Ann <Ann@Example.com>" {
		t.Fatalf("%v", list)
	}
	spam := ann
	spam.Spam = true
	if c := must[*core.Record](t)(inbox.Receive(app, spam)); c.GetString("status") != "spam" || c.GetBool("unread") {
		t.Errorf("spam is %s", c.GetString("status"))
	}
	wild := inbox.Submission{Subject: "a\r\nBcc: x@y.z\u202e", Name: strings.Repeat("n", 500), Email: "no address\r\n", Text: "\x00x\xff" + strings.Repeat("長", 300_000)}
	c = must[*core.Record](t)(inbox.Receive(app, wild))
	if c.GetString("subject") != "a Bcc: x@y.z" || c.GetString("email") != "" || len(c.GetString("name")) != 200 {
		t.Errorf("%q %q", c.GetString("subject"), c.GetString("email"))
	}
}

func TestNumbersHaveNoGapsAndNoDoubles(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	var wait sync.WaitGroup
	for i := range 8 {
		wait.Go(func() {
			for range 10 {
				if _, err := inbox.Receive(app, ann); err != nil {
					t.Error(err)
				}
				if i%2 == 0 { // what is rolled back takes no number
					_ = app.RunInTransaction(func(tx core.App) error {
						_, err := inbox.Receive(tx, ann)
						return errors.Join(err, errors.New("never mind"))
					})
				}
			}
		})
	}
	wait.Wait()
	var numbers []int
	check(t, app.DB().NewQuery("SELECT number FROM conversations ORDER BY number").Column(&numbers))
	for i, n := range numbers {
		if n != i+1 {
			t.Fatalf("number %d follows %d", n, i)
		}
	}
	if len(numbers) != 80 {
		t.Fatalf("%d conversations", len(numbers))
	}
	last, err := app.FindFirstRecordByData(schema.Conversations, "number", 80)
	check(t, err)
	check(t, app.Delete(last))
	if c := must[*core.Record](t)(inbox.Receive(app, ann)); c.GetInt("number") != 81 {
		t.Errorf("a number was given again: %d", c.GetInt("number"))
	}
}

func TestAnAnswerGoesOutAfterTenSeconds(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	by, person, _ := actor(t, app)
	c := must[*core.Record](t)(inbox.Receive(app, ann))
	m := must[*core.Record](t)(inbox.Reply(app, by, c.Id, inbox.Answer{Text: "At ten.\n\nSee you\nsoon"}))
	if wait := m.GetDateTime("send_at").Time().Sub(time.Now()); m.GetString("state") != "scheduled" || wait < 8*time.Second || wait > inbox.Undo {
		t.Fatalf("state %s, goes out in %s", m.GetString("state"), wait)
	}
	c = must[*core.Record](t)(inbox.Find(app, c.Id))
	if c.GetString("status") != "waiting" || c.GetBool("unread") || c.GetString("assignee") != person.Id {
		t.Errorf("%v", c.PublicExport())
	}
	run(t, app)
	later(app)
	until(t, "the answer is sent", func() bool {
		m, err := app.FindRecordById(schema.Messages, m.Id)
		check(t, err)
		return m.GetString("state") == mail.Sent
	})
	sent := app.TestMailer.LastMessage()
	if sent.Headers["Message-ID"] == "" || sent.Headers["Reply-To"] == "" || sent.Headers["Auto-Submitted"] != "" || sent.Subject != "Re: Opening hours" ||
		!strings.Contains(sent.Text, "At ten.") || !strings.Contains(sent.Text, "> When do you open on Sundays?") || !strings.Contains(sent.HTML, "soon") ||
		sent.To[0].Address != "ann@example.com" {
		t.Errorf("%+v", sent)
	}
	if _, _, err := inbox.Retract(app, by, m.Id); !errors.Is(err, inbox.ErrTooLate) {
		t.Errorf("a sent answer was taken back: %v", err)
	}
}

func TestAnAnswerCanBeTakenBack(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	by, _, _ := actor(t, app)
	c := must[*core.Record](t)(inbox.Receive(app, ann))
	m := must[*core.Record](t)(inbox.Reply(app, by, c.Id, inbox.Answer{Text: "At noon."}))
	conversation, text, err := inbox.Retract(app, by, m.Id)
	check(t, err)
	if conversation != c.Id || text != "At noon." {
		t.Errorf("%q %q", conversation, text)
	}
	run(t, app)
	later(app)
	until(t, "no job waits", func() bool {
		n, err := queue.Status(app)
		check(t, err)
		return n.Waiting+n.Running == 0
	})
	if app.TestMailer.TotalSend() != 0 {
		t.Error("it went out all the same")
	}
	if c, err := inbox.Find(app, c.Id); err != nil || c.GetString("status") != "open" {
		t.Errorf("%v %v", c, err)
	}
}

func TestAnswersThatCanNotBeSent(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	by, _, _ := actor(t, app)
	c := must[*core.Record](t)(inbox.Receive(app, ann))
	nobody := must[*core.Record](t)(inbox.Receive(app, inbox.Submission{Text: "I leave no address"}))
	for name, test := range map[string]struct {
		id   string
		a    inbox.Answer
		want error
	}{
		"empty": {c.Id, inbox.Answer{Text: " \n "}, inbox.ErrEmpty}, "unknown": {"x", inbox.Answer{Text: "x"}, inbox.ErrNotFound},
		"nobody": {nobody.Id, inbox.Answer{Text: "x"}, inbox.ErrNoAddress}, "long": {c.Id, inbox.Answer{Text: strings.Repeat("x", 100_001)}, inbox.ErrTooLong},
	} {
		if _, err := inbox.Reply(app, by, test.id, test.a); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNotesTellWhoIsMentioned(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	by, _, _ := actor(t, app)
	bob := sitetest.Make(t, app, schema.Staff, map[string]any{"email": "bob@haus.example", "name": "Bob Builder", "role": "moderator", "active": true, "password": sitetest.Password})
	sitetest.Make(t, app, schema.Staff, map[string]any{"email": "bo@haus.example", "name": "Bo", "role": "author", "active": true, "password": sitetest.Password})
	c := must[*core.Record](t)(inbox.Receive(app, ann))
	must[*core.Record](t)(inbox.Note(app, by, c.Id, "Can you look, @bob? And @bo, @nobody and x@bob"))
	list := must[[]mail.Record](t)(mail.List(app, mail.Filter{}))
	if len(list) != 1 || !strings.Contains(list[0].To, bob.Email()) {
		t.Errorf("%v", list)
	}
	if c, _ := inbox.Find(app, c.Id); c.GetString("status") != "open" || c.GetString("preview") != ann.Text {
		t.Errorf("a note changed the conversation: %v", c.PublicExport())
	}
}

func TestSearchFindsWordsPeopleAndNumbers(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	one := must[*core.Record](t)(inbox.Receive(app, ann))
	two := must[*core.Record](t)(inbox.Receive(app, inbox.Submission{Subject: "Rechnung über Äpfel", Name: "Bea", Email: "bea@example.com", Text: "Bitte stornieren"}))
	for query, want := range map[string][]string{
		"sunday": {one.Id}, "apfel": {two.Id}, "bea@exam": {two.Id}, "#2": {two.Id}, "1": {one.Id}, "nothing at all": {},
		`" OR 1 --`: nil, "": {}, "example": nil, "(*": {},
	} {
		got := must[[]string](t)(inbox.Search(app, query, 10))
		if want != nil && !slices.Equal(got, want) {
			t.Errorf("%q finds %v, want %v", query, got, want)
		}
	}
	check(t, app.Delete(one))
	if got := must[[]string](t)(inbox.Search(app, "sundays", 10)); len(got) != 0 {
		t.Errorf("what was deleted is found: %v", got)
	}
}

func TestMergeAndSplit(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	by, _, _ := actor(t, app)
	one := must[*core.Record](t)(inbox.Receive(app, ann))
	other := ann
	other.Email = "other@example.com"
	two := must[*core.Record](t)(inbox.Receive(app, other))
	check(t, inbox.Merge(app, by, two.Id, one.Id))
	if err := inbox.Merge(app, by, two.Id, one.Id); !errors.Is(err, inbox.ErrSame) {
		t.Errorf("%v", err)
	}
	found := must[*core.Record](t)(inbox.Find(app, two.Id))
	if found.Id != one.Id || !slices.Contains(inbox.Participants(found), "other@example.com") {
		t.Errorf("%v", found.PublicExport())
	}
	list := must[[]*core.Record](t)(inbox.Messages(app, one.Id))
	if len(list) != 2 {
		t.Fatalf("%d messages", len(list))
	}
	if _, err := inbox.Split(app, by, list[0].Id); !errors.Is(err, inbox.ErrWrongMessage) {
		t.Errorf("%v", err)
	}
	three := must[*core.Record](t)(inbox.Split(app, by, list[1].Id))
	if three.GetString("linked") != one.Id || three.GetInt("number") != 3 {
		t.Errorf("%v", three.PublicExport())
	}
	if n := len(must[[]*core.Record](t)(inbox.Messages(app, three.Id))); n != 1 {
		t.Errorf("%d messages went along", n)
	}
}

func TestWhatStaffDo(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	by, person, _ := actor(t, app)
	author, _ := sitetest.Staff(t, app, roles.Author)
	c := must[*core.Record](t)(inbox.Receive(app, ann))
	for name, step := range map[string]struct {
		do   func() error
		want map[string]string
	}{
		"assign": {func() error { return inbox.Assign(app, by, c.Id, person.Id) }, map[string]string{"assignee": person.Id}},
		"tag":    {func() error { return inbox.Tag(app, by, c.Id, []string{"#Big", "big", " ", "a"}) }, map[string]string{"tags": `["a","big"]`}},
	} {
		check(t, step.do())
		got := must[*core.Record](t)(inbox.Find(app, c.Id))
		for field, want := range step.want {
			if got.GetString(field) != want {
				t.Errorf("%s: %s is %s", name, field, got.GetString(field))
			}
		}
	}
	if err := inbox.Assign(app, by, c.Id, author.Id); err == nil {
		t.Error("assigned to somebody who may not answer")
	}
	status := func(want string) {
		t.Helper()
		if got := must[*core.Record](t)(inbox.Find(app, c.Id)).GetString("status"); got != want {
			t.Errorf("status %s, want %s", got, want)
		}
	}
	check(t, inbox.Close(app, by, c.Id))
	status("closed")
	check(t, inbox.Reopen(app, by, c.Id))
	status("open")
	check(t, inbox.Spam(app, by, c.Id))
	status("spam")
	check(t, inbox.NotSpam(app, by, c.Id))
	status("open")
	check(t, inbox.Judge(app, c.Id, true))
	status("spam")
	check(t, inbox.Judge(app, "unknown", true))
	if err := inbox.Snooze(app, by, c.Id, time.Now().Add(-time.Hour)); err == nil {
		t.Error("put off into the past")
	}
	check(t, inbox.Snooze(app, by, c.Id, time.Now().Add(time.Hour)))
	check(t, inbox.Wake(app, by, c.Id))
	check(t, inbox.MarkRead(app, c.Id, true))
	n, err := app.CountRecords(schema.Audit, dbx.HashExp{"record": c.Id})
	check(t, err)
	if n != 8 {
		t.Errorf("%d lines in the audit", n)
	}
}

func TestErasingAContactLeavesNothing(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	by, _, _ := actor(t, app)
	c := must[*core.Record](t)(inbox.Receive(app, ann))
	must[*core.Record](t)(inbox.Reply(app, by, c.Id, inbox.Answer{Text: "Yes"}))
	run(t, app)
	later(app)
	until(t, "sent", func() bool { return app.TestMailer.TotalSend() == 1 })
	check(t, queue.Stop(t.Context(), app))
	keep := must[*core.Record](t)(inbox.Receive(app, inbox.Submission{Name: "Bea", Email: "bea@example.com", Text: "x"}))
	out := must[inbox.Erased](t)(inbox.EraseContact(app, by, "ANN@example.com"))
	if out.Conversations != 1 || out.Messages != 2 || out.Mails != 1 {
		t.Errorf("%+v", out)
	}
	for _, q := range []string{"conversations", "messages", "_mails", "inbox_search", "audit"} {
		var rows []dbx.NullStringMap
		check(t, app.DB().NewQuery("SELECT * FROM "+q).All(&rows))
		if strings.Contains(strings.ToLower(fmt.Sprint(rows)), "ann@example.com") {
			t.Errorf("%s still names the contact", q)
		}
	}
	if _, err := inbox.Find(app, keep.Id); err != nil {
		t.Error("somebody else was erased")
	}
	if _, err := inbox.EraseContact(app, by, "%"); !errors.Is(err, inbox.ErrNotFound) {
		t.Errorf("%v", err)
	}
}

func TestTheAPIIsForThoseWhoAnswer(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	c := must[*core.Record](t)(inbox.Receive(app, ann))
	_, _, moderator := actor(t, app)
	_, author := sitetest.Staff(t, app, roles.Author)
	path := "/api/collections/conversations/records/" + c.Id
	for name, test := range map[string]struct {
		method, path, token, body string
		want                      int
	}{
		"read": {http.MethodGet, path, moderator, "", 200}, "author": {http.MethodGet, path, author, "", 404}, "stranger": {http.MethodGet, path, "", "", 404},
		"status": {http.MethodPatch, path, moderator, `{"status":"closed"}`, 200}, "number": {http.MethodPatch, path, moderator, `{"number":9}`, 404},
		"participants": {http.MethodPatch, path, moderator, `{"participants":["x@example.com"]}`, 404},
		"delete":       {http.MethodDelete, path, moderator, "", 403}, "make": {http.MethodPost, "/api/collections/messages/records", moderator, `{}`, 403},
		"messages": {http.MethodGet, "/api/collections/messages/records", moderator, "", 200},
	} {
		if res, body := app.JSON(test.method, test.path, test.token, test.body); res.StatusCode != test.want {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
	}
}

func TestAHandlerMayChangeOrRefuseAMessage(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	events.OnMessage(app).BindFunc(func(e *events.MessageEvent) error {
		if strings.Contains(e.Message.GetString("text"), "forbidden") {
			return errors.New("not here")
		}
		e.Conversation.Set("tags", []string{"seen"})
		return e.Next()
	})
	if c := must[*core.Record](t)(inbox.Receive(app, ann)); !strings.Contains(c.GetString("tags"), "seen") {
		t.Error("the change is lost")
	}
	if _, err := inbox.Receive(app, inbox.Submission{Text: "forbidden"}); err == nil {
		t.Error("not refused")
	}
	if n, err := app.CountRecords(schema.Conversations); err != nil || n != 1 {
		t.Errorf("%d conversations, %v", n, err)
	}
}

func must3(t testing.TB, address string) netmail.Address {
	t.Helper()
	a, err := netmail.ParseAddress(address)
	check(t, err)
	return *a
}
