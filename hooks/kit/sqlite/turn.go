package sqlite

import (
	"errors"
	"sync/atomic"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// turn tells one listener when a use of the write connection has ended.
type turn struct {
	listener atomic.Pointer[func(odd bool)]
	odd      atomic.Bool // a statement of another kind ran
}

// note is told of each statement.
func (t *turn) note(k kind) {
	if k == other {
		t.odd.Store(true)
	}
}

// end is called by whoever had the connection, before anybody else has it.
func (t *turn) end() {
	if listener := t.listener.Load(); listener != nil {
		(*listener)(t.odd.Swap(false))
	}
}

// OnTurn has done called each time that somebody has used the app's write
// connection: what was committed can be read by then, nobody else has the
// connection yet, and whoever used it has not heard of the outcome. odd says
// that more than plain reads and writes ran, such as DDL or VACUUM. Of several
// listeners the last one is told, until the next bootstrap. done must be quick
// and must not use the write connection.
func OnTurn(app core.App, done func(odd bool)) error {
	db, ok := app.NonconcurrentDB().(*dbx.DB)
	if !ok {
		return errors.New("the write connection can't be followed within a transaction")
	}
	p, ok := poolOf(db.DB())
	if !ok {
		return errForeign
	}
	p.turn.listener.Store(&done)
	return nil
}
