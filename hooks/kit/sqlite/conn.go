package sqlite

import (
	"container/list"
	"context"
	"database/sql/driver"
	"errors"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"
)

// conn is a physical connection that keeps its last statements prepared. As
// every driver's connection, it is used by one goroutine at a time.
type conn struct {
	physical
	keep   int
	byText map[string]*list.Element // of *statement
	order  *list.List               // most recently used first
	// retired says that the pool hands out others now; nil for never.
	retired func() bool
	// turn is told of each use; nil where the queue does that.
	turn *turn
	// deferred says that transactions here only read; nil for never.
	deferred func() bool
	// width is of the page cache; without what all share, it stays as it is.
	width width
	// hits and misses count how often a kept statement could be used.
	hits, misses uint64
}

// statement is one that is, or was, kept.
type statement struct {
	driver.Stmt
	text string
	busy bool // its rows are being read
	gone bool // no longer kept: close it when it is done
}

func newConn(inner physical, keep int) *conn {
	return &conn{physical: inner, keep: keep, byText: map[string]*list.Element{}, order: list.New()}
}

// Physical identifies the connection to the file, for those who must know
// whether two answers came from the same one.
func (c *conn) Physical() any { return c.physical }

// ExecContext implements driver.ExecerContext.
func (c *conn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.physical.ExecContext(ctx, text, args)
	}
	result, err := s.Stmt.(driver.StmtExecContext).ExecContext(ctx, args)
	if closeErr := c.giveBack(s, err != nil); err == nil && closeErr != nil {
		return nil, closeErr
	}
	return result, err
}

// QueryContext implements driver.QueryerContext.
func (c *conn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.physical.QueryContext(ctx, text, args)
	}
	var began time.Time
	follow := c.width.all != nil && c.deferred()
	if follow {
		began = time.Now()
	}
	found, err := s.Stmt.(driver.StmtQueryContext).QueryContext(ctx, args)
	if err != nil {
		_ = c.giveBack(s, true)
		return nil, err
	}
	columns, ok := found.(typedRows)
	if !ok { // another version of the driver: no type would be asked of it through us
		_, _ = found.Close(), c.giveBack(s, true)
		return c.physical.QueryContext(ctx, text, args)
	}
	return &rows{typedRows: columns, end: func(failed bool) error {
		if follow {
			c.read(began)
		}
		return c.giveBack(s, failed)
	}}, nil
}

// begins is how often a transaction asks for the write lock, waiting for
// busy_timeout each time: half a minute, as long as PocketBase tries a statement.
const begins = 3

// BeginTx implements driver.ConnBeginTx. A transaction that may write takes the
// write lock first. One that reads before it writes would be refused where another
// process has committed in between (SQLITE_BUSY_SNAPSHOT), and no waiting helps.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (tx driver.Tx, err error) {
	if c.deferred != nil && c.deferred() {
		opts.ReadOnly = true // all that it does is to leave out the lock
	}
	for range begins {
		tx, err = c.physical.BeginTx(ctx, opts)
		var coded *sqlite.Error
		if !errors.As(err, &coded) || coded.Code()&0xff != lib.SQLITE_BUSY || ctx.Err() != nil {
			break
		}
	}
	return tx, err
}

// ResetSession implements driver.SessionResetter.
func (c *conn) ResetSession(ctx context.Context) error {
	if c.retired != nil && c.retired() {
		return driver.ErrBadConn
	}
	return c.physical.ResetSession(ctx)
}

// IsValid implements driver.Validator. database/sql asks it when a use has
// ended, before it answers and before it lends the connection again.
func (c *conn) IsValid() bool {
	if c.turn != nil {
		c.turn.end()
	}
	return (c.retired == nil || !c.retired()) && c.physical.IsValid()
}

// Close implements driver.Conn.
func (c *conn) Close() error {
	c.forget()
	c.width.narrow()
	return c.physical.Close()
}

// take gives a prepared statement, or nil where the text must be run as it is.
func (c *conn) take(ctx context.Context, text string) (*statement, error) {
	if c.turn != nil {
		c.turn.note(kindOf(text))
	}
	if c.keep == 0 {
		return nil, nil
	}
	e, known := c.byText[text]
	if known {
		if s := e.Value.(*statement); !s.busy {
			c.order.MoveToFront(e)
			s.busy = true
			c.hits++
			return s, nil
		}
	} else {
		k := kindOf(text)
		if k == other {
			c.forget() // it may change what a kept one was prepared against
		}
		if !k.kept() || len(text) > longest {
			return nil, nil
		}
	}
	c.misses++
	prepared, err := c.physical.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	// While the kept one is in use, a second is made for this once.
	s := &statement{Stmt: prepared, text: text, busy: true, gone: known}
	if !known {
		c.byText[text] = c.order.PushFront(s)
		if c.order.Len() > c.keep {
			c.drop(c.order.Back())
		}
	}
	return s, nil
}

// giveBack ends the use of a statement. One that failed is not used again.
func (c *conn) giveBack(s *statement, failed bool) error {
	s.busy = false
	if failed && !s.gone {
		c.drop(c.byText[s.text])
		return nil
	}
	if s.gone {
		return s.Close()
	}
	return nil
}

func (c *conn) drop(e *list.Element) {
	s := e.Value.(*statement)
	c.order.Remove(e)
	delete(c.byText, s.text)
	s.gone = true
	if !s.busy {
		_ = s.Close() // it was reset: there is nothing left to report
	}
}

func (c *conn) forget() {
	for e := c.order.Front(); e != nil; e = c.order.Front() {
		c.drop(e)
	}
}
