package faults

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"bungalow/tests/binary"
)

const (
	talk         = "/blog/talk/"
	talkWriters  = 4
	talkAnswers  = 240 // acknowledged steps in a round before the kill
	talkImported = 3   // comments of the file that is moved in
)

const talkFile = `<?xml version="1.0"?><disqus xmlns="http://disqus.com" xmlns:dsq="http://disqus.com/disqus-internals">
<thread dsq:id="1"><link>/blog/talk/</link></thread>
<post dsq:id="1"><message>Old words</message><createdAt>2013-10-10T19:20:29Z</createdAt><author><name>Ada</name></author><thread dsq:id="1"/></post>
<post dsq:id="2"><message>Old answer</message><createdAt>2013-10-11T19:20:29Z</createdAt><author><name>Bob</name></author><thread dsq:id="1"/><parent dsq:id="1"/></post>
<post dsq:id="3"><message>Older spam</message><createdAt>2013-10-12T19:20:29Z</createdAt><isSpam>true</isSpam><author><name>Eve</name></author><thread dsq:id="1"/><parent dsq:id="2"/></post>
</disqus>`

// said is a comment as its writer knows it.
type said struct {
	id, token string
	body      string
	status    string
	gone      bool
	// What the last step would have made of it, when its answer never came.
	maybe func(body, status string, there bool) bool
}

// talker writes, changes, decides and deletes at random until the server is gone.
type talker struct {
	random  *rand.Rand
	visitor binary.Client
	root    binary.Client
	name    string
	said    []*said
	steps   int
	done    func() // one more step was acknowledged
}

// step does one thing. It returns false when the server is gone.
func (w *talker) step(ctx context.Context) bool {
	w.steps++
	fresh := fmt.Sprintf("Words %d of %s: %x %x %x.", w.steps, w.name, w.random.Uint32(), w.random.Uint32(), w.random.Uint32())
	n := w.random.IntN(10)
	if len(w.said) == 0 || n < 4 {
		return w.say(ctx, fresh)
	}
	s := w.said[w.random.IntN(len(w.said))]
	if s.gone {
		return true
	}
	path, before := "/api/site/comments/"+s.id, s.body
	var a binary.Answer
	var err error
	switch {
	case n < 6:
		s.maybe = func(body, _ string, there bool) bool { return there && body == fresh }
		a, err = w.visitor.Do(ctx, http.MethodPatch, path, map[string]any{"edit_token": s.token, "body": fresh})
		if err == nil && a.Status == http.StatusOK {
			s.body, s.status = fresh, jsonOf(a, "status")
		}
	case n < 8:
		status := []string{"approved", "pending", "spam", "trash"}[w.random.IntN(4)]
		s.maybe = func(body, now string, there bool) bool { return there && body == before && now == status }
		a, err = w.root.Do(ctx, http.MethodPatch, "/api/collections/comments/records/"+s.id, map[string]any{"status": status})
		if err == nil && a.Status == http.StatusOK {
			s.status = status
		}
	default:
		s.maybe = func(body, _ string, there bool) bool { return !there || body == "" }
		a, err = w.visitor.Do(ctx, http.MethodDelete, path+"?edit_token="+url.QueryEscape(s.token), nil)
		if err == nil && a.Status == http.StatusNoContent {
			s.gone = true
		}
	}
	if err != nil {
		return false
	}
	s.maybe = nil
	w.done()
	return true
}

func (w *talker) say(ctx context.Context, body string) bool {
	fields := map[string]any{"thread": talk, "author": w.name, "email": w.name + "@example.org", "body": body}
	if len(w.said) > 0 && w.random.IntN(2) == 0 {
		fields["parent"] = w.said[w.random.IntN(len(w.said))].id
	}
	a, err := w.visitor.Do(ctx, http.MethodPost, "/api/site/comments", fields)
	if err != nil {
		return false
	}
	if a.Status == http.StatusCreated {
		w.said = append(w.said, &said{id: jsonOf(a, "id"), token: jsonOf(a, "edit_token"), body: body, status: jsonOf(a, "status")})
	}
	w.done()
	return true
}

// jsonOf is a text in an answer.
func jsonOf(a binary.Answer, name string) string {
	var fields map[string]any
	if json.Unmarshal(a.Body, &fields) != nil {
		return ""
	}
	return fmt.Sprint(fields[name])
}

// In whatever order people write, change, delete, decide and move in, and
// whenever the process is killed: what was acknowledged is there as it was
// last acknowledged, nothing hangs in the air, and what is counted and shown
// is what is stored.
func TestCommentsAreConservedThroughKills(t *testing.T) {
	t.Parallel()
	home := site(t)
	write(t, filepath.Join(home, "disqus.xml"), talkFile)
	var writers []*talker
	for round := range rounds(2) {
		server := serve(t, home)
		root := signIn(t, server)
		if round == 0 {
			openTalk(t, root)
		}
		shown(t, home, binary.Client{Base: server.URL})
		var mu sync.Mutex
		acknowledged := 0
		moving, stopMoving := context.WithCancel(t.Context())
		done := func() {
			mu.Lock()
			defer mu.Unlock()
			if acknowledged++; acknowledged == talkAnswers {
				go server.Kill()
				if round%2 == 0 {
					stopMoving() // kills the command too
				}
			}
		}
		var all sync.WaitGroup
		for n := range talkWriters {
			w := &talker{random: rand.New(rand.NewPCG(uint64(round), uint64(n))), visitor: binary.Client{Base: server.URL}, root: root, name: fmt.Sprintf("w%d-%d", round, n), done: done}
			writers = append(writers, w)
			all.Go(func() {
				for w.step(t.Context()) {
				}
			})
		}
		all.Go(func() { _, _ = binary.Run(moving, home, "import", "disqus", filepath.Join(home, "disqus.xml")) })
		all.Wait()
		stopMoving()
		<-server.Done()
		conserved(t, home, writers)
	}
	command(t, home, "import", "disqus", filepath.Join(home, "disqus.xml"))
	if n := count(t, home, `SELECT count(*) FROM comments WHERE source_key != ''`); n != talkImported {
		t.Errorf("%d of %d are moved in", n, talkImported)
	}
	shown(t, home, binary.Client{Base: serve(t, home).URL})
}

// openTalk makes the post and takes away what slows a single visitor down.
func openTalk(t *testing.T, root binary.Client) {
	t.Helper()
	p := post("talk")
	p["comments_open"] = true
	for path, record := range map[string][]map[string]any{
		"posts": {p},
		"settings": {{"feature": "comments", "value": map[string]any{"policy": "open"}},
			{"feature": "spam", "value": map[string]any{"no_limits": true, "no_work": true}}},
	} {
		for _, r := range record {
			if err := root.Call(t.Context(), http.MethodPost, "/api/collections/"+path+"/records", r, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := root.Call(t.Context(), http.MethodPatch, "/api/settings", map[string]any{"rateLimits": map[string]any{"enabled": false}}, nil); err != nil {
		t.Fatal(err)
	}
}

// conserved compares the stopped site's database with what was acknowledged.
func conserved(t *testing.T, home string, writers []*talker) {
	t.Helper()
	if problem := integrity(t, home); problem != "ok" {
		t.Fatal(problem)
	}
	db := openData(t, home)
	defer func() { _ = db.Close() }()
	checked := 0
	for _, w := range writers {
		for _, s := range w.said {
			checked++
			var body, status string
			var removed bool
			err := db.QueryRow(`SELECT body, status, removed FROM comments WHERE id = ?`, s.id).Scan(&body, &status, &removed)
			there := err == nil
			asKnown := there && body == s.body && status == s.status
			if s.gone {
				asKnown = !there || removed && body == ""
			}
			if !asKnown && (s.maybe == nil || !s.maybe(body, status, there)) {
				t.Errorf("%s of %s: acknowledged %+v, stored %v %q %s", s.id, w.name, *s, there, body, status)
			}
			s.body, s.status, s.gone, s.maybe = body, status, !there || removed, nil
		}
	}
	if n := count(t, home, `SELECT count(*) FROM comments c LEFT JOIN comments p ON p.id = c.parent LEFT JOIN comments r ON r.id = c.root
		WHERE r.id IS NULL OR c.parent = '' AND c.root != c.id
			OR c.parent != '' AND (p.id IS NULL OR p.thread != c.thread OR p.root != c.root OR c.depth != p.depth + 1)`); n > 0 {
		t.Errorf("%d comments hang in the air", n)
	}
	if n := count(t, home, `SELECT count(*) FROM _comment_reactions WHERE comment NOT IN (SELECT id FROM comments)`); n > 0 {
		t.Errorf("%d reactions are to nothing", n)
	}
	if n := count(t, home, `SELECT count(*) FROM comments WHERE source_key != ''`); n != 0 && n != talkImported {
		t.Errorf("%d of the %d comments of a file are moved in", n, talkImported)
	}
	t.Logf("%d comments are as they were acknowledged", checked)
}

// shown compares what a running site counts and lists with what is stored.
func shown(t *testing.T, home string, visitor binary.Client) {
	t.Helper()
	stored := count(t, home, `SELECT count(*) FROM comments WHERE status = 'approved' AND thread = '`+talk+`'`)
	var counts struct{ Counts map[string]int }
	if err := visitor.Call(t.Context(), http.MethodGet, "/api/site/comments/counts?threads="+talk, nil, &counts); err != nil {
		t.Fatal(err)
	}
	type item struct {
		Removed bool
		Replies []item
	}
	var walk func(items []item) int
	walk = func(items []item) (n int) {
		for _, i := range items {
			if n += walk(i.Replies); !i.Removed {
				n++
			}
		}
		return n
	}
	listed := 0
	for page, more := 1, true; more; page++ {
		var l struct {
			PerPage, TotalItems, Count int
			Items                      []item
		}
		if err := visitor.Call(t.Context(), http.MethodGet, fmt.Sprintf("/api/site/comments?thread=%s&page=%d", talk, page), nil, &l); err != nil {
			t.Fatal(err)
		}
		listed += walk(l.Items)
		if more = page*l.PerPage < l.TotalItems; l.Count != stored {
			t.Errorf("page %d says %d comments, %d are stored", page, l.Count, stored)
		}
	}
	if counts.Counts[talk] != stored || listed != stored {
		t.Errorf("%d are stored, %d are counted and %d are listed", stored, counts.Counts[talk], listed)
	}
}
