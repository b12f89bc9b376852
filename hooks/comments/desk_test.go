package comments_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/comments"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

// atDesk is a site with a moderator who is signed in.
func atDesk(t *testing.T) (*sitetest.Site, string) {
	t.Helper()
	site := newSite(t, func(o *comments.Options) { o.Policy = comments.PolicyAllHeld })
	person, _ := sitetest.Staff(t, site, roles.Moderator)
	return site, sitetest.Cookie(t, site, person)
}

func statusOf(t *testing.T, site *sitetest.Site, id string) string {
	t.Helper()
	r, err := site.FindRecordById(schema.Comments, id)
	if err != nil {
		t.Fatal(err)
	}
	return r.GetString("status")
}

func TestTheQueueDecidesAndTakesBack(t *testing.T) {
	t.Parallel()
	site, cookie := atDesk(t)
	one := post(t, site, map[string]any{"body": "<script>alert(1)</script> first **words**"})
	two := post(t, site, map[string]any{"body": "second words", "author": "Bob", "email": "bob@example.org"})
	_, page := site.Desk(cookie, "/desk/comments/", "")
	for _, want := range []string{"first <strong>words</strong>", "second words", "&lt;script&gt;", "bob@example.org", "Waiting"} {
		if !strings.Contains(page, want) {
			t.Errorf("the queue does not have %q", want)
		}
	}
	if _, page := site.Desk(cookie, "/desk/comments/?q=bob", ""); strings.Contains(page, "first") || !strings.Contains(page, "second words") {
		t.Error("the search finds the wrong ones")
	}
	res, _ := site.Desk(cookie, "/desk/comments/decide/", "id="+one.ID+"&id="+two.ID+"&status=approved")
	if res.StatusCode != http.StatusSeeOther || statusOf(t, site, one.ID) != "approved" || statusOf(t, site, two.ID) != "approved" {
		t.Fatalf("%d %s", res.StatusCode, statusOf(t, site, one.ID))
	}
	notice := res.Cookies()[0]
	_, page = site.Get("/desk/comments/?status=approved", "Cookie", cookie+"; "+notice.Name+"="+notice.Value, "Accept", "text/html")
	i := strings.Index(page, `action="/desk/comments/decide/?undone=1`)
	if i < 0 {
		t.Fatalf("nothing to take it back with: %s", page)
	}
	undo, _, _ := strings.Cut(page[i+len(`action="`):], `"`)
	if res, _ := site.Desk(cookie, strings.ReplaceAll(undo, "&amp;", "&"), "x="); res.StatusCode != http.StatusSeeOther || statusOf(t, site, two.ID) != "pending" {
		t.Errorf("%d, the second is %s", res.StatusCode, statusOf(t, site, two.ID))
	}
	if res, _ := site.Desk(cookie, "/desk/comments/decide/?only="+one.ID+"&status=spam", "id="+two.ID); res.StatusCode != http.StatusSeeOther || statusOf(t, site, one.ID) != "spam" || statusOf(t, site, two.ID) != "pending" {
		t.Error("the button of one comment decided another")
	}
	n, err := site.CountRecords(schema.Audit)
	if err != nil || n < 5 {
		t.Errorf("%d lines in the audit, %v", n, err)
	}
}

func TestTheDeskAnswersEditsAndBlocks(t *testing.T) {
	t.Parallel()
	site, cookie := atDesk(t)
	p := post(t, site, nil)
	path := "/desk/comments/" + p.ID + "/"
	if res, body := site.Desk(cookie, path, ""); res.StatusCode != 200 || !strings.Contains(body, "A kind word.") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, body := site.Desk(cookie, path+"reply/", "body="); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "Write something first.") {
		t.Errorf("an empty answer: %d", res.StatusCode)
	}
	if res, body := site.Desk(cookie, path+"reply/", "body=Welcome!"); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	l := list(t, site, "")
	if l.Count != 2 || l.Items[0].Replies[0].Badge == "" || l.Items[0].Replies[0].Author != "moderator" {
		t.Errorf("%+v", l.Items)
	}
	if res, _ := site.Desk(cookie, path+"edit/", "body=Other+words"); res.StatusCode != http.StatusSeeOther || !strings.Contains(list(t, site, "").Items[0].HTML, "Other words") {
		t.Error("the text is not changed")
	}
	if res, _ := site.Desk(cookie, path+"pin/", "pinned=1"); res.StatusCode != http.StatusSeeOther || !list(t, site, "").Items[0].Pinned {
		t.Error("it is not pinned")
	}
	if res, _ := site.Desk(cookie, path+"block/", "x="); res.StatusCode != http.StatusSeeOther {
		t.Error("not blocked")
	}
	if again := post(t, site, map[string]any{"body": "me again"}); again.Status != schema.CommentSpam {
		t.Errorf("a blocked person's comment is %s", again.Status)
	}
	if res, _ := site.Desk(cookie, "/desk/comments/person/unblock/", "email=ada@example.org"); res.StatusCode != http.StatusSeeOther {
		t.Error("not unblocked")
	}
	if again := post(t, site, map[string]any{"body": "and again, later"}); again.Status != schema.CommentPending {
		t.Errorf("after that it is %s", again.Status)
	}
}

func TestAPersonIsExportedAndErased(t *testing.T) {
	t.Parallel()
	site, cookie := atDesk(t)
	one := post(t, site, map[string]any{"body": "my secret words"})
	if _, err := comments.Decide(site.TestApp, by, schema.CommentApproved, one.ID); err != nil {
		t.Fatal(err)
	}
	reply := post(t, site, map[string]any{"parent": one.ID, "author": "Bob", "email": "bob@example.org", "body": "I answer"})
	_, body := site.Desk(cookie, "/desk/comments/person.json?email=Ada@example.org", "")
	var file struct{ Comments []map[string]any }
	if err := json.Unmarshal([]byte(body), &file); err != nil || len(file.Comments) != 1 || file.Comments[0]["body"] != "my secret words" {
		t.Errorf("%s %v", body, err)
	}
	if _, page := site.Desk(cookie, "/desk/comments/person/?email=ada@example.org", ""); !strings.Contains(page, "my secret words") {
		t.Error("the person's page is empty")
	}
	if res, _ := site.Desk(cookie, "/desk/comments/person/erase/", "email=ada@example.org"); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("%d", res.StatusCode)
	}
	for _, table := range []string{"comments", "_comment_mail", "_spam_words", "_spam_learned"} {
		var all []string
		columns := map[string]string{"comments": "author || email || body || html || url", "_comment_mail": "email", "_spam_words": "word", "_spam_learned": "tokens"}
		if err := site.DB().NewQuery("SELECT " + columns[table] + " FROM " + table + " WHERE " + map[bool]string{true: "spam + good > 0", false: "true"}[table == "_spam_words"]).Column(&all); err != nil {
			t.Fatal(err)
		}
		if joined := strings.Join(all, "\n"); strings.Contains(joined, "secret") || strings.Contains(joined, "ada@") {
			t.Errorf("%s still has %s", table, joined)
		}
	}
	if statusOf(t, site, reply.ID) != schema.CommentPending {
		t.Error("another person's answer went too")
	}
}

func TestRulesOfOneThread(t *testing.T) {
	t.Parallel()
	site, cookie := atDesk(t)
	if res, body := site.Desk(cookie, "/desk/comments/thread/?t="+url.QueryEscape(thread), ""); res.StatusCode != 200 || !strings.Contains(body, "Hello") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, _ := site.Desk(cookie, "/desk/comments/thread/", "policy=open&t="+url.QueryEscape(thread)); res.StatusCode != http.StatusSeeOther {
		t.Errorf("%d", res.StatusCode)
	}
	if p := post(t, site, nil); p.Status != schema.CommentApproved {
		t.Errorf("%+v", p)
	}
	if res, _ := site.Desk(cookie, "/desk/comments/thread/", "policy=x&t="+url.QueryEscape(thread)); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a policy that there is not: %d", res.StatusCode)
	}
	for _, path := range []string{"/desk/", "/desk/settings/comments/", "/desk/comments/words.jsonl"} {
		if res, body := site.Desk(cookie, path, ""); res.StatusCode >= 500 {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
}

// TestNewsArriveWhileOneReads holds the stream open over a real connection.
func TestNewsArriveWhileOneReads(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	server := httptest.NewServer(site.Handler)
	defer server.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	req, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/site/comments/live?thread="+thread, nil)
	req.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	buf := make([]byte, 4096)
	read := func(want string) {
		t.Helper()
		for got := ""; !strings.Contains(got, want); {
			n, err := res.Body.Read(buf)
			if err != nil {
				t.Fatalf("after %q: %v", got, err)
			}
			got += string(buf[:n])
		}
	}
	read("welcome")
	p := post(t, site, nil)
	read(`"kind":"comment"`)
	if _, err := comments.Decide(site.TestApp, by, schema.CommentSpam, p.ID); err != nil {
		t.Fatal(err)
	}
	read(`"kind":"gone"`)
	held := make([]*http.Response, 0, 12)
	for range 12 {
		req, _ := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+"/api/site/comments/live?thread="+thread, nil)
		req.Header.Set("Accept", "text/event-stream")
		r, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		held = append(held, r)
	}
	if last := held[11]; last.StatusCode != http.StatusServiceUnavailable || last.Header.Get("Retry-After") == "" {
		t.Errorf("a twelfth listener of one address: %d", last.StatusCode)
	}
}
