package sqlite

import (
	"context"
	"database/sql/driver"
	"fmt"

	"modernc.org/sqlite"
)

// pool opens the physical connections of one sql.DB.
type pool struct {
	base driver.Connector
	opts Options
}

func newPool(dsn string, o Options) (*pool, error) {
	base, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, err
	}
	return &pool{base: base, opts: o}, nil
}

// Connect implements driver.Connector.
func (p *pool) Connect(ctx context.Context) (driver.Conn, error) {
	raw, err := p.base.Connect(ctx)
	if err != nil {
		return nil, err
	}
	inner, ok := raw.(physical)
	if !ok {
		_ = raw.Close()
		return nil, fmt.Errorf("open the database: the driver's connection is a %T, which this version doesn't know", raw)
	}
	return newConn(inner, p.opts.statements()), nil
}

// Driver implements driver.Connector.
func (p *pool) Driver() driver.Driver { return p.base.Driver() }

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
