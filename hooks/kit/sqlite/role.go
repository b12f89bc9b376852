package sqlite

import (
	"context"
	"errors"
	"fmt"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// Bind gives data.db's two pools their roles each time that the app
// bootstraps: which of them writes is known only then, and a restore
// bootstraps again. The write pool gets the queue; the transactions of the other
// take no write lock any more. An app that doesn't connect through Connect is left
// alone, and so is one that can't have the queue, with a line in the log.
func Bind(app core.App, o Options) {
	give := func(app core.App) {
		giveReads(app)
		if !o.NoQueue {
			useQueue(app)
		}
	}
	app.OnBootstrap().Bind(&hook.Handler[*core.BootstrapEvent]{
		Func: func(e *core.BootstrapEvent) error {
			if err := e.Next(); err != nil {
				return err
			}
			give(e.App)
			return nil
		},
		Priority: innermost,
	})
	if app.IsBootstrapped() {
		give(app)
	}
}

func giveReads(app core.App) {
	if db, ok := app.ConcurrentDB().(*dbx.DB); ok {
		if p, ok := poolOf(db.DB()); ok {
			p.reads.Store(true)
		}
	}
}

// innermost has the queue before other hooks that write after e.Next().
const innermost = 9999

const plainWrites = "Writes go through a plain connection: each commit pays its own sync"

func useQueue(app core.App) {
	db, ok := app.NonconcurrentDB().(*dbx.DB)
	if !ok {
		return // within a transaction: whoever owns the real app has bound it
	}
	switch err := serialize(context.Background(), db.DB()); {
	case err == nil, errors.Is(err, errForeign):
	case errors.Is(err, errPlatform):
		app.Logger().Info(plainWrites, "reason", err)
	default:
		app.Logger().Warn(plainWrites, "error", err)
	}
}

// Stats are counts since the last bootstrap.
type Stats struct {
	Turns   uint64 // how often the write connection was had
	Groups  uint64 // transactions made of several single statements
	Members uint64 // statements in them
	Again   uint64 // groups that fell apart, so that each member ran alone
	Commits uint64 // what asked for a sync
	Syncs   uint64 // and how many there were
	Waiting int    // callers in line now
}

// StatsOf counts what the app's write queue did; false where it has none.
func StatsOf(app core.App) (Stats, bool) {
	db, ok := app.NonconcurrentDB().(*dbx.DB)
	if !ok {
		return Stats{}, false
	}
	p, ok := poolOf(db.DB())
	if !ok || p.queue.Load() == nil {
		return Stats{}, false
	}
	return p.queue.Load().stats(), true
}

func (q *queue) stats() Stats {
	s := Stats{
		Turns: q.counters.turns.Load(), Groups: q.counters.groups.Load(),
		Members: q.counters.members.Load(), Again: q.counters.again.Load(),
	}
	if q.flush != nil {
		s.Commits, s.Syncs = q.flush.written.Load(), q.flush.syncs.Load()
	}
	q.mu.Lock()
	s.Waiting = q.line.Len()
	q.mu.Unlock()
	return s
}

// Writer lends the driver's own connection that makes the app's writes, for
// its hooks and other extras, while nobody else uses it. With the write queue
// it is the same one until the next bootstrap; without, it may be another each
// time. do must not keep it and must not use the app's write pool. Errors are those
// of the wait, and what do returns.
func Writer(ctx context.Context, app core.App, do func(driver any) error) error {
	db, ok := app.NonconcurrentDB().(*dbx.DB)
	if !ok {
		return errors.New("the write connection can't be lent within a transaction")
	}
	pinned, err := db.DB().Conn(ctx)
	if err != nil {
		return fmt.Errorf("reach the write connection: %w", err)
	}
	defer pinned.Close()
	return pinned.Raw(func(dc any) error {
		switch c := dc.(type) {
		case *virtual:
			if err := c.enter(ctx); err != nil {
				return fmt.Errorf("reach the write connection: %w", err)
			}
			defer func() { _ = c.leave(ctx, nil) }()
			return do(c.Physical())
		case *conn:
			return do(c.Physical())
		default:
			return do(dc)
		}
	})
}
