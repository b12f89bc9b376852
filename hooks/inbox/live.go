package inbox

import (
	"sync"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// hub tells the open pages of the desk what happens, and who is where.
type hub struct {
	mu    sync.Mutex
	pages map[*page]struct{}
	over  chan struct{}
	ended bool
}

// page is one open page of one person.
type page struct {
	conversation string // "" is the list
	person       string
	name         string
	typing       bool
	news         chan string
}

func newHub() *hub { return &hub{pages: map[*page]struct{}{}, over: make(chan struct{})} }

// maxPages bounds how many pages may be open at once, over all people.
const maxPages = 500

// join opens a page's channel, or reports false where there are too many.
func (h *hub) join(p *page) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended || len(h.pages) >= maxPages {
		return false
	}
	p.news = make(chan string, 8)
	h.pages[p] = struct{}{}
	return true
}

func (h *hub) leave(p *page) {
	h.mu.Lock()
	delete(h.pages, p)
	h.mu.Unlock()
	h.tell("people", p.conversation)
}

// tell sends news to the pages of a conversation, and to every list. A page
// that does not read misses news, and is not waited for.
func (h *hub) tell(news, conversation string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for p := range h.pages {
		if p.conversation != conversation && p.conversation != "" || news == "people" && p.conversation == "" {
			continue
		}
		select {
		case p.news <- news:
		default:
		}
	}
}

// present is somebody who looks at a conversation, or writes in it.
type present struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Typing bool   `json:"typing"`
}

// others lists who else has the conversation open.
func (h *hub) others(conversation, person string) []present {
	h.mu.Lock()
	defer h.mu.Unlock()
	by := map[string]present{}
	for p := range h.pages {
		if p.conversation == conversation && p.person != person {
			by[p.person] = present{ID: p.person, Name: p.name, Typing: p.typing || by[p.person].Typing}
		}
	}
	out := []present{}
	for _, p := range by {
		out = append(out, p)
	}
	return out
}

// typing notes whether a person writes in a conversation, and tells the others
// where that is new.
func (h *hub) typing(conversation, person string, is bool) {
	h.mu.Lock()
	changed := false
	for p := range h.pages {
		if p.conversation == conversation && p.person == person && p.typing != is {
			p.typing, changed = is, true
		}
	}
	h.mu.Unlock()
	if changed {
		h.tell("people", conversation)
	}
}

// end closes every channel for good, so that the server can stop.
func (h *hub) end() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ended {
		h.ended = true
		close(h.over)
	}
}

// bindLive tells the open pages of each change, after its commit.
func bindLive(app core.App) {
	changed := func(e *core.RecordEvent) error {
		serviceOf(e.App).live.tell("changed", e.Record.Id)
		return e.Next()
	}
	app.OnRecordAfterCreateSuccess(schema.Conversations).BindFunc(changed)
	app.OnRecordAfterUpdateSuccess(schema.Conversations).BindFunc(changed)
	app.OnRecordAfterDeleteSuccess(schema.Conversations).BindFunc(changed)
	message := func(e *core.RecordEvent) error {
		serviceOf(e.App).live.tell("changed", e.Record.GetString("conversation"))
		return e.Next()
	}
	app.OnRecordAfterUpdateSuccess(schema.Messages).BindFunc(message)
	app.OnRecordAfterDeleteSuccess(schema.Messages).BindFunc(message)
	app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		serviceOf(e.App).live.end()
		return e.Next()
	})
}
