package engine

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

func atLeast(n int) func([]heard) bool { return func(all []heard) bool { return len(all) >= n } }

// receive takes the next message of a client without a connection.
func receive(t *testing.T, c subscriptions.Client) subscriptions.Message {
	t.Helper()
	select {
	case m, ok := <-c.Channel():
		if !ok {
			t.Fatal("the channel is closed")
		}
		return m
	case <-time.After(patience):
		t.Fatal("waited too long for a message")
	}
	return subscriptions.Message{}
}

func TestRealtimeClientsOfOthersHear(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Realtime: true})
	s.collection(t, "open", rule(""))
	own := listen(t, online(t, s), "", "open/*")
	foreign := subscriptions.NewDefaultClient()
	foreign.Subscribe("open/*")
	s.SubscriptionsBroker().Register(foreign)
	record := s.save(t, "open", map[string]any{"title": "one"})
	if m := receive(t, foreign); m.Name != "open/*" || !bytes.Contains(m.Data, []byte(`"action":"create"`)) {
		t.Errorf("heard %s %s", m.Name, m.Data)
	}
	if err := s.Delete(record); err != nil {
		t.Fatal(err)
	}
	if m := receive(t, foreign); !bytes.Contains(m.Data, []byte(`"action":"delete"`)) {
		t.Errorf("heard %s %s", m.Name, m.Data)
	}
	own.until(t, "both", atLeast(2))
}

// Somebody who wraps the client hears each event once.
func TestRealtimeWrappedClientHearsOnce(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Realtime: true}, func(app core.App, _ *core.ServeEvent) {
		app.OnRealtimeConnectRequest().BindFunc(func(e *core.RealtimeConnectRequestEvent) error {
			e.Client = &struct{ subscriptions.Client }{e.Client}
			return e.Next()
		})
	})
	s.collection(t, "open", rule(""))
	l := listen(t, online(t, s), "", "open/*")
	s.save(t, "open", map[string]any{"title": "one"})
	l.until(t, "the first", atLeast(1))
	s.save(t, "open", map[string]any{"title": "two"})
	if all := l.until(t, "the second", has("two")); len(all) != 2 {
		t.Errorf("heard %v", all)
	}
}

func TestRealtimeHooksOfOthersSeeEachMessage(t *testing.T) {
	t.Parallel()
	var sent, enriched atomic.Int64
	s := serve(t, "", Options{Realtime: true}, func(app core.App, _ *core.ServeEvent) {
		app.OnRealtimeMessageSend().BindFunc(func(e *core.RealtimeMessageEvent) error {
			if e.Message.Name == "open/*" {
				sent.Add(1)
				e.Message.Data = bytes.Replace(e.Message.Data, []byte("draft"), []byte("seen"), 1)
			}
			return e.Next()
		})
		app.OnRecordEnrich("open").BindFunc(func(e *core.RecordEnrichEvent) error {
			e.Record.WithCustomData(true)
			e.Record.Set("extra", enriched.Add(1))
			return e.Next()
		})
	})
	s.collection(t, "open", rule(""))
	url := online(t, s)
	a, b := listen(t, url, "", "open/*"), listen(t, url, "", "open/*")
	for range 20 {
		s.save(t, "open", map[string]any{"title": "draft"})
	}
	for _, l := range []*listener{a, b} {
		for _, h := range l.until(t, "all", atLeast(20)) {
			if !strings.Contains(h.Data, `"title":"seen"`) || !strings.Contains(h.Data, `"extra":`) {
				t.Fatalf("heard %s", h.Data)
			}
		}
	}
	if sent.Load() != 40 || enriched.Load() != 40 {
		t.Errorf("hooks saw %d messages and %d records, want 40 of each", sent.Load(), enriched.Load())
	}
}

// Hooks between PocketBase's handlers and at the record see the app itself.
func TestRealtimeHooksKeepTheirApp(t *testing.T) {
	t.Parallel()
	var seen, without atomic.Int64
	look := func(app core.App) {
		seen.Add(1)
		if _, ok := app.(*unheard); ok || app.SubscriptionsBroker().TotalClients() != 1 {
			without.Add(1)
		}
	}
	s := serve(t, "", Options{Realtime: true}, func(app core.App, _ *core.ServeEvent) {
		for _, priority := range []int{-1000, 0, 1000} {
			app.OnModelAfterCreateSuccess("open").Bind(&hook.Handler[*core.ModelEvent]{Priority: priority, Func: func(e *core.ModelEvent) error {
				look(e.App)
				defer func() { look(e.App) }()
				return e.Next()
			}})
			app.OnRecordAfterCreateSuccess("open").Bind(&hook.Handler[*core.RecordEvent]{Priority: priority, Func: func(e *core.RecordEvent) error {
				look(e.App)
				defer func() { look(e.App) }()
				return e.Next()
			}})
		}
	})
	s.collection(t, "open", rule(""))
	l := listen(t, online(t, s), "", "open/*")
	s.save(t, "open", map[string]any{"title": "one"})
	l.until(t, "the event", atLeast(1))
	if seen.Load() != 12 || without.Load() != 0 {
		t.Errorf("%d of %d looks found no subscribers", without.Load(), seen.Load())
	}
}

func TestRealtimeStopDelivers(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Realtime: true})
	s.collection(t, "open", rule(""))
	l := listen(t, online(t, s), "", "open/*")
	for i := range 200 {
		s.save(t, "open", map[string]any{"title": fmt.Sprint(i)})
	}
	h := Of(s).realtime
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.stop(ctx); err != nil {
		t.Fatal(err)
	}
	l.ended(t)
	if all := l.until(t, "all", atLeast(200)); len(all) != 200 {
		t.Errorf("heard %d of 200", len(all))
	}
	h.empty(t)
}

// empty holds that nothing is left of clients who have gone.
func (h *hub) empty(t *testing.T) {
	t.Helper()
	for _, c := range h.app.SubscriptionsBroker().Clients() {
		if own, ok := c.(*realtimeClient); ok {
			<-own.gone // the broker lets go a moment later than the hub
		}
	}
	if err := h.settle(t.Context()); err != nil {
		t.Error(err)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.clients) > 0 || len(h.tasks) > 0 || len(h.index.topics) > 0 || h.counted.Load() != 0 || len(h.pins) > 0 {
		t.Errorf("left: %d clients, %d tasks, %d topics, a count of %d, %d pins",
			len(h.clients), len(h.tasks), len(h.index.topics), h.counted.Load(), len(h.pins))
	}
}

// A client that never reads is let go, and the others hear everything.
func TestRealtimeDropsWhoDoesNotRead(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Realtime: true})
	s.collection(t, "open", rule(""))
	url := online(t, s)
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "GET /api/realtime HTTP/1.1\r\nHost: localhost\r\n\r\n")
	var head []byte
	for !bytes.Contains(head, []byte(`{"clientId":"`)) || !bytes.HasSuffix(head, []byte("\n\n\r\n")) {
		buf := make([]byte, 4096)
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		head = append(head, buf[:n]...)
	}
	_, after, _ := bytes.Cut(head, []byte(`{"clientId":"`))
	slow := &listener{id: string(after[:40])}
	slow.subscribe(t, url, "", "open/*")
	client, err := s.SubscriptionsBroker().ClientById(slow.id)
	if err != nil {
		t.Fatal(err)
	}
	l := listen(t, url, "", "open/*?options={\"query\":{\"fields\":\"id\"}}")
	big := strings.Repeat("x", 500_000)
	n := 0
	for ; !client.IsDiscarded() && n < 200; n++ {
		s.save(t, "open", map[string]any{"title": big})
		l.until(t, "the event", atLeast(n+1))
	}
	if !client.IsDiscarded() {
		t.Fatalf("still there after %d large events", n)
	}
	select {
	case <-client.(*realtimeClient).gone: // its write was cut off
	case <-time.After(patience):
		t.Fatal("the request goes on")
	}
	t.Logf("dropped after %d events of 500 kB", n)
}

// The hub's handlers are not taken for somebody's who wants to see log rows.
func TestRealtimeLeavesTheLogInBatches(t *testing.T) {
	t.Parallel()
	bare, err := plain()
	if err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{"on": {Realtime: true}, "off": {}} {
		if s := serve(t, "", o); logHooks(s) != bare.logHooks {
			t.Errorf("%s: %d handlers, want %d", name, logHooks(s), bare.logHooks)
		}
	}
	own := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	if err := Register(own, Options{Realtime: true}); err != nil {
		t.Fatal(err)
	}
	if got := Of(own).realtime.bound(); got != 1 {
		t.Errorf("%d handlers before serving, want 1", got)
	}
}

// Clients that come, hear and go leave nothing running.
func TestRealtimeLeavesNoGoroutines(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Realtime: true})
	s.collection(t, "open", rule(""))
	url := online(t, s)
	h := Of(s).realtime
	for range 3 {
		var gone []*realtimeClient
		for i := range 20 {
			l := listen(t, url, "", "open/*")
			client, err := s.SubscriptionsBroker().ClientById(l.id)
			if err != nil {
				t.Fatal(err)
			}
			gone = append(gone, client.(*realtimeClient))
			s.save(t, "open", map[string]any{"title": fmt.Sprint(i)})
			if i%2 == 0 {
				l.until(t, "the event", atLeast(1))
			}
			_ = l.body.Body.Close() // some in the middle of an event
		}
		for _, c := range gone {
			select {
			case <-c.gone:
			case <-time.After(patience):
				t.Fatal("a request goes on without its client")
			}
			for range c.Channel() { // its pump closes it when it ends
			}
		}
		h.empty(t)
	}
	for deadline := time.Now().Add(patience); h.busy(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the worker stays without work")
		}
	}
}

func (h *hub) busy() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.running
}

// A record that cannot be written down disturbs neither the writer nor others.
func TestRealtimePanicStaysWithItsEvent(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Realtime: true})
	s.collection(t, "open", rule(""))
	l := listen(t, online(t, s), "", "open/*", `open/*?options={"query":{"expand":"owner"}}`)
	record := s.save(t, "open", map[string]any{"title": "one"})
	l.until(t, "the first", atLeast(2))
	h := Of(s).realtime
	h.add(&task{work: func() []outgoing { panic("asked for") }})
	taken := h.safely(func(*core.ModelEvent) bool { panic("asked for") }, &core.ModelEvent{App: s, Model: record})
	if !taken {
		t.Error("PocketBase would send the event again")
	}
	s.save(t, "open", map[string]any{"title": "two"})
	l.until(t, "the second", atLeast(4))
}
