package engine

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"bungalow/hooks/kit/cache"
	connection "bungalow/hooks/kit/sqlite"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"modernc.org/sqlite"
)

// commits bumps the cache for what the write connection commits, also by raw
// SQL, which no record hook sees.
//
// SQLite tells which rows change and that a commit begins; kit/sqlite tells that
// whoever used the connection is done with it. Between the two the commit may
// be read or not. So what depends on it is bumped at both ends, and nothing
// that is read in between is kept.
type commits struct {
	cache *cache.Cache

	touched changeSet   // by the transaction under way; the writer's alone
	pending atomic.Bool // a commit has begun that is not bumped yet
	open    atomic.Bool // the write connection is followed

	mu     sync.Mutex
	tables changeSet

	lively sync.Map // when each table was last written, by name
}

// bindCommits follows the write connection from every bootstrap to its end.
func bindCommits(app core.App) *commits {
	c := &commits{cache: cache.Of(app), touched: changeSet{}, tables: changeSet{}}
	app.OnBootstrapClear().Bind(&hook.Handler[*core.BootstrapEvent]{
		Priority: -last,
		Func: func(e *core.BootstrapEvent) error {
			c.open.Store(false)
			return e.Next()
		},
	})
	app.OnBootstrap().Bind(&hook.Handler[*core.BootstrapEvent]{
		Priority: -last, // after those who change the pools at the end of theirs
		Func: func(e *core.BootstrapEvent) error {
			if err := e.Next(); err != nil {
				return err
			}
			c.follow(e.App)
			return nil
		},
	})
	if app.IsBootstrapped() {
		c.follow(app)
	}
	return c
}

// follow begins to watch; where it can't, seen says no and nothing is kept.
func (c *commits) follow(app core.App) {
	if err := c.watch(app); err != nil {
		c.open.Store(false)
		app.Logger().Warn("The engine can't see what is written and keeps no answers", "error", err)
	}
	c.cache.BumpAll()
}

func (c *commits) watch(app core.App) error {
	write, ok := app.NonconcurrentDB().(*dbx.DB)
	if !ok {
		return errors.New("the app is within a transaction")
	}
	if err := connection.OnTurn(app, c.done); err != nil {
		return fmt.Errorf("follow the write connection: %w", err)
	}
	write.DB().SetConnMaxIdleTime(0) // another connection would have no hooks
	return connection.Writer(context.Background(), app, func(driver any) error {
		hooks, ok := driver.(sqlite.HookRegisterer)
		if !ok {
			return fmt.Errorf("the driver tells no commits: %T", driver)
		}
		hooks.RegisterPreUpdateHook(c.change)
		hooks.RegisterCommitHook(c.commit)
		hooks.RegisterRollbackHook(c.rollback)
		c.open.Store(true)
		return nil
	})
}

func (c *commits) change(d sqlite.SQLitePreUpdateData) {
	c.touched.add(d.TableName, d.OldRowID, d.NewRowID)
}

// schema stands for a commit that changed no row that SQLite tells of.
const schema = "sqlite_schema"

func (c *commits) commit() int32 {
	if len(c.touched) == 0 {
		c.touched.add(schema)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.tables.take(c.touched)
	c.pending.Store(true) // first: who begins after the bump knows of the commit
	c.bump()
	return 0
}

func (c *commits) rollback() {
	clear(c.touched)
}

// done is called when a use of the write connection is over, whatever it was.
// A commit that failed after all is bumped too, which is never wrong.
func (c *commits) done(odd bool) {
	if !odd && !c.pending.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if odd { // DDL, or VACUUM, which no hook tells of and which may number rows anew
		c.tables.add(schema)
	}
	c.bump()
	now := time.Now()
	for table := range c.tables {
		c.lively.Store(table, now)
	}
	clear(c.tables)
	c.pending.Store(false)
}

// seen reports whether everything that was committed is bumped. Where it says
// no, a commit is on its way: what is read now may be older than it, and is not
// kept. It is asked after Cache.Version or what stands for it.
func (c *commits) seen() bool { return !c.pending.Load() && c.open.Load() }

// bump drops what depends on the tables; callers hold mu.
func (c *commits) bump() {
	if _, all := c.tables[schema]; all {
		c.cache.BumpAll()
	} else {
		c.cache.Bump(c.tables.keys()...)
	}
}

// livelyFor is how long after a write a table counts as one that is written.
const livelyFor = 10 * time.Second

// isLively reports whether the table was written not long ago.
func (c *commits) isLively(table string) bool {
	at, ok := c.lively.Load(table)
	return ok && time.Since(at.(time.Time)) < livelyFor
}
