package sqlite

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
)

func TestCommitsShareASync(t *testing.T) {
	t.Parallel()
	started, goOn := make(chan struct{}), make(chan struct{})
	f := &flusher{sync: func() error { started <- struct{}{}; <-goOn; return nil }}
	var all sync.WaitGroup
	var early atomic.Int64
	first := f.commit()
	all.Go(func() { _ = f.wait(t.Context(), first) })
	<-started
	for range 50 { // these were committed after the sync began: it does not count for them
		commit := f.commit()
		all.Go(func() {
			if err := f.wait(t.Context(), commit); err != nil {
				t.Error(err)
			}
			if f.syncs.Load() < 2 {
				early.Add(1)
			}
		})
	}
	goOn <- struct{}{}
	<-started
	goOn <- struct{}{}
	all.Wait()
	if n := f.syncs.Load(); n != 2 || early.Load() > 0 {
		t.Errorf("%d syncs for 51 commits, %d were told too early", n, early.Load())
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	t.Parallel()
	started, goOn := make(chan struct{}), make(chan struct{})
	f := &flusher{sync: func() error { close(started); <-goOn; return nil }}
	leader := make(chan error)
	commit := f.commit()
	go func() { leader <- f.wait(t.Context(), commit) }()
	<-started
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.wait(ctx, commit); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	close(goOn)
	if err := <-leader; err != nil {
		t.Error(err)
	}
}

// TestAFailedSyncEndsAllWriting also holds that nobody tries a second time.
func TestAFailedSyncEndsAllWriting(t *testing.T) {
	t.Parallel()
	broken := errors.New("input/output error")
	var syncs atomic.Int64
	fail := atomic.Bool{}
	lost := make(chan error, 8)
	s := newSite(t, Options{
		Lost: func(err error) { lost <- err },
		sync: func() error {
			syncs.Add(1)
			if fail.Load() {
				return broken
			}
			return nil
		},
	})
	must(t, s.write, insert, "durable")
	fail.Store(true)
	before := syncs.Load()
	if _, err := s.write.Exec(insert, "unknown"); !errors.Is(err, ErrLost) || !errors.Is(err, broken) {
		t.Errorf("the write: %v", err)
	}
	fail.Store(false)
	for _, text := range []string{insert, insert + " RETURNING id", "SELECT ?"} {
		if _, err := s.write.Exec(text, "refused"); !errors.Is(err, ErrLost) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if _, err := s.write.Begin(); !errors.Is(err, ErrLost) {
		t.Errorf("begin: %v", err)
	}
	if n := syncs.Load() - before; n != 1 {
		t.Errorf("%d syncs", n)
	}
	if err := <-lost; !errors.Is(err, broken) || len(lost) > 0 {
		t.Errorf("told %v, %d more", err, len(lost))
	}
	if len(s.names(t)) == 0 {
		t.Error("reading goes on")
	}
}

// TestWhatIsAcknowledgedIsSynced looks at every way to write.
func TestWhatIsAcknowledgedIsSynced(t *testing.T) {
	t.Parallel()
	var syncs atomic.Int64
	s := newSite(t, Options{sync: func() error { syncs.Add(1); return nil }})
	pinned, err := s.write.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer pinned.Close()
	query := func(text string, args ...any) {
		rows, err := pinned.QueryContext(t.Context(), text, args...)
		if err != nil {
			t.Fatal(err)
		}
		for rows.Next() {
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			t.Error(err)
		}
	}
	c := connExec{pinned}
	for _, step := range []struct {
		name string
		do   func()
		want int64
	}{
		{"statement", func() { must(t, c, insert, "a") }, 1},
		{"with rows", func() { query(insert+" RETURNING id", "b") }, 1},
		{"with", func() { query("WITH x AS (SELECT 'c' AS n) INSERT INTO t (name) SELECT n FROM x RETURNING id") }, 1},
		{"query without rows", func() { query(insert, "d") }, 1},
		{"schema", func() { must(t, c, "CREATE TABLE u (x)") }, 1},
		{"script", func() { must(t, c, "INSERT INTO u VALUES (1); INSERT INTO u VALUES (2)") }, 1},
		{"text", func() { must(t, c, "BEGIN"); must(t, c, insert, "e"); must(t, c, "COMMIT") }, 1},
		{"transaction", func() {
			tx, err := pinned.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			must(t, tx, insert, "f")
			must(t, tx, insert, "g")
			if err := tx.Commit(); err != nil {
				t.Error(err)
			}
		}, 1},
		{"beside open rows", func() {
			rows, err := pinned.QueryContext(t.Context(), "SELECT id FROM t")
			if err != nil {
				t.Fatal(err)
			}
			rows.Next()
			before := syncs.Load()
			must(t, c, insert, "h")
			if syncs.Load() == before {
				t.Error("acknowledged before its sync")
			}
			_ = rows.Close()
		}, 1},
		{"prepared", func() {
			st, err := pinned.PrepareContext(t.Context(), insert)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := st.Exec("i"); err != nil {
				t.Error(err)
			}
			_ = st.Close()
		}, 1},
		{"reading", func() { query("SELECT * FROM t"); query("PRAGMA data_version") }, 0},
		{"reading in a transaction", func() {
			tx, _ := pinned.BeginTx(t.Context(), nil)
			var n int
			_ = tx.QueryRow("SELECT count(*) FROM t").Scan(&n)
			_ = tx.Commit()
		}, 0},
		{"rollback", func() {
			tx, _ := pinned.BeginTx(t.Context(), nil)
			must(t, tx, insert, "z")
			_ = tx.Rollback()
		}, 0},
	} {
		before := syncs.Load()
		step.do()
		if got := syncs.Load() - before; got != step.want {
			t.Errorf("%s: %d syncs, want %d", step.name, got, step.want)
		}
	}
}
