package desk_test

import (
	"encoding/csv"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// office is a site with an owner who is signed in.
func office(t *testing.T) (app *sitetest.Site, owner *core.Record, cookie string) {
	t.Helper()
	app = sitetest.New(t)
	owner, _ = sitetest.Staff(t, app, roles.Owner)
	return app, owner, sitetest.Cookie(t, app, owner)
}

var tokenLink = regexp.MustCompile(`/desk/[a-z/]+/\?token=[A-Za-z0-9_-]+`)

func reload(t *testing.T, app core.App, r *core.Record) *core.Record {
	t.Helper()
	r, err := app.FindRecordById(r.Collection().Name, r.Id)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// did reports whether the last line of the audit is this action.
func did(t *testing.T, app core.App, action string) {
	t.Helper()
	lines, err := audit.Find(app, audit.Filter{Action: action}, 1, 0)
	if err != nil || len(lines) != 1 {
		t.Errorf("no line %s in the audit, %v", action, err)
	}
}

func TestInvitingAndJoining(t *testing.T) {
	t.Parallel()
	app, _, cookie := office(t)
	form := url.Values{"name": {"Ada"}, "email": {"Ada@example.com"}, "role": {"author"}}
	res, body := app.Desk(cookie, "/desk/staff/", form.Encode())
	link := tokenLink.FindString(html.UnescapeString(body))
	if res.StatusCode != http.StatusOK || link == "" {
		t.Fatalf("inviting: %d %s", res.StatusCode, body)
	}
	did(t, app, "staff.invite")
	if res, body := app.Desk(cookie, "/desk/staff/", form.Encode()); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "here already") {
		t.Errorf("inviting twice: %d", res.StatusCode)
	}
	if _, body := app.Desk(cookie, "/desk/staff/", ""); !strings.Contains(body, "ada@example.com") || !strings.Contains(body, "invited") {
		t.Error("the list does not show who is invited")
	}
	if res, body := app.Desk("", link, ""); res.StatusCode != http.StatusOK || !strings.Contains(body, "ada@example.com") {
		t.Fatalf("the invitation: %d %s", res.StatusCode, body)
	}
	_, token, _ := strings.Cut(link, "token=")
	answer := url.Values{"token": {token}, "name": {"Ada L."}, "password": {"short"}}
	if res, body := app.Desk("", "/desk/invitation/", answer.Encode()); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "at least 8") {
		t.Errorf("a short password: %d", res.StatusCode)
	}
	answer.Set("password", "three quiet herons")
	res, body = app.Desk("", "/desk/invitation/", answer.Encode())
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("joining: %d %s", res.StatusCode, body)
	}
	if res, body := app.Desk(cookieOf(t, res), "/desk/", ""); res.StatusCode != http.StatusOK || !strings.Contains(body, "Ada L.") {
		t.Errorf("the desk: %d", res.StatusCode)
	}
	did(t, app, "staff.join")
	if res, _ := app.Desk("", "/desk/invitation/", answer.Encode()); res.StatusCode != http.StatusNotFound {
		t.Errorf("joining twice: %d", res.StatusCode)
	}
}

func TestInvitationsEndAfterAWeekAndAtTheNextOne(t *testing.T) {
	t.Parallel()
	app, _, cookie := office(t)
	ada, first, err := people.Invite(app, audit.System("a test"), "Ada", "ada@example.com", roles.Author, time.Now().Add(-6*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if res, _ := app.Desk("", "/desk/invitation/?token="+first, ""); res.StatusCode != http.StatusOK {
		t.Errorf("after six days: %d", res.StatusCode)
	}
	if res, _ := app.Desk(cookie, "/desk/staff/"+ada.Id+"/invite/", "x=1"); res.StatusCode != http.StatusOK {
		t.Errorf("inviting again: %d", res.StatusCode)
	}
	if res, _ := app.Desk("", "/desk/invitation/?token="+first, ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("the link before: %d", res.StatusCode)
	}
	late, err := people.InviteAgain(app, ada, time.Now().Add(-7*24*time.Hour-time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if res, _ := app.Desk("", "/desk/invitation/?token="+late, ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("after a week: %d", res.StatusCode)
	}
	if res, _ := app.Desk(cookie, "/desk/staff/"+ada.Id+"/reactivate/", "x=1"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("switching on who never joined: %d", res.StatusCode)
	}
}

func TestWithSMTPTheInvitationIsMailed(t *testing.T) {
	t.Parallel()
	app, _, cookie := office(t)
	app.Settings().SMTP.Enabled = true
	app.Settings().SMTP.Host = "127.0.0.1"
	res, body := app.Desk(cookie, "/desk/staff/", url.Values{"name": {"Ada"}, "email": {"ada@example.com"}, "role": {"editor"}}.Encode())
	if res.StatusCode != http.StatusSeeOther || tokenLink.MatchString(body) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	var text string
	if err := app.DB().NewQuery("SELECT text FROM _mails WHERE template = 'desk-invite'").Row(&text); err != nil || !tokenLink.MatchString(text) || !strings.Contains(text, "as Editor") {
		t.Errorf("%q, %v", text, err)
	}
}

func TestChangingMembers(t *testing.T) {
	t.Parallel()
	app, owner, cookie := office(t)
	ada, token := sitetest.Staff(t, app, roles.Author)
	adas := sitetest.Cookie(t, app, ada)
	path := "/desk/staff/" + ada.Id + "/"
	if res, body := app.Desk(cookie, path, url.Values{"name": {"Ada"}, "role": {"editor"}}.Encode()); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	if reload(t, app, ada).GetString("role") != "editor" {
		t.Error("the role is the old one")
	}
	did(t, app, "staff.change")
	if res, _ := app.Desk(cookie, path, url.Values{"name": {""}, "role": {"emperor"}}.Encode()); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a role that is none: %d", res.StatusCode)
	}
	if res, _ := app.Desk(cookie, path+"deactivate/", "x=1"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("switching off: %d", res.StatusCode)
	}
	did(t, app, "staff.deactivate")
	if res, _ := app.Desk(adas, "/desk/", ""); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the session lives: %d", res.StatusCode)
	}
	if res, _ := app.JSON(http.MethodPost, "/api/collections/staff/auth-refresh", token, ""); res.StatusCode == http.StatusOK {
		t.Error("the token lives")
	}
	if res, _ := app.Desk(cookie, path+"reactivate/", "x=1"); res.StatusCode != http.StatusSeeOther || !reload(t, app, ada).GetBool("active") {
		t.Errorf("switching on: %d", res.StatusCode)
	}
	for _, last := range []string{"deactivate/", "remove/"} {
		res, _ := app.Desk(cookie, "/desk/staff/"+owner.Id+"/"+last, "x=1")
		_, body := app.Desk(cookie+"; "+cookieNamed(res, "desk_notice"), res.Header.Get("Location"), "")
		if !strings.Contains(body, "This is the last owner") || !reload(t, app, owner).GetBool("active") {
			t.Errorf("%s the last owner: %d", last, res.StatusCode)
		}
	}
	if res, _ := app.Desk(cookie, path+"remove/", "x=1"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("removing: %d", res.StatusCode)
	}
	if _, err := app.FindRecordById(schema.Staff, ada.Id); err == nil {
		t.Error("the account is still there")
	}
	did(t, app, "staff.remove")
}

func cookieNamed(res *http.Response, name string) string {
	for _, c := range res.Cookies() {
		if c.Name == name {
			return c.Name + "=" + c.Value
		}
	}
	return ""
}

func TestAForgottenPasswordIsAnsweredAlike(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Author)
	cookie := sitetest.Cookie(t, app, ada)
	jobs := func() (n int) {
		_ = app.DB().NewQuery("SELECT count(*) FROM _jobs WHERE kind = 'people.reset'").Row(&n)
		return n
	}
	var bodies []string
	for i, email := range []string{ada.Email(), "nobody@example.com"} {
		res, body := app.Desk("", "/desk/forgotten/", url.Values{"email": {email}}.Encode())
		if res.StatusCode != http.StatusOK || jobs() != i+1 {
			t.Errorf("%s: %d, %d jobs", email, res.StatusCode, jobs())
		}
		bodies = append(bodies, strings.ReplaceAll(body, email, "x"))
	}
	if bodies[0] != bodies[1] {
		t.Error("the answers differ")
	}
	if err := queue.Start(app); err != nil {
		t.Fatal(err)
	}
	link := ""
	deadline := time.Now().Add(20 * time.Second)
	for link == "" && time.Now().Before(deadline) {
		var text string
		_ = app.DB().NewQuery("SELECT text FROM _mails WHERE template = 'desk-reset'").Row(&text)
		link = tokenLink.FindString(text)
	}
	_ = queue.Stop(t.Context(), app)
	_, token, _ := strings.Cut(link, "token=")
	if res, body := app.Desk("", link, ""); res.StatusCode != http.StatusOK || !strings.Contains(body, ada.Email()) {
		t.Fatalf("the link %q: %d %s", link, res.StatusCode, body)
	}
	if res, _ := app.Desk("", "/desk/reset/", url.Values{"token": {token}, "password": {"three quiet herons"}}.Encode()); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the new password: %d", res.StatusCode)
	}
	if !reload(t, app, ada).ValidatePassword("three quiet herons") {
		t.Error("the password is the old one")
	}
	if res, _ := app.Desk(cookie, "/desk/", ""); res.StatusCode != http.StatusSeeOther {
		t.Error("the old session lives")
	}
	if res, _ := app.Desk("", link, ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("the link used again: %d", res.StatusCode)
	}
}

func TestTheAuditIsFilteredAndTakenAway(t *testing.T) {
	t.Parallel()
	app, owner, cookie := office(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	for _, l := range []struct {
		by             *core.Record
		action, record string
		detail         any
	}{
		{ada, "post.publish", "p1", map[string]string{"title": "Herons"}}, {ada, "post.delete", "p2", nil}, {owner, "comment.approve", "c1", map[string]string{"x": "=cmd()"}},
	} {
		if err := audit.Write(app, audit.Of(l.by, "192.0.2.9"), l.action, schema.Posts, l.record, l.detail); err != nil {
			t.Fatal(err)
		}
	}
	evil := audit.System("=HYPERLINK(\"http://evil.example\")")
	if err := audit.Write(app, evil, "post.evil", schema.Posts, "+1", nil); err != nil {
		t.Fatal(err)
	}
	today := time.Now().UTC().Format(time.DateOnly)
	for query, want := range map[string]int{
		"": 4, "person=" + ada.Id: 2, "action=post": 3, "action=post.publish": 1, "record=posts/p1": 1, "record=p2": 1, "q=herons": 1, "q=100%25": 0,
		"from=" + today: 4, "to=" + today: 4, "to=2020-01-01": 0, "from=2099-01-01": 0, "from=rubbish": 4, "action=post&person=" + owner.Id: 0,
	} {
		_, body := app.Desk(cookie, "/desk/audit/?"+query, "")
		if n := strings.Count(body, "<tr>") - 1; max(n, 0) != want {
			t.Errorf("%s shows %d lines, want %d", query, n, want)
		}
		_, file := app.Desk(cookie, "/desk/audit.csv?"+query, "")
		rows, err := csv.NewReader(strings.NewReader(file)).ReadAll()
		if err != nil || len(rows)-1 != want {
			t.Errorf("%s exports %d lines, %v", query, len(rows)-1, err)
		}
		for _, row := range rows {
			for _, cell := range row {
				if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) {
					t.Errorf("a spreadsheet would run %q", cell)
				}
			}
		}
	}
}
