package sqlite

import (
	"context"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"modernc.org/sqlite"
)

// A reader's page cache is small, and whoever reads a whole table fetches it
// from the system page by page: a third of the time that it takes. So connections that do
// this again and again get PocketBase's cache, a few at a time and for as long
// as it helps. (The driver's SQLite takes the pages of all connections from one
// list: who may have no more takes the page that anybody used longest ago.)
const (
	wideCache = plainCache
	// scan is how many pages a query reads to count as one that reads a table,
	// and slowQuery how long it takes at least: others are not looked at.
	scan      = 500
	slowQuery = 2 * time.Millisecond
	// wideFor is how long a cache stays wide after the last query that gained
	// by it, and how long it stays narrow after it was no help.
	wideFor = time.Minute
	// helpless is after how many queries in a row that found next to nothing in it:
	// the table is larger, or somebody writes all the time.
	helpless = 4
)

// widths are what the connections of a pool have in common.
type widths struct {
	slow  time.Duration
	most  int32
	taken atomic.Int32
}

func newWidths() *widths {
	return &widths{slow: slowQuery, most: int32(max(2, runtime.GOMAXPROCS(0)))}
}

// width is one connection's.
type width struct {
	all    *widths
	wide   bool
	ran    int       // queries since the counters were read
	failed int       // in a row
	until  time.Time // wide or, after it was no help, narrow
}

// read is told when a query has ended that began at the time given.
func (c *conn) read(began time.Time) {
	w, now := &c.width, time.Now()
	w.ran++
	if now.Sub(began) < w.all.slow {
		if w.wide && now.After(w.until) {
			c.resize(w.narrow())
		}
		return
	}
	missed, _, err := c.physical.Status(sqlite.DBStatusCacheMiss, true)
	if err != nil {
		return
	}
	hit, _, err := c.physical.Status(sqlite.DBStatusCacheHit, true)
	if err != nil {
		return
	}
	c.resize(w.slow(now, missed/w.ran, hit/w.ran))
	w.ran = 0
}

// slow decides after a slow query. It is given how many pages a query read from
// the file and how many it found in the cache, on average since the last time.
// It returns the cache's new size in KB, 0 where it stays.
func (w *width) slow(now time.Time, missed, hit int) int {
	switch {
	case !w.wide:
		if missed >= scan && now.After(w.until) {
			return w.widen(now)
		}
	case missed >= scan:
		if w.failed++; w.failed == helpless {
			w.until = now.Add(wideFor)
			return w.narrow()
		}
	case hit >= scan:
		w.failed, w.until = 0, now.Add(wideFor)
	case now.After(w.until):
		return w.narrow()
	}
	return 0
}

func (w *width) widen(now time.Time) int {
	if w.all.taken.Add(1) > w.all.most {
		w.all.taken.Add(-1)
		return 0
	}
	w.wide, w.failed, w.until = true, 0, now.Add(wideFor)
	return wideCache
}

// narrow lets another connection have a wide cache.
func (w *width) narrow() int {
	if w.wide {
		w.wide = false
		w.all.taken.Add(-1)
	}
	return readCache
}

// resize can't fail on a connection that works, and changes no answer. What a
// smaller cache has no room for is freed at once.
func (c *conn) resize(kb int) {
	if kb != 0 {
		_, _ = c.physical.ExecContext(context.Background(), "PRAGMA cache_size = -"+strconv.Itoa(kb), nil)
	}
}
