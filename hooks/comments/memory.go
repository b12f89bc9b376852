package comments

import (
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Keys of the cache that are bumped when what they name is changed by raw SQL.
const (
	rulesKey   = "comments-rules"   // what moderators decided for threads
	blockedKey = "comments-blocked" // who is blocked
)

// maxPlaces is how many threads are remembered.
const maxPlaces = 4096

// place is a thread as it is stored: its page and its own rules.
type place struct {
	thread Thread // without what follows from the site's options and the time
	born   time.Time
	policy string
	title  string
}

// memory is what every comment asks again: it saves each of them a few queries.
type memory struct {
	mu      sync.Mutex
	version uint64
	places  map[string]place
	blocked map[string]bool // nil until read
}

// followWith drops what the database may have changed.
func (m *memory) followWith(c *cache.Cache) {
	c.OnBump(m.forget, schema.Posts, schema.Pages, schema.Settings, rulesKey, blockedKey)
}

func (m *memory) forget() {
	m.mu.Lock()
	m.version++
	m.places, m.blocked = nil, nil
	m.mu.Unlock()
}

// place gives the thread at an address, of the site or another's. The error is
// sql.ErrNoRows where no visible page is there.
func (m *memory) place(app core.App, address string, external bool) (place, error) {
	if app.IsTransactional() { // sees what nobody else does yet
		return readPlace(app, address, external)
	}
	m.mu.Lock()
	p, known := m.places[address]
	version := m.version
	m.mu.Unlock()
	if known {
		return p, nil
	}
	p, err := readPlace(app, address, external)
	if err != nil {
		return p, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.version == version {
		if m.places == nil || len(m.places) >= maxPlaces {
			m.places = map[string]place{}
		}
		m.places[address] = p
	}
	return p, nil
}

func readPlace(app core.App, address string, external bool) (place, error) {
	p := place{thread: Thread{Address: address, External: external}}
	if !external {
		var err error
		if p.born, err = findPage(app, &p.thread); err != nil {
			return p, err
		}
	}
	err := app.DB().NewQuery(`SELECT policy, title FROM _comment_threads WHERE thread = {:t}`).Bind(dbx.Params{"t": address}).Row(&p.policy, &p.title)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return p, fmt.Errorf("read the thread's settings: %w", err)
	}
	return p, nil
}

// isBlocked reports whether one of the values is blocked: "mail:…" or "address:…".
func (m *memory) isBlocked(app core.App, values ...string) (bool, error) {
	m.mu.Lock()
	blocked, version := m.blocked, m.version
	m.mu.Unlock()
	if blocked == nil || app.IsTransactional() {
		var all []string
		if err := app.DB().NewQuery(`SELECT value FROM _comment_blocked`).Column(&all); err != nil {
			return false, fmt.Errorf("look for blocked people: %w", err)
		}
		blocked = make(map[string]bool, len(all))
		for _, value := range all {
			blocked[value] = true
		}
		m.mu.Lock()
		if m.version == version && !app.IsTransactional() {
			m.blocked = blocked
		}
		m.mu.Unlock()
	}
	for _, value := range values {
		if blocked[value] {
			return true, nil
		}
	}
	return false, nil
}

// bumpAfter bumps keys after raw SQL: once the transaction is committed where
// there is one.
func bumpAfter(app core.App, keys ...string) {
	bump := func() { cache.Of(app).Bump(keys...) }
	if tx := app.TxInfo(); tx != nil {
		tx.OnComplete(func(err error) error {
			if err == nil {
				bump()
			}
			return nil
		})
		return
	}
	bump()
}
