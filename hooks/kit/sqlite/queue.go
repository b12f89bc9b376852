package sqlite

import (
	"container/list"
	"context"
	"database/sql/driver"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

// ErrLost is what a writer gets when the disk failed to sync: its write may or
// may not survive. No write is accepted after it.
var ErrLost = errors.New("the disk could not confirm a write; whether it is kept is unknown")

var errClosed = errors.New("sql: database is closed") // database/sql's own words

// queue lets many virtual connections use one physical connection, one after
// the other in the order in which they came. Whoever has the turn may use
// the physical connection, and passes the turn on right after its commit: what
// it waits for then is the disk, which it shares with those behind it.
type queue struct {
	physical *conn
	flush    *flusher // nil: a commit waits for no sync
	wal      *walFile
	gather   bool
	slow     time.Duration // of one member of a group
	turn     *turn

	mu     sync.Mutex
	held   bool // somebody has the turn
	line   list.List
	closed bool
	ended  func() // after the last turn of a closed queue

	counters counters
}

type counters struct {
	turns, groups, members, again atomic.Uint64
}

// stage is how far a ticket has come; the queue's mutex guards it.
type stage uint8

const (
	waiting stage = iota // in line
	granted              // it has the turn
	taken                // in another's group, not begun
	running              // in another's group, begun
	settled              // committed by another; the sync is under way
	done                 // result and error are final
	left                 // its caller has gone
)

// ticket is a place in line.
type ticket struct {
	stage stage
	place *list.Element
	wake  chan struct{} // when granted or done

	// A statement that another may run in his transaction.
	group  bool
	ctx    context.Context
	text   string
	args   []driver.NamedValue
	result driver.Result
	err    error
}

// acquire waits for the turn.
func (q *queue) acquire(ctx context.Context) error {
	t := &ticket{ctx: ctx}
	if err := q.enter(t); err != nil {
		return err
	}
	if err := q.await(t); err != nil {
		return err
	}
	return t.err // set where it was refused
}

// enter takes the turn if it is free, and else a place in line.
func (q *queue) enter(t *ticket) error {
	if err := t.ctx.Err(); err != nil {
		return err
	}
	if q.flush != nil {
		if err := q.flush.broken(); err != nil {
			return err
		}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return errClosed
	case !q.held:
		q.held = true
		t.stage = granted
	default:
		t.wake = make(chan struct{}, 1)
		t.place = q.line.PushBack(t)
	}
	return nil
}

// await returns nil when the ticket has the turn or its statement was run by
// another. It ends early with the context's error, except while the statement
// is being run: that hears of the context itself.
func (q *queue) await(t *ticket) error {
	if t.wake == nil { // it had the turn at once
		return nil
	}
	select {
	case <-t.wake:
		return nil
	case <-t.ctx.Done():
	}
	q.mu.Lock()
	switch t.stage {
	case waiting:
		q.line.Remove(t.place)
		t.stage = left
	case taken, settled:
		t.stage = left
	case granted:
		q.mu.Unlock()
		q.release() // it came at the same moment: pass it on
		return t.ctx.Err()
	default: // running or done
		q.mu.Unlock()
		<-t.wake
		return nil
	}
	q.mu.Unlock()
	return t.ctx.Err()
}

// release passes the turn on.
func (q *queue) release() {
	q.turn.end()
	q.counters.turns.Add(1)
	q.mu.Lock()
	defer q.mu.Unlock()
	if front := q.line.Front(); front != nil {
		t := q.line.Remove(front).(*ticket)
		t.stage = granted
		t.wake <- struct{}{}
		return
	}
	q.held = false
	if q.closed {
		q.ended()
	}
}

// close refuses all who wait. The physical connection is closed when the one
// who has the turn is done with it.
func (q *queue) close(ended func()) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return
	}
	q.closed, q.ended = true, ended
	for front := q.line.Front(); front != nil; front = q.line.Front() {
		t := q.line.Remove(front).(*ticket)
		t.stage, t.err = done, errClosed
		t.wake <- struct{}{}
	}
	if !q.held {
		ended()
	}
}

// isClosed says that nobody gets the turn any more.
func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

// durable waits for the disk, where that was asked for.
func (q *queue) durable(ctx context.Context, commit uint64) error {
	if q.flush == nil || commit == 0 {
		return nil
	}
	return q.flush.wait(ctx, commit)
}

// committed numbers a commit; the caller has the turn.
func (q *queue) committed() uint64 {
	if q.flush == nil {
		return 0
	}
	return q.flush.commit()
}

// inTransaction asks the connection itself, which knows of rollbacks that
// nobody asked for. The caller has the turn.
func (q *queue) inTransaction() bool {
	if q.raw("BEGIN") != nil {
		return true
	}
	// COMMIT, because a ROLLBACK could end rows that are being read.
	return q.raw("COMMIT") != nil
}

// raw runs a statement of the queue's own.
func (q *queue) raw(text string) error {
	_, err := q.physical.physical.ExecContext(context.Background(), text, nil)
	return err
}

// journalMode asks the connection; the caller has the turn.
func (q *queue) journalMode() (mode string, err error) {
	rows, err := q.physical.physical.QueryContext(context.Background(), "PRAGMA journal_mode", nil)
	if err != nil {
		return "", err
	}
	value := make([]driver.Value, 1)
	if err = rows.Next(value); err == nil {
		mode, _ = value[0].(string)
	}
	return mode, errors.Join(err, rows.Close())
}

// followMode leaves the syncs to SQLite where somebody gave up the log.
func (q *queue) followMode() {
	if mode, err := q.journalMode(); err == nil && mode == "wal" || q.flush == nil {
		return
	}
	_ = q.raw("PRAGMA synchronous = FULL")
}
