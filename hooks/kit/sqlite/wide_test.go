package sqlite

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// after is one slow query: how long after the one before, what it read from the
// file and what it found in the cache, and the size that follows (0: as it is).
type after struct {
	wait        time.Duration
	missed, hit int
	size        int
}

func TestHowWideACacheIs(t *testing.T) {
	t.Parallel()
	const table, row = 3 * scan, 5
	soon, late := time.Second, wideFor+time.Second
	for name, queries := range map[string][]after{
		"single rows": {{soon, row, 0, 0}, {soon, 0, row, 0}, {late, scan - 1, 0, 0}},
		"whole tables": {
			{soon, table, 0, wideCache}, {soon, table, 0, 0}, {soon, 0, table, 0},
			{wideFor - 1, 0, table, 0}, {wideFor - 1, 0, table, 0}, // it is wide as long as it helps
			{soon, row, row, 0}, {late, row, row, readCache}, {soon, row, row, 0},
			{soon, table, 0, wideCache},
		},
		"a table that is too large": {
			{soon, table, 0, wideCache}, {soon, table, 0, 0}, {soon, table, 0, 0}, {soon, table, 0, 0}, {soon, table, 0, readCache},
			{soon, table, 0, 0}, {wideFor - 2*soon, table, 0, 0}, {2 * soon, table, 0, wideCache},
		},
		"now and then a write": {
			{soon, table, 0, wideCache}, {soon, table, 0, 0}, {soon, table, 0, 0}, {soon, 0, table, 0},
			{soon, table, 0, 0}, {soon, table, 0, 0}, {soon, table, 0, 0}, {soon, 0, table, 0},
		},
	} {
		w := width{all: newWidths()}
		now := time.Unix(1e9, 0)
		for i, q := range queries {
			now = now.Add(q.wait)
			if got := w.slow(now, q.missed, q.hit); got != q.size {
				t.Errorf("%s, query %d: %d KB, not %d", name, i, got, q.size)
			}
		}
		w.narrow()
		if taken := w.all.taken.Load(); taken != 0 {
			t.Errorf("%s: %d wide caches at the end", name, taken)
		}
	}
}

func TestFewCachesAreWide(t *testing.T) {
	t.Parallel()
	all := &widths{most: 2}
	now := time.Unix(1e9, 0)
	three := [3]width{{all: all}, {all: all}, {all: all}}
	for i, want := range []int{wideCache, wideCache, 0} {
		if got := three[i].slow(now, scan, 0); got != want {
			t.Errorf("connection %d: %d KB, not %d", i, got, want)
		}
	}
	three[0].narrow()
	three[0].narrow() // as it closes
	if got := three[2].slow(now, scan, 0); got != wideCache || all.taken.Load() != 2 {
		t.Errorf("the third, when there is room: %d KB, %d are wide", got, all.taken.Load())
	}
}

// TestWhoReadsAWholeTableGetsAWideCache asks SQLite itself.
func TestWhoReadsAWholeTableGetsAWideCache(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), dataFile)
	writer := open(t, Connect(Options{}), path)
	must(t, writer, "CREATE TABLE shelf (n INTEGER PRIMARY KEY, text TEXT)")
	must(t, writer, `WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < ?)
		INSERT INTO shelf SELECT n, ? FROM c`, 2*scan, strings.Repeat("book", 800)) // a page each
	for _, c := range []struct {
		name  string
		reads bool
		slow  time.Duration
		text  string
		size  int
	}{
		{"a whole table", true, 0, "SELECT count(*) FROM shelf WHERE text LIKE '%shelf%'", wideCache},
		{"one row", true, 0, "SELECT n FROM shelf WHERE n = 7", readCache},
		{"a quick query", true, time.Hour, "SELECT count(*) FROM shelf WHERE text LIKE '%shelf%'", readCache},
		{"a pool that may write", false, 0, "SELECT count(*) FROM shelf WHERE text LIKE '%shelf%'", readCache},
	} {
		db := open(t, Connect(Options{}), path)
		p, _ := poolOf(db)
		p.reads.Store(c.reads)
		p.wide.slow = c.slow
		pinned, _ := one(t, db)
		var n, size int
		if err := pinned.QueryRowContext(t.Context(), c.text).Scan(&n); err != nil {
			t.Fatal(err)
		}
		if err := pinned.QueryRowContext(t.Context(), "PRAGMA cache_size").Scan(&size); err != nil || -size != c.size {
			t.Errorf("%s: %d KB, not %d (%v)", c.name, -size, c.size, err)
		}
		_ = pinned.Close()
		_ = db.Close()
		if taken := p.wide.taken.Load(); taken != 0 {
			t.Errorf("%s: %d wide caches after the end", c.name, taken)
		}
	}
	for name, o := range map[string]Options{"auxiliary.db": {}, dataFile: Plain()} {
		if p, err := newPool(filepath.Join(t.TempDir(), name), Normal, o); err != nil || p.wide != nil {
			t.Errorf("%s changes its caches: %v", name, err)
		}
	}
}
