package sqlite_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"bungalow/hooks/kit/sqlite"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"
)

// TestTheEndOfEachUseIsTold holds that whoever listens hears of every use of
// the write connection when it can be read, and before the one who used it
// goes on.
func TestTheEndOfEachUseIsTold(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]sqlite.Options{"whole": {}, "no queue": {NoQueue: true}, "no groups": {NoGroups: true}, "normal": {Durability: sqlite.Normal}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t, o)
			exec := func(text string) {
				t.Helper()
				if _, err := app.NonconcurrentDB().NewQuery(text).Execute(); err != nil {
					t.Fatal(err)
				}
			}
			exec("CREATE TABLE told (n)")
			exec("INSERT INTO told VALUES (0)")
			var shown, odd atomic.Int64
			err := sqlite.OnTurn(app, func(more bool) {
				var n int64
				if err := app.ConcurrentDB().NewQuery("SELECT n FROM told").Row(&n); err == nil { // an error while the connection closes
					shown.Store(n)
				}
				if more {
					odd.Add(1)
				}
			})
			if err != nil {
				t.Fatal(err)
			}
			n := int64(0)
			for what, write := range map[string]func() error{
				"a statement": func() error {
					_, err := app.NonconcurrentDB().NewQuery("UPDATE told SET n=n+1").Execute()
					return err
				},
				"a transaction": func() error {
					return app.RunInTransaction(func(tx core.App) error {
						_, err := tx.DB().NewQuery("UPDATE told SET n=n+1").Execute()
						return err
					})
				},
				"rows": func() error {
					var got int64
					return app.NonconcurrentDB().NewQuery("UPDATE told SET n=n+1 RETURNING n").Row(&got)
				},
				"a prepared statement": func() error {
					q := app.NonconcurrentDB().NewQuery("UPDATE told SET n=n+1").Prepare()
					_, err := q.Execute()
					return errors.Join(err, q.Close())
				},
				"a transaction as text": func() error {
					conn, err := app.NonconcurrentDB().(*dbx.DB).DB().Conn(context.Background())
					if err != nil {
						return err
					}
					for _, text := range []string{"BEGIN", "UPDATE told SET n=n+1", "COMMIT"} {
						if _, execErr := conn.ExecContext(context.Background(), text); execErr != nil {
							err = errors.Join(err, execErr)
						}
					}
					return errors.Join(err, conn.Close())
				},
			} {
				n++
				if err := write(); err != nil || shown.Load() != n {
					t.Errorf("%s: %d was shown when it ended, not %d, %v", what, shown.Load(), n, err)
				}
			}
			before := odd.Load()
			exec("UPDATE told SET n=n")
			if odd.Load() != before {
				t.Error("a plain write is told as more")
			}
			exec("VACUUM")
			if odd.Load() != before+1 {
				t.Error("VACUUM is told as a plain write")
			}
		})
	}
}

func TestWhoseTurnsAreNotTold(t *testing.T) {
	t.Parallel()
	app, err := tests.NewTestApp()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	nothing := func(bool) {}
	if err := sqlite.OnTurn(app, nothing); err == nil {
		t.Error("PocketBase's own connection tells when it was used")
	}
	err = newApp(t, sqlite.Options{}).RunInTransaction(func(tx core.App) error { return sqlite.OnTurn(tx, nothing) })
	if err == nil {
		t.Error("a transaction's app can be followed")
	}
}
