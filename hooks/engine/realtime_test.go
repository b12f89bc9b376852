package engine

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// patience is how long a test waits for something to happen.
const patience = 20 * time.Second

// listener is a subscriber at the other end of an HTTP connection.
type listener struct {
	id   string
	body *http.Response

	mu     sync.Mutex
	wake   chan struct{}
	heard  []heard
	closed bool
}

type heard struct{ Name, Data string }

// listen connects and subscribes as the bearer of token.
func listen(t testing.TB, url, token string, topics ...string) *listener {
	t.Helper()
	res, err := http.Get(url + "/api/realtime")
	if err != nil {
		t.Fatal(err)
	}
	l := &listener{body: res, wake: make(chan struct{})}
	t.Cleanup(func() { _ = res.Body.Close() })
	connected := make(chan struct{})
	go l.read(connected)
	<-connected
	l.subscribe(t, url, token, topics...)
	return l
}

func (l *listener) subscribe(t testing.TB, url, token string, topics ...string) {
	t.Helper()
	body, err := json.Marshal(map[string]any{"clientId": l.id, "subscriptions": topics})
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, url+"/api/realtime", strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusNoContent {
		t.Fatalf("subscribe: status %d", res.StatusCode)
	}
}

func (l *listener) read(connected chan struct{}) {
	lines := bufio.NewScanner(l.body.Body)
	lines.Buffer(nil, 16<<20)
	var name string
	for lines.Scan() {
		kind, value, _ := strings.Cut(lines.Text(), ":")
		switch kind {
		case "id":
			if l.id == "" {
				l.id = value
				close(connected)
			} else if l.id != value {
				value = "another client's id " + value
				l.add(heard{value, ""})
			}
		case "event":
			name = value
		case "data":
			if name != "PB_CONNECT" {
				l.add(heard{name, value})
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	close(l.wake)
}

func (l *listener) add(h heard) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.heard = append(l.heard, h)
	close(l.wake)
	l.wake = make(chan struct{})
}

// until waits for ok of all that was heard so far and returns it.
func (l *listener) until(t testing.TB, what string, ok func([]heard) bool) []heard {
	t.Helper()
	deadline := time.After(patience)
	for {
		l.mu.Lock()
		heard, wake, closed := l.heard[:len(l.heard):len(l.heard)], l.wake, l.closed
		l.mu.Unlock()
		if ok(heard) {
			return heard
		}
		if closed {
			t.Fatalf("connection closed while waiting for %s; heard %d messages", what, len(heard))
		}
		select {
		case <-wake:
		case <-deadline:
			t.Fatalf("waited too long for %s; heard %v", what, heard)
		}
	}
}

// ended waits for the end of the connection.
func (l *listener) ended(t testing.TB) {
	t.Helper()
	deadline := time.After(patience)
	for {
		l.mu.Lock()
		wake, closed := l.wake, l.closed
		l.mu.Unlock()
		if closed {
			return
		}
		select {
		case <-wake:
		case <-deadline:
			t.Fatal("the connection was not ended")
		}
	}
}

func has(part string) func([]heard) bool {
	return func(all []heard) bool {
		for _, h := range all {
			if strings.Contains(h.Data, part) {
				return true
			}
		}
		return false
	}
}

// online serves the site over HTTP.
func online(t testing.TB, s *site) string {
	t.Helper()
	server := httptest.NewServer(s.handler)
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL
}

// collection makes one with the same id in every app.
func (s *site) collection(t testing.TB, name string, rule *string, more ...core.Field) *core.Collection {
	t.Helper()
	c := core.NewBaseCollection(name)
	c.Id = "c" + id(name)[:14]
	c.ListRule, c.ViewRule = rule, rule
	users, err := s.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	c.Fields.Add(
		&core.TextField{Name: "title", Max: 1 << 20},
		&core.TextField{Name: "secret", Hidden: true},
		&core.NumberField{Name: "n"},
		&core.BoolField{Name: "public"},
		&core.JSONField{Name: "data"},
		&core.DateField{Name: "day"},
		&core.RelationField{Name: "owner", CollectionId: users.Id},
	)
	c.Fields.Add(more...)
	if err := s.Save(c); err != nil {
		t.Fatal(err)
	}
	return c
}

func rule(s string) *string { return types.Pointer(s) }

func TestRealtimeAnswersBeforeSubscribersAreServed(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Realtime: true})
	s.collection(t, "open", rule(""))
	url := online(t, s)
	l := listen(t, url, "", "open/*")
	busy := make(chan struct{})
	Of(s).realtime.add(&task{work: func() []outgoing {
		<-busy
		return nil
	}})
	for i := range tasksKept / 2 {
		s.save(t, "open", map[string]any{"title": fmt.Sprint("event ", i, ".")})
	}
	l.mu.Lock()
	if len(l.heard) != 0 {
		t.Error("heard what the hub has not sent yet")
	}
	l.mu.Unlock()
	close(busy)
	for i := tasksKept / 2; i < 300; i++ {
		s.save(t, "open", map[string]any{"title": fmt.Sprint("event ", i, ".")})
	}
	all := l.until(t, "the last event", has(`"event 299."`))
	for i, h := range all {
		if !strings.Contains(h.Data, fmt.Sprintf(`"event %d."`, i)) || h.Name != "open/*" {
			t.Fatalf("message %d is %+v", i, h)
		}
	}
}

func TestRealtimeObeysTheNextEvent(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Realtime: true})
	s.collection(t, "flagged", rule("public = true"))
	s.collection(t, "members", rule("@request.auth.id != ''"))
	s.collection(t, "open", rule(""))
	url := online(t, s)
	ann, token := s.user(t, "ann@example.com")
	l := listen(t, url, token, "flagged/*", "members/*", "open/*")

	// A record that was private and is opened at once: only what it became.
	record := s.save(t, "flagged", map[string]any{"title": "draft"})
	record.Set("title", "final")
	record.Set("public", true)
	if err := s.Save(record); err != nil {
		t.Fatal(err)
	}
	record.Set("title", "hidden again")
	record.Set("public", false)
	if err := s.Save(record); err != nil {
		t.Fatal(err)
	}
	s.save(t, "members", map[string]any{"title": "welcome"})
	l.until(t, "a member's event", has("welcome"))
	if err := s.Delete(ann); err != nil {
		t.Fatal(err)
	}
	s.save(t, "members", map[string]any{"title": "after she left"})
	s.save(t, "open", map[string]any{"title": "fence"})
	all := l.until(t, "the fence", has("fence"))
	var titles []string
	for _, h := range all {
		var m struct {
			Record struct{ Title string }
		}
		if err := json.Unmarshal([]byte(h.Data), &m); err != nil {
			t.Fatal(err)
		}
		titles = append(titles, m.Record.Title)
	}
	if got := strings.Join(titles, ", "); got != "final, welcome, fence" {
		t.Errorf("heard %s", got)
	}
}

// With many accounts the rules are asked after the answer, of the state at the
// event: what is opened in the meantime stays unheard.
func TestRealtimeAsksOfTheStateAtTheEvent(t *testing.T) {
	t.Parallel()
	s := serve(t, "", whole())
	s.collection(t, "shared", rule("public = true && @request.auth.id != ''"))
	s.collection(t, "open", rule(""))
	url := online(t, s)
	var all []*listener
	for i := range fewChecks + 2 {
		_, token := s.user(t, fmt.Sprintf("user%d@example.com", i))
		all = append(all, listen(t, url, token, "shared/*", "open/*"))
	}
	for i := range 50 {
		record := s.save(t, "shared", map[string]any{"title": fmt.Sprintf("draft %d.", i)})
		record.Set("title", fmt.Sprintf("final %d.", i))
		record.Set("public", true)
		if err := s.Save(record); err != nil {
			t.Fatal(err)
		}
	}
	s.save(t, "open", map[string]any{"title": "fence"})
	for _, l := range all {
		heard := l.until(t, "the fence", has("fence"))
		if len(heard) != 51 || has("draft")(heard) {
			t.Errorf("heard %d messages, a draft among them: %v", len(heard), has("draft")(heard))
		}
	}
}

func TestRealtimeFailedDeleteIsNotHeard(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Realtime: true})
	s.collection(t, "open", rule(""))
	l := listen(t, online(t, s), "", "open/*")
	record := s.save(t, "open", map[string]any{"title": "stays"})
	err := s.RunInTransaction(func(tx core.App) error {
		if err := tx.Delete(record); err != nil {
			return err
		}
		return fmt.Errorf("roll back")
	})
	if err == nil {
		t.Fatal("the transaction was not rolled back")
	}
	s.save(t, "open", map[string]any{"title": "fence"})
	if all := l.until(t, "the fence", has("fence")); len(all) != 2 {
		t.Errorf("heard %v", all)
	}
	if err := s.Delete(record); err != nil {
		t.Fatal(err)
	}
	l.until(t, "the delete", has(`"action":"delete"`))
}
