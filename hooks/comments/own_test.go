package comments_test

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"

	"bungalow/hooks/comments"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/dbx"
)

// plain sends a form as a browser without a script does.
func plain(site *sitetest.Site, path string, fields url.Values) (*http.Response, string) {
	return site.Do(http.MethodPost, path, fields.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html", "Origin", "http://example.com")
}

// ownLink follows the redirect after sending and finds where to change it.
func ownLink(t *testing.T, site *sitetest.Site, res *http.Response) string {
	t.Helper()
	_, page := site.Get(strings.TrimSuffix(res.Header.Get("Location"), "#comments"))
	found := regexp.MustCompile(`href="(/api/site/comments/[^"]+/own\?[^"]+)"`).FindStringSubmatch(page)
	if found == nil {
		t.Fatalf("no way to change it after %s", res.Header.Get("Location"))
	}
	return strings.ReplaceAll(found[1], "&amp;", "&")
}

func TestOnesOwnIsChangedAndDeletedWithoutAScript(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	res, _ := plain(site, "/api/site/comments", url.Values{"thread": {thread}, "author": {"Ada"}, "body": {"Frist <b>words</b>"}})
	link := ownLink(t, site, res)
	res, page := site.Get(link)
	if res.StatusCode != 200 || !strings.Contains(page, "Frist &lt;b&gt;words&lt;/b&gt;</textarea>") || !strings.Contains(page, "15 minutes") || !strings.Contains(res.Header.Get("Cache-Control"), "no-store") {
		t.Fatalf("%d %v %s", res.StatusCode, res.Header, page)
	}
	path, query, _ := strings.Cut(link, "?")
	token, _ := url.ParseQuery(query)
	send := func(fields url.Values) (*http.Response, string) {
		if !fields.Has("edit_token") {
			fields.Set("edit_token", token.Get("edit_token"))
		}
		return plain(site, path, fields)
	}
	if res, page := send(url.Values{"do": {"save"}, "body": {" "}}); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(page, "Write something first.") || !strings.Contains(page, `aria-invalid="true"`) {
		t.Errorf("nothing written: %d %s", res.StatusCode, page)
	}
	res, _ = send(url.Values{"do": {"save"}, "body": {"First words"}})
	if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(res.Header.Get("Location"), thread+"?notice=comment-changed&own=") || ownLink(t, site, res) != link {
		t.Errorf("%d %s", res.StatusCode, res.Header.Get("Location"))
	}
	if _, page := site.Get(thread + "?notice=comment-changed"); !strings.Contains(page, "Your comment is changed.") || !strings.Contains(page, "First words") {
		t.Error("the change is not shown")
	}
	if res, _ := send(url.Values{"do": {"save"}, "body": {"http://a.example http://b.example http://c.example http://d.example http://e.example"}}); !strings.Contains(res.Header.Get("Location"), "comment-held") {
		t.Errorf("many links: %s", res.Header.Get("Location"))
	}
	for _, wrong := range []string{"", "x", strings.ToUpper(token.Get("edit_token"))} {
		if res, _ := send(url.Values{"do": {"delete"}, "edit_token": {wrong}}); res.StatusCode != http.StatusForbidden {
			t.Errorf("with the token %q: %d", wrong, res.StatusCode)
		}
		if res, _ := site.Get(path + "?edit_token=" + wrong); res.StatusCode != http.StatusForbidden {
			t.Errorf("reading with the token %q: %d", wrong, res.StatusCode)
		}
	}
	if res, _ := send(url.Values{"do": {"delete"}}); !strings.Contains(res.Header.Get("Location"), "comment-deleted") {
		t.Errorf("deleting: %d %s", res.StatusCode, res.Header.Get("Location"))
	}
	if n, _ := site.CountRecords(schema.Comments); n != 0 {
		t.Errorf("%d are left", n)
	}
	if res, _ := site.Get(link); res.StatusCode != http.StatusNotFound {
		t.Errorf("after that: %d", res.StatusCode)
	}
}

func TestAForeignTokenInTheAddressShowsNothing(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	p := post(t, site, nil)
	for _, own := range []string{"", ".", p.ID, p.ID + ".", p.ID + ".wrong", `"><script>alert(1)</script>.x`, "aaaaaaaaaaaaaaa." + p.Token} {
		_, page := site.Get(thread + "?notice=comment-sent&own=" + url.QueryEscape(own))
		if strings.Contains(page, "/own?") || strings.Contains(page, "<script>alert") {
			t.Errorf("%q is in the page", own)
		}
	}
	if _, page := site.Get(thread + "?notice=comment-sent&own=" + p.ID + "." + p.Token); !strings.Contains(page, "/own?edit_token="+p.Token) {
		t.Error("the visitor's own link is missing")
	}
}

func TestADoubleClickIsOneComment(t *testing.T) {
	t.Parallel()
	site := newSite(t, func(o *comments.Options) { o.Policy = comments.PolicyAllHeld })
	var all sync.WaitGroup
	answers := make([]string, 8)
	for i := range answers {
		all.Go(func() {
			res, body := try(site, map[string]any{"body": "Sent by an impatient finger."})
			answers[i] = fmt.Sprint(res.StatusCode, body)
		})
	}
	all.Wait()
	for _, a := range answers[1:] {
		if a != answers[0] {
			t.Errorf("%s, before it %s", a, answers[0])
		}
	}
	rows := func() int64 { n, _ := site.CountRecords(schema.Comments); return n }
	if rows() != 1 {
		t.Fatalf("%d are stored", rows())
	}
	for n, fields := range []map[string]any{{"author": "Bob"}, {"body": "Sent by an impatient finger!"}} {
		if p := post(t, site, fields); rows() != int64(n+2) {
			t.Errorf("%v is taken for the same: %+v", fields, p)
		}
	}
	site.RemoteAddr = "198.51.100.7:1"
	if post(t, site, map[string]any{"body": "Sent by an impatient finger."}); rows() != 4 {
		t.Error("another visitor's is taken for the same")
	}
	site.RemoteAddr = ""
	age(t, site, "-3 minutes")
	if post(t, site, map[string]any{"body": "Sent by an impatient finger."}); rows() != 5 {
		t.Error("minutes later it is taken for the same")
	}
}

// age moves all comments into the past.
func age(t *testing.T, site *sitetest.Site, by string) {
	t.Helper()
	_, err := site.NonconcurrentDB().NewQuery(`UPDATE comments SET created = strftime('%Y-%m-%d %H:%M:%fZ', created, {:by}), updated = strftime('%Y-%m-%d %H:%M:%fZ', updated, {:by})`).
		Bind(dbx.Params{"by": by}).Execute()
	if err != nil {
		t.Fatal(err)
	}
}

func TestAnIdempotencyKeyHoldsForADay(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	submitted := 0
	events.OnCommentSubmit(site.TestApp).BindFunc(func(e *events.CommentSubmitEvent) error { submitted++; return e.Next() })
	send := func(key, body string) (*http.Response, string) {
		return site.Do(http.MethodPost, "/api/site/comments", `{"thread":"`+thread+`","author":"Ada","body":"`+body+`"}`, "Content-Type", "application/json", "Idempotency-Key", key)
	}
	_, first := send("k-1", "Once and for all.")
	age(t, site, "-23 hours")
	res, again := send("k-1", "Once and for all.")
	var one, two string
	for text, to := range map[string]*string{first: &one, again: &two} {
		*to = regexp.MustCompile(`"id":"(\w+)"`).FindString(text)
	}
	if res.StatusCode != http.StatusCreated || one == "" || one != two || submitted != 1 {
		t.Errorf("%s, then %d %s; %d went through the hooks", first, res.StatusCode, again, submitted)
	}
	if res, body := send("k-1", "Something else."); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "Idempotency-Key") {
		t.Errorf("other words: %d %s", res.StatusCode, body)
	}
	if res, _ := send(strings.Repeat("k", 201), "x"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("a long key: %d", res.StatusCode)
	}
	age(t, site, "-2 hours")
	if err := comments.Sweep(site.TestApp); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := site.DB().NewQuery(`SELECT count(*) FROM comments WHERE once != '' OR digest != ''`).Row(&left); err != nil || left != 0 {
		t.Errorf("%d hashes are kept after a day, %v", left, err)
	}
	if res, body := send("k-1", "Something else."); res.StatusCode != http.StatusCreated || strings.Contains(body, one) {
		t.Errorf("a day later: %d %s", res.StatusCode, body)
	}
}
