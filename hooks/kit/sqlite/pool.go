package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"sync/atomic"

	"modernc.org/sqlite"
)

// pool opens the connections of one sql.DB: physical ones, until it is made
// the write queue.
type pool struct {
	path  string
	opts  Options
	base  driver.Connector
	queue atomic.Pointer[queue]
	reads atomic.Bool // it is data.db's read pool
	turn  turn
	wide  *widths // of a read pool; nil: every cache stays as it is
}

func newPool(path string, d Durability, o Options) (*pool, error) {
	cache, begin := readCache, beginImmediate
	if filepath.Base(path) != dataFile {
		cache, begin = logCache, ""
	}
	if o.plain {
		cache = plainCache
	}
	base, err := sqlite.NewConnector(path + pragmas(d, cache) + begin + o.extra)
	if err != nil {
		return nil, err
	}
	p := &pool{path: path, opts: o, base: base}
	if cache == readCache {
		p.wide = newWidths()
	}
	return p, nil
}

// Connect implements driver.Connector. It never waits for the queue.
func (p *pool) Connect(ctx context.Context) (driver.Conn, error) {
	if q := p.queue.Load(); q != nil {
		if q.isClosed() {
			return nil, errClosed
		}
		return &virtual{q: q}, nil
	}
	c, err := openPhysical(ctx, p.base, p.opts.statements())
	if err != nil {
		return nil, err
	}
	c.retired = func() bool { return p.queue.Load() != nil }
	c.turn = &p.turn
	c.deferred, c.width.all = p.reads.Load, p.wide
	return c, nil
}

func openPhysical(ctx context.Context, from driver.Connector, statements int) (*conn, error) {
	raw, err := from.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := raw.(physical)
	if !ok {
		_ = raw.Close()
		return nil, fmt.Errorf("open the database: the driver's connection is a %T, which this version doesn't know", raw)
	}
	return newConn(inner, statements), nil
}

// Driver implements driver.Connector. It leads back to the pool.
func (p *pool) Driver() driver.Driver { return poolDriver{p.base.Driver(), p} }

type poolDriver struct {
	driver.Driver
	pool *pool
}

// Close is called by sql.DB.Close.
func (p *pool) Close() error {
	if q := p.queue.Load(); q != nil {
		q.close(func() {
			_ = q.physical.Close()
			_ = q.wal.close()
		})
	}
	return nil
}

// poolOf finds the pool of a database that Connect opened.
func poolOf(db *sql.DB) (*pool, bool) {
	d, ok := db.Driver().(poolDriver)
	return d.pool, ok
}

// Why a pool stays plain.
var (
	errForeign  = errors.New("the database was not opened by this package")
	errPlatform = errors.New("shared syncs were not verified on this operating system")
)

// serialize makes db, which must be data.db's write pool, hand out virtual
// connections over one physical connection. On an error the pool stays what it
// is: one plain connection at a time.
func serialize(ctx context.Context, db *sql.DB) error {
	p, ok := poolOf(db)
	if !ok {
		return errForeign
	}
	if p.queue.Load() != nil {
		return nil
	}
	q := &queue{gather: !p.opts.NoGroups, slow: slow, wal: newWAL(p.path), turn: &p.turn}
	if p.opts.Durability != Normal {
		if !verified {
			return errPlatform
		}
		q.flush = &flusher{sync: q.wal.sync, lost: p.opts.lost}
		if p.opts.sync != nil {
			q.flush.sync = p.opts.sync
		}
	}
	// The connection leaves the sync of a commit to us and makes all others
	// itself: before and after a checkpoint, and of a new log's header.
	base, err := sqlite.NewConnector(p.path + pragmas(Normal, writeCache) + beginImmediate + p.opts.extra)
	if err != nil {
		return err
	}
	if q.physical, err = openPhysical(ctx, base, p.opts.statements()); err != nil {
		return fmt.Errorf("open the write connection: %w", err)
	}
	if mode, err := q.journalMode(); err != nil || mode != "wal" {
		_ = q.physical.Close()
		return errors.Join(fmt.Errorf("the journal mode is %q, not wal", mode), err)
	}
	p.queue.Store(q)
	db.SetMaxIdleConns(0) // closes the plain one
	db.SetMaxOpenConns(0)
	db.SetMaxIdleConns(idleVirtual)
	return nil
}

// idleVirtual is how many virtual connections stay when a burst is over. One
// is some 100 bytes.
const idleVirtual = 256
