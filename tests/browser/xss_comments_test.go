package browser

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bungalow/tests/binary"
	_ "modernc.org/sqlite" // reads the mails
)

// shown is a document that a frame loads, by its address or as it is.
type shown struct {
	Name string `json:"name"`
	Src  string `json:"src,omitempty"`
	HTML string `json:"html,omitempty"`
}

// inFrames loads documents a few at a time and looks into each.
const inFrames = `async docs => {
	const findings = [], audit = %s;
	const one = doc => new Promise(done => {
		const frame = document.createElement("iframe");
		frame.onload = () => {
			if (!frame.contentDocument) findings.push(doc.name + ": it went elsewhere");
			else for (const bad of audit(frame.contentDocument)) findings.push(doc.name + ": " + bad);
			frame.remove();
			done();
		};
		if (doc.src) frame.src = doc.src; else frame.srcdoc = doc.html;
		document.body.append(frame);
	});
	for (let i = 0; i < docs.length; i += 20) await Promise.all(docs.slice(i, i + 20).map(one));
	return findings;
}`

func (b *tab) scan(docs []shown, audit string) {
	b.t.Helper()
	call, err := json.Marshal(docs)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, finding := range eval[[]string](b, fmt.Sprintf("("+inFrames+")(%s)", audit, call)) {
		b.t.Error(finding)
	}
	for _, call := range eval[[]string](b, `window.tripped.splice(0)`) {
		b.t.Errorf("a script ran: %s", call)
	}
}

// clip cuts a text to n characters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n])
	}
	return s
}

// say sends a comment whose every field holds the vector, as far as the checks
// let it in, and publishes it.
func (s *website) say(t *testing.T, visitor binary.Client, vector, body string) {
	t.Helper()
	fields := map[string]any{"thread": talk, "author": clip(vector, 100), "url": "https://example.com/" + vector, "body": body}
	var made struct{ ID string }
	for _, less := range []string{"url", "author", ""} {
		a, err := visitor.Do(t.Context(), http.MethodPost, "/api/site/comments", fields)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status == http.StatusCreated {
			if err := json.Unmarshal(a.Body, &made); err != nil {
				t.Fatal(err)
			}
			break
		}
		if less == "author" {
			fields[less] = "Mallory"
		}
		delete(fields, map[string]string{"url": "url"}[less])
	}
	if made.ID == "" { // a text of nothing but what is not shown
		return
	}
	if err := s.root.Call(t.Context(), http.MethodPatch, "/api/collections/comments/records/"+made.ID, map[string]any{"status": "approved"}, nil); err != nil {
		t.Fatal(err)
	}
}

// Whatever a visitor writes into a comment's name, address and text, and
// whatever stands in the address of a page, a form that is shown again or the
// options of the embedded script: nothing of it runs, in the theme, at the
// desk, in feeds, in mails and on another site's page. No policy helps.
func TestNoVectorRunsInComments(t *testing.T) {
	t.Parallel()
	list := readVectors(t)
	site := talking(t, map[string]any{"per_page": 100, "reactions": []string{}, "policy": "all_held"})
	if err := site.root.Call(t.Context(), http.MethodPatch, "/api/settings", map[string]any{"rateLimits": map[string]any{"enabled": false}}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := site.create(t.Context(), "posts", map[string]any{"title": "Quiet", "slug": "quiet", "body": "x", "status": "published", "comments_open": true}); err != nil {
		t.Fatal(err)
	}
	staff := site.staffTab(t, "grace@example.com") // whom the mails go to
	visitor := binary.Client{Base: site.URL}
	for chunk := range slices.Chunk(list, 20) { // the first ones are mailed, so all vectors stand in them
		site.say(t, visitor, chunk[0], clip(strings.Join(chunk, "\n\n"), 9000))
	}
	for _, vector := range list {
		site.say(t, visitor, vector, vector)
	}

	b := open(t, site.URL)
	b.ignorePolicy()
	b.beforeEveryPage(tripwire)
	b.visit("/healthz")
	b.scan(site.themeDocs(t, list), audit)
	b.scan(formsAgain(t, visitor, list), audit)
	b.scan(feedDocs(t, visitor), audit)
	b.scan(mailDocs(t, site.Home), strings.NewReplacer(` || a.name === "style"`, "", `if (name === "style" && !e.closest("svg")) bad.push(e);`, "").Replace(audit))

	staff.ignorePolicy()
	staff.beforeEveryPage(tripwire)
	staff.visit("/healthz")
	staff.scan(site.deskDocs(t, len(list)), audit)

	site.lookAtEmbeds(t, list)
	t.Logf("%d vectors stood in comments", len(list))
}

// themeDocs are all pages of the thread, and a page for each vector in its address.
func (s *website) themeDocs(t *testing.T, list []string) []shown {
	t.Helper()
	var docs []shown
	for page := range 2 + len(list)/100 {
		docs = append(docs, shown{Name: fmt.Sprint("page ", page+1), Src: fmt.Sprintf("%s?comments=%d", talk, page+1)})
	}
	for _, v := range list {
		q := url.Values{}
		for _, name := range []string{"reply", "comment", "comments", "sort", "notice", "own"} {
			q.Set(name, v)
		}
		docs = append(docs, shown{Name: "query " + v, Src: "/blog/quiet/?" + q.Encode()})
	}
	return docs
}

// formsAgain are the pages that show a form again with what was typed.
func formsAgain(t *testing.T, visitor binary.Client, list []string) []shown {
	t.Helper()
	var docs []shown
	readable := 0
	for _, v := range list {
		if !strings.ContainsRune(v, 0) { // with NUL, a form is unreadable
			readable++
		}
		for _, thread := range []string{"/blog/quiet/", v} {
			form := url.Values{"thread": {thread}, "parent": {v}, "author": {v}, "email": {v}, "url": {v}, "body": {v}, "locale": {v}}
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, visitor.Base+"/api/site/comments", strings.NewReader(form.Encode()))
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			req.Header.Set("Accept", "text/html")
			status, kind, body := fetch(t, req)
			if strings.Contains(kind, "text/html") {
				docs = append(docs, shown{Name: fmt.Sprintf("form of %s with %d", thread, status), HTML: body})
			} else if !strings.Contains(kind, "application/json") {
				t.Errorf("thread %q answers %s", thread, kind)
			}
		}
	}
	if len(docs) < readable {
		t.Errorf("only %d of %d forms were shown again", len(docs), readable)
	}
	return docs
}

// feedDocs are the texts of a feed, as a reader shows them.
func feedDocs(t *testing.T, visitor binary.Client) (docs []shown) {
	t.Helper()
	a, err := visitor.Do(t.Context(), http.MethodGet, "/comments.xml", nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, entry := range strings.Split(string(a.Body), `<content type="html">`)[1:] {
		text, _, _ := strings.Cut(entry, "</content>")
		docs = append(docs, shown{Name: fmt.Sprint("entry ", i), HTML: "<main>" + html.UnescapeString(text) + "</main>"})
	}
	if len(docs) == 0 {
		t.Errorf("the feed is empty: %.200s", a.Body)
	}
	return docs
}

// mailDocs are the mails to the moderators.
func mailDocs(t *testing.T, home string) (docs []shown) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(home, "pb_data", "data.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), `SELECT html FROM _mails WHERE html != ''`)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
		docs = append(docs, shown{Name: fmt.Sprint("mail ", len(docs)), HTML: text})
	}
	if err := rows.Err(); err != nil || len(docs) == 0 {
		t.Errorf("%d mails, %v", len(docs), err)
	}
	return docs
}

// deskDocs are the pages of the desk that show comments.
func (s *website) deskDocs(t *testing.T, n int) []shown {
	t.Helper()
	docs := []shown{{Name: "thread", Src: "/desk/comments/thread/?t=" + talk}, {Name: "search", Src: "/desk/search/?q=alert"}}
	for page := range 1 + n/25 {
		docs = append(docs, shown{Name: fmt.Sprint("queue ", page+1), Src: fmt.Sprintf("/desk/comments/?status=approved&page=%d", page+1)})
	}
	for _, c := range s.list(t, "comments").Items[:8] {
		docs = append(docs, shown{Name: "one", Src: fmt.Sprintf("/desk/comments/%v/", c["id"])})
	}
	return docs
}

// lookAtEmbeds shows the thread on another site's page, and below it the
// script once for each vector in its options.
func (s *website) lookAtEmbeds(t *testing.T, list []string) {
	t.Helper()
	var page strings.Builder
	page.WriteString(`<!doctype html><title>x</title><main>`)
	tag := func(thread, sort, lang, target string) {
		fmt.Fprintf(&page, `<script src="%s/embed/comments.js" data-thread="%s" data-sort="%s" data-lang="%s"`, s.URL, html.EscapeString(thread), html.EscapeString(sort), html.EscapeString(lang))
		if target != "" {
			fmt.Fprintf(&page, ` data-target="%s"`, html.EscapeString(target))
		}
		page.WriteString("></script>")
	}
	tag(talk, "", "en", "")
	for i, v := range list {
		tag(v, v, v, map[bool]string{true: v}[i%2 == 0])
	}
	page.WriteString(`</main>`)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		fmt.Fprint(w, page.String())
	}))
	t.Cleanup(server.Close)
	if err := allow(t, s, server.URL); err != nil {
		t.Fatal(err)
	}
	b := open(t, server.URL)
	b.ignorePolicy()
	b.beforeEveryPage(tripwire)
	b.visit("/")
	b.until(shadow + `?.querySelectorAll("li").length >= 20`)
	for _, finding := range eval[[]string](b, `[...document.querySelectorAll("*")].filter(e => e.shadowRoot).flatMap(e => { const d = e.shadowRoot; return (`+audit+`)(d); }).filter(f => !f.startsWith("<style"))`) {
		t.Errorf("embedded: %s", finding)
	}
	reportTripped(t, b)
}

// fetch is a request with its answer's status, type and text.
func fetch(t *testing.T, req *http.Request) (status int, kind, body string) {
	t.Helper()
	rec, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rec.Body.Close() }()
	text, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	return rec.StatusCode, rec.Header.Get("Content-Type"), string(text)
}
