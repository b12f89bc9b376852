package sqlite_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"bungalow/hooks/kit/sqlite"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"
	driver "modernc.org/sqlite"
)

func newApp(t *testing.T, o sqlite.Options) *tests.TestApp {
	t.Helper()
	app, err := tests.NewTestAppWithConfig(core.BaseAppConfig{EncryptionEnv: "pb_test_env", DBConnect: sqlite.Connect(o)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	sqlite.Bind(app, o)
	return app
}

// everyWay runs a test on PocketBase's own connection and on ours, whole and
// with each part off: it must not see a difference.
func everyWay(t *testing.T, test func(t *testing.T, app *tests.TestApp)) {
	t.Parallel()
	t.Run("PocketBase", func(t *testing.T) {
		t.Parallel()
		app, err := tests.NewTestApp()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(app.Cleanup)
		test(t, app)
	})
	for name, o := range map[string]sqlite.Options{
		"whole": {}, "no queue": {NoQueue: true}, "no groups": {NoGroups: true}, "no statements": {Statements: -1}, "normal": {Durability: sqlite.Normal},
		"plain": sqlite.Plain(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t, o)
			if _, ok := sqlite.StatsOf(app); ok == o.NoQueue {
				t.Fatalf("the write queue is there: %v", ok)
			}
			test(t, app)
		})
	}
}

func save(t *testing.T, app core.App, title string) *core.Record {
	t.Helper()
	c, err := app.FindCollectionByNameOrId("demo2")
	if err != nil {
		t.Fatal(err)
	}
	r := core.NewRecord(c)
	r.Set("title", title)
	if err := app.Save(r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHooksAndTransactionsKeepTheirOrder(t *testing.T) {
	everyWay(t, func(t *testing.T, app *tests.TestApp) {
		var seen []string
		note := func(what string) { seen = append(seen, what) }
		app.OnRecordAfterCreateSuccess("demo2").BindFunc(func(e *core.RecordEvent) error {
			var n int // durable and visible to everybody by now
			_ = app.ConcurrentDB().NewQuery("SELECT count(*) FROM demo2 WHERE id = {:id}").Bind(dbx.Params{"id": e.Record.Id}).Row(&n)
			note(fmt.Sprint("success ", e.Record.GetString("title"), n, e.App.IsTransactional()))
			return e.Next()
		})
		app.OnRecordAfterCreateError("demo2").BindFunc(func(e *core.RecordErrorEvent) error {
			note("error " + e.Record.GetString("title"))
			return e.Next()
		})
		fail := errors.New("no")
		err := app.RunInTransaction(func(tx core.App) error {
			save(t, tx, "outer")
			tx.TxInfo().OnComplete(func(err error) error { note(fmt.Sprint("complete ", err)); return nil })
			inner := tx.RunInTransaction(func(tx core.App) error { save(t, tx, "inner"); return fail })
			note(fmt.Sprint("inner ", inner, tx.IsTransactional()))
			return nil
		})
		note(fmt.Sprint("committed ", err))
		err = app.RunInTransaction(func(tx core.App) error { save(t, tx, "rolled back"); return fail })
		note(fmt.Sprint("rolled back ", err))
		save(t, app, "alone")
		want := []string{
			"inner no true", "success outer1 false", "complete <nil>", "success inner1 false", "committed <nil>",
			"error rolled back", "rolled back no", "success alone1 false",
		}
		if !reflect.DeepEqual(seen, want) {
			t.Errorf("got  %q\nwant %q", seen, want)
		}
		func() {
			defer func() { _ = recover() }()
			_ = app.RunInTransaction(func(tx core.App) error { save(t, tx, "panicked"); panic("a hook's") })
		}()
		save(t, app, "after the panic")
		if _, err := app.FindFirstRecordByData("demo2", "title", "panicked"); err == nil {
			t.Error("what panicked was kept")
		}
	})
}

func TestManyWritersThroughTheApp(t *testing.T) {
	everyWay(t, func(t *testing.T, app *tests.TestApp) {
		var all sync.WaitGroup
		for i := range 16 {
			all.Go(func() {
				for j := range 8 {
					switch title := fmt.Sprint("w", i, " ", j); j % 4 {
					case 0:
						if err := app.RunInTransaction(func(tx core.App) error { save(t, tx, title); return nil }); err != nil {
							t.Error(err)
						}
					default:
						r := save(t, app, title)
						if j%4 == 3 {
							if err := app.Delete(r); err != nil {
								t.Error(err)
							}
						}
					}
				}
			})
		}
		all.Wait()
		if n, err := app.CountRecords("demo2", dbx.Like("title", "w").Match(false, true)); err != nil || n != 16*6 {
			t.Errorf("%d records, %v", n, err)
		}
	})
}

// TestMaintenance runs what needs the connection for itself.
func TestMaintenance(t *testing.T) {
	everyWay(t, func(t *testing.T, app *tests.TestApp) {
		save(t, app, "before")
		for _, text := range []string{"PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA optimize", "PRAGMA foreign_keys = ON", "REINDEX", "ANALYZE"} {
			if _, err := app.NonconcurrentDB().NewQuery(text).Execute(); err != nil {
				t.Errorf("%s: %v", text, err)
			}
		}
		if err := errors.Join(app.Vacuum(), app.AuxVacuum()); err != nil {
			t.Error(err)
		}
		c := core.NewBaseCollection("fresh")
		c.Fields.Add(&core.TextField{Name: "a"})
		if err := app.Save(c); err != nil {
			t.Fatal(err)
		}
		c.Fields.Add(&core.NumberField{Name: "b"})
		if err := app.Save(c); err != nil {
			t.Fatal(err)
		}
		r := core.NewRecord(c)
		r.Set("b", 7)
		if err := app.Save(r); err != nil {
			t.Fatal(err)
		}
		list := core.MigrationsList{}
		list.Register(func(tx core.App) error {
			_, err := tx.DB().NewQuery("CREATE TABLE plain (x); INSERT INTO plain VALUES (1)").Execute()
			return err
		}, nil, "1_plain.go")
		if ran, err := core.NewMigrationsRunner(app, list).Up(); err != nil || len(ran) != 1 {
			t.Errorf("migrations: %v, %v", ran, err)
		}
		var n int
		if err := app.DB().NewQuery("WITH x AS (SELECT 2 AS v) INSERT INTO plain SELECT v FROM x RETURNING x").Row(&n); err != nil || n != 2 {
			t.Errorf("a write through the readers: %d, %v", n, err)
		}
		if err := app.Delete(c); err != nil {
			t.Error(err)
		}
	})
}

// TestBackupBootstrapAndRestore takes a backup while others write, starts
// again twice, and reads the backup.
func TestBackupBootstrapAndRestore(t *testing.T) {
	everyWay(t, func(t *testing.T, app *tests.TestApp) {
		_, queue := sqlite.StatsOf(app)
		save(t, app, "in the backup")
		var all sync.WaitGroup
		for i := range 4 {
			all.Go(func() {
				for j := range 5 {
					save(t, app, fmt.Sprint(i, " ", j))
				}
			})
		}
		if err := app.CreateBackup(t.Context(), "b.zip"); err != nil {
			t.Error(err)
		}
		all.Wait()
		for i := range 2 { // as a restore does
			if err := app.Bootstrap(); err != nil {
				t.Fatal(err)
			}
			if stats, ok := sqlite.StatsOf(app); ok != queue || stats.Turns != 0 {
				t.Errorf("the queue after a bootstrap: %v, %+v", ok, stats)
			}
			save(t, app, fmt.Sprint("bootstrap ", i))
		}
		if info, err := os.Stat(filepath.Join(app.DataDir(), core.LocalBackupsDirName, "b.zip")); err != nil || info.Size() == 0 {
			t.Errorf("the backup: %v", err)
		}
		if err := app.ClearBootstrap(); err != nil {
			t.Fatal(err)
		}
		// All connections are gone: the last one takes the log with it.
		if _, err := os.Stat(filepath.Join(app.DataDir(), "data.db-wal")); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the log is still there: %v", err)
		}
		if err := app.Bootstrap(); err != nil {
			t.Fatal(err)
		}
		if _, err := app.FindFirstRecordByData("demo2", "title", "bootstrap 1"); err != nil {
			t.Error(err)
		}
	})
}

func TestOnlyOurOwnWritePoolIsBound(t *testing.T) {
	t.Parallel()
	app, err := tests.NewTestApp()
	if err != nil {
		t.Fatal(err)
	}
	defer app.Cleanup()
	sqlite.Bind(app, sqlite.Options{})
	if _, ok := sqlite.StatsOf(app); ok {
		t.Error("PocketBase's own connection has a queue")
	}
	if n := app.NonconcurrentDB().(*dbx.DB).DB().Stats().MaxOpenConnections; n != 1 {
		t.Errorf("the write pool has %d connections", n)
	}
	ours := newApp(t, sqlite.Options{})
	for name, db := range map[string]dbx.Builder{"readers": ours.ConcurrentDB(), "the log": ours.AuxNonconcurrentDB()} {
		var synchronous int
		if err := db.NewQuery("PRAGMA synchronous").Row(&synchronous); err != nil || synchronous != map[string]int{"readers": 2, "the log": 1}[name] {
			t.Errorf("%s: synchronous is %d, %v", name, synchronous, err)
		}
	}
	before, _ := sqlite.StatsOf(ours)
	save(t, ours, "one")
	after, _ := sqlite.StatsOf(ours)
	if after.Commits == before.Commits || after.Syncs == before.Syncs {
		t.Errorf("%+v, %+v", before, after)
	}
	err = ours.RunInTransaction(func(tx core.App) error {
		if _, ok := sqlite.StatsOf(tx); ok {
			t.Error("a transaction has a queue of its own")
		}
		return nil
	})
	if err != nil || strings.Contains(fmt.Sprint(err), "locked") {
		t.Error(err)
	}
}

func TestTheWriterIsLentToOneAtATime(t *testing.T) {
	everyWay(t, func(t *testing.T, app *tests.TestApp) {
		commits := 0
		err := sqlite.Writer(t.Context(), app, func(conn any) error {
			hooks, ok := conn.(driver.HookRegisterer)
			if !ok {
				return fmt.Errorf("%T has no hooks", conn)
			}
			hooks.RegisterCommitHook(func() int32 { commits++; return 0 })
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		save(t, app, "one")
		err = app.RunInTransaction(func(tx core.App) error {
			save(t, tx, "two")
			save(t, tx, "three")
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
			defer cancel()
			if err := sqlite.Writer(ctx, app, func(any) error { t.Error("it is in use"); return nil }); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("while a transaction has it: %v", err)
			}
			if sqlite.Writer(ctx, tx, nil) == nil {
				t.Error("it was lent within a transaction")
			}
			return nil
		})
		if err != nil || commits != 2 {
			t.Errorf("%d commits, %v", commits, err)
		}
	})
}
