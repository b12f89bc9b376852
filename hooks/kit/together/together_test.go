package together_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"bungalow/hooks/kit/together"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"
)

func newApp(t *testing.T) *tests.TestApp {
	t.Helper()
	app, err := tests.NewTestApp()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	if _, err := app.NonconcurrentDB().NewQuery(`CREATE TABLE _lines (n INTEGER PRIMARY KEY)`).Execute(); err != nil {
		t.Fatal(err)
	}
	return app
}

// each writes lines; some are refused and some panic, after they were written.
func each(tx core.App, items []int) error {
	for _, n := range items {
		if _, err := tx.NonconcurrentDB().NewQuery(`INSERT INTO _lines (n) VALUES ({:n})`).Bind(dbx.Params{"n": n}).Execute(); err != nil {
			return err
		}
		switch n {
		case 107, 137, 167:
			return errRefused
		case 111, 141, 171:
			panic("a fault")
		}
	}
	return nil
}

func lines(t *testing.T, app core.App) (n int) {
	t.Helper()
	if err := app.DB().NewQuery(`SELECT count(*) FROM _lines`).Row(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

var errRefused = errors.New("refused")

// One of them holds the first transaction until all others wait: what follows
// is written in far fewer transactions than there are callers.
func TestThoseWhoWaitShareATransaction(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	const callers = 40
	var w together.Writer[int]
	var transactions atomic.Int64
	entered, leave := make(chan bool), make(chan bool)
	var all sync.WaitGroup
	all.Go(func() {
		err := w.Write(app, 0, func(tx core.App, items []int) error { close(entered); <-leave; return each(tx, items) })
		if err != nil {
			t.Error(err)
		}
	})
	<-entered
	var waiting sync.WaitGroup
	for n := 1; n <= callers; n++ {
		waiting.Add(1)
		all.Go(func() {
			waiting.Done()
			err := w.Write(app, n, func(tx core.App, items []int) error {
				transactions.Add(1)
				return each(tx, items)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	waiting.Wait()
	close(leave)
	all.Wait()
	if n := lines(t, app); n != callers+1 {
		t.Errorf("%d are written", n)
	}
	t.Logf("%d callers had %d transactions", callers, transactions.Load())
}

func TestEachHasTheOwnOutcome(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	var w together.Writer[int]
	var all sync.WaitGroup
	var mu sync.Mutex
	outcomes := map[string]int{}
	for n := 100; n < 190; n++ {
		all.Go(func() {
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				if r := recover(); r != nil {
					outcomes["panic"]++
				}
			}()
			err := w.Write(app, n, each)
			mu.Lock()
			defer mu.Unlock()
			outcomes[fmt.Sprint(err)]++
		})
	}
	all.Wait()
	if got, want := fmt.Sprint(outcomes), fmt.Sprint(map[string]int{"<nil>": 84, "refused": 3, "panic": 3}); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if n := lines(t, app); n != 84 {
		t.Errorf("%d are written", n)
	}
}

func TestWhoIsInATransactionStaysInIt(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	var w together.Writer[int]
	err := app.RunInTransaction(func(tx core.App) error {
		if err := w.Write(tx, 1, each); err != nil {
			return err
		}
		return errRefused
	})
	if !errors.Is(err, errRefused) || lines(t, app) != 0 {
		t.Errorf("%v, %d are written", err, lines(t, app))
	}
}
