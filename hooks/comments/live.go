package comments

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"bungalow/hooks/kit/limit"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

const (
	// maxListeners is how many browsers may listen at once, and maxPerAddress
	// how many of one address of the network.
	maxListeners  = 2000
	maxPerAddress = 10
	// heartbeat keeps proxies from closing a quiet connection.
	heartbeat = 25 * time.Second
	// backlog is how many news a listener may lag behind before he is cut off.
	backlog = 32
)

// hub tells browsers what is new in the thread that they show.
type hub struct {
	mu      sync.Mutex
	ended   chan struct{}
	closed  bool
	threads map[string]map[*listener]bool
	total   int
	from    map[string]int
}

// listener is one browser. A nil channel of moderators hears every change.
type listener struct {
	news    chan []byte
	thread  string // "" hears of all threads, as moderators do
	address string
	cut     chan struct{}
	once    sync.Once
}

// news is one message of the stream.
type news struct {
	// Kind is "comment" for one that is new or changed, "gone" for one that can
	// no longer be seen.
	Kind string `json:"kind"`
	Item *Item  `json:"item,omitempty"`
	ID   string `json:"id"`
}

// endWith ends all streams as soon as the app is told to stop.
func (h *hub) endWith(app core.App) {
	h.mu.Lock()
	h.ended = make(chan struct{})
	h.mu.Unlock()
	app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{
		Id:       "bungalowCommentsLive",
		Priority: -10_001, // before the server waits for its requests
		Func: func(e *core.TerminateEvent) error {
			h.mu.Lock()
			if !h.closed {
				h.closed = true
				close(h.ended)
			}
			h.mu.Unlock()
			return e.Next()
		},
	})
}

// join adds a listener, false where there is no room.
func (h *hub) join(l *listener) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed || h.total >= maxListeners || h.from[l.address] >= maxPerAddress {
		return false
	}
	if h.threads == nil {
		h.threads, h.from = map[string]map[*listener]bool{}, map[string]int{}
	}
	if h.threads[l.thread] == nil {
		h.threads[l.thread] = map[*listener]bool{}
	}
	h.threads[l.thread][l] = true
	h.total++
	h.from[l.address]++
	return true
}

func (h *hub) leave(l *listener) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.threads[l.thread][l] {
		return
	}
	delete(h.threads[l.thread], l)
	if len(h.threads[l.thread]) == 0 {
		delete(h.threads, l.thread)
	}
	h.total--
	if h.from[l.address]--; h.from[l.address] == 0 {
		delete(h.from, l.address)
	}
}

// announce tells those who show the thread of a record what became of it.
func (h *hub) announce(app core.App, r *core.Record) {
	h.mu.Lock()
	thread := r.GetString("thread")
	wanted := len(h.threads[thread]) > 0
	h.mu.Unlock()
	if !wanted {
		return
	}
	n := news{Kind: "gone", ID: r.Id}
	if r.GetString("status") == schema.CommentApproved && !r.GetBool("removed") {
		if exists, err := app.FindRecordById(schema.Comments, r.Id); err == nil && exists != nil {
			n.Kind, n.Item = "comment", itemOf(app, r)
		}
	}
	raw, err := json.Marshal(n)
	if err != nil {
		return
	}
	h.send(thread, raw)
}

// nudge tells moderators that the queue has changed.
func (h *hub) nudge() { h.send("", queueNews) }

var queueNews = []byte(`{"kind":"queue"}`)

func (h *hub) send(thread string, raw []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for l := range h.threads[thread] {
		select {
		case l.news <- raw:
		default:
			l.once.Do(func() { close(l.cut) }) // it loads the thread anew
		}
	}
}

// itemOf is a record as everybody may see it.
func itemOf(app core.App, r *core.Record) *Item {
	x := row{
		ID: r.Id, Parent: r.GetString("parent"), Root: r.GetString("root"), Author: r.GetString("author"), Email: r.GetString("email"),
		URL: r.GetString("url"), HTML: r.GetString("html"), Status: r.GetString("status"), Created: r.GetDateTime("created"),
		Edited: r.GetDateTime("edited"), Pinned: r.GetBool("pinned"), Badge: r.GetString("badge"),
	}
	item := x.item(app)
	_ = r.UnmarshalJSONField("reactions", &item.Reactions)
	if item.Reactions == nil {
		item.Reactions = map[string]int{}
	}
	return item
}

// live is GET /api/site/comments/live.
func live(e *core.RequestEvent) error {
	t, err := threadOf(e, e.Request.URL.Query().Get("thread"))
	if err != nil {
		return err
	}
	return stream(e, t.Address)
}

// stream sends news until the browser goes, lags behind, or the server stops.
func stream(e *core.RequestEvent, thread string) error {
	if !strings.Contains(e.Request.Header.Get("Accept"), "text/event-stream") {
		return router.NewApiError(http.StatusNotAcceptable, "This address is a stream of events; ask for text/event-stream.", nil)
	}
	h := &serviceOf(e.App).hub
	l := &listener{news: make(chan []byte, backlog), thread: thread, address: limit.AddressKey(e.RealIP()), cut: make(chan struct{})}
	if !h.join(l) {
		e.Response.Header().Set("Retry-After", "30")
		return router.NewApiError(http.StatusServiceUnavailable, "Too many are listening already. The page works the same without.", nil)
	}
	defer h.leave(l)
	out := http.NewResponseController(e.Response)
	_ = out.SetWriteDeadline(time.Time{})
	header := e.Response.Header()
	header.Set("Content-Type", "text/event-stream")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no")
	e.Response.WriteHeader(http.StatusOK)
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	message := []byte(": welcome\n\nretry: 5000\n\n")
	for {
		if _, err := e.Response.Write(message); err != nil {
			return nil // the browser has gone
		}
		if err := out.Flush(); err != nil {
			return nil
		}
		select {
		case raw := <-l.news:
			message = fmt.Appendf(nil, "data: %s\n\n", raw)
		case <-beat.C:
			message = []byte(": \n\n")
		case <-l.cut:
			return nil
		case <-h.ended:
			return nil
		case <-e.Request.Context().Done():
			return nil
		}
	}
}
