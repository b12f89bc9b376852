package cache

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"bungalow/hooks/kit/sqlite"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"
)

// writerEnv makes this test binary the second process: for each line on its
// standard input it commits once to the database that the variable names.
const writerEnv = "BUNGALOW_CACHE_TEST_WRITES_TO"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		if err := writeOnDemand(path); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func writeOnDemand(path string) error {
	db, err := sql.Open("sqlite", path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		return err
	}
	defer db.Close()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if _, err := db.Exec("UPDATE demo2 SET active = NOT active"); err != nil {
			return err
		}
		fmt.Println("ok")
	}
	return nil
}

// secondProcess returns a function that commits in another process and says
// when that was done.
func secondProcess(t *testing.T, app core.App) (commit func() time.Time) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), writerEnv+"="+filepath.Join(app.DataDir(), "data.db"))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Wait() })
	lines := bufio.NewScanner(out)
	return func() time.Time {
		t.Helper()
		_, _ = fmt.Fprintln(in)
		if !lines.Scan() || lines.Text() != "ok" {
			t.Fatalf("the second process said %q", lines.Text())
		}
		return time.Now()
	}
}

// newApp writes through the queue, as the site does.
func newApp(t *testing.T) *tests.TestApp {
	t.Helper()
	app := plainApp(t, sqlite.Connect(sqlite.Options{}))
	sqlite.Bind(app, sqlite.Options{})
	if _, ok := sqlite.StatsOf(app); !ok {
		t.Fatal("the app has no write queue")
	}
	return app
}

func plainApp(t *testing.T, connect core.DBConnectFunc) *tests.TestApp {
	t.Helper()
	app, err := tests.NewTestAppWithConfig(core.BaseAppConfig{EncryptionEnv: "pb_test_env", DBConnect: connect})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	return app
}

// eventually waits for ok, which is asked every few milliseconds.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting until %s", what)
		}
	}
}

// emptied counts what drops everything: no bump names this key.
func emptied(c *Cache) *atomic.Int64 {
	var n atomic.Int64
	c.OnBump(func() { n.Add(1) }, "no record has this key")
	return &n
}

func watched(t *testing.T, app core.App) (c *Cache, all *atomic.Int64, end func()) {
	t.Helper()
	c = New(1 << 20)
	all = emptied(c)
	stop := make(chan struct{})
	done := Watch(app, c, stop)
	end = func() { close(stop); <-done }
	return c, all, end
}

func TestAnotherProcessIsNoticedInTime(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	commit := secondProcess(t, app)
	c, all, end := watched(t, app)
	defer end()
	eventually(t, "the first look is over", func() bool { return all.Load() > 0 })

	var took []time.Duration
	for range 15 {
		mustDo(t, c, "k", func(d *Deps) (*Entry, error) { d.Uses("demo2"); return page("x"), nil })
		at := commit()
		eventually(t, "the commit is noticed", func() bool { _, ok := c.Get("k"); return !ok })
		took = append(took, time.Since(at))
	}
	slices.Sort(took)
	t.Logf("noticed after %v (median), %v (longest)", took[len(took)/2], took[len(took)-1])
	// The longest depends on the machine's load; the median does not.
	if took[len(took)/2] > 250*time.Millisecond {
		t.Fatalf("another process's commit was noticed after %v", took[len(took)/2])
	}
}

func pollerOf(t *testing.T, app core.App, c *Cache) *poller {
	t.Helper()
	p := &poller{
		cache: c,
		read:  app.ConcurrentDB().(*dbx.DB).DB(),
		write: app.NonconcurrentDB().(*dbx.DB).DB(),
		log:   func(err error) { t.Error(err) },
	}
	p.write.SetConnMaxIdleTime(0)
	t.Cleanup(p.letGo)
	return p
}

// TestTheTheory holds what docs/decisions/002 says of PRAGMA data_version,
// one commit at a time and without clocks.
func TestTheTheory(t *testing.T) {
	t.Parallel()
	// Behind the queue a new connection of database/sql's is the same as before.
	t.Run("queue", func(t *testing.T) { t.Parallel(); theory(t, newApp(t), 0) })
	t.Run("plain", func(t *testing.T) { t.Parallel(); theory(t, plainApp(t, nil), 1) })
}

func theory(t *testing.T, app core.App, onNewConnection int64) {
	c := New(1 << 20)
	all := emptied(c)
	p := pollerOf(t, app, c)
	other, err := sql.Open("sqlite", filepath.Join(app.DataDir(), "data.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()

	exec := func(q string) {
		t.Helper()
		if _, err := app.NonconcurrentDB().NewQuery(q).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	foreign := func() {
		t.Helper()
		if _, err := other.Exec("UPDATE demo2 SET active = NOT active"); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		name string
		do   func()
		want int64
	}{
		{"first look", func() {}, 1},
		{"nothing", func() {}, 0},
		{"our statement", func() { exec("UPDATE demo2 SET active = NOT active") }, 0},
		{"our record", func() {
			r, err := app.FindFirstRecordByFilter("demo2", "id != ''")
			if err != nil {
				t.Fatal(err)
			}
			r.Set("title", "saved record")
			if err := app.Save(r); err != nil {
				t.Fatal(err)
			}
		}, 0},
		{"our rollback", func() {
			_ = app.RunInTransaction(func(tx core.App) error {
				_, _ = tx.DB().NewQuery("UPDATE demo2 SET active = NOT active").Execute()
				return context.Canceled
			})
		}, 0},
		{"our schema", func() { exec("CREATE TABLE extra (id TEXT)") }, 0},
		{"our checkpoint", func() { exec("PRAGMA wal_checkpoint(TRUNCATE)") }, 0},
		{"after the checkpoint", func() { exec("UPDATE demo2 SET active = NOT active") }, 0},
		{"our vacuum", func() { exec("VACUUM") }, 0},
		{"theirs", foreign, 1},
		{"nothing after theirs", func() {}, 0},
		{"theirs, then ours", func() { foreign(); exec("UPDATE demo2 SET active = NOT active") }, 1},
		{"ours, then theirs", func() { exec("UPDATE demo2 SET active = NOT active"); foreign() }, 1},
		// Not a commit, but it restarts the log; one drop too many is harmless.
		{"their checkpoint", func() { _, _ = other.Exec("PRAGMA wal_checkpoint(TRUNCATE)") }, 1},
		{"ours after their checkpoint", func() { exec("UPDATE demo2 SET active = NOT active") }, 0},
		{"a new write connection", func() {
			p.write.SetMaxIdleConns(0)
			p.write.SetMaxIdleConns(1)
			exec("UPDATE demo2 SET active = NOT active")
		}, onNewConnection},
		{"ours on the new connection", func() { exec("UPDATE demo2 SET active = NOT active") }, 0},
	} {
		before := all.Load()
		step.do()
		if err := p.poll(t.Context()); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := all.Load() - before; got != step.want {
			t.Errorf("%s: the cache was emptied %d times, want %d", step.name, got, step.want)
		}
	}
}

// TestManyOwnCommitsKeepTheCache runs past several automatic checkpoints.
func TestManyOwnCommitsKeepTheCache(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	c := New(1 << 20)
	p := pollerOf(t, app, c)
	if err := p.poll(t.Context()); err != nil {
		t.Fatal(err)
	}
	all := emptied(c)
	for i := range 1500 {
		if _, err := app.NonconcurrentDB().NewQuery("UPDATE demo2 SET active = NOT active").Execute(); err != nil {
			t.Fatal(err)
		}
		if i%10 == 0 {
			if err := p.poll(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := all.Load(); n != 0 {
		t.Fatalf("our own commits emptied the cache %d times", n)
	}
}

func TestBusyWriteConnectionHidesNothing(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	commit := secondProcess(t, app)
	_, all, end := watched(t, app)
	defer end()
	eventually(t, "the first look is over", func() bool { return all.Load() > 0 })
	// It holds the connection, not SQLite's lock.
	tx, err := app.NonconcurrentDB().(*dbx.DB).DB().BeginTx(t.Context(), &sql.TxOptions{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	before := all.Load()
	commit()
	eventually(t, "the commit is noticed", func() bool { return all.Load() > before })
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
}

func TestWatchOutlivesBootstrapsAndLetsGo(t *testing.T) {
	t.Parallel()
	dir := newApp(t).DataDir()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, DBConnect: sqlite.Connect(sqlite.Options{})})
	sqlite.Bind(app, sqlite.Options{})
	c, all, end := watched(t, app) // not bootstrapped yet
	for range 2 {
		before := all.Load()
		if err := app.Bootstrap(); err != nil {
			t.Fatal(err)
		}
		// Once for the bootstrap, once for the first look at its connections.
		eventually(t, "it looks at the new connections", func() bool { return all.Load() >= before+2 })
		mustDo(t, c, "k", func(*Deps) (*Entry, error) { return page("x"), nil })
		secondProcess(t, app)()
		eventually(t, "the commit is noticed", func() bool { _, ok := c.Get("k"); return !ok })
	}
	end()
	if n := app.ConcurrentDB().(*dbx.DB).DB().Stats().InUse; n != 0 {
		t.Errorf("%d connections are still held after stop", n)
	}
	if err := app.ClearBootstrap(); err != nil {
		t.Fatal(err)
	}
	idle := make(chan struct{})
	done := Watch(app, c, idle)
	close(idle)
	<-done
}
