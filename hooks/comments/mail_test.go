package comments_test

import (
	"context"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/comments"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

// mails runs the jobs that are due and gives what was written to whom, as one
// text for each message, newest last.
func mails(t *testing.T, site *sitetest.Site) []string {
	t.Helper()
	if err := queue.Start(site.TestApp); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(30 * time.Second)
	for {
		var left int
		if err := site.DB().NewQuery(`SELECT count(*) FROM _jobs WHERE state != 'dead' AND run_at <= {:now}`).Bind(map[string]any{"now": time.Now().UnixMilli()}).Row(&left); err != nil {
			t.Fatal(err)
		}
		if left == 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d jobs are left", left)
		}
		time.Sleep(5 * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := queue.Stop(ctx, site.TestApp); err != nil {
		t.Fatal(err)
	}
	var out []string
	if err := site.DB().NewQuery(`SELECT recipient || char(10) || subject || char(10) || text FROM _mails ORDER BY id`).Column(&out); err != nil {
		t.Fatal(err)
	}
	return out
}

// links finds the orders in a mail, by their path.
func links(mail string) []string {
	return regexp.MustCompile(`/api/site/comments-mail/[^\s]+`).FindAllString(mail, -1)
}

func TestRepliesAreMailedOnceTheAddressIsConfirmed(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	first := post(t, site, map[string]any{"notify": true})
	post(t, site, map[string]any{"notify": true, "body": "A second one, the same address."})
	sent := mails(t, site)
	if len(sent) != 1 || !strings.Contains(sent[0], "ada@example.org") {
		t.Fatalf("the address is to be asked once: %q", sent)
	}
	yes := links(sent[0])[0]
	reply := func(n, parent string) posted {
		return post(t, site, map[string]any{"parent": parent, "author": "Bob", "email": "bob@example.org", "body": "Answer " + n + " to what you wrote."})
	}
	reply("one", first.ID)
	if sent = mails(t, site); len(sent) != 1 {
		t.Errorf("an address that said nothing was written to: %q", sent)
	}
	if res, page := site.Get(yes); res.StatusCode != 200 || !strings.Contains(page, `method="post"`) {
		t.Errorf("%d %s", res.StatusCode, page)
	}
	reply("two", first.ID)
	if sent = mails(t, site); len(sent) != 1 {
		t.Error("following the link was enough")
	}
	if res, _ := site.Do(http.MethodPost, yes, "", "Content-Type", "application/x-www-form-urlencoded"); res.StatusCode != 200 {
		t.Errorf("%d", res.StatusCode)
	}
	three := reply("three", first.ID)
	sent = mails(t, site)
	if len(sent) != 2 || !strings.Contains(sent[1], "Answer three") || !strings.Contains(sent[1], "comment="+three.ID) {
		t.Fatalf("%q", sent)
	}
	leave := links(sent[1])[0]
	if res, _ := site.Do(http.MethodPost, leave, "List-Unsubscribe=One-Click", "Content-Type", "application/x-www-form-urlencoded"); res.StatusCode != http.StatusNoContent {
		t.Errorf("one click: %d", res.StatusCode)
	}
	reply("four", first.ID)
	if sent = mails(t, site); len(sent) != 2 {
		t.Errorf("who left is written to: %q", sent)
	}
	site.Do(http.MethodPost, yes, "")
	reply("five", first.ID)
	if sent = mails(t, site); len(sent) != 2 {
		t.Errorf("an old yes brought who left back: %q", sent)
	}
}

func TestModeratorsDecideByMail(t *testing.T) {
	t.Parallel()
	site := newSite(t, func(o *comments.Options) { o.Policy = comments.PolicyAllHeld })
	moderator, _ := sitetest.Staff(t, site, roles.Moderator)
	sitetest.Staff(t, site, roles.Author)
	p := post(t, site, map[string]any{"body": "<img src=x onerror=alert(1)> please"})
	sent := mails(t, site)
	if len(sent) != 1 || !strings.Contains(sent[0], moderator.Email()) {
		t.Fatalf("%q", sent)
	}
	orders := links(sent[0])
	for _, order := range orders { // as a scanner does
		if res, page := site.Get(order); res.StatusCode != 200 || strings.Contains(page, "<img src=x") {
			t.Errorf("%d %s", res.StatusCode, page)
		}
	}
	if got := statusOf(t, site, p.ID); got != schema.CommentPending {
		t.Fatalf("following links made it %s", got)
	}
	if res, _ := site.Do(http.MethodPost, orders[0], ""); res.StatusCode != 200 || statusOf(t, site, p.ID) != schema.CommentApproved {
		t.Errorf("%d, it is %s", res.StatusCode, statusOf(t, site, p.ID))
	}
	for _, forged := range []string{orders[0] + "x", strings.Replace(orders[0], "mail/", "mail/A", 1), "/api/site/comments-mail/x"} {
		if res, _ := site.Do(http.MethodPost, forged, ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", forged, res.StatusCode)
		}
	}
	var html string
	if err := site.DB().NewQuery(`SELECT html FROM _mails`).Row(&html); err != nil || strings.Contains(html, "<img src=x") {
		t.Errorf("the mail holds what a stranger typed as HTML: %s %v", html, err)
	}
}
