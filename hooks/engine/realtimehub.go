package engine

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/routine"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

const (
	// tasksKept is how many events may wait; who writes more waits with them.
	tasksKept = 256
	// perClient spaces rounds out, so that under load a client gets several
	// events in one write and most of the machine is left to requests.
	perClient, roundAtMost = 20 * time.Microsecond, 100 * time.Millisecond
	// pinned is how many events may hold the database's state at their commit.
	pinned = 2
)

// hub sends events to subscribers in the order of their commits, after the
// requests that caused them were answered.
type hub struct {
	app     core.App
	nobody  *subscriptions.Broker
	serving atomic.Bool
	counted atomic.Int64 // the broker's clients that are in the index, never more
	index   realtimeIndex
	pins    chan struct{}

	mu      sync.Mutex
	room    sync.Cond
	tasks   []*task
	running bool // there is a worker
	clients map[*realtimeClient]struct{}

	next time.Time // when the worker may begin the next round
}

// task is one event's messages, or how to get them.
type task struct {
	ready []outgoing
	work  func() []outgoing
	done  chan struct{} // closed when the clients have it, where somebody waits
}

type outgoing struct {
	clients []subscriptions.Client
	message subscriptions.Message
}

func newHub(app core.App) *hub {
	h := &hub{
		app:     app,
		nobody:  subscriptions.NewBroker(),
		index:   realtimeIndex{topics: map[string]*topic{}},
		pins:    make(chan struct{}, pinned),
		clients: map[*realtimeClient]struct{}{},
	}
	h.room.L = &h.mu
	return h
}

// add queues a task; the worker lives only while there are some.
func (h *hub) add(t *task) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.tasks) >= tasksKept {
		h.room.Wait()
	}
	h.tasks = append(h.tasks, t)
	if !h.running {
		h.running = true
		go h.run()
	}
}

func (h *hub) run() {
	for {
		time.Sleep(time.Until(h.next))
		h.mu.Lock()
		tasks := h.tasks
		h.tasks = nil
		h.room.Broadcast()
		if len(tasks) == 0 {
			h.running = false
			h.mu.Unlock()
			return
		}
		h.mu.Unlock()
		began := time.Now()
		clients := h.send(tasks)
		h.next = began.Add(min(time.Duration(clients)*perClient, roundAtMost))
	}
}

// send gives each client all that is new for it at once and returns how many
// clients there were.
func (h *hub) send(tasks []*task) int {
	var ours []*realtimeClient
	others := map[subscriptions.Client][]subscriptions.Message{}
	for _, t := range tasks {
		for _, out := range h.outgoing(t) {
			for _, c := range out.clients {
				own, ok := c.(*realtimeClient)
				if !ok {
					others[c] = append(others[c], out.message)
					continue
				}
				if len(own.round) == 0 {
					ours = append(ours, own)
				}
				own.round = append(own.round, out.message)
			}
		}
	}
	for _, c := range ours {
		c.push(c.round...)
		clear(c.round)
		c.round = c.round[:0]
	}
	for c, messages := range others {
		routine.FireAndForget(func() {
			for _, m := range messages {
				c.Send(m)
			}
		})
	}
	for _, t := range tasks {
		if t.done != nil {
			close(t.done)
		}
	}
	return len(ours) + len(others)
}

func (h *hub) outgoing(t *task) (out []outgoing) {
	if t.work == nil {
		return t.ready
	}
	defer func() {
		if r := recover(); r != nil {
			h.app.Logger().Error("a realtime event was not sent", "panic", fmt.Sprint(r))
			out = nil
		}
	}()
	return t.work()
}

// settle waits until everything that was added so far has been handed to
// clients.
func (h *hub) settle(ctx context.Context) error {
	fence := &task{done: make(chan struct{})}
	h.add(fence)
	select {
	case <-fence.done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// welcome gives a connecting client its queue before other hooks see it.
func (h *hub) welcome(e *core.RealtimeConnectRequestEvent) error {
	if plain, ok := e.Client.(*subscriptions.DefaultClient); ok && h.serving.Load() {
		c := newRealtimeClient(h, plain)
		defer c.Discard() // refused or over
		e.Client = c
	}
	return e.Next()
}

// attend stands around PocketBase's loop and can end it.
func (h *hub) attend(e *core.RealtimeConnectRequestEvent) error {
	c, ok := e.Client.(*realtimeClient)
	if !ok {
		return e.Next()
	}
	ctx, cancel := context.WithCancel(e.Request.Context())
	defer cancel()
	e.Request = e.Request.WithContext(ctx)
	response := http.NewResponseController(e.Response)

	c.mu.Lock()
	c.cut = func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.cut != nil { // else the connection is another request's by now
			_ = response.SetWriteDeadline(time.Now())
			cancel()
		}
	}
	c.mu.Unlock()
	// The broker has it before it counts: a count that is too low only costs
	// a look at all clients.
	e.App.SubscriptionsBroker().Register(c)
	h.index.attend(c)
	c.mu.Lock()
	if !c.closed && !c.counted {
		c.counted = true
		h.counted.Add(1)
	}
	c.mu.Unlock()
	h.mu.Lock()
	h.clients[c] = struct{}{}
	h.mu.Unlock()
	defer func() {
		c.mu.Lock()
		c.cut = nil
		c.mu.Unlock()
		h.mu.Lock()
		delete(h.clients, c)
		h.mu.Unlock()
		close(c.gone)
	}()
	return e.Next()
}

// stop delivers what is owed and ends the connections.
func (h *hub) stop(ctx context.Context) error {
	if err := h.settle(ctx); err != nil {
		return fmt.Errorf("wait for events: %w", err)
	}
	h.mu.Lock()
	clients := make([]*realtimeClient, 0, len(h.clients))
	for c := range h.clients {
		clients = append(clients, c)
	}
	h.mu.Unlock()
	for _, c := range clients {
		c.finish()
	}
	for _, c := range clients {
		select {
		case <-c.gone:
		case <-ctx.Done():
			return fmt.Errorf("wait for clients: %w", ctx.Err())
		}
	}
	return nil
}
