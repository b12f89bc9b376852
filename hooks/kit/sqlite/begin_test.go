package sqlite_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"bungalow/hooks/kit/sqlite"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	driver "modernc.org/sqlite"
)

// busy says whether SQLite refused because somebody else writes.
func busy(err error) bool {
	var coded *driver.Error
	return errors.As(err, &coded) && coded.Code()&0xff == 5
}

// impatient is another process's connection, which waits for nobody.
func impatient(t *testing.T, app core.App) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(app.DataDir(), "data.db")+"?_pragma=busy_timeout(0)")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// TestAWritersTransactionHasTheLockFromItsBeginning: whoever reads before he
// writes would be refused where another process wrote in between.
func TestAWritersTransactionHasTheLockFromItsBeginning(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]sqlite.Options{
		"whole": {}, "no queue": {NoQueue: true}, "plain": sqlite.Plain(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t, o)
			other := impatient(t, app)
			err := app.RunInTransaction(func(tx core.App) error {
				var n int
				if err := tx.DB().NewQuery("SELECT count(*) FROM demo2").Row(&n); err != nil {
					return err
				}
				if _, err := other.Exec("CREATE TABLE between_us (x)"); !busy(err) {
					t.Errorf("another process wrote between a transaction's beginning and its first write: %v", err)
				}
				save(t, tx, "kept")
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := other.Exec("CREATE TABLE between_us (x)"); err != nil {
				t.Errorf("the lock is still held: %v", err)
			}
		})
	}
}

// TestAReadersTransactionHoldsUpNobody: neither another process nor the app.
func TestAReadersTransactionHoldsUpNobody(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]sqlite.Options{
		"whole": {}, "no queue": {NoQueue: true}, "plain": sqlite.Plain(),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := newApp(t, o)
			other := impatient(t, app)
			count := func(b dbx.Builder) (n int) {
				if err := b.NewQuery("SELECT count(*) FROM demo2").Row(&n); err != nil {
					t.Error(err)
				}
				return n
			}
			err := app.ConcurrentDB().(*dbx.DB).Transactional(func(tx *dbx.Tx) error {
				before := count(tx)
				if _, err := other.Exec("CREATE TABLE between_us (x)"); err != nil {
					t.Errorf("another process can't write: %v", err)
				}
				save(t, app, "meanwhile")
				if now := count(tx); now != before {
					t.Errorf("the transaction saw %d records, then %d", before, now)
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestATransactionWaitsForAnotherProcess, and ends with its caller's context.
func TestATransactionWaitsForAnotherProcess(t *testing.T) {
	t.Parallel()
	app := newApp(t, sqlite.Options{})
	other, err := impatient(t, app).Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	hold := func(text string) {
		if _, err := other.ExecContext(t.Context(), text); err != nil {
			t.Error(err)
		}
	}
	hold("BEGIN IMMEDIATE")
	ended := make(chan error, 1)
	begun := make(chan struct{})
	go func() {
		close(begun)
		ended <- app.RunInTransaction(func(tx core.App) error { save(t, tx, "patient"); return nil })
	}()
	<-begun
	hold("CREATE TABLE theirs (x)")
	hold("COMMIT")
	if err := <-ended; err != nil {
		t.Errorf("a transaction that had to wait: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := app.NonconcurrentDB().(*dbx.DB).DB().BeginTx(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("a transaction of one who has gone: %v", err)
	}
}

// TestTheLogsTransactionsAreAsBefore: nothing of its database is read before it
// is written, and a lock would only be held for longer.
func TestTheLogsTransactionsAreAsBefore(t *testing.T) {
	t.Parallel()
	app := newApp(t, sqlite.Options{})
	err := app.AuxRunInTransaction(func(core.App) error {
		db, err := sql.Open("sqlite", filepath.Join(app.DataDir(), "auxiliary.db")+"?_pragma=busy_timeout(0)")
		if err != nil {
			return err
		}
		defer func() { _ = db.Close() }()
		_, err = db.Exec("CREATE TABLE between_us (x)")
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
