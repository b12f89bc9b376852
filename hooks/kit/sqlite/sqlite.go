// Package sqlite opens the site's databases. It stands in for PocketBase's own
// way of connecting, through its Config.DBConnect, and takes the same driver
// and the same pragmas.
//
// It promises: every statement has the result and the error that it has on a
// plain connection. It never changes SQL, and never keeps a statement that it
// can't prove to be a single one.
package sqlite

import (
	"database/sql"
	"path/filepath"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Durability says what a power cut may take.
type Durability string

const (
	// Full keeps every write that was acknowledged.
	Full Durability = "full"
	// Normal may lose the last commits, never the database. PocketBase's own.
	Normal Durability = "normal"
)

// DefaultStatements is how many prepared statements a connection keeps. One
// takes 2 to 20 KB.
const DefaultStatements = 64

// Options switch the parts of a connection; the zero value is the product's.
type Options struct {
	// Durability of data.db; "" is Full. auxiliary.db, which holds the log,
	// is Normal always.
	Durability Durability
	// Statements is how many are kept per connection: 0 means
	// DefaultStatements, less than 0 none.
	Statements int
}

func (o Options) statements() int {
	if o.Statements == 0 {
		return DefaultStatements
	}
	return max(o.Statements, 0)
}

// pragmas are those of core.DefaultDBConnect, in its order: busy_timeout comes
// first, because the change to WAL must wait for other connections already.
func pragmas(d Durability) string {
	synchronous := "FULL"
	if d == Normal {
		synchronous = "NORMAL"
	}
	return "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(200000000)" +
		"&_pragma=synchronous(" + synchronous + ")&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)" +
		"&_pragma=cache_size(-32000)&_defensive=1"
}

// dataFile is the base name of PocketBase's main database.
const dataFile = "data.db"

// Connect is a core.DBConnectFunc with these options. Its errors are those of
// sql.Open: a path that can't be a DSN. The file is opened at first use.
func Connect(o Options) core.DBConnectFunc {
	return func(path string) (*dbx.DB, error) {
		durability := o.Durability
		if filepath.Base(path) != dataFile {
			durability = Normal
		}
		p, err := newPool(path+pragmas(durability), o)
		if err != nil {
			return nil, err
		}
		return dbx.NewFromDB(sql.OpenDB(p), "sqlite"), nil
	}
}
