package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestEventsAreCountedWhereverReadsCutThem(t *testing.T) {
	t.Parallel()
	const stream = "id:1\nevent:a\ndata:{}\n\nid:2\n\n\n\nid:3\ndata:x"
	for size := 1; size <= len(stream); size++ {
		var c eventCounter
		total := 0
		for rest := stream; rest != ""; {
			n := min(size, len(rest))
			total += c.count([]byte(rest[:n]))
			rest = rest[n:]
		}
		if total != 3 {
			t.Errorf("in pieces of %d there are %d events, want 3", size, total)
		}
	}
}

func FuzzEventCounter(f *testing.F) {
	f.Add("data:1\n\n\n\ndata", uint8(8))
	f.Fuzz(func(t *testing.T, stream string, cut uint8) {
		at := min(int(cut), len(stream))
		var whole, cutUp eventCounter
		want := whole.count([]byte(stream))
		if got := cutUp.count([]byte(stream[:at])) + cutUp.count([]byte(stream[at:])); got != want {
			t.Errorf("%q cut at %d has %d events, whole %d", stream, at, got, want)
		}
	})
}

func TestClientID(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in, want string
	}{
		{"id:abc\nevent:PB_CONNECT\ndata:{\"clientId\":\"abc\"}\n\nmore", "abc"},
		{"data:{\"clientId\":\"\"}\n\n", ""},
		{"data:nonsense\n\n", ""},
		{"event:x\n\n", ""},
		{"", ""},
		{strings.Repeat("comment\n", 50), ""},
	} {
		got, err := clientID(bufio.NewReader(strings.NewReader(c.in)))
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%q gave %q, %v", c.in, got, err)
		}
	}
}

// stage is a realtime endpoint that sends what tell is given to all who are
// subscribed.
type stage struct {
	mu      sync.Mutex
	clients map[string]chan string
	ready   map[string]bool
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPost {
		raw, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		defer s.mu.Unlock()
		for id := range s.clients {
			s.ready[id] = s.ready[id] || strings.Contains(string(raw), `"`+id+`"`) && strings.Contains(string(raw), "topic/*")
		}
		w.WriteHeader(http.StatusNoContent)
		return
	}
	events := make(chan string, 8)
	s.mu.Lock()
	id := fmt.Sprintf("c%d", len(s.clients))
	s.clients[id] = events
	s.mu.Unlock()
	_, _ = fmt.Fprintf(w, "id:%s\nevent:PB_CONNECT\ndata:{\"clientId\":%q}\n\n", id, id)
	w.(http.Flusher).Flush()
	for e := range events {
		_, _ = io.WriteString(w, e)
		w.(http.Flusher).Flush()
	}
}

func (s *stage) tell(event string) (heard int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, events := range s.clients {
		if s.ready[id] {
			events <- event
			heard++
		}
	}
	return heard
}

func (s *stage) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, events := range s.clients {
		close(events)
	}
}

func TestListenersCountWhatTheyAreSent(t *testing.T) {
	t.Parallel()
	s := &stage{clients: map[string]chan string{}, ready: map[string]bool{}}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	l, err := subscribe(t.Context(), server.Listener.Addr().String(), "topic/*", 5)
	if err != nil {
		t.Fatal(err)
	}
	if n := s.tell("event:a\ndata:1\n\n"); n != 5 {
		t.Errorf("%d of 5 are subscribed", n)
	}
	s.tell("event:b\ndata:2")
	s.tell("\n\n")
	if missing := l.await(t.Context(), 10, time.Minute); missing != 0 {
		t.Errorf("%d events are missing", missing)
	}
	if missing := l.await(t.Context(), 10, 0); missing != 0 {
		t.Errorf("%d events are missing from what has come", missing)
	}
	if missing := l.await(t.Context(), 12, time.Millisecond); missing != 2 {
		t.Errorf("%d events are missing, want 2", missing)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if missing := l.await(ended, 11, time.Minute); missing != 1 {
		t.Errorf("%d events are missing, want 1", missing)
	}
	s.close()
	l.reads.Wait()
	if l.gone.Load() != 5 {
		t.Errorf("%d connections were closed by the server, want 5", l.gone.Load())
	}
	l.close()
}

func TestSubscribeFailsOnAServerWithoutRealtime(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	if l, err := subscribe(t.Context(), server.Listener.Addr().String(), "topic/*", 2); err == nil {
		l.close()
		t.Error("a server without realtime was subscribed to")
	}
}
