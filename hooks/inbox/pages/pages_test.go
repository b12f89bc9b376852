package pages_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"bungalow/hooks/inbox"
	"bungalow/hooks/inbox/pages"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func receive(t testing.TB, app core.App, s inbox.Submission) *core.Record {
	t.Helper()
	c, err := inbox.Receive(app, s)
	check(t, err)
	return c
}

var ann = inbox.Submission{Subject: "Opening hours <b>", Name: "Ann", Email: "ann@example.com", Text: "When?\n> quoted\n> more\n\nThanks <script>"}

func answerer(t testing.TB, app *sitetest.Site) (*core.Record, string) {
	t.Helper()
	person, _ := sitetest.Staff(t, app, roles.Moderator)
	return person, sitetest.Cookie(t, app, person)
}

// desk asks for a page like a browser without JavaScript.
func desk(app *sitetest.Site, method, path, cookie string, form url.Values) (*http.Response, string) {
	return app.Do(method, path, form.Encode(), "Accept", "text/html", "Cookie", cookie,
		"Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
}

func wants(t *testing.T, res *http.Response, body string, status int, parts ...string) {
	t.Helper()
	if res.StatusCode != status {
		t.Fatalf("answers %d, want %d: %.600s", res.StatusCode, status, body)
	}
	for _, part := range parts {
		if !strings.Contains(body, part) {
			t.Errorf("%q is missing in %s", part, body)
		}
	}
}

func TestFromTheListToAnAnswerWithoutJavaScript(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	_, cookie := answerer(t, app)
	res, body := desk(app, http.MethodGet, "/desk/inbox/", cookie, nil)
	wants(t, res, body, 200, "All is answered")
	c := receive(t, app, ann)
	res, body = desk(app, http.MethodGet, "/desk/inbox/", cookie, nil)
	wants(t, res, body, 200, "Opening hours &lt;b&gt;", inbox.Path(c.Id), "unread")
	res, body = desk(app, http.MethodGet, inbox.Path(c.Id), cookie, nil)
	wants(t, res, body, 200, "Thanks &lt;script&gt;", "Quoted text", "ann@example.com")
	if !strings.Contains(res.Header.Get("Content-Security-Policy"), "frame-src 'self'") {
		t.Error("the frame of a mail is not allowed")
	}
	seen := regexp.MustCompile(`name="seen" value="(\w+)"`).FindStringSubmatch(body)[1]
	path := inbox.Path(c.Id)

	res, body = desk(app, http.MethodPost, path+"reply/", cookie, url.Values{"text": {" "}, "seen": {seen}})
	wants(t, res, body, 422, "nothing to send")
	res, body = desk(app, http.MethodPost, path+"reply/", cookie, url.Values{"text": {"my draft"}, "cc": {"a, b"}})
	wants(t, res, body, 422, "my draft", "copy")
	res, body = desk(app, http.MethodPost, path+"reply/", cookie, url.Values{"text": {"At ten."}, "seen": {seen}})
	wants(t, res, body, 303)
	if res.Header.Get("Location") != path {
		t.Errorf("leads to %s", res.Header.Get("Location"))
	}
	res, body = desk(app, http.MethodGet, path, cookie, nil)
	wants(t, res, body, 200, "At ten.", "goes out in", "undo/")

	// A colleague who did not see that answer is told, and keeps the text.
	_, other := answerer(t, app)
	res, body = desk(app, http.MethodPost, path+"reply/", other, url.Values{"text": {"At eleven."}, "seen": {seen}})
	wants(t, res, body, 409, "written meanwhile", "At eleven.", "At ten.")

	m, err := app.FindFirstRecordByData(schema.Messages, "direction", "out")
	check(t, err)
	res, body = desk(app, http.MethodPost, path+"messages/"+m.Id+"/undo/", cookie, url.Values{})
	wants(t, res, body, 200, "At ten.</textarea>")
	res, body = desk(app, http.MethodPost, path+"note/", cookie, url.Values{"text": {"Call her"}})
	wants(t, res, body, 303)
	res, body = desk(app, http.MethodPost, path+"note/", cookie, url.Values{"text": {""}})
	wants(t, res, body, 422, "Call her")
}

func TestActsAndTheirUndo(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	person, cookie := answerer(t, app)
	c := receive(t, app, ann)
	other := receive(t, app, ann)
	path := inbox.Path(c.Id) + "act/"
	now := func() *core.Record {
		r, err := inbox.Find(app, c.Id)
		check(t, err)
		return r
	}
	for _, step := range []struct {
		form        url.Values
		field, want string
		status      int
	}{
		{url.Values{"act": {"close"}}, "status", "closed", 303}, {url.Values{"act": {"reopen"}}, "status", "open", 303},
		{url.Values{"act": {"spam"}}, "status", "spam", 303}, {url.Values{"act": {"not-spam"}}, "status", "open", 303},
		{url.Values{"act": {"take"}}, "assignee", person.Id, 303}, {url.Values{"act": {"assign"}, "to": {""}}, "assignee", "", 303},
		{url.Values{"act": {"assign"}, "to": {"x"}}, "assignee", "", 422}, {url.Values{"act": {"tag"}, "tags": {"b, a"}}, "tags", `["a","b"]`, 303},
		{url.Values{"act": {"unread"}}, "unread", "true", 303}, {url.Values{"act": {"snooze"}, "until": {"x"}}, "snoozed_until", "", 422},
		{url.Values{"act": {"nonsense"}}, "status", "open", 400}, {url.Values{"act": {"erase"}, "confirm": {"x"}}, "status", "open", 422},
	} {
		res, body := desk(app, http.MethodPost, path, cookie, step.form)
		wants(t, res, body, step.status)
		if got := now().GetString(step.field); got != step.want {
			t.Errorf("after %v %s is %q, want %q", step.form, step.field, got, step.want)
		}
	}
	res, body := desk(app, http.MethodPost, path+"?act=close", cookie, url.Values{})
	wants(t, res, body, 303)
	if now().GetString("status") != "closed" {
		t.Error("the button of a notice does nothing")
	}
	res, body = desk(app, http.MethodPost, path, cookie, url.Values{"act": {"snooze"}, "until": {"tomorrow"}})
	wants(t, res, body, 303)
	res, body = desk(app, http.MethodGet, "/desk/inbox/?view=snoozed", cookie, nil)
	wants(t, res, body, 200, inbox.Path(c.Id))
	res, body = desk(app, http.MethodPost, "/desk/inbox/bulk/", cookie, url.Values{"act": {"close"}, "id": {c.Id, other.Id, "gone"}, "back": {"https://evil.example/"}})
	wants(t, res, body, 303)
	if res.Header.Get("Location") != "/desk/inbox/" {
		t.Errorf("leads to %s", res.Header.Get("Location"))
	}
	res, body = desk(app, http.MethodPost, inbox.Path(other.Id)+"act/", cookie, url.Values{"act": {"merge"}, "into": {"#1"}})
	wants(t, res, body, 303)
	res, body = desk(app, http.MethodGet, inbox.Path(other.Id), cookie, nil)
	wants(t, res, body, 302)
	list, err := inbox.Messages(app, c.Id)
	check(t, err)
	res, body = desk(app, http.MethodPost, inbox.Path(c.Id)+"messages/"+list[1].Id+"/split/", cookie, url.Values{})
	wants(t, res, body, 303)
	res, body = desk(app, http.MethodPost, path, cookie, url.Values{"act": {"erase"}, "confirm": {"Ann@example.com"}})
	wants(t, res, body, 303)
	if n, _ := app.CountRecords(schema.Conversations); n != 0 {
		t.Errorf("%d are left", n)
	}
}

func TestFiltersAreKeptAndForgotten(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	_, cookie := answerer(t, app)
	receive(t, app, ann)
	res, body := desk(app, http.MethodGet, "/desk/inbox/?q=opening", cookie, nil)
	wants(t, res, body, 200, "Opening hours", "Name of this filter")
	res, body = desk(app, http.MethodPost, "/desk/inbox/views/", cookie, url.Values{"name": {"Hours"}, "query": {"/desk/inbox/?q=opening"}})
	wants(t, res, body, 303)
	res, body = desk(app, http.MethodGet, "/desk/inbox/?q=opening", cookie, nil)
	wants(t, res, body, 200, `href="/desk/inbox/?q=opening" aria-current="page">Hours`)
	res, body = desk(app, http.MethodPost, "/desk/inbox/views/", cookie, url.Values{"name": {"Hours"}, "forget": {"1"}})
	wants(t, res, body, 303)
	if _, body = desk(app, http.MethodGet, "/desk/inbox/", cookie, nil); strings.Contains(body, "Hours</a>") {
		t.Error("not forgotten")
	}
	for _, q := range []string{"?view=mine", "?view=nonsense&page=-3", "?q=%22%27*(&tag=x&form=y", "?view=spam&contact=ann@example.com"} {
		res, body = desk(app, http.MethodGet, "/desk/inbox/"+q, cookie, nil)
		wants(t, res, body, 200)
	}
}

func TestCannedReplies(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	_, cookie := answerer(t, app)
	c := receive(t, app, ann)
	res, body := desk(app, http.MethodPost, "/desk/canned-replies/", cookie, url.Values{"title": {""}, "text": {"kept"}})
	wants(t, res, body, 422, "Give it a title", "kept")
	res, body = desk(app, http.MethodPost, "/desk/canned-replies/", cookie, url.Values{"title": {"Thanks"}, "text": {"Dear {{first_name}}, about {{subject}} (#{{number}}) {{nonsense}}"}})
	wants(t, res, body, 303)
	items, err := inbox.CannedReplies(app)
	check(t, err)
	res, body = desk(app, http.MethodGet, inbox.Path(c.Id)+"?canned="+items[0].ID, cookie, nil)
	wants(t, res, body, 200, "Dear Ann, about Opening hours &lt;b&gt; (#1) {{nonsense}}</textarea>")
	res, body = desk(app, http.MethodGet, "/desk/canned-replies/?edit="+items[0].ID, cookie, nil)
	wants(t, res, body, 200, "Change it")
	res, body = desk(app, http.MethodPost, "/desk/canned-replies/", cookie, url.Values{"delete": {items[0].ID}})
	wants(t, res, body, 303)
}

func TestTheOverviewAndTheSearchKnowTheInbox(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	_, cookie := answerer(t, app)
	receive(t, app, ann)
	res, body := desk(app, http.MethodGet, "/desk/", cookie, nil)
	wants(t, res, body, 200, "open conversations", `class="count">1<`)
}

func TestTheStreamIsForScripts(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	_, cookie := answerer(t, app)
	res, _ := app.Do(http.MethodGet, "/desk/inbox/live/", "", "Cookie", cookie, "Accept", "application/json")
	if res.StatusCode != http.StatusNotAcceptable {
		t.Errorf("answers %d", res.StatusCode)
	}
}

type dns struct{}

func (dns) LookupTXT(_ context.Context, name string) ([]string, error) {
	return map[string][]string{"haus.example": {"v=spf1 mx -all"}}[name], nil
}
func (dns) LookupMX(context.Context, string) ([]*net.MX, error) { return nil, nil }

func TestTheOwnerSeesWhetherMailArrives(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	s := app.Settings()
	s.Meta.SenderAddress = "hello@haus.example"
	check(t, app.Save(s))
	pages.UseResolver(app, dns{})
	owner, _ := sitetest.Staff(t, app, roles.Owner)
	cookie := sitetest.Cookie(t, app, owner)
	res, body := desk(app, http.MethodGet, "/desk/mail-delivery/?check=1", cookie, nil)
	wants(t, res, body, 200, "v=spf1 mx -all", "v=DMARC1; p=none", "Mails are not signed", inbox.InboundPath, "--smtp")
	res, body = desk(app, http.MethodPost, "/desk/mail-delivery/", cookie, url.Values{"act": {"dkim"}})
	wants(t, res, body, 303)
	res, body = desk(app, http.MethodGet, "/desk/mail-delivery/?check=1", cookie, nil)
	wants(t, res, body, 200, "bungalow._domainkey.haus.example", "v=DKIM1; k=rsa; p=")
	before, err := inbox.InboundSecret(app)
	check(t, err)
	res, body = desk(app, http.MethodPost, "/desk/mail-delivery/", cookie, url.Values{"act": {"secret"}})
	wants(t, res, body, 303)
	if after, _ := inbox.InboundSecret(app); after == before {
		t.Error("the secret is the old one")
	}
	res, body = desk(app, http.MethodGet, "/desk/settings/inbox/", cookie, nil)
	wants(t, res, body, 200, "Address of the inbox", "IMAP server", "Does mail arrive?")
	_, moderator := answerer(t, app)
	res, body = desk(app, http.MethodGet, "/desk/mail-delivery/", moderator, nil)
	wants(t, res, body, 403)
}
