package cache

import (
	"context"
	"errors"
	"sync"
	"time"
)

// ErrUnfinished is what callers get who waited for another caller's render
// when that one panicked.
var ErrUnfinished = errors.New("the render that this request waited for did not finish")

// Deps records what a render read. It is safe for concurrent use.
type Deps struct {
	cache *Cache

	mu      sync.Mutex
	slots   []uint32
	until   time.Time
	all     bool
	noStore bool
}

// Uses says that the answer shows records ids of collection; without ids, that
// any write to the collection may change it.
func (d *Deps) Uses(collection string, ids ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(ids) == 0 {
		d.slots = append(d.slots, d.cache.slot(collection))
		return
	}
	for _, id := range ids {
		d.slots = append(d.slots, d.cache.slot(collection+"/"+id))
	}
}

// UsesAll says that any bump of anything may change the answer.
func (d *Deps) UsesAll() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all = true
}

// NoStore says that the answer is for this caller alone: it is neither kept
// nor handed to callers who wait for the same key.
func (d *Deps) NoStore() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.noStore = true
}

// Until says that the answer is wrong from t on; the earliest t counts.
func (d *Deps) Until(t time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until.IsZero() || t.Before(d.until) {
		d.until = t
	}
}

// flight is one render that others may wait for. began is set before it can be
// seen, the rest before done is closed.
type flight struct {
	began uint64
	done  chan struct{}

	item    *item
	err     error
	private bool // NoStore: the answer is the leader's alone
	again   bool // the leader's own caller went away: its error says nothing
}

// Do returns the entry at key, and calls render where there is none. Callers
// that miss together share one render; each waits no longer than its ctx. Who
// asks after a bump never gets an answer whose render began before it, unless
// that answer does not depend on what was bumped. Errors and panics of render
// are not kept; a panic goes on in the caller that rendered, the others get
// ErrUnfinished.
func (c *Cache) Do(ctx context.Context, key string, render func(*Deps) (*Entry, error)) (*Entry, error) {
	asked := c.counter.Load()
	for {
		if e, ok := c.Get(key); ok {
			return e, nil
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		f, leads := c.join(key)
		if leads {
			return c.lead(ctx, key, f, render)
		}
		select {
		case <-f.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		switch {
		case f.private:
			return render(&Deps{cache: c})
		case f.again:
		case f.began >= asked && f.err != nil:
			return nil, f.err
		case f.err == nil && (f.began >= asked || f.item.valid()):
			return f.item.entry, nil
		}
	}
}

func (c *Cache) join(key string) (f *flight, leads bool) {
	c.flying.Lock()
	defer c.flying.Unlock()
	if f = c.flights[key]; f != nil {
		return f, false
	}
	f = &flight{began: c.counter.Load(), done: make(chan struct{}), err: ErrUnfinished}
	c.flights[key] = f
	return f, true
}

// lead renders for itself and for those who wait on f.
func (c *Cache) lead(ctx context.Context, key string, f *flight, render func(*Deps) (*Entry, error)) (*Entry, error) {
	defer func() { // also on panic, with f.err as join left it
		c.flying.Lock()
		delete(c.flights, key)
		c.flying.Unlock()
		close(f.done)
	}()
	// The flight before this one may have landed between Get and join.
	if e, ok := c.Get(key); ok {
		f.again, f.err = true, nil
		return e, nil
	}
	deps := &Deps{cache: c}
	entry, err := render(deps)
	if err == nil && entry == nil {
		err = errors.New("the render gave no entry")
	}
	f.err = err
	deps.mu.Lock()
	defer deps.mu.Unlock()
	// A cookie is one visitor's, whatever the render said.
	f.private = deps.noStore || entry != nil && len(entry.Header["Set-Cookie"]) > 0
	if err != nil {
		f.again = ctx.Err() != nil
		return nil, err
	}
	f.item = &item{cache: c, key: key, entry: entry, began: f.began, deps: deps.slots, all: deps.all, until: deps.until}
	if !f.private && f.item.valid() {
		c.keep(f.item)
	}
	return entry, nil
}
