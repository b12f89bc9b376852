package live

import (
	"sync"
	"testing"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

func hub(t *testing.T) (core.App, *Hub) {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	Bind(app)
	return app, Of(app)
}

func drain(p *Page) (got []News) {
	for {
		select {
		case n := <-p.News:
			got = append(got, n)
		default:
			return got
		}
	}
}

func TestWhoIsThere(t *testing.T) {
	t.Parallel()
	_, h := hub(t)
	ann, bob, list := &Page{Conversation: "c", Person: "ann", Name: "Ann"}, &Page{Conversation: "c", Person: "bob", Name: "Bob"}, &Page{Person: "ann"}
	for _, p := range []*Page{ann, list} {
		if !h.Join(p) {
			t.Fatal("not let in")
		}
	}
	drain(ann)
	h.Join(bob)
	if got := drain(ann); len(got) != 1 || got[0] != People {
		t.Errorf("Ann hears %v", got)
	}
	if got := h.Others("c", "ann"); len(got) != 1 || got[0] != (Present{ID: "bob", Name: "Bob"}) {
		t.Errorf("%v", got)
	}
	h.Typing("c", "bob", true)
	h.Typing("c", "bob", true) // again is no news
	if got := drain(ann); len(got) != 1 || !h.Others("c", "ann")[0].Typing {
		t.Errorf("typing: %v %v", got, h.Others("c", "ann"))
	}
	h.Leave(bob)
	if got := h.Others("c", "ann"); len(got) != 0 {
		t.Errorf("%v", got)
	}
	if got := drain(list); len(got) != 0 {
		t.Errorf("the list hears of people: %v", got)
	}
	h.Tell(Changed, "other")
	if len(drain(ann)) != 1 || len(drain(list)) != 1 { // Ann: Bob left
		t.Error("a change of another conversation is for the list alone")
	}
}

func TestPagesAreBounded(t *testing.T) {
	t.Parallel()
	_, h := hub(t)
	for range MaxOfOne {
		h.Join(&Page{Person: "ann"})
	}
	if h.Join(&Page{Person: "ann"}) {
		t.Error("one person has too many pages")
	}
	for i := range MaxPages {
		h.Join(&Page{Person: string(rune('a' + i))})
	}
	if h.Join(&Page{Person: "late"}) {
		t.Error("there are too many pages")
	}
}

func TestAStopEndsEveryChannel(t *testing.T) {
	t.Parallel()
	app, h := hub(t)
	h.Join(&Page{Person: "ann"})
	if err := app.OnTerminate().Trigger(&core.TerminateEvent{App: app}); err != nil {
		t.Fatal(err)
	}
	<-h.Over()
	h.End()
	if h.Join(&Page{Person: "bob"}) {
		t.Error("let in after the end")
	}
}

func TestAPageThatDoesNotReadHoldsUpNobody(t *testing.T) {
	t.Parallel()
	app, h := hub(t)
	h.Join(&Page{Conversation: "c", Person: "ann"})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for range 100 {
				h.Tell(Changed, "c")
			}
		})
	}
	wait.Wait()
	c := core.NewBaseCollection(schema.Conversations)
	r := core.NewRecord(c)
	r.Id = "c"
	event := new(core.RecordEvent)
	event.App, event.Record = app, r
	if err := app.OnRecordAfterUpdateSuccess().Trigger(event); err != nil {
		t.Error(err)
	}
}
