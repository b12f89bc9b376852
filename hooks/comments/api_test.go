package comments_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/comments"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/spam"
	"github.com/altcha-org/altcha-lib-go"
)

// thread is that of the post which newSite makes.
const thread = "/blog/hello/"

// newSite is a site with one post, whose spam filter asks for no proof.
func newSite(t testing.TB, o func(*comments.Options)) *sitetest.Site {
	t.Helper()
	site := sitetest.New(t)
	options := comments.Defaults()
	options.Policy = comments.PolicyOpen
	if o != nil {
		o(&options)
	}
	for feature, value := range map[string]any{comments.Feature: options, spam.Feature: spam.Options{NoWork: true, NoLimits: true, MaxLinks: 2}} {
		if err := settings.Save(site.TestApp, feature, value); err != nil {
			t.Fatal(err)
		}
	}
	sitetest.Make(t, site, schema.Posts, map[string]any{"title": "Hello", "slug": "hello", "body": "x", "status": "published", "comments_open": true})
	return site
}

type posted struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	HTML   string `json:"html"`
	Token  string `json:"edit_token"`
}

// post sends a comment and wants it accepted.
func post(t testing.TB, site *sitetest.Site, fields map[string]any) posted {
	t.Helper()
	res, body := try(site, fields)
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("%v: %d %s", fields, res.StatusCode, body)
	}
	var p posted
	if err := json.Unmarshal([]byte(body), &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func try(site *sitetest.Site, fields map[string]any) (*http.Response, string) {
	all := map[string]any{"thread": thread, "author": "Ada", "email": "ada@example.org", "body": "A kind word."}
	for k, v := range fields {
		all[k] = v
	}
	raw, _ := json.Marshal(all)
	return site.JSON(http.MethodPost, "/api/site/comments", "", string(raw))
}

func list(t testing.TB, site *sitetest.Site, query string) comments.Listing {
	t.Helper()
	res, body := site.Get("/api/site/comments?thread=" + url.QueryEscape(thread) + query)
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	var l comments.Listing
	if err := json.Unmarshal([]byte(body), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func TestACommentIsOnThePageAtOnce(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	if _, page := site.Get(thread); !strings.Contains(page, "Write a comment") || strings.Contains(page, "A kind word") {
		t.Fatalf("the page before: %s", page)
	}
	first := post(t, site, nil)
	if first.Status != schema.CommentApproved || first.HTML != "<p>A kind word.</p>" || first.Token == "" {
		t.Errorf("%+v", first)
	}
	reply := post(t, site, map[string]any{"parent": first.ID, "author": "Bob", "body": "I *agree*."})
	_, page := site.Get(thread)
	for _, want := range []string{"2 comments", "A kind word.", "<em>agree</em>", `id="c-` + reply.ID, `id="c-` + first.ID} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not have %q: %s", want, page)
		}
	}
	if strings.Contains(page, "ada@example.org") {
		t.Error("the page shows a mail address")
	}
	l := list(t, site, "")
	if l.TotalItems != 1 || l.Count != 2 || len(l.Items) != 1 || len(l.Items[0].Replies) != 1 || !l.Open || l.Items[0].Replies[0].Parent != first.ID {
		t.Errorf("%+v", l)
	}
	if _, body := site.Get("/api/site/comments?thread=" + thread); strings.Contains(body, "ada@example.org") || strings.Contains(body, `"body"`) {
		t.Errorf("the list says too much: %s", body)
	}
	if _, body := site.Get("/api/site/comments/counts?threads=" + thread + ",/blog/none/"); !strings.Contains(body, `"/blog/hello/":2`) || !strings.Contains(body, `"/blog/none/":0`) {
		t.Errorf("%s", body)
	}
	for _, feed := range []string{"/comments.xml", "/blog/hello/comments.xml", "/comments.xml?thread=" + thread} {
		if res, body := site.Get(feed); res.StatusCode != 200 || !strings.Contains(body, "A kind word.") || !strings.Contains(res.Header.Get("Content-Type"), "atom") {
			t.Errorf("%s: %d %s", feed, res.StatusCode, body)
		}
	}
}

func TestAFeedWithoutCommentsHasATime(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	_, body := site.Get("/comments.xml")
	_, updated, _ := strings.Cut(body, "<updated>")
	if at, err := time.Parse(time.RFC3339, strings.Split(updated, "<")[0]); err != nil || at.Year() < 2020 {
		t.Errorf("%v, %v: %s", at, err, body)
	}
}

func TestStrangersReadOnlyWhatIsApproved(t *testing.T) {
	t.Parallel()
	site := newSite(t, func(o *comments.Options) { o.Policy = comments.PolicyAllHeld })
	p := post(t, site, map[string]any{"body": "secret words"})
	if p.Status != schema.CommentPending {
		t.Fatalf("%+v", p)
	}
	for _, path := range []string{thread, "/api/site/comments?thread=" + thread, "/comments.xml", "/api/collections/comments/records", "/api/collections/comments/records/" + p.ID,
		"/api/collections/comments/records?filter=" + url.QueryEscape(`email~"ada"`), "/api/collections/comments/records?filter=" + url.QueryEscape(`body~"secret"`)} {
		if _, body := site.Get(path); strings.Contains(body, "secret words") || strings.Contains(body, "ada@example.org") {
			t.Errorf("%s shows what waits: %s", path, body)
		}
	}
	if _, err := comments.Decide(site.TestApp, by, schema.CommentApproved, p.ID); err != nil {
		t.Fatal(err)
	}
	if _, page := site.Get(thread); !strings.Contains(page, "secret words") {
		t.Error("an approved comment is not on the very next page")
	}
	_, body := site.Get("/api/collections/comments/records/" + p.ID)
	for _, hidden := range []string{"ada@example.org", `"body"`, `"email"`, `"verdict"`, `"address"`, `"agent"`} {
		if strings.Contains(body, hidden) {
			t.Errorf("a stranger sees %s: %s", hidden, body)
		}
	}
}

func TestBadFieldsAreNamed(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	for field, fields := range map[string]map[string]any{
		"body": {"body": " \u202e "}, "author": {"author": ""}, "email": {"email": "ada@"}, "url": {"url": "javascript:alert(1)"},
		"thread": {"thread": "nowhere"}, "parent": {"parent": "aaaaaaaaaaaaaaa"},
	} {
		res, body := try(site, fields)
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, `"`+field+`":{"code"`) {
			t.Errorf("%s: %d %s", field, res.StatusCode, body)
		}
	}
	long := strings.Repeat("ü", comments.MaxBody)
	post(t, site, map[string]any{"body": long})
	if res, _ := try(site, map[string]any{"body": long + "x"}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a comment that is too long: %d", res.StatusCode)
	}
	for path, want := range map[string]int{"/blog/none/": 404, "/hello/": 404, "https://other.example/x": 403} {
		if res, body := try(site, map[string]any{"thread": path}); res.StatusCode != want {
			t.Errorf("%s: %d %s", path, res.StatusCode, body)
		}
	}
	if res, _ := site.Do(http.MethodPost, "/api/site/comments", "{", "Content-Type", "application/json"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("nonsense: %d", res.StatusCode)
	}
}

func TestAPlainFormWorksWithoutAScript(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	send := func(fields url.Values) (*http.Response, string) {
		return site.Do(http.MethodPost, "/api/site/comments", fields.Encode(), "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html", "Origin", "http://example.com")
	}
	res, body := send(url.Values{"thread": {thread}, "author": {"Ada"}, "body": {""}, "email": {"a<b"}})
	for _, want := range []string{"Write something first.", "This mail address is not complete.", `value="Ada"`, `value="a&lt;b"`, `aria-invalid="true"`} {
		if !strings.Contains(body, want) {
			t.Errorf("the form that is shown again does not have %q", want)
		}
	}
	if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(res.Header.Get("Cache-Control"), "no-store") {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	if _, page := site.Get(thread); strings.Contains(page, "Write something first.") || strings.Contains(page, `value="Ada"`) {
		t.Error("one visitor's form is in the page of all")
	}
	res, _ = send(url.Values{"thread": {thread}, "author": {"Ada"}, "body": {"Without a script."}})
	to := res.Header.Get("Location")
	if res.StatusCode != http.StatusSeeOther || !strings.HasPrefix(to, thread+"?notice=comment-sent&own=") || !strings.HasSuffix(to, "#comments") {
		t.Fatalf("%d %s", res.StatusCode, to)
	}
	res, page := site.Get(strings.TrimSuffix(to, "#comments"))
	if !strings.Contains(page, "Your comment is published") || !strings.Contains(page, "Without a script.") || !strings.Contains(res.Header.Get("Cache-Control"), "no-store") {
		t.Errorf("the page after: %s", page)
	}
	if _, page := site.Get(thread); strings.Contains(page, "notice success") {
		t.Error("a notice is in the page of all")
	}
}

func TestOneOwnsWhatOneWroteForAWhile(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	p := post(t, site, nil)
	path := "/api/site/comments/" + p.ID
	if res, body := site.JSON(http.MethodPatch, path, "", `{"edit_token":"wrong","body":"x"}`); res.StatusCode != http.StatusForbidden {
		t.Errorf("a wrong token: %d %s", res.StatusCode, body)
	}
	res, body := site.JSON(http.MethodPatch, path, "", `{"edit_token":"`+p.Token+`","body":"Better **words**."}`)
	if res.StatusCode != 200 || !strings.Contains(body, "strong") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if l := list(t, site, ""); l.Items[0].Edited == "" || !strings.Contains(l.Items[0].HTML, "Better") {
		t.Errorf("%+v", l.Items[0])
	}
	reply := post(t, site, map[string]any{"parent": p.ID, "body": "An answer."})
	if res, body := site.JSON(http.MethodDelete, path+"?edit_token="+p.Token, "", ""); res.StatusCode != http.StatusNoContent {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	l := list(t, site, "")
	if l.Count != 1 || len(l.Items) != 1 || !l.Items[0].Removed || l.Items[0].Author != "" || len(l.Items[0].Replies) != 1 {
		t.Errorf("%+v", l)
	}
	if _, page := site.Get(thread); !strings.Contains(page, "This comment was removed.") || strings.Contains(page, "Better") {
		t.Error("the page does not say that it was removed")
	}
	if res, _ := site.JSON(http.MethodDelete, "/api/site/comments/"+reply.ID+"?edit_token="+reply.Token, "", ""); res.StatusCode != http.StatusNoContent {
		t.Error("an answer can't be deleted")
	}
	if l := list(t, site, ""); l.Count != 0 || len(l.Items) != 0 {
		t.Errorf("%+v", l)
	}
	young := post(t, site, map[string]any{"body": "I was young once."})
	_, err := site.NonconcurrentDB().NewQuery(`UPDATE comments SET created = '2020-01-01 00:00:00.000Z' WHERE id = {:id}`).Bind(map[string]any{"id": young.ID}).Execute()
	if err != nil {
		t.Fatal(err)
	}
	r, _ := site.FindRecordById(schema.Comments, young.ID)
	token, _ := comments.EditToken(site.TestApp, r)
	if res, _ := site.JSON(http.MethodPatch, "/api/site/comments/"+young.ID, "", `{"edit_token":"`+token+`","body":"x"}`); res.StatusCode != http.StatusForbidden {
		t.Errorf("after the window: %d", res.StatusCode)
	}
}

func TestSpamCantBeEditedIn(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	p := post(t, site, nil)
	res, body := site.JSON(http.MethodPatch, "/api/site/comments/"+p.ID, "", `{"edit_token":"`+p.Token+`","body":"https://a.example https://b.example https://c.example https://d.example https://e.example"}`)
	if res.StatusCode != 200 || !strings.Contains(body, `"pending"`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if l := list(t, site, ""); l.Count != 0 {
		t.Errorf("%+v", l)
	}
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	for policy, want := range map[string]string{comments.PolicyOpen: "approved approved", comments.PolicyFirstTime: "pending approved", comments.PolicyAllHeld: "pending pending", comments.PolicyClosed: "403"} {
		t.Run(policy, func(t *testing.T) {
			t.Parallel()
			site := newSite(t, func(o *comments.Options) { o.Policy = policy })
			res, body := try(site, nil)
			if policy == comments.PolicyClosed {
				if res.StatusCode != http.StatusForbidden || !strings.Contains(body, "closed") || list(t, site, "").Reason != "closed" {
					t.Errorf("%d %s", res.StatusCode, body)
				}
				return
			}
			var first posted
			_ = json.Unmarshal([]byte(body), &first)
			if _, err := comments.Decide(site.TestApp, by, schema.CommentApproved, first.ID); err != nil {
				t.Fatal(err)
			}
			second := post(t, site, map[string]any{"body": "Once more, with feeling."})
			if got := first.Status + " " + second.Status; got != want {
				t.Errorf("%s, want %s", got, want)
			}
			stranger := post(t, site, map[string]any{"body": "I took her address.", "author": "Mallory"})
			if policy == comments.PolicyFirstTime && stranger.Status != schema.CommentPending {
				t.Errorf("with another's address: %+v", stranger)
			}
		})
	}
}

func TestThreadsCloseByThemselvesAndByHand(t *testing.T) {
	t.Parallel()
	site := newSite(t, func(o *comments.Options) { o.CloseAfter = 30 })
	sitetest.Make(t, site, schema.Posts, map[string]any{"title": "Old", "slug": "old", "body": "x", "status": "published", "comments_open": true, "published_at": "2020-01-01 00:00:00.000Z"})
	sitetest.Make(t, site, schema.Posts, map[string]any{"title": "Shut", "slug": "shut", "body": "x", "status": "published"})
	if res, _ := try(site, map[string]any{"thread": "/blog/old/"}); res.StatusCode != http.StatusForbidden {
		t.Errorf("an old thread: %d", res.StatusCode)
	}
	if res, _ := try(site, map[string]any{"thread": "/blog/shut/"}); res.StatusCode != http.StatusForbidden {
		t.Errorf("a thread that was never open: %d", res.StatusCode)
	}
	if err := comments.SetThread(site.TestApp, "/blog/old/", comments.PolicyOpen); err != nil {
		t.Fatal(err)
	}
	if res, body := try(site, map[string]any{"thread": "/blog/old/"}); res.StatusCode != http.StatusCreated {
		t.Errorf("opened by hand: %d %s", res.StatusCode, body)
	}
	if err := comments.SetThread(site.TestApp, thread, comments.PolicyClosed); err != nil {
		t.Fatal(err)
	}
	if _, page := site.Get(thread); strings.Contains(page, "Write a comment") {
		t.Error("a closed thread still shows its form")
	}
}

func TestReactionsAreOnePerPerson(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	p := post(t, site, nil)
	path := "/api/site/comments/" + p.ID + "/reactions"
	for i, step := range []struct{ kind, want string }{{"👍", `{"👍":1}`}, {"❤️", `{"❤️":1}`}, {"❤️", `{}`}, {"👍", `{"👍":1}`}} {
		_, body := site.JSON(http.MethodPost, path, "", `{"reaction":"`+step.kind+`"}`)
		if !strings.Contains(body, `"reactions":`+step.want) {
			t.Errorf("step %d: %s", i, body)
		}
	}
	if res, _ := site.JSON(http.MethodPost, path, "", `{"reaction":"<b>"}`); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a foreign reaction: %d", res.StatusCode)
	}
	if l := list(t, site, ""); l.Items[0].Reactions["👍"] != 1 {
		t.Errorf("%+v", l.Items[0])
	}
	res, _ := site.Do(http.MethodPost, path, "reaction=👍", "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html")
	if res.StatusCode != http.StatusSeeOther || !strings.HasSuffix(res.Header.Get("Location"), "#c-"+p.ID) {
		t.Errorf("without a script: %d %s", res.StatusCode, res.Header.Get("Location"))
	}
}

func TestOtherSitesAreLetInByName(t *testing.T) {
	t.Parallel()
	site := newSite(t, func(o *comments.Options) { o.AllowedOrigins = []string{"https://Friend.example/"} })
	there := map[string]any{"thread": "HTTPS://friend.example:443/a/../page?utm=1#x"}
	p := post(t, site, there)
	r, err := site.FindRecordById(schema.Comments, p.ID)
	if err != nil || r.GetString("thread") != "https://friend.example/page/" {
		t.Errorf("%s %v", r.GetString("thread"), err)
	}
	get := func(origin string) *http.Response {
		res, _ := site.Get("/api/site/comments?thread="+url.QueryEscape("https://friend.example/page"), "Origin", origin)
		return res
	}
	if res := get("https://friend.example"); res.StatusCode != 200 || res.Header.Get("Access-Control-Allow-Origin") != "https://friend.example" || res.Header.Get("Access-Control-Allow-Credentials") != "" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	for _, origin := range []string{"https://evil.example", "null", "http://friend.example"} {
		if res := get(origin); res.StatusCode != http.StatusForbidden || res.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: %d %v", origin, res.StatusCode, res.Header)
		}
	}
}

func TestSpamIsFiledAndAProofCountsOnce(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	if err := settings.Save(site.TestApp, spam.Feature, spam.Options{MaxLinks: 2}); err != nil {
		t.Fatal(err)
	}
	if p := post(t, site, map[string]any{"_hp": "x"}); p.Status != schema.CommentSpam {
		t.Errorf("the honeypot: %+v", p)
	}
	if p := post(t, site, map[string]any{"body": "no script"}); p.Status != schema.CommentPending {
		t.Errorf("without a script: %+v", p)
	}
	_, raw := site.Get("/api/site/challenge")
	var c spam.Challenge
	if err := json.Unmarshal([]byte(raw), &c); err != nil {
		t.Fatal(err)
	}
	s, _ := altcha.SolveChallenge(c.Work.Challenge, c.Work.Salt, altcha.SHA256, int(c.Work.MaxNumber), 0, nil)
	solution, _ := json.Marshal(altcha.Payload{Algorithm: c.Work.Algorithm, Challenge: c.Work.Challenge, Number: int64(s.Number), Salt: c.Work.Salt, Signature: c.Work.Signature})
	proof := map[string]any{"_t": c.Token, "_pow": base64.StdEncoding.EncodeToString(solution), "body": "with a proof"}
	if p := post(t, site, proof); p.Status != schema.CommentApproved {
		t.Errorf("with a proof: %+v", p)
	}
	proof["body"] = "with the same proof once more"
	if p := post(t, site, proof); p.Status != schema.CommentPending {
		t.Errorf("with a used proof: %+v", p)
	}
	refused := 0
	for i := range 40 {
		if res, _ := try(site, map[string]any{"body": fmt.Sprint("flood ", i)}); res.StatusCode == http.StatusTooManyRequests && res.Header.Get("Retry-After") != "" {
			refused++
		}
	}
	if refused < 20 {
		t.Errorf("only %d of a flood were refused", refused)
	}
}

func TestAThreadMovesWithItsPage(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	p := post(t, site, nil)
	page, _ := site.FindFirstRecordByData(schema.Posts, "slug", "hello")
	page.Set("slug", "moved")
	if err := site.Save(page); err != nil {
		t.Fatal(err)
	}
	r, _ := site.FindRecordById(schema.Comments, p.ID)
	if r.GetString("thread") != "/blog/moved/" {
		t.Errorf("the thread is at %s", r.GetString("thread"))
	}
	if _, body := site.Get("/blog/moved/"); !strings.Contains(body, "A kind word.") {
		t.Error("the moved page does not show its thread")
	}
	parent := sitetest.Make(t, site, schema.Pages, map[string]any{"title": "About", "slug": "about", "body": "x", "status": "published", "comments_open": true})
	sitetest.Make(t, site, schema.Pages, map[string]any{"title": "Team", "slug": "team", "parent": parent.Id, "body": "x", "status": "published", "comments_open": true})
	below := post(t, site, map[string]any{"thread": "/about/team"})
	parent, _ = site.FindRecordById(schema.Pages, parent.Id)
	parent.Set("slug", "who")
	if err := site.Save(parent); err != nil {
		t.Fatal(err)
	}
	if r, _ := site.FindRecordById(schema.Comments, below.ID); r.GetString("thread") != "/who/team/" {
		t.Errorf("the thread of the page below is at %s", r.GetString("thread"))
	}
	if err := site.Delete(page); err != nil {
		t.Fatal(err)
	}
	sitetest.Make(t, site, schema.Posts, map[string]any{"title": "Again", "slug": "moved", "body": "x", "status": "published", "comments_open": true})
	if _, body := site.Get("/blog/moved/"); !strings.Contains(body, "A kind word.") {
		t.Error("a restored page has lost its thread")
	}
}

func TestRolesThatMayModerate(t *testing.T) {
	t.Parallel()
	site := newSite(t, func(o *comments.Options) { o.Policy = comments.PolicyClosed })
	_, moderator := sitetest.Staff(t, site, roles.Moderator)
	_, author := sitetest.Staff(t, site, roles.Author)
	body := `{"thread":"` + thread + `","body":"From the staff."}`
	if res, got := site.JSON(http.MethodPost, "/api/site/comments", moderator, body); res.StatusCode != http.StatusCreated || !strings.Contains(got, "approved") {
		t.Errorf("a moderator: %d %s", res.StatusCode, got)
	}
	if res, _ := site.JSON(http.MethodPost, "/api/site/comments", author, body); res.StatusCode != http.StatusForbidden {
		t.Errorf("an author in a closed thread: %d", res.StatusCode)
	}
	if l := list(t, site, ""); l.Items[0].Badge == "" || l.Items[0].Author != "moderator" {
		t.Errorf("%+v", l.Items[0])
	}
}

// by is who decides in tests.
var by = audit.System("a test")
