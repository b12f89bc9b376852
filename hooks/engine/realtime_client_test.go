package engine

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

// What is merged into one write is what single writes would have sent.
func FuzzRealtimeMerge(f *testing.F) {
	f.Add("open/*", `{"record":{}}`, uint8(3))
	f.Add("a?options={}", "x", uint8(200))
	f.Fuzz(func(t *testing.T, name, data string, n uint8) {
		h := newHub(core.NewBaseApp(core.BaseAppConfig{}))
		c := newRealtimeClient(h, subscriptions.NewDefaultClient())
		var want, got bytes.Buffer
		for i := range int(n) {
			m := subscriptions.Message{Name: name, Data: fmt.Appendf(nil, "%s%d", data, i)}
			_ = m.WriteSSE(&want, c.Id())
			c.queue = append(c.queue, m)
			c.bytes += c.frame(m)
		}
		for len(c.queue) > 0 {
			m := c.takeLocked()
			_ = m.WriteSSE(&got, c.Id())
		}
		if got.String() != want.String() || c.bytes != 0 {
			t.Fatalf("got %q, want %q, %d bytes owed", got.String(), want.String(), c.bytes)
		}
	})
}

func TestRealtimeClientIsBounded(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Realtime: true})
	for name, size := range map[string]int{"many": 1, "large": owedBytes / 4} {
		c := newRealtimeClient(Of(s).realtime, subscriptions.NewDefaultClient())
		m := subscriptions.Message{Name: "x", Data: make([]byte, size)}
		sent := 0
		for ; !c.IsDiscarded() && sent < 10*owedMessages; sent++ {
			c.Send(m)
		}
		if !c.IsDiscarded() || sent > owedMessages+oneWrite {
			t.Errorf("%s: took %d messages that nobody read", name, sent)
		}
		for range c.Channel() { // closed, so that the request ends
		}
		c.Send(m)
		c.Discard()
	}
}

func TestRealtimeIndexFollowsSubscriptions(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Realtime: true})
	h := Of(s).realtime
	c := newRealtimeClient(h, subscriptions.NewDefaultClient())
	c.Subscribe("open/*")
	if got := h.index.audiences("open/*"); len(got) != 0 {
		t.Error("found before the broker has the client")
	}
	h.index.attend(c)
	c.Subscribe("open/a?b", `open/*?options={"query":{"fields":"id"}}`)
	for name, want := range map[string]int{"open/*": 2, "open/a": 1, "open/a?b": 1, "open/a?c": 0, "open": 0} {
		if got := h.index.audiences(name); len(got) != want {
			t.Errorf("%s: %d audiences, want %d", name, len(got), want)
		}
	}
	ann, _ := s.user(t, "ann@example.com")
	again, err := s.FindRecordById("users", ann.Id)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		do   func()
		auth string
	}{
		{func() { c.Set("auth", again) }, ann.Id},
		{func() { again.Id = "somebody else" }, ann.Id},
		{func() { c.Set("auth", nil) }, ""},
		{func() { c.Set("auth", ann); c.Unset("auth") }, ""},
	} {
		step.do()
		a := h.index.audiences("open/a")[0]
		got := ""
		if a.auth != nil {
			got = a.auth.Id
		}
		if got != step.auth {
			t.Errorf("the audience is %q, want %q", got, step.auth)
		}
	}
	c.Unsubscribe("open/*")
	if got := h.index.audiences("open/*"); len(got) != 1 {
		t.Errorf("%d audiences after one was left", len(got))
	}
	c.Discard()
	h.empty(t)
}

func TestRealtimeClassesDifferByAnyValue(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{})
	ann, _ := s.user(t, "ann@example.com")
	same, err := s.FindRecordById("users", ann.Id)
	if err != nil {
		t.Fatal(err)
	}
	other, err := s.FindRecordById("users", ann.Id)
	if err != nil {
		t.Fatal(err)
	}
	if classOf(same) != classOf(other) {
		t.Error("the same record read twice is of two classes")
	}
	for field, value := range map[string]any{"name": "x", "verified": false, "emailVisibility": true, "tokenKey": strings.Repeat("k", 50)} {
		changed := same.Clone()
		changed.Set(field, value)
		if classOf(changed) == classOf(same) {
			t.Errorf("another %s is of the same class", field)
		}
	}
}
