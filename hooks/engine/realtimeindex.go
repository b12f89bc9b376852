package engine

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

// audience is everybody who gets the same message of an event: the same
// subscription, asked for by the same account in the same state.
type audience struct {
	sub     string
	options subscriptions.SubscriptionOptions
	auth    *core.Record
	class   string // of auth; "" for strangers
	clients []subscriptions.Client
}

// realtimeIndex finds the audiences of a topic without asking every client.
type realtimeIndex struct {
	mu     sync.Mutex
	topics map[string]*topic
}

type topic struct {
	clients map[*realtimeClient]struct{}
	// audiences are made when an event needs them and never changed after;
	// nil after a change of clients or of their accounts.
	audiences []*audience
}

// attend notes that the broker has the client itself, not somebody's own
// around it.
func (x *realtimeIndex) attend(c *realtimeClient) {
	x.mu.Lock()
	c.attended = true
	x.mu.Unlock()
	x.identify(c)
	x.place(c)
}

// place notes what the client is subscribed to now, nothing once discarded.
func (x *realtimeIndex) place(c *realtimeClient) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, name := range c.topics {
		t := x.topics[name]
		delete(t.clients, c)
		t.audiences = nil
		if len(t.clients) == 0 {
			delete(x.topics, name)
		}
	}
	c.topics = nil
	if !c.attended || c.IsDiscarded() {
		return
	}
	for sub := range c.DefaultClient.Subscriptions() {
		name := topicOf(sub)
		t := x.topics[name]
		if t == nil {
			t = &topic{clients: map[*realtimeClient]struct{}{}}
			x.topics[name] = t
		}
		t.audiences = nil
		if _, ok := t.clients[c]; !ok {
			t.clients[c] = struct{}{}
			c.topics = append(c.topics, name)
		}
	}
}

// identify notes that the client is somebody else now.
func (x *realtimeIndex) identify(c *realtimeClient) {
	x.mu.Lock()
	defer x.mu.Unlock()
	c.auth, c.class = nil, ""
	if auth := authOf(c); auth != nil {
		c.auth = auth.Clone() // whoever saved it may go on with the record
		c.class = classOf(c.auth)
	}
	for _, name := range c.topics {
		x.topics[name].audiences = nil
	}
}

// audiences of all subscriptions that begin with name and go on, if at all,
// with options.
func (x *realtimeIndex) audiences(name string) []*audience {
	x.mu.Lock()
	defer x.mu.Unlock()
	t := x.topics[topicOf(name)]
	if t == nil {
		return nil
	}
	if t.audiences == nil {
		t.audiences = gather(topicOf(name), t.clients)
	}
	if !strings.Contains(name, "?") {
		return t.audiences
	}
	var some []*audience // a record whose id has a question mark
	for _, a := range t.audiences {
		if strings.HasPrefix(a.sub+"?", name+"?") {
			some = append(some, a)
		}
	}
	return some
}

func gather(name string, clients map[*realtimeClient]struct{}) []*audience {
	type key struct{ sub, class string }
	known := map[key]*audience{}
	all := []*audience{}
	for c := range clients {
		for sub, options := range c.DefaultClient.Subscriptions(name + "?") {
			a := known[key{sub, c.class}]
			if a == nil {
				a = &audience{sub: sub, options: options, auth: c.auth, class: c.class}
				known[key{sub, c.class}] = a
				all = append(all, a)
			}
			a.clients = append(a.clients, c)
		}
	}
	return all
}

// topicOf is a subscription without its options.
func topicOf(sub string) string {
	name, _, _ := strings.Cut(sub, "?")
	return name
}

// classOf is equal for accounts of which every rule says the same: the same
// record with the same values. Values that cannot be compared differ.
func classOf(auth *core.Record) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %#v %#v\n", auth.Collection().Id, auth.Id, auth.CustomData(), auth.Expand())
	for _, name := range auth.Collection().Fields.FieldNames() {
		fmt.Fprintf(h, "%q %#v\n", name, auth.GetRaw(name))
	}
	return string(h.Sum(nil))
}
