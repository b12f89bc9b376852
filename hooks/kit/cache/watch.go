package cache

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// pollEvery and askFor together stay well under the 250 ms within which a
// write of another process is noticed.
const (
	pollEvery = 100 * time.Millisecond
	askFor    = 50 * time.Millisecond
)

// Watch drops everything in c within 250 ms of a commit to data.db by another
// process (docs/decisions/002). It returns at once and works until stop is
// closed; the channel that it returns is closed when it has let go of the
// database. An app that is not bootstrapped yet, or is bootstrapped again
// (restore), is watched from then on.
func Watch(app core.App, c *Cache, stop <-chan struct{}) (done <-chan struct{}) {
	w := &watch{app: app, cache: c}
	cleared := app.OnBootstrapClear().Bind(&hook.Handler[*core.BootstrapEvent]{
		Priority: first,
		Func: func(e *core.BootstrapEvent) error {
			w.halt() // before the pools close
			return e.Next()
		},
	})
	booted := app.OnBootstrap().Bind(&hook.Handler[*core.BootstrapEvent]{
		Func: func(e *core.BootstrapEvent) error {
			if err := e.Next(); err != nil {
				return err
			}
			w.start()
			c.BumpAll()
			return nil
		},
	})
	w.start()

	finished := make(chan struct{})
	go func() {
		defer close(finished)
		<-stop
		w.end()
		app.OnBootstrapClear().Unbind(cleared)
		app.OnBootstrap().Unbind(booted)
	}()
	return finished
}

// watch runs at most one poller, from each bootstrap to its clearing.
type watch struct {
	app   core.App
	cache *Cache

	mu     sync.Mutex
	ended  bool
	cancel context.CancelFunc
	gone   chan struct{}
}

func (w *watch) start() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.ended || w.cancel != nil || !w.app.IsBootstrapped() {
		return
	}
	read, ok1 := w.app.ConcurrentDB().(*dbx.DB)
	write, ok2 := w.app.NonconcurrentDB().(*dbx.DB)
	if !ok1 || !ok2 {
		return // a transaction's app: whoever owns the real one watches
	}
	// PocketBase lets the write connection go after 3 idle minutes. A new one
	// starts its own count, which says nothing about what happened before, so
	// that the first write after a pause would look like another process's.
	write.DB().SetConnMaxIdleTime(0)
	ctx, cancel := context.WithCancel(context.Background())
	w.cancel, w.gone = cancel, make(chan struct{})
	p := &poller{cache: w.cache, read: read.DB(), write: write.DB(), log: func(err error) {
		w.app.Logger().Warn("Could not ask the database whether another process wrote; the page cache is emptied instead", "error", err)
	}}
	go func(gone chan struct{}) {
		defer close(gone)
		p.run(ctx)
	}(w.gone)
}

func (w *watch) halt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel == nil {
		return
	}
	w.cancel()
	<-w.gone
	w.cancel = nil
}

func (w *watch) end() {
	w.mu.Lock()
	w.ended = true
	w.mu.Unlock()
	w.halt()
}

// poller compares PRAGMA data_version on a connection that never writes, where
// every commit shows, with the same on the connection that makes all of our
// own writes, where only others' commits show.
type poller struct {
	cache       *Cache
	read, write *sql.DB
	log         func(error)

	eye    *sql.Conn
	seen   int64 // on eye
	theirs int64 // on the write connection
	writer any   // the driver's connection that theirs belongs to
	failed bool
}

func (p *poller) run(ctx context.Context) {
	defer p.letGo()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for {
		if err := p.poll(ctx); err != nil && ctx.Err() == nil {
			p.cache.BumpAll() // not knowing must not serve what is old
			p.letGo()
			if !p.failed {
				p.log(err)
			}
			p.failed = true
		} else {
			p.failed = false
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (p *poller) letGo() {
	if p.eye != nil {
		_ = p.eye.Close()
		p.eye = nil
	}
}

func (p *poller) poll(ctx context.Context) error {
	fresh := p.eye == nil
	if fresh {
		eye, err := p.read.Conn(ctx)
		if err != nil {
			return fmt.Errorf("open a connection to watch the database: %w", err)
		}
		p.eye = eye
	}
	v, err := dataVersion(ctx, p.eye)
	if err != nil {
		return err
	}
	if v == p.seen && !fresh {
		return nil
	}
	p.seen = v
	others, err := p.othersWrote(ctx)
	if err != nil {
		return err
	}
	// On the first look there is nothing to compare with. Dropping everything
	// after both numbers are read covers what was committed in between.
	if others || fresh {
		p.cache.BumpAll()
	}
	return nil
}

// othersWrote asks the write connection. While that is busy for longer than
// askFor it is taken for granted that others wrote: waiting longer would keep
// old pages if they did.
func (p *poller) othersWrote(ctx context.Context) (bool, error) {
	wait, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	v, driver, err := p.askWriter(wait)
	if err != nil {
		// It is busy: a pool of one has no connection for us, the write queue
		// none of its turns.
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return true, nil
		}
		return false, fmt.Errorf("ask the write connection: %w", err)
	}
	changed := v != p.theirs || driver != p.writer
	p.theirs, p.writer = v, driver
	return changed, nil
}

func (p *poller) askWriter(ctx context.Context) (v int64, driver any, err error) {
	conn, err := p.write.Conn(ctx)
	if err != nil {
		return 0, nil, err
	}
	defer conn.Close()
	err = conn.Raw(func(dc any) error {
		driver = dc
		// Behind the write queue many connections are one.
		if virtual, ok := dc.(interface{ Physical() any }); ok {
			driver = virtual.Physical()
		}
		return nil
	})
	if err != nil {
		return 0, nil, err
	}
	v, err = dataVersion(ctx, conn)
	return v, driver, err
}

func dataVersion(ctx context.Context, conn *sql.Conn) (v int64, err error) {
	if err = conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&v); err != nil {
		return 0, fmt.Errorf("read data_version: %w", err)
	}
	return v, nil
}
