// Package sqlite opens the site's databases. It stands in for PocketBase's own
// way of connecting, through its Config.DBConnect, and takes the same driver
// and the same pragmas.
//
// It promises: every statement has the result and the error that it has on a
// plain connection, and with Full durability every write that was acknowledged
// survives a power cut. Another request may read a row about one sync before it
// is durable; acknowledgements, and hooks that run after success, come after.
// It never changes SQL, never keeps a statement that it can't prove to be a
// single one, and never runs two callers' transactions as one.
package sqlite

import (
	"database/sql"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"

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
	// NoQueue leaves data.db's write pool as PocketBase has it: one
	// connection, one sync for each commit, waiters in no order.
	NoQueue bool
	// NoGroups keeps single statements out of common transactions.
	NoGroups bool
	// Lost is told once when the disk failed to sync, and no write is accepted
	// any more. nil ends the process: after a restart what can be read is what
	// is on the disk.
	Lost func(error)

	plain bool         // PocketBase's own caches
	extra string       // of the DSN, for tests
	sync  func() error // in place of the log's, for tests
}

// Plain has connections as PocketBase's own: nothing is kept, queued or synced
// otherwise. Only that a transaction takes the write lock as it begins is ours.
func Plain() Options {
	return Options{Durability: Normal, Statements: -1, NoQueue: true, plain: true}
}

func (o Options) lost(err error) {
	if o.Lost != nil {
		o.Lost(err)
		return
	}
	slog.Error("the disk failed to sync; the process ends, so that nobody builds on what may be lost", "error", err)
	os.Exit(1)
}

func (o Options) statements() int {
	if o.Statements == 0 {
		return DefaultStatements
	}
	return max(o.Statements, 0)
}

// The page caches of connections, in KB. PocketBase gives each 32 MB; in front of
// the system's own memory of the file that buys little (see wide.go), and eight of them are
// half a gigabyte, because the driver takes 8 KB for a page of 4. What a transaction
// changes does not leave the writer's until it must, and the log's rows go to
// many places of its indexes.
const (
	readCache  = 1000
	writeCache = 8000
	logCache   = 4000
	plainCache = 32000 // PocketBase's
)

// beginImmediate is what the driver's BEGIN says then, where it is not told that
// a transaction only reads.
const beginImmediate = "&_txlock=immediate"

// pragmas are those of core.DefaultDBConnect but for the cache, in its order:
// busy_timeout comes first, because the change to WAL must wait for other
// connections already.
func pragmas(d Durability, cache int) string {
	synchronous := "FULL"
	if d == Normal {
		synchronous = "NORMAL"
	}
	return "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(200000000)" +
		"&_pragma=synchronous(" + synchronous + ")&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)" +
		"&_pragma=cache_size(-" + strconv.Itoa(cache) + ")&_defensive=1"
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
		p, err := newPool(path, durability, o)
		if err != nil {
			return nil, err
		}
		return dbx.NewFromDB(sql.OpenDB(p), "sqlite"), nil
	}
}
