package sqlite

import (
	"context"
	"errors"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// Bind gives the write queue to data.db's write pool each time that the app
// bootstraps: which of the two pools writes is known only then, and a restore
// bootstraps again. An app that doesn't connect through Connect is left alone,
// and so is one that can't have the queue, with a line in the log.
func Bind(app core.App, o Options) {
	if o.NoQueue {
		return
	}
	app.OnBootstrap().Bind(&hook.Handler[*core.BootstrapEvent]{
		Func: func(e *core.BootstrapEvent) error {
			if err := e.Next(); err != nil {
				return err
			}
			useQueue(e.App)
			return nil
		},
		Priority: innermost,
	})
	if app.IsBootstrapped() {
		useQueue(app)
	}
}

// innermost has the queue before other hooks that write after e.Next().
const innermost = 9999

func useQueue(app core.App) {
	db, ok := app.NonconcurrentDB().(*dbx.DB)
	if !ok {
		return // within a transaction: whoever owns the real app has bound it
	}
	if err := serialize(context.Background(), db.DB()); err != nil && !errors.Is(err, errForeign) {
		app.Logger().Warn("Writes go through a plain connection: each commit pays its own sync", "error", err)
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
