// Package cache is the one memory for finished answers: pages, feeds, static
// files and REST answers.
//
// It promises that an answer is never older than the last write that it
// depends on, that it stays under a number of bytes, and that many callers who
// miss the same key at once cause one render. It never keeps an error or a
// panic, and never anything that a render declared to be for one visitor
// (Deps.NoStore).
//
// How: one counter counts bumps. Each key that may be depended on remembers
// the counter at its last bump; an entry remembers the counter from before its
// render began, and is valid while none of its keys was bumped after that.
package cache

import (
	"hash/maphash"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultBytes is the size of the cache that Of makes.
const DefaultBytes = 64 << 20

// slots is how many counters the keys share. Two keys that fall on one slot
// drop each other's entries, which costs a render and is never wrong; in
// exchange the memory is fixed, however many records are written.
const slots = 1 << 14

// Cache is safe for concurrent use.
type Cache struct {
	max  int64
	seed maphash.Seed
	now  func() time.Time

	counter atomic.Uint64
	floor   atomic.Uint64 // counter at the last BumpAll
	bumped  [slots]atomic.Uint64
	bumping sync.Mutex // orders writers of the four fields above

	listening sync.RWMutex
	listeners []listener

	mu    sync.RWMutex
	items map[string]*item
	ring  []*item // CLOCK: hand sweeps it, sparing once what was read since
	hand  int
	bytes int64

	flying  sync.Mutex
	flights map[string]*flight
}

type listener struct {
	fn   func()
	keys []string
}

// item is an entry at its place in the cache.
type item struct {
	cache   *Cache
	key     string
	entry   *Entry
	began   uint64 // counter before the render
	deps    []uint32
	all     bool // every bump ends it
	until   time.Time
	checked atomic.Uint64 // counter at which the deps were last found good
	used    atomic.Bool

	// guarded by Cache.mu
	pos  int
	cost int64
	gone bool
}

// New returns an empty cache that holds at most maxBytes, counting keys,
// headers, bodies and their compressed forms.
func New(maxBytes int64) *Cache {
	return &Cache{
		max:     maxBytes,
		seed:    maphash.MakeSeed(),
		now:     time.Now,
		items:   map[string]*item{},
		flights: map[string]*flight{},
	}
}

// OnBump has fn called before every bump of one of keys and before every
// BumpAll; without keys, before every bump. It is where others drop memory
// that they derived from the database. Such memory must be loaded as an entry
// is: note Version, load, and keep the result only while Version is the same.
// fn must be quick and must not block.
func (c *Cache) OnBump(fn func(), keys ...string) {
	c.listening.Lock()
	defer c.listening.Unlock()
	c.listeners = append(slices.Clip(c.listeners), listener{fn, keys})
}

// announce runs before the counter moves: a render that still finds the old
// derived memory then began before the bump, and its entry is dropped.
func (c *Cache) announce(all bool, keys []string) {
	c.listening.RLock()
	listeners := c.listeners
	c.listening.RUnlock()
	for _, l := range listeners {
		if all || len(l.keys) == 0 || slices.ContainsFunc(l.keys, func(k string) bool { return slices.Contains(keys, k) }) {
			l.fn()
		}
	}
}

// Bump drops every entry that depends on one of keys ("posts", "posts/ID",
// "settings", "theme"). Call it after the commit and before the answer to
// whoever wrote.
func (c *Cache) Bump(keys ...string) {
	if len(keys) == 0 {
		return
	}
	c.announce(false, keys)
	c.bumping.Lock()
	defer c.bumping.Unlock()
	v := c.counter.Load() + 1
	for _, k := range keys {
		c.bumped[c.slot(k)].Store(v)
	}
	c.counter.Store(v) // last: who sees the new counter sees the slots too
}

// BumpAll drops every entry: another process wrote, or templates changed.
func (c *Cache) BumpAll() {
	c.announce(true, nil)
	c.bumping.Lock()
	v := c.counter.Load() + 1
	c.floor.Store(v)
	c.counter.Store(v)
	c.bumping.Unlock()

	c.mu.Lock()
	defer c.mu.Unlock()
	for _, it := range c.ring {
		it.gone = true
	}
	c.items, c.ring, c.hand, c.bytes = map[string]*item{}, nil, 0, 0
}

// Version counts the bumps so far.
func (c *Cache) Version() uint64 { return c.counter.Load() }

// Bytes is what the entries hold now, by the same count as the limit.
func (c *Cache) Bytes() int64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.bytes
}

// Len is the number of entries, those included that will be found stale.
func (c *Cache) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.items)
}

// Get returns the entry at key if it is still good.
func (c *Cache) Get(key string) (*Entry, bool) {
	c.mu.RLock()
	it := c.items[key]
	c.mu.RUnlock()
	if it == nil {
		return nil, false
	}
	if !it.valid() {
		c.mu.Lock()
		c.remove(it)
		c.mu.Unlock()
		return nil, false
	}
	if !it.used.Load() { // a plain read first: hot entries share the line
		it.used.Store(true)
	}
	return it.entry, true
}

func (c *Cache) slot(key string) uint32 {
	return uint32(maphash.String(c.seed, key) % slots)
}

// valid reports whether nothing that the entry read was bumped since its
// render began.
func (it *item) valid() bool {
	if !it.until.IsZero() && !it.cache.now().Before(it.until) {
		return false
	}
	now := it.cache.counter.Load()
	if it.checked.Load() == now {
		return true
	}
	if it.cache.floor.Load() > it.began || it.all && now != it.began {
		return false
	}
	for _, d := range it.deps {
		if it.cache.bumped[d].Load() > it.began {
			return false
		}
	}
	it.checked.Store(now)
	return true
}

// keep puts it in the cache, making room first. An entry larger than the whole
// cache is not kept.
func (c *Cache) keep(it *item) {
	it.cost = it.entry.size() + int64(2*len(it.key)+4*len(it.deps)) + itemOverhead
	if it.cost > c.max {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old := c.items[it.key]; old != nil {
		c.remove(old)
	}
	c.evict(c.max - it.cost)
	it.entry.owner.Store(it)
	it.pos = len(c.ring)
	c.ring = append(c.ring, it)
	c.items[it.key] = it
	c.bytes += it.cost
}

// itemOverhead is what an entry costs besides its bytes: the structs, the map
// cell, and the slices of prepared headers.
const itemOverhead = 1024

// grow accounts for a compressed form that was made after the entry was kept.
func (it *item) grow(n int64) {
	c := it.cache
	c.mu.Lock()
	defer c.mu.Unlock()
	if it.gone {
		return
	}
	it.cost += n
	c.bytes += n
	c.evict(c.max)
}

// evict removes entries until at most limit bytes are held: first what is
// stale or was not read since the hand last passed. Callers hold mu.
func (c *Cache) evict(limit int64) {
	for c.bytes > limit && len(c.ring) > 0 {
		if c.hand >= len(c.ring) {
			c.hand = 0
		}
		it := c.ring[c.hand]
		if it.used.Swap(false) && it.valid() {
			c.hand++
			continue
		}
		c.remove(it)
	}
}

// remove takes it out if it is still in. Callers hold mu.
func (c *Cache) remove(it *item) {
	if it.gone || c.items[it.key] != it {
		return
	}
	it.gone = true
	delete(c.items, it.key)
	last := len(c.ring) - 1
	c.ring[it.pos] = c.ring[last]
	c.ring[it.pos].pos = it.pos
	c.ring[last] = nil
	c.ring = c.ring[:last]
	c.bytes -= it.cost
}
