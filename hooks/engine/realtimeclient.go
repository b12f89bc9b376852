package engine

import (
	"sync"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

const (
	// owedMessages and owedBytes are what a client may be behind; beyond it is
	// dropped, connects anew and loads what it missed.
	owedMessages = 2048
	owedBytes    = 4 << 20
	// oneWrite is how many bytes of waiting messages go into one write.
	oneWrite = 16 << 10
)

// realtimeClient is PocketBase's client with a queue, so that whoever sends
// never waits for whoever reads.
type realtimeClient struct {
	*subscriptions.DefaultClient
	hub     *hub
	channel chan subscriptions.Message
	over    chan struct{} // closed when nothing more is to be sent
	gone    chan struct{} // closed when the request has ended

	// What the hub's index knows of the client; round is the worker's.
	attended bool
	topics   []string
	auth     *core.Record
	class    string
	round    []subscriptions.Message

	mu      sync.Mutex
	queue   []subscriptions.Message
	bytes   int
	pumping bool   // a goroutine hands the queue over
	counted bool   // the hub counts the client among the broker's
	ending  bool   // nothing more is taken
	closed  bool   // nothing more is handed over
	shut    bool   // channel is closed
	cut     func() // ends the request, nil while there is none
}

func newRealtimeClient(h *hub, plain *subscriptions.DefaultClient) *realtimeClient {
	return &realtimeClient{
		DefaultClient: plain,
		hub:           h,
		channel:       make(chan subscriptions.Message),
		over:          make(chan struct{}),
		gone:          make(chan struct{}),
	}
}

// Channel is where the request takes its messages from.
func (c *realtimeClient) Channel() chan subscriptions.Message { return c.channel }

// Subscribe adds topics.
func (c *realtimeClient) Subscribe(subs ...string) {
	c.DefaultClient.Subscribe(subs...)
	c.hub.index.place(c)
}

// Unsubscribe removes topics, all where none is named.
func (c *realtimeClient) Unsubscribe(subs ...string) {
	c.DefaultClient.Unsubscribe(subs...)
	c.hub.index.place(c)
}

// Set keeps a value; who the client is decides what it may hear.
func (c *realtimeClient) Set(key string, value any) {
	c.DefaultClient.Set(key, value)
	if key == apis.RealtimeClientAuthKey {
		c.hub.index.identify(c)
	}
}

// Unset forgets a value.
func (c *realtimeClient) Unset(key string) {
	c.DefaultClient.Unset(key)
	if key == apis.RealtimeClientAuthKey {
		c.hub.index.identify(c)
	}
}

// Send queues a message and returns at once.
func (c *realtimeClient) Send(m subscriptions.Message) { c.push(m) }

// push queues messages in their order, or drops the client.
func (c *realtimeClient) push(messages ...subscriptions.Message) {
	c.mu.Lock()
	if c.ending || c.closed {
		c.mu.Unlock()
		return
	}
	behind := len(c.queue) > 0
	for _, m := range messages {
		c.bytes += c.frame(m)
	}
	c.queue = append(c.queue, messages...)
	if len(c.queue) > owedMessages || behind && c.bytes > owedBytes {
		c.mu.Unlock()
		c.drop()
		return
	}
	if !c.pumping {
		c.pumping = true
		go c.pump()
	}
	c.mu.Unlock()
}

// drop ends the connection of a client that doesn't keep up, even in the
// middle of a write.
func (c *realtimeClient) drop() {
	c.hub.app.Logger().Debug("slow realtime client dropped", "clientId", c.Id())
	c.Discard()
	c.mu.Lock()
	cut := c.cut
	c.mu.Unlock()
	if cut != nil {
		cut()
	}
}

// pump hands the queue over until it is empty.
func (c *realtimeClient) pump() {
	for {
		c.mu.Lock()
		if c.closed || len(c.queue) == 0 {
			c.pumping = false
			if c.closed || c.ending {
				c.shutLocked()
			}
			c.mu.Unlock()
			return
		}
		m := c.takeLocked()
		c.mu.Unlock()
		select {
		case c.channel <- m:
		case <-c.over:
		}
	}
}

// takeLocked is what the next write sends: one message where somebody's hooks
// look at each, else as many as fit, framed as PocketBase frames them.
func (c *realtimeClient) takeLocked() subscriptions.Message {
	n, size := 1, c.frame(c.queue[0])
	if c.hub.app.OnRealtimeMessageSend().Length() == 0 {
		for n < len(c.queue) && size+c.frame(c.queue[n]) <= oneWrite {
			size += c.frame(c.queue[n])
			n++
		}
	}
	m := c.queue[0]
	if n > 1 {
		id := c.Id()
		data := append(make([]byte, 0, size), m.Data...)
		for _, more := range c.queue[1:n] {
			data = append(data, "\n\nid:"...)
			data = append(data, id...)
			data = append(data, "\nevent:"...)
			data = append(data, more.Name...)
			data = append(data, "\ndata:"...)
			data = append(data, more.Data...)
		}
		m.Data = data
	}
	c.bytes -= size
	clear(c.queue[:n]) // what was sent is not kept
	if c.queue = c.queue[n:]; len(c.queue) == 0 {
		c.queue = nil
	}
	return m
}

// frame is the length of a message on the wire.
func (c *realtimeClient) frame(m subscriptions.Message) int {
	return len("id:\nevent:\ndata:\n\n") + len(c.Id()) + len(m.Name) + len(m.Data)
}

// finish takes nothing more and ends the request when all has been sent.
func (c *realtimeClient) finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ending = true
	if !c.pumping {
		c.shutLocked()
	}
}

func (c *realtimeClient) shutLocked() {
	if !c.shut {
		c.shut = true
		close(c.channel)
	}
}

// Discard ends the client; what it was still owed is forgotten.
func (c *realtimeClient) Discard() {
	c.DefaultClient.Discard()
	c.hub.index.place(c)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return
	}
	c.closed, c.queue, c.bytes = true, nil, 0
	close(c.over)
	if c.counted {
		c.counted = false
		c.hub.counted.Add(-1)
	}
	if !c.pumping {
		c.shutLocked()
	}
}
