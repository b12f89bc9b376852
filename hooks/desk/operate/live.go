package operate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Limits of the streams.
const (
	mostStreams   = 100 // of one process
	mostOfPerson  = 6   // of one account: tabs of a browser
	streamLife    = 5 * time.Minute
	lookEvery     = 2 * time.Second  // for what our own writes changed
	lookAnyway    = 10 * time.Second // for what no record shows, such as jobs
	writePatience = 5 * time.Second
	// beforeTheStop is before running requests are waited for (hooks/serve.go).
	beforeTheStop = -10_001
)

// stream is one page that listens.
type stream struct {
	person *core.Record
	news   chan []byte // holds the newest only
	gone   chan struct{}
	last   []byte
}

// board tells the open pages of one app what their menus count. One goroutine
// looks, and only while somebody listens.
type board struct {
	app core.App

	mu      sync.Mutex
	streams map[*stream]bool
	looking bool
	closed  bool
	stop    chan struct{}
}

const boardKey = "bungalow.desk.live"

func registerLive(app core.App) {
	b := &board{app: app, streams: map[*stream]bool{}, stop: make(chan struct{})}
	app.Store().Set(boardKey, b)
	app.OnTerminate().Bind(&hook.Handler[*core.TerminateEvent]{
		Id: "bungalowDeskLive", Priority: beforeTheStop,
		Func: func(e *core.TerminateEvent) error {
			b.close()
			return e.Next()
		},
	})
}

// live is the stream of events of one page: {"counts":{"/desk/jobs/":2}} each
// time when a number beside the menu changed. It ends after some minutes, and
// the browser comes again and shows its session. Who asks for no stream gets the
// numbers as they are now.
func live(e *desk.Event) error {
	b, ok := e.App.Store().Get(boardKey).(*board)
	if !ok {
		return e.NotFoundError("", nil)
	}
	if !strings.Contains(e.Request.Header.Get("Accept"), "text/event-stream") {
		counts, err := b.count(e.Auth)
		if err != nil {
			return err
		}
		return e.Blob(http.StatusOK, "application/json", bytes.TrimSpace(bytes.TrimPrefix(counts, []byte("data: "))))
	}
	s, err := b.join(e.Auth)
	if err != nil {
		e.Response.Header().Set("Retry-After", "60")
		return err
	}
	defer b.leave(s)
	h := e.Response.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	h.Set("X-Accel-Buffering", "no")
	rc := http.NewResponseController(e.Response)
	if err := say(e.Response, rc, []byte("retry: 15000\n\n")); err != nil {
		return nil
	}
	end := time.NewTimer(streamLife)
	defer end.Stop()
	for {
		select {
		case message := <-s.news:
			if err := say(e.Response, rc, message); err != nil {
				return nil // the browser has gone, or takes nothing
			}
		case <-s.gone:
			return nil
		case <-end.C:
			return nil
		case <-e.Request.Context().Done():
			return nil
		}
	}
}

// say writes a message or gives up on a client that takes none.
func say(w http.ResponseWriter, rc *http.ResponseController, message []byte) error {
	if err := rc.SetWriteDeadline(time.Now().Add(writePatience)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := w.Write(message); err != nil {
		return err
	}
	return rc.Flush()
}

func (b *board) join(person *core.Record) (*stream, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	same := 0
	for s := range b.streams {
		if s.person.Id == person.Id {
			same++
		}
	}
	if b.closed || len(b.streams) >= mostStreams || same >= mostOfPerson {
		return nil, router.NewApiError(http.StatusServiceUnavailable, "Too many pages listen already.", nil)
	}
	s := &stream{person: person, news: make(chan []byte, 1), gone: make(chan struct{})}
	b.streams[s] = true
	if !b.looking {
		b.looking = true
		go b.look()
	}
	return s, nil
}

func (b *board) leave(s *stream) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drop(s)
}

// drop ends a stream; the board is locked.
func (b *board) drop(s *stream) {
	if b.streams[s] {
		delete(b.streams, s)
		close(s.gone)
	}
}

func (b *board) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return
	}
	b.closed = true
	close(b.stop)
	for s := range b.streams {
		b.drop(s)
	}
}

// look runs while anybody listens.
func (b *board) look() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	version, at := uint64(0), time.Time{}
	for {
		now := time.Now()
		if v := cache.Of(b.app).Version(); v != version || now.Sub(at) >= lookAnyway || b.fresh() {
			version, at = v, now
			b.tell()
		}
		b.mu.Lock()
		if len(b.streams) == 0 {
			b.looking = false
			b.mu.Unlock()
			return
		}
		b.mu.Unlock()
		select {
		case <-tick.C:
		case <-b.stop:
			return
		}
	}
}

// fresh reports whether somebody came who was told nothing yet.
func (b *board) fresh() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for s := range b.streams {
		if s.last == nil {
			return true
		}
	}
	return false
}

// tell counts once for each person and tells those pages whose numbers changed.
func (b *board) tell() {
	b.mu.Lock()
	open := make([]*stream, 0, len(b.streams))
	for s := range b.streams {
		open = append(open, s)
	}
	b.mu.Unlock()
	known := map[string][]byte{}
	for _, s := range open {
		message, ok := known[s.person.Id]
		if !ok {
			var err error
			if message, err = b.count(s.person); err != nil {
				b.app.Logger().Error("the numbers of the desk's menu can't be counted", "error", err)
				continue
			}
			known[s.person.Id] = message
		}
		b.hand(s, message)
	}
}

// hand puts a message where the stream finds it, in place of one that was not
// taken yet. A nil message ends the stream: its person may no longer enter.
func (b *board) hand(s *stream, message []byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.streams[s] {
		return
	}
	if message == nil {
		b.drop(s)
		return
	}
	if bytes.Equal(s.last, message) {
		return
	}
	s.last = message
	select {
	case <-s.news:
	default:
	}
	s.news <- message
}

func (b *board) count(person *core.Record) ([]byte, error) {
	now, err := b.app.FindRecordById(person.Collection().Name, person.Id)
	if err != nil || !web.Allowed(now, web.Staff) {
		return nil, nil
	}
	counts := map[string]int{}
	for _, group := range desk.Of(b.app).Menu(now, "") {
		for _, item := range group.Items {
			if item.Count > 0 {
				counts[item.Href] = item.Count
			}
		}
	}
	raw, err := json.Marshal(map[string]any{"counts": counts})
	if err != nil {
		return nil, fmt.Errorf("write the numbers: %w", err)
	}
	return append(append([]byte("data: "), raw...), "\n\n"...), nil
}
