package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"strings"
)

// virtual is a connection of database/sql's that has the physical one only
// while it has the turn: for one statement, for a transaction, or while rows
// are read.
type virtual struct {
	q *queue
	// holds counts why it has the turn: a transaction, each of its open rows,
	// the statement under way.
	holds int
	tx    bool // a transaction of database/sql's
	text  bool // a transaction begun as text
	wrote bool // something that no sync covers yet
	// escaped says that the transaction ended without database/sql's knowing:
	// by a conflict clause, or by COMMIT as text. What follows it is committed
	// statement by statement.
	escaped bool
}

// Physical identifies the connection to the file (see conn.Physical).
func (v *virtual) Physical() any { return v.q.physical.Physical() }

func (v *virtual) enter(ctx context.Context) error {
	if v.holds == 0 {
		if err := v.q.acquire(ctx); err != nil {
			return err
		}
	}
	v.holds++
	return nil
}

// leave ends one hold with the outcome of what was done, and passes the turn
// on with the last. What it returns is acknowledged: it waits for the disk
// then, unless a transaction is still open.
func (v *virtual) leave(ctx context.Context, err error) error {
	v.holds--
	var commit uint64
	if v.wrote && (!v.tx || v.escaped) && !v.text {
		v.wrote = false
		commit = v.q.committed()
	}
	if v.holds == 0 {
		v.q.release()
	}
	if err != nil {
		return err
	}
	return v.q.durable(ctx, commit)
}

// unwind gives the hold back where the driver panicked; database/sql then
// takes the connection back too.
func (v *virtual) unwind(ended *bool) {
	if !*ended {
		_ = v.leave(context.Background(), driver.ErrBadConn)
	}
}

// did takes note of what a statement may have changed.
func (v *virtual) did(k kind, text string, err error) {
	v.q.turn.note(k)
	if k != read && k != ask {
		v.wrote = true
	}
	if k == other && strings.Contains(strings.ToLower(text), "journal_mode") {
		v.q.followMode()
	}
	if v.tx {
		if k == other || err != nil {
			v.escaped = !v.q.inTransaction()
		}
		return
	}
	if k != other && !v.text {
		return
	}
	switch open := v.q.inTransaction(); {
	case open && !v.text: // BEGIN as text: it keeps the turn until it ends
		v.text = true
		v.holds++
	case !open && v.text:
		v.text = false
		v.holds--
	}
}

// ExecContext implements driver.ExecerContext.
func (v *virtual) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	k := kindOf(text)
	if v.holds == 0 && k == write {
		return v.q.run(ctx, text, args)
	}
	if err := v.enter(ctx); err != nil {
		return nil, err
	}
	ended := false
	defer v.unwind(&ended)
	result, err := v.q.physical.ExecContext(ctx, text, args)
	v.did(k, text, err)
	ended = true
	if err := v.leave(ctx, err); err != nil {
		return nil, err
	}
	return result, nil
}

// QueryContext implements driver.QueryerContext.
func (v *virtual) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if err := v.enter(ctx); err != nil {
		return nil, err
	}
	ended := false
	defer v.unwind(&ended)
	k := kindOf(text)
	found, err := v.q.physical.QueryContext(ctx, text, args)
	columns, ok := found.(typedRows)
	if err == nil && !ok {
		err = errors.Join(errors.New("the driver's rows have an unknown form"), found.Close())
	}
	if err != nil {
		v.did(k, text, err)
		ended = true
		return nil, v.leave(ctx, err)
	}
	ended = true
	return &turnRows{typedRows: columns, v: v, kind: k, text: text}, nil
}

// turnRows keep the turn until they are read or closed.
type turnRows struct {
	typedRows
	v     *virtual
	kind  kind
	text  string
	ended bool
}

// Next implements driver.Rows. The end is where database/sql still listens to
// errors, which it no longer does when it closes rows that are read.
func (r *turnRows) Next(dest []driver.Value) error {
	if r.ended {
		return io.EOF
	}
	err := r.typedRows.Next(dest)
	if errors.Is(err, io.EOF) {
		if endErr := r.Close(); endErr != nil {
			return endErr
		}
	}
	return err
}

// Close implements driver.Rows.
func (r *turnRows) Close() error {
	if r.ended {
		return nil
	}
	r.ended = true
	err := r.typedRows.Close()
	r.v.did(r.kind, r.text, err)
	return r.v.leave(context.Background(), err)
}

// BeginTx implements driver.ConnBeginTx.
func (v *virtual) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if err := v.enter(ctx); err != nil {
		return nil, err
	}
	inner, err := v.q.physical.BeginTx(ctx, opts)
	if err != nil {
		return nil, v.leave(ctx, err)
	}
	v.tx, v.escaped = true, false
	return &transaction{inner: inner, v: v}, nil
}

// Begin implements driver.Conn.
func (v *virtual) Begin() (driver.Tx, error) {
	return v.BeginTx(context.Background(), driver.TxOptions{})
}

type transaction struct {
	inner driver.Tx
	v     *virtual
}

// Commit implements driver.Tx.
func (t *transaction) Commit() error {
	err := t.inner.Commit()
	t.v.tx = false
	return t.v.leave(context.Background(), err)
}

// Rollback implements driver.Tx.
func (t *transaction) Rollback() error {
	err := t.inner.Rollback()
	t.v.tx, t.v.wrote = false, false
	return t.v.leave(context.Background(), err)
}

// PrepareContext implements driver.ConnPrepareContext. The statement is
// prepared to see whether it can be; each use takes the turn again.
func (v *virtual) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	if err := v.enter(ctx); err != nil {
		return nil, err
	}
	s, err := v.q.physical.PrepareContext(ctx, text)
	if err == nil {
		err = s.Close()
	}
	if err := v.leave(ctx, err); err != nil {
		return nil, err
	}
	return &prepared{v: v, text: text}, nil
}

// Prepare implements driver.Conn.
func (v *virtual) Prepare(text string) (driver.Stmt, error) {
	return v.PrepareContext(context.Background(), text)
}

// Ping implements driver.Pinger.
func (v *virtual) Ping(ctx context.Context) error {
	if err := v.enter(ctx); err != nil {
		return err
	}
	return v.leave(ctx, v.q.physical.Ping(ctx))
}

// ResetSession implements driver.SessionResetter.
func (v *virtual) ResetSession(context.Context) error {
	if !v.IsValid() {
		return driver.ErrBadConn
	}
	return nil
}

// IsValid implements driver.Validator.
func (v *virtual) IsValid() bool { return !v.q.isClosed() }

// Close implements driver.Conn. A transaction that was begun as text and never
// ended is rolled back, as where a physical connection closes.
func (v *virtual) Close() error {
	if v.holds == 0 {
		return nil
	}
	err := v.q.raw("ROLLBACK")
	*v = virtual{q: v.q}
	v.q.release()
	return err
}

// prepared is a statement of database/sql's.
type prepared struct {
	v    *virtual
	text string
}

// NumInput implements driver.Stmt: the driver counts for itself.
func (s *prepared) NumInput() int { return -1 }

// Close implements driver.Stmt. Nothing is held between uses.
func (s *prepared) Close() error { return nil }

// ExecContext implements driver.StmtExecContext.
func (s *prepared) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	return s.v.ExecContext(ctx, s.text, args)
}

// QueryContext implements driver.StmtQueryContext.
func (s *prepared) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	return s.v.QueryContext(ctx, s.text, args)
}

// Exec implements driver.Stmt.
func (s *prepared) Exec(args []driver.Value) (driver.Result, error) {
	return s.ExecContext(context.Background(), named(args))
}

// Query implements driver.Stmt.
func (s *prepared) Query(args []driver.Value) (driver.Rows, error) {
	return s.QueryContext(context.Background(), named(args))
}

func named(args []driver.Value) []driver.NamedValue {
	out := make([]driver.NamedValue, len(args))
	for i, value := range args {
		out[i] = driver.NamedValue{Ordinal: i + 1, Value: value}
	}
	return out
}
