package engine

import (
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// bindCount has lists counted in the cheaper way, from every bootstrap on.
func bindCount(app core.App) {
	if app.IsBootstrapped() {
		countRows(app)
	}
	app.OnBootstrap().BindFunc(func(e *core.BootstrapEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		countRows(e.App)
		return nil
	})
}

// countRows puts a builder before that of the read pool, which is the one that
// lists are made with.
func countRows(app core.App) {
	db, ok := app.ConcurrentDB().(*dbx.DB)
	if !ok {
		return // a transaction's app
	}
	if _, done := db.Builder.(*rowCounter); !done {
		db.Builder = &rowCounter{Builder: db.Builder, db: db}
	}
}

// rowCounter is a query builder that knows a shorter way to one answer.
type rowCounter struct {
	dbx.Builder
	db *dbx.DB
}

// Select begins a query that comes back to NewQuery here.
func (b *rowCounter) Select(columns ...string) *dbx.SelectQuery {
	return dbx.NewSelectQuery(b, b.db).Select(columns...)
}

// NewQuery is the inner builder's, but for the counts of PocketBase's lists.
func (b *rowCounter) NewQuery(query string) *dbx.Query {
	return b.Builder.NewQuery(plainCount(query))
}

const (
	countStart = "SELECT COUNT(DISTINCT [["
	countEnd   = "._rowid_]]) FROM `"
)

// plainCount turns SELECT COUNT(DISTINCT t._rowid_) FROM t [WHERE …] into
// SELECT COUNT(*). A table's row ids are distinct and never NULL, so the two are
// equal unless something is joined, and then it touches nothing.
func plainCount(query string) string {
	rest, ok := strings.CutPrefix(query, countStart)
	if !ok {
		return query
	}
	table, rest, ok := strings.Cut(rest, countEnd)
	if !ok || strings.ContainsAny(table, "[]`. ") {
		return query
	}
	after, ok := strings.CutPrefix(rest, table+"`")
	if !ok || after != "" && !strings.HasPrefix(after, " WHERE ") {
		return query
	}
	return "SELECT COUNT(*) FROM `" + rest
}
