package forms

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/pocketbase/pocketbase/core"
)

// atOnceWritten is how many submissions one transaction holds at most.
const atOnceWritten = 64

// together writes submissions that arrive while another is being written in one
// transaction: the commit, which costs more than the writing, is paid once for
// all. Nobody waits for others to arrive. Where that transaction fails, nothing
// of it stays and each is written alone, with its own outcome.
type together struct {
	mu      sync.Mutex
	leading bool
	waiting []*turn
}

// turn is one submission's place.
type turn struct {
	d      *draft
	told   chan telling
	failed error // of who led alone
}

// telling is what a waiting submission is told.
type telling int

const (
	written telling = iota // it is stored, or was before
	alone                  // write yourself
	lead                   // write those who wait, yourself among them
)

// write stores the draft in a transaction, with others or alone.
func (t *together) write(app core.App, d *draft) error {
	if app.IsTransactional() { // whoever holds the writer must not wait for others
		return app.RunInTransaction(d.attempt)
	}
	me := &turn{d: d, told: make(chan telling, 1)}
	t.mu.Lock()
	t.waiting = append(t.waiting, me)
	first := !t.leading
	t.leading = true
	t.mu.Unlock()
	what := lead
	if !first {
		what = <-me.told
	}
	if what == lead {
		what = t.lead(app, me)
	}
	if what == alone {
		return app.RunInTransaction(d.attempt)
	}
	return me.failed
}

// lead writes those who wait and passes the lead on. Where the common
// transaction failed, all are told to write alone.
func (t *together) lead(app core.App, me *turn) telling {
	t.mu.Lock()
	batch := slices.Clone(t.waiting[:min(len(t.waiting), atOnceWritten)])
	t.waiting = slices.Delete(t.waiting, 0, len(batch))
	t.mu.Unlock()
	defer t.pass()
	if len(batch) == 1 {
		me.failed = app.RunInTransaction(me.d.attempt)
		return written
	}
	outcome := alone
	if attemptAll(app, batch) == nil {
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
func (t *together) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.waiting) == 0 {
		t.leading = false
		return
	}
	t.waiting[0].told <- lead
}

// attemptAll writes a batch in one transaction.
func attemptAll(app core.App, batch []*turn) (err error) {
	defer func() { // whose fault it is shows when each is alone
		if r := recover(); r != nil {
			err = fmt.Errorf("write submissions together: %v", r)
		}
	}()
	return app.RunInTransaction(func(tx core.App) error {
		seen, err := onceOf(tx, batch)
		if err != nil {
			return err
		}
		for _, t := range batch {
			if err := t.d.attemptIn(tx, seen[t.d.once]); err != nil {
				return err
			}
			seen[t.d.once] = true // the next of the batch may be its double
		}
		return nil
	})
}

// onceOf finds which of a batch were ever stored before, in one statement.
func onceOf(tx core.App, batch []*turn) (map[string]bool, error) {
	var asked strings.Builder
	for i, t := range batch {
		if i > 0 {
			asked.WriteString(", ")
		}
		asked.WriteString("'" + t.d.once + "'") // hexadecimal
	}
	var known []string
	err := tx.DB().NewQuery(`SELECT once FROM submissions WHERE once IN (` + asked.String() + `) AND once != ''`).Column(&known)
	if err != nil {
		return nil, fmt.Errorf("look for the same submissions: %w", err)
	}
	seen := make(map[string]bool, len(batch))
	for _, once := range known {
		seen[once] = true
	}
	return seen, nil
}

// attempt writes the draft in a transaction of its own.
func (d *draft) attempt(tx core.App) error { return d.attemptIn(tx, true) }

// attemptIn writes the draft in a transaction, from the beginning: what an earlier
// attempt or its hooks changed is forgotten. seen says that the same may be stored.
func (d *draft) attemptIn(tx core.App, seen bool) error {
	fresh := core.NewRecord(d.record.Collection())
	fresh.Id = d.record.Id
	d.record, d.answers = fresh, maps.Clone(d.asSent)
	d.verdict.Reasons = slices.Clone(d.judged.Reasons)
	if seen {
		var err error
		if d.receipt, err = d.before(tx); err != nil || d.receipt.Again {
			return err
		}
	}
	d.receipt = Receipt{ID: d.record.Id}
	return d.write(tx)
}
