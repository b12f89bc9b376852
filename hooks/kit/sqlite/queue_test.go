package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// site is a data.db with its write pool and a reading one.
type site struct {
	write, read *sql.DB
	q           *queue
	path        string
}

func newSite(t testing.TB, o Options) *site {
	t.Helper()
	return siteAt(t, t.TempDir(), o)
}

func siteAt(t testing.TB, dir string, o Options) *site {
	t.Helper()
	s := &site{path: filepath.Join(dir, dataFile)}
	s.read, s.write = open(t, Connect(o), s.path), open(t, Connect(o), s.path)
	s.write.SetMaxOpenConns(1)
	s.write.SetMaxIdleConns(1)
	must(t, s.write, "CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, n INT)")
	if err := serialize(t.Context(), s.write); err != nil {
		t.Fatal(err)
	}
	p, _ := poolOf(s.write)
	s.q = p.queue.Load()
	s.q.slow = time.Minute // a loaded machine must not change what a test sees
	t.Cleanup(func() {
		_ = s.write.Close()
		if s.q.flush == nil || s.q.flush.broken() == nil {
			s.sound(t)
		}
	})
	return s
}

// sound holds at the end of each test: nobody has the turn, nobody waits, and
// the file is whole.
func (s *site) sound(t testing.TB) {
	t.Helper()
	s.q.mu.Lock()
	if s.q.held || s.q.line.Len() > 0 {
		t.Errorf("the turn is held: %v; %d wait", s.q.held, s.q.line.Len())
	}
	s.q.mu.Unlock()
	plain := open(t, core.DefaultDBConnect, s.path)
	defer plain.Close()
	var answer string
	if err := plain.QueryRow("PRAGMA integrity_check").Scan(&answer); err != nil || answer != "ok" {
		t.Errorf("integrity_check: %s, %v", answer, err)
	}
}

// waits until so many stand in line.
func (s *site) waits(t testing.TB, n int) {
	t.Helper()
	eventually(t, fmt.Sprintf("%d wait", n), func() bool { return s.q.stats().Waiting == n })
}

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(200 * time.Microsecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting until %s", what)
		}
	}
}

func (s *site) names(t testing.TB) (names []string) {
	t.Helper()
	rows, err := s.read.Query("SELECT name FROM t ORDER BY id")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

func begin(t testing.TB, db *sql.DB) *sql.Tx {
	t.Helper()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	return tx
}

// later runs a statement of its own in line behind those already there.
func (s *site) later(t testing.TB, ctx context.Context, text string, args ...any) <-chan result {
	t.Helper()
	before, done := s.q.stats().Waiting, make(chan result, 1)
	go func() {
		res, err := s.write.ExecContext(ctx, text, args...)
		r := result{err: err}
		if err == nil {
			r.id, _ = res.LastInsertId()
			r.affected, _ = res.RowsAffected()
		}
		done <- r
	}()
	s.waits(t, before+1)
	return done
}

type result struct {
	id, affected int64
	err          error
}

const insert = "INSERT INTO t (name) VALUES (?)"

func TestTheQueueIsAsAPlainConnection(t *testing.T) {
	t.Parallel()
	texts := append(script[:0:0], script...)
	for _, text := range []string{
		"BEGIN", "INSERT INTO t (name) VALUES ('in a text')", "COMMIT", "COMMIT", "ROLLBACK",
		"SAVEPOINT a", "RELEASE a", "BEGIN; CREATE TABLE u (x); COMMIT", "VACUUM", "PRAGMA wal_checkpoint", "PRAGMA optimize",
		"ATTACH ':memory:' AS m", "CREATE TABLE m.x (y)", "DETACH m", "ANALYZE", "REINDEX", "PRAGMA journal_mode", "PRAGMA user_version = 7", "PRAGMA user_version",
	} {
		texts = append(texts, script[0])
		texts[len(texts)-1].text, texts[len(texts)-1].query = text, strings.HasPrefix(text, "PRAGMA")
	}
	for _, o := range []Options{{}, {Durability: Normal}, {Statements: -1}, {NoGroups: true}} {
		plainDB := open(t, core.DefaultDBConnect, filepath.Join(t.TempDir(), "data.db"))
		plain, _ := plainDB.Conn(t.Context())
		run(plain, false, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, n INT)")
		run(plain, false, "DROP TABLE t")
		s := newSite(t, o)
		ours, _ := s.write.Conn(t.Context())
		run(ours, false, "DROP TABLE t")
		for _, step := range texts {
			for range 3 {
				want, got := run(plain, step.query, step.text, step.args...), run(ours, step.query, step.text, step.args...)
				if !reflect.DeepEqual(want, got) {
					t.Errorf("%+v: %q\nplain %+v\nours  %+v", o, step.text, want, got)
				}
			}
		}
		_ = plain.Close()
		_ = ours.Close()
	}
}

func TestWritersAreServedInTheirOrder(t *testing.T) {
	t.Parallel()
	for _, o := range []Options{{}, {NoGroups: true}} {
		s := newSite(t, o)
		tx := begin(t, s.write)
		must(t, tx, insert, "first")
		var all []<-chan result
		want := []string{"first"}
		for i := range 20 {
			name := fmt.Sprintf("w%02d", i)
			want = append(want, name)
			if i%7 == 3 { // a transaction among them ends a group
				done := make(chan result, 1)
				all = append(all, done)
				go func() {
					tx, err := s.write.Begin()
					if err == nil {
						_, err = tx.Exec(insert, name)
						err = errors.Join(err, tx.Commit())
					}
					done <- result{id: int64(i + 2), affected: 1, err: err}
				}()
				s.waits(t, i+1)
				continue
			}
			all = append(all, s.later(t, t.Context(), insert, name))
		}
		if err := tx.Commit(); err != nil {
			t.Fatal(err)
		}
		for i, done := range all {
			if r := <-done; r.err != nil || r.id != int64(i+2) || r.affected != 1 {
				t.Errorf("writer %d: %+v", i, r)
			}
		}
		if got := s.names(t); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: %v", o, got)
		}
		if st := s.q.stats(); !o.NoGroups && (st.Groups < 3 || st.Members < 15) || o.NoGroups && st.Groups > 0 || st.Again > 0 {
			t.Errorf("%+v: %+v", o, st)
		}
	}
}

// TestNoMemberTouchesAnother lets one statement of a group go wrong in every
// way, at every place, and holds that each caller sees what it would see alone.
func TestNoMemberTouchesAnother(t *testing.T) {
	t.Parallel()
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	const endless = "INSERT INTO t (name) WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x+1 FROM c) SELECT 'e' || max(x) FROM c"
	for _, bad := range []struct {
		name, text, err string
		timeout         time.Duration
		again           bool
	}{
		{"unique", "INSERT INTO t (name) VALUES ('there')", "UNIQUE", 0, false},
		{"syntax", "INSERT INTO t (nothing) VALUES (1)", "nothing", 0, false},
		{"or rollback", "INSERT OR ROLLBACK INTO t (name) VALUES ('there')", "UNIQUE", 0, true},
		{"or fail", "INSERT OR FAIL INTO t (name) VALUES ('half'), ('there')", "UNIQUE", 0, false},
		{"deferred key", "INSERT INTO child VALUES (99)", "FOREIGN KEY", 0, true},
		{"trigger", "INSERT INTO guarded VALUES (1)", "refused", 0, true},
		{"timeout", endless, "deadline", 120 * time.Millisecond, true},
	} {
		for place := range 3 {
			t.Run(fmt.Sprint(bad.name, place), func(t *testing.T) {
				t.Parallel()
				s := newSite(t, Options{})
				for _, text := range []string{
					"INSERT INTO t (id, name) VALUES (1, 'there')", "CREATE TABLE parent (id INTEGER PRIMARY KEY)",
					"CREATE TABLE child (p REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED)", "CREATE TABLE guarded (x)",
					"CREATE TRIGGER g BEFORE INSERT ON guarded BEGIN SELECT RAISE(ROLLBACK, 'refused'); END",
				} {
					must(t, s.write, text)
				}
				tx := begin(t, s.write)
				var good []<-chan result
				var wrong <-chan result
				gone := s.later(t, t.Context(), insert, "first in line") // leads
				for i := range 3 {
					if i == place {
						ctx := t.Context()
						if bad.timeout > 0 {
							var stop context.CancelFunc
							ctx, stop = context.WithTimeout(ctx, bad.timeout+time.Second)
							defer stop()
						}
						wrong = s.later(t, ctx, bad.text)
					}
					good = append(good, s.later(t, t.Context(), insert, fmt.Sprint("good", i)))
				}
				// Mends the deferred key, had it been checked at a common commit.
				parent := s.later(t, t.Context(), "INSERT INTO parent VALUES (99)")
				if _, err := s.write.ExecContext(cancelled, insert, "never"); !errors.Is(err, context.Canceled) {
					t.Errorf("a cancelled write: %v", err)
				}
				if err := tx.Rollback(); err != nil {
					t.Fatal(err)
				}
				if r := <-gone; r.err != nil {
					t.Error(r.err)
				}
				for i, done := range good {
					r := <-done
					var name string
					if r.err == nil {
						r.err = s.read.QueryRow("SELECT name FROM t WHERE id = ?", r.id).Scan(&name)
					}
					if r.err != nil || name != fmt.Sprint("good", i) {
						t.Errorf("good%d got %+v, the row of %q", i, r, name)
					}
				}
				if r := <-wrong; r.err == nil || !strings.Contains(r.err.Error(), bad.err) {
					t.Errorf("the bad one: %+v", r)
				}
				if r := <-parent; r.err != nil {
					t.Error(r.err)
				}
				if st := s.q.stats(); bad.again != (st.Again > 0) {
					t.Errorf("%+v", st)
				}
			})
		}
	}
}

// TestASlowMemberHoldsUpNobodyBeforeIt stops the slow one, and runs it alone
// when those before it have their answers.
func TestASlowMemberHoldsUpNobodyBeforeIt(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	s.q.slow = 20 * time.Millisecond
	const endless = "INSERT INTO t (name) WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x+1 FROM c) SELECT 'e' || max(x) FROM c"
	tx := begin(t, s.write)
	first, second := s.later(t, t.Context(), insert, "first"), s.later(t, t.Context(), insert, "second")
	ctx, cancel := context.WithCancel(t.Context())
	slowOne := s.later(t, ctx, endless)
	last := s.later(t, t.Context(), insert, "last")
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	for _, done := range []<-chan result{first, second} { // while the slow one runs
		if r := <-done; r.err != nil {
			t.Error(r.err)
		}
	}
	cancel()
	if r := <-slowOne; !errors.Is(r.err, context.Canceled) {
		t.Errorf("%+v", r)
	}
	if r := <-last; r.err != nil {
		t.Error(r.err)
	}
	if got := s.names(t); !reflect.DeepEqual(got, []string{"first", "second", "last"}) || s.q.stats().Again != 1 {
		t.Errorf("%v, %+v", got, s.q.stats())
	}
}

func TestASlowTransactionDelaysNoFinishedCommit(t *testing.T) {
	t.Parallel()
	started, finish := make(chan struct{}, 100), make(chan struct{})
	s := newSite(t, Options{sync: func() error { started <- struct{}{}; <-finish; return nil }})
	first := make(chan error, 1)
	go func() {
		tx := begin(t, s.write)
		_, err := tx.Exec(insert, "first")
		first <- errors.Join(err, tx.Commit())
	}()
	<-started
	slow := begin(t, s.write) // the turn was passed on before the sync ended
	must(t, slow, insert, "slow")
	close(finish)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if err := slow.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestASharedMutexDoesNotDeadlock is the case that rules out savepoints of one
// outer transaction: a member's commit must not wait for its successor.
func TestASharedMutexDoesNotDeadlock(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	var shared sync.Mutex
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 10 {
				if i%2 == 0 { // holds the mutex around the transaction
					shared.Lock()
				}
				tx, err := s.write.Begin()
				if err != nil {
					t.Error(err)
					return
				}
				if i%2 == 1 && shared.TryLock() { // or within it
					shared.Unlock()
				}
				_, err = tx.Exec(insert, fmt.Sprint(i, " ", j))
				if err := errors.Join(err, tx.Commit()); err != nil {
					t.Error(err)
				}
				if i%2 == 0 {
					shared.Unlock()
				}
			}
		})
	}
	all.Wait()
	if n := len(s.names(t)); n != 80 {
		t.Errorf("%d rows", n)
	}
}

func TestRollbackAndPanicLeaveTheTurn(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	func() {
		defer func() { _ = recover() }()
		tx := begin(t, s.write)
		defer tx.Rollback()
		must(t, tx, insert, "lost")
		panic("a hook's")
	}()
	ctx, cancel := context.WithCancel(t.Context())
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	must(t, tx, insert, "lost too")
	cancel() // database/sql rolls back
	must(t, s.write, insert, "kept")
	if got := s.names(t); !reflect.DeepEqual(got, []string{"kept"}) {
		t.Errorf("%v", got)
	}
}

// TestContextsEndEveryWait cancels at random, and holds that no turn is lost
// and that what was acknowledged is there.
func TestContextsEndEveryWait(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	var all sync.WaitGroup
	var acked sync.Map
	for i := range 16 {
		all.Go(func() {
			random := rand.New(rand.NewPCG(1, uint64(i)))
			for j := range 60 {
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(3000))*time.Microsecond)
				name := fmt.Sprint(i, " ", j)
				var err error
				switch random.IntN(4) {
				case 0:
					var tx *sql.Tx
					if tx, err = s.write.BeginTx(ctx, nil); err == nil {
						if _, err = tx.ExecContext(ctx, insert, name); err == nil {
							err = tx.Commit()
						} else {
							_ = tx.Rollback()
						}
					}
				case 1:
					var id int
					err = s.write.QueryRowContext(ctx, insert+" RETURNING id", name).Scan(&id)
				default:
					_, err = s.write.ExecContext(ctx, insert, name)
				}
				cancel()
				if err == nil {
					acked.Store(name, true)
				} else if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, sql.ErrTxDone) && !strings.Contains(err.Error(), "interrupt") {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
	all.Wait()
	there := map[string]bool{}
	for _, name := range s.names(t) {
		there[name] = true
	}
	n := 0
	acked.Range(func(name, _ any) bool {
		if n++; !there[name.(string)] {
			t.Errorf("%s was acknowledged and is not there", name)
		}
		return true
	})
	t.Logf("%d acknowledged, %d there, %+v", n, len(there), s.q.stats())
}

func TestATransactionBegunAsTextKeepsTheTurn(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	pinned, err := s.write.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	c := connExec{pinned}
	for _, texts := range [][2]string{{"BEGIN", "COMMIT"}, {"SAVEPOINT s", "RELEASE s"}, {"BEGIN IMMEDIATE", "END"}} {
		must(t, c, texts[0])
		must(t, c, insert, texts[0])
		waiter := s.later(t, t.Context(), insert, "after "+texts[0])
		must(t, c, insert, texts[1])
		must(t, c, texts[1])
		if r := <-waiter; r.err != nil {
			t.Error(r.err)
		}
	}
	must(t, c, "BEGIN")
	must(t, c, insert, "never ended")
	waiter := s.later(t, t.Context(), insert, "last")
	s.write.SetMaxIdleConns(-1) // closes it when it comes back
	_ = pinned.Close()
	if r := <-waiter; r.err != nil {
		t.Error(r.err)
	}
	want := []string{"BEGIN", "COMMIT", "after BEGIN", "SAVEPOINT s", "RELEASE s", "after SAVEPOINT s", "BEGIN IMMEDIATE", "END", "after BEGIN IMMEDIATE", "last"}
	if got := s.names(t); !reflect.DeepEqual(got, want) {
		t.Errorf("%q", got)
	}
}

func TestClosingRefusesThoseWhoWait(t *testing.T) {
	t.Parallel()
	s := newSite(t, Options{})
	tx := begin(t, s.write)
	must(t, tx, insert, "last")
	waiter := s.later(t, t.Context(), insert, "too late")
	if err := s.write.Close(); err != nil {
		t.Fatal(err)
	}
	if r := <-waiter; r.err == nil || !strings.Contains(r.err.Error(), "database is closed") {
		t.Errorf("%+v", r)
	}
	if err := tx.Commit(); err != nil {
		t.Error(err)
	}
	if got := s.names(t); !reflect.DeepEqual(got, []string{"last"}) {
		t.Errorf("%v", got)
	}
}

func TestOnlyALogGetsTheQueue(t *testing.T) {
	t.Parallel()
	o := Options{}
	db := open(t, Connect(o), ":memory:")
	if err := serialize(t.Context(), db); err == nil || !strings.Contains(err.Error(), "journal mode") {
		t.Errorf("a database in memory: %v", err)
	}
	must(t, db, "CREATE TABLE t (id)")
	if err := serialize(t.Context(), open(t, core.DefaultDBConnect, filepath.Join(t.TempDir(), "x"))); !errors.Is(err, errForeign) {
		t.Errorf("PocketBase's own connection: %v", err)
	}
	s := newSite(t, o)
	_ = s.read.Close()
	must(t, s.write, "PRAGMA journal_mode = DELETE")
	var synchronous int
	if err := s.write.QueryRow("PRAGMA synchronous").Scan(&synchronous); err != nil || synchronous != 2 {
		t.Errorf("without a log synchronous is %d, %v", synchronous, err)
	}
	must(t, s.write, insert, "x")
	s.read = open(t, Connect(o), s.path)
}

// TestATransactionThatEndsUnderneath goes on after a conflict clause or a
// COMMIT as text ended it: each statement is then committed, and synced, alone.
func TestATransactionThatEndsUnderneath(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"COMMIT", "INSERT OR ROLLBACK INTO t (id, name) VALUES (1, 'again')"} {
		s := newSite(t, Options{})
		must(t, s.write, insert, "first")
		tx := begin(t, s.write)
		must(t, tx, insert, "within")
		_, _ = tx.Exec(end)
		before := s.q.stats()
		must(t, tx, insert, "beyond")
		if after := s.q.stats(); after.Commits != before.Commits+1 || after.Syncs == before.Syncs {
			t.Errorf("%s: %+v, %+v", end, before, after)
		}
		if err := tx.Commit(); err == nil || !strings.Contains(err.Error(), "no transaction is active") {
			t.Errorf("%s: %v", end, err)
		}
		must(t, s.write, insert, "after")
	}
}
