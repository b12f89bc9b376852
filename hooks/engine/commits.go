package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
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
// SQLite tells which rows change and that a commit begins, not that it is done.
// But another connection sees the difference: its data_version at the beginning
// of a commit, when no other can be under way, is another one from the moment
// that the commit can be read.
type commits struct {
	cache *cache.Cache

	touched  map[string]struct{} // by the transaction under way; the writer's alone
	deciding bool                // its commit has begun; the writer's alone

	pending atomic.Bool // tables wait for their commit to be seen
	open    atomic.Bool // the eye is there

	mu     sync.Mutex
	eye    *sql.Conn // only reads data_version
	before int64     // on eye, at the beginning of the last commit
	tables map[string]struct{}
}

// bindCommits follows the write connection from every bootstrap to its end.
func bindCommits(app core.App) *commits {
	c := &commits{cache: cache.Of(app), touched: map[string]struct{}{}, tables: map[string]struct{}{}}
	app.OnBootstrapClear().Bind(&hook.Handler[*core.BootstrapEvent]{
		Priority: -last,
		Func: func(e *core.BootstrapEvent) error {
			c.letGo()
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
		c.letGo()
		app.Logger().Warn("The engine can't see what is written and keeps no answers", "error", err)
	}
	c.cache.BumpAll()
}

func (c *commits) watch(app core.App) error {
	read, ok1 := app.ConcurrentDB().(*dbx.DB)
	write, ok2 := app.NonconcurrentDB().(*dbx.DB)
	if !ok1 || !ok2 {
		return errors.New("the app is within a transaction")
	}
	ctx := context.Background()
	eye, err := read.DB().Conn(ctx)
	if err != nil {
		return fmt.Errorf("open a connection to watch commits: %w", err)
	}
	c.mu.Lock()
	c.eye = eye
	c.mu.Unlock()
	write.DB().SetConnMaxIdleTime(0) // another connection would have no hooks
	return connection.Writer(ctx, app, func(driver any) error {
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

func (c *commits) letGo() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.open.Store(false)
	if c.eye != nil {
		_ = c.eye.Close()
		c.eye = nil
	}
}

func (c *commits) change(d sqlite.SQLitePreUpdateData) {
	c.deciding = false
	if _, known := c.touched[d.TableName]; !known {
		c.touched[d.TableName] = struct{}{}
	}
}

// schema stands for a commit that changed no row that SQLite tells of.
const schema = "sqlite_schema"

func (c *commits) commit() int32 {
	c.deciding = true
	if len(c.touched) == 0 {
		c.touched[schema] = struct{}{}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	maps.Copy(c.tables, c.touched)
	clear(c.touched)
	version, err := c.version()
	if err != nil {
		c.open.Store(false) // nothing is known any more: keep nothing
	}
	c.before = version
	c.pending.Store(true)
	time.AfterFunc(2*time.Millisecond, func() { c.seen() }) // for pages, which ask nobody
	return 0
}

func (c *commits) rollback() {
	clear(c.touched)
	if !c.deciding {
		return
	}
	c.deciding = false // the commit was seen long ago, or failed
	c.mu.Lock()
	defer c.mu.Unlock()
	c.announce()
}

// seen reports whether everything that was committed is bumped. Where it says
// no, a commit is on its way: an answer read now may be older than it.
func (c *commits) seen() bool {
	if !c.pending.Load() {
		return c.open.Load()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.pending.Load() {
		return c.open.Load()
	}
	version, err := c.version()
	if err != nil || version == c.before {
		return false
	}
	c.announce()
	return true
}

// announce bumps what was committed; callers hold mu.
func (c *commits) announce() {
	tables := slices.Collect(maps.Keys(c.tables))
	if _, all := c.tables[schema]; all {
		c.cache.BumpAll()
	} else {
		c.cache.Bump(tables...)
	}
	clear(c.tables)
	c.pending.Store(false)
}

// version asks the eye; callers hold mu.
func (c *commits) version() (v int64, err error) {
	if c.eye == nil {
		return 0, errors.New("nobody watches")
	}
	err = c.eye.QueryRowContext(context.Background(), "PRAGMA data_version").Scan(&v)
	return v, err
}
