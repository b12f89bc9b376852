// Package together writes what arrives at the same time in one transaction,
// because a commit costs more than what most transactions write.
//
// It promises that each caller has the outcome that it would have alone, that
// nobody waits for others to arrive, and that whoever is in a transaction
// already stays in it. It never keeps half of a transaction.
package together

import (
	"fmt"
	"slices"
	"sync"

	"github.com/pocketbase/pocketbase/core"
)

// Most is how many callers one transaction has at most.
const Most = 64

// Writer gathers those who write the same kind of thing. Its zero value is
// ready; it must not be copied.
type Writer[T any] struct {
	mu      sync.Mutex
	leading bool
	waiting []*turn[T]
}

// turn is one caller's place.
type turn[T any] struct {
	item   T
	told   chan telling
	failed error // of who led alone
}

// telling is what a waiting caller is told.
type telling int

const (
	written telling = iota // it is done
	alone                  // write yourself
	lead                   // write those who wait, yourself among them
)

// Write has do write the item in a transaction, with those of others that came
// meanwhile or alone; the first caller's do writes them all. Where the common
// transaction fails or panics, nothing of it stays and each is written again in
// one of its own: do may run twice for an item, and has to begin anew.
func (w *Writer[T]) Write(app core.App, item T, do func(tx core.App, items []T) error) error {
	single := func() error {
		return app.RunInTransaction(func(tx core.App) error { return do(tx, []T{item}) })
	}
	if app.IsTransactional() { // whoever holds the writer must not wait for others
		return single()
	}
	me := &turn[T]{item: item, told: make(chan telling, 1)}
	w.mu.Lock()
	w.waiting = append(w.waiting, me)
	first := !w.leading
	w.leading = true
	w.mu.Unlock()
	what := lead
	if !first {
		what = <-me.told
	}
	if what == lead {
		what = w.lead(app, me, do)
	}
	if what == alone {
		return single()
	}
	return me.failed
}

// lead writes those who wait and passes the lead on. Where the common
// transaction failed, all are told to write alone.
func (w *Writer[T]) lead(app core.App, me *turn[T], do func(tx core.App, items []T) error) telling {
	w.mu.Lock()
	batch := slices.Clone(w.waiting[:min(len(w.waiting), Most)])
	w.waiting = slices.Delete(w.waiting, 0, len(batch))
	w.mu.Unlock()
	defer w.pass()
	items := make([]T, len(batch))
	for i, t := range batch {
		items[i] = t.item
	}
	if len(items) == 1 {
		me.failed = app.RunInTransaction(func(tx core.App) error { return do(tx, items) })
		return written
	}
	outcome := alone
	if all(app, items, do) == nil {
		outcome = written
	}
	for _, other := range batch {
		if other != me {
			other.told <- outcome
		}
	}
	return outcome
}

// pass gives the lead to the next who waits.
func (w *Writer[T]) pass() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.waiting) == 0 {
		w.leading = false
		return
	}
	w.waiting[0].told <- lead
}

// all writes a batch in one transaction.
func all[T any](app core.App, items []T, do func(tx core.App, items []T) error) (err error) {
	defer func() { // whose fault it is shows when each is alone
		if r := recover(); r != nil {
			err = fmt.Errorf("write together: %v", r)
		}
	}()
	return app.RunInTransaction(func(tx core.App) error { return do(tx, items) })
}
