package sqlite

import (
	"database/sql/driver"
	"errors"
	"io"

	"modernc.org/sqlite"
)

// typedRows is everything that database/sql may ask of the driver's rows.
type typedRows interface {
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// rows tells who lent its statement, once, that it is read.
type rows struct {
	typedRows
	end    func(failed bool) error
	failed bool
}

// Next implements driver.Rows.
func (r *rows) Next(dest []driver.Value) error {
	err := r.typedRows.Next(dest)
	if err != nil && !errors.Is(err, io.EOF) {
		r.failed = true
	}
	return err
}

// Close implements driver.Rows.
func (r *rows) Close() error {
	if r.end == nil {
		return nil
	}
	err := r.typedRows.Close()
	end := r.end
	r.end = nil
	if endErr := end(r.failed || err != nil); err == nil {
		err = endErr
	}
	return err
}

// physical is what we use of the driver's own connection. What it offers
// beyond database/sql (hooks, backup, status) stays reachable through
// sql.Conn.Raw.
type physical interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ConnBeginTx
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
	sqlite.DBStatus
	sqlite.FileControl
	sqlite.HookRegisterer
	Serialize() ([]byte, error)
	Deserialize([]byte) error
	NewBackup(string) (*sqlite.Backup, error)
	NewRestore(string) (*sqlite.Backup, error)
	IsReadOnly(string) (bool, error)
	ColumnInfo(string) ([]sqlite.ColumnInfo, error)
}
