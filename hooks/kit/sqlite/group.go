package sqlite

import (
	"context"
	"database/sql/driver"
	"time"

	"modernc.org/sqlite"
)

const (
	// A group ends at so many members, or when it has run for so long and no
	// more of those whom it took are left.
	groupMembers = 128
	groupTime    = 2 * time.Millisecond
	// slow is how long one member may hold up the others: it is stopped then,
	// and everybody runs alone.
	slow = 50 * time.Millisecond
)

// run executes a statement that is a transaction of its own. Where others wait
// with such statements, whoever has the turn runs theirs too, in one
// transaction. Each gets its own result and its own error.
func (q *queue) run(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	t := &ticket{ctx: ctx, text: text, args: args, group: true}
	if err := q.enter(t); err != nil {
		return nil, err
	}
	if err := q.await(t); err != nil {
		return nil, err
	}
	if t.stage == done {
		return t.result, t.err
	}
	return q.lead(t)
}

// lead is called with the turn.
func (q *queue) lead(first *ticket) (result driver.Result, err error) {
	members := []*ticket{first}
	var commit uint64
	turn, ended := true, false
	defer func() { // where the driver or the sync panicked
		if turn {
			q.undo()
			q.putBack(members[1:])
			q.release()
		} else if !ended {
			q.finish(members[1:], ErrLost)
		}
	}()
	if first.group {
		members = q.take(members)
	}
	if len(members) > 1 {
		if q.together(&members) {
			q.counters.groups.Add(1)
			q.counters.members.Add(uint64(len(members)))
			commit = q.committed()
			q.settle(members[1:])
		} else {
			q.counters.again.Add(1)
			q.putBack(members[1:])
			members = members[:1]
		}
	}
	if len(members) == 1 {
		first.result, first.err = q.physical.ExecContext(first.ctx, first.text, first.args)
		if first.err == nil {
			commit = q.committed()
		}
	}
	q.release()
	turn = false

	ctx := first.ctx
	if len(members) > 1 {
		ctx = context.Background() // the others have contexts of their own
	}
	lost := q.durable(ctx, commit)
	q.finish(members[1:], lost)
	ended = true
	if first.err == nil && lost != nil {
		return nil, lost
	}
	return first.result, first.err
}

// take adds to the members those who wait at the head of the line with a
// statement that can join. A transaction among them ends the group.
func (q *queue) take(members []*ticket) []*ticket {
	if !q.gather {
		return members
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for front := q.line.Front(); front != nil && len(members) < groupMembers; front = q.line.Front() {
		t := front.Value.(*ticket)
		if !t.group {
			break
		}
		q.line.Remove(front)
		t.stage = taken
		members = append(members, t)
	}
	return members
}

// together runs the members in one transaction. If it says false, nothing of
// it is there.
func (q *queue) together(members *[]*ticket) bool {
	if q.raw("BEGIN IMMEDIATE") != nil {
		return false
	}
	begun := time.Now()
	for i := 0; ; i++ {
		if i == len(*members) && time.Since(begun) < groupTime {
			*members = q.take(*members)
		}
		if i == len(*members) {
			break
		}
		if t := (*members)[i]; q.start(t) && !q.member(t) {
			return q.undo()
		}
	}
	if q.raw("COMMIT") != nil {
		return q.undo()
	}
	return true
}

// member runs one statement within the group's transaction. It says false when
// the transaction can't go on.
func (q *queue) member(t *ticket) bool {
	ctx, cancel := context.WithTimeout(t.ctx, q.slow)
	defer cancel()
	t.result, t.err = q.physical.ExecContext(ctx, t.text, t.args)
	if t.err != nil {
		tooSlow := ctx.Err() != nil && t.ctx.Err() == nil
		return !tooSlow && q.inTransaction()
	}
	// A deferred foreign key is checked at the commit, where a neighbour could
	// mend it or suffer from it.
	deferred, _, err := q.physical.Status(sqlite.DBStatusDeferredFKs, false)
	return err == nil && deferred == 0
}

// undo leaves no transaction open.
func (q *queue) undo() bool {
	_ = q.raw("ROLLBACK") // fails where SQLite has rolled back already
	return false
}

// start says whether a member is still wanted.
func (q *queue) start(t *ticket) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.stage == left {
		return false
	}
	if t.stage == taken {
		t.stage = running
	}
	return true
}

// putBack gives members their places back, at the head of the line: each gets
// the turn and runs alone.
func (q *queue) putBack(members []*ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := len(members) - 1; i >= 0; i-- {
		t := members[i]
		if t.stage == left {
			continue
		}
		t.result, t.group = nil, false
		if t.err = t.ctx.Err(); t.err == nil && q.closed {
			t.err = errClosed
		}
		if t.err != nil {
			t.stage = done
			t.wake <- struct{}{}
			continue
		}
		t.stage = waiting
		t.place = q.line.PushFront(t)
	}
}

// settle marks the members whose outcome a later context can't change.
func (q *queue) settle(members []*ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range members {
		if t.stage == running {
			t.stage = settled
		}
	}
}

// finish wakes the members of a group that is durable, or lost.
func (q *queue) finish(members []*ticket, lost error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, t := range members {
		if t.stage == left {
			continue
		}
		if t.err == nil && lost != nil {
			t.result, t.err = nil, lost
		}
		t.stage = done
		t.wake <- struct{}{}
	}
}
