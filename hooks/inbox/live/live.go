// Package live tells the open pages of the inbox what changes, and who else
// looks at a conversation or writes in it.
//
// It keeps everything in memory and promises nothing to a page that does not
// read: a page that missed news loads anew. It never waits for a page, and ends
// every channel when the server stops.
package live

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// MaxPages is how many pages may be open at once, of all people together, and
// MaxOfOne how many of one person.
const (
	MaxPages = 500
	MaxOfOne = 20
)

// typingFor is how long somebody counts as writing after the last key.
const typingFor = 15 * time.Second

// News is what a page is told.
type News string

// What there is to tell: a conversation changed, or who is there changed.
const (
	Changed News = "changed"
	People  News = "people"
)

// Page is one open page of one person.
type Page struct {
	Conversation string // "" is the list
	Person       string
	Name         string
	News         chan News

	typing time.Time
}

// Present is somebody else who has the conversation open.
type Present struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Typing bool   `json:"typing"`
}

// Hub is the open pages of one app.
type Hub struct {
	over chan struct{}

	mu    sync.Mutex
	pages map[*Page]struct{}
	ended bool
}

// Of returns the app's hub.
func Of(app core.App) *Hub {
	return app.Store().GetOrSet("bungalow.inbox.live", func() any {
		return &Hub{pages: map[*Page]struct{}{}, over: make(chan struct{})}
	}).(*Hub)
}

// Over is closed when the server stops.
func (h *Hub) Over() <-chan struct{} { return h.over }

// Join opens a page's channel. It reports false where there are too many or
// where the server stops.
func (h *Hub) Join(p *Page) bool {
	h.mu.Lock()
	of := 0
	for other := range h.pages {
		if other.Person == p.Person {
			of++
		}
	}
	if h.ended || len(h.pages) >= MaxPages || of >= MaxOfOne {
		h.mu.Unlock()
		return false
	}
	p.News = make(chan News, 8)
	h.pages[p] = struct{}{}
	h.mu.Unlock()
	if p.Conversation != "" {
		h.Tell(People, p.Conversation)
	}
	return true
}

// Leave closes what Join opened.
func (h *Hub) Leave(p *Page) {
	h.mu.Lock()
	delete(h.pages, p)
	h.mu.Unlock()
	if p.Conversation != "" {
		h.Tell(People, p.Conversation)
	}
}

// Tell sends news to the pages of a conversation; what changed goes to every
// list too.
func (h *Hub) Tell(news News, conversation string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for p := range h.pages {
		if p.Conversation != conversation && (p.Conversation != "" || news == People) {
			continue
		}
		select {
		case p.News <- news:
		default: // it has news to read already, and will load anew
		}
	}
}

// Others lists who else has the conversation open, by name.
func (h *Hub) Others(conversation, person string) []Present {
	h.mu.Lock()
	defer h.mu.Unlock()
	by := map[string]Present{}
	for p := range h.pages {
		if conversation != "" && p.Conversation == conversation && p.Person != person {
			by[p.Person] = Present{ID: p.Person, Name: p.Name, Typing: by[p.Person].Typing || time.Since(p.typing) < typingFor}
		}
	}
	out := []Present{}
	for _, p := range by {
		out = append(out, p)
	}
	slices.SortFunc(out, func(a, b Present) int { return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID)) })
	return out
}

// Typing notes that a person writes in a conversation, or stopped to, and tells
// the others where that is new.
func (h *Hub) Typing(conversation, person string, is bool) {
	h.mu.Lock()
	changed := false
	for p := range h.pages {
		if p.Conversation != conversation || p.Person != person {
			continue
		}
		changed = changed || is != (time.Since(p.typing) < typingFor)
		p.typing = time.Time{}
		if is {
			p.typing = time.Now()
		}
	}
	h.mu.Unlock()
	if changed {
		h.Tell(People, conversation)
	}
}

// End closes the hub for good, so that the server can stop.
func (h *Hub) End() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.ended = true
		close(h.over)
	}
}

// beforeGracefulStop comes before the server waits for running requests
// (hooks/serve.go, -10000), which event streams would never end.
const beforeGracefulStop = -10_001

// Bind tells the open pages of each change after its commit, and ends them when
// the server stops.
func Bind(app core.App) {
	conversation := func(e *core.RecordEvent) error {
		Of(e.App).Tell(Changed, e.Record.Id)
		return e.Next()
	}
	app.OnRecordAfterCreateSuccess(schema.Conversations).BindFunc(conversation)
	app.OnRecordAfterUpdateSuccess(schema.Conversations).BindFunc(conversation)
	app.OnRecordAfterDeleteSuccess(schema.Conversations).BindFunc(conversation)
	message := func(e *core.RecordEvent) error {
		Of(e.App).Tell(Changed, e.Record.GetString("conversation"))
		return e.Next()
	}
	app.OnRecordAfterCreateSuccess(schema.Messages).BindFunc(message)
	app.OnRecordAfterUpdateSuccess(schema.Messages).BindFunc(message)
	app.OnRecordAfterDeleteSuccess(schema.Messages).BindFunc(message)
	app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{
		Id: "bungalowInboxLive", Priority: beforeGracefulStop,
		Func: func(e *core.TerminateEvent) error {
			Of(e.App).End()
			return e.Next()
		},
	})
}
