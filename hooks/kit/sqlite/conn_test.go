package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// open gives a database of its own, closed at the end of the test.
func open(t testing.TB, connect core.DBConnectFunc, path string) *sql.DB {
	t.Helper()
	db, err := connect(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.DB().Close() })
	return db.DB()
}

func must(t testing.TB, db interface {
	Exec(string, ...any) (sql.Result, error)
}, text string, args ...any) {
	t.Helper()
	if _, err := db.Exec(text, args...); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

// one pins a connection and gives ours beneath it.
func one(t testing.TB, db *sql.DB) (*sql.Conn, *conn) {
	t.Helper()
	pinned, err := db.Conn(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pinned.Close() })
	var c *conn
	if err := pinned.Raw(func(dc any) error { c = dc.(*conn); return nil }); err != nil {
		t.Fatal(err)
	}
	return pinned, c
}

// outcome is all that a caller sees of a statement.
type outcome struct {
	Err      string
	Affected int64
	LastID   int64
	Columns  []string
	Types    []string
	Rows     [][]any
}

func run(db *sql.Conn, query bool, text string, args ...any) (o outcome) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	defer func() { // the driver has no result for an empty text
		if p := recover(); p != nil {
			o.Err = fmt.Sprint(p)
		}
	}()
	if !query {
		res, err := db.ExecContext(ctx, text, args...)
		if err != nil {
			return outcome{Err: err.Error()}
		}
		o.Affected, _ = res.RowsAffected()
		o.LastID, _ = res.LastInsertId()
		return o
	}
	rows, err := db.QueryContext(ctx, text, args...)
	if err != nil {
		return outcome{Err: err.Error()}
	}
	defer rows.Close()
	o.Columns, _ = rows.Columns()
	types, _ := rows.ColumnTypes()
	for _, c := range types {
		n, ok := c.Nullable()
		o.Types = append(o.Types, fmt.Sprint(c.Name(), c.DatabaseTypeName(), n, ok))
	}
	for rows.Next() {
		values := make([]any, len(o.Columns))
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			o.Err = err.Error()
			return o
		}
		o.Rows = append(o.Rows, values)
	}
	if err := rows.Err(); err != nil {
		o.Err = err.Error()
	}
	return o
}

// script is run on a plain connection and on ours; everything that can be seen
// must be the same, each statement three times over.
var script = []struct {
	query bool
	text  string
	args  []any
}{
	{false, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, n REAL, at DATETIME, raw BLOB)", nil},
	{false, "INSERT INTO t (name, n, at, raw) VALUES (?, ?, ?, ?)", []any{"a;b", 1.5, "2024-01-02 03:04:05.000Z", []byte{0, 1}}},
	{false, "INSERT INTO t (name) VALUES (:name)", []any{sql.Named("name", "named")}},
	{false, "INSERT INTO t (name) VALUES ($1)", []any{"ordinal"}},
	{false, "INSERT INTO t (name) VALUES (?)", nil},
	{false, "INSERT INTO t (name) VALUES (?2)", []any{"x", "second"}},
	{true, "SELECT * FROM t ORDER BY id", nil},
	{true, "SELECT max(at), count(*), NULL FROM t WHERE name > ?", []any{""}},
	{true, "SELECT * FROM t WHERE id = -1", nil},
	{true, "INSERT INTO t (name) VALUES (?) RETURNING id, name", []any{"returned"}},
	{true, "WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x+1 FROM c WHERE x < 5) SELECT x FROM c", nil},
	{true, "SELECT abs(-9223372036854775808)", nil},
	{true, "SELECT CASE WHEN id > 1 THEN abs(-9223372036854775808) END FROM t ORDER BY id", nil},
	{false, "UPDATE t SET n = coalesce(n, 0) + 1", nil},
	{false, "ALTER TABLE t ADD COLUMN more TEXT DEFAULT 'm'", nil},
	{true, "SELECT * FROM t ORDER BY id", nil},
	{false, "INSERT INTO t (name) VALUES ('s1'); INSERT INTO t (name) VALUES ('s2')", nil},
	{false, "SELECT 1; DROP TABLE IF EXISTS gone", nil},
	{true, "PRAGMA table_info(t)", nil},
	{true, "PRAGMA foreign_keys", nil},
	{false, "PRAGMA case_sensitive_like = ON", nil},
	{true, "SELECT 'A' LIKE 'a'", nil},
	{true, "SELECT nothing FROM t", nil},
	{false, "INSERT INTO t (name) VALUES ('a;b')", nil},
	{false, "-- a comment\nDELETE FROM t WHERE name = 's1'", nil},
	{false, "", nil},
	{false, "  ; ", nil},
	{false, "DELETE FROM t WHERE id > ?;", []any{2}},
	{true, "SELECT count(*) FROM t;\n", nil},
	{true, "EXPLAIN SELECT 1", nil},
	{false, "REPLACE INTO t (id, name) VALUES (1, 'replaced')", nil},
	{false, "DROP TABLE t", nil},
	{true, "SELECT * FROM t ORDER BY id", nil},
}

func TestEveryStatementIsAsOnAPlainConnection(t *testing.T) {
	t.Parallel()
	for _, keep := range []int{-1, 1, 2, 64} {
		plain, err := open(t, core.DefaultDBConnect, filepath.Join(t.TempDir(), "data.db")).Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer plain.Close()
		ours, c := one(t, open(t, Connect(Options{Statements: keep}), filepath.Join(t.TempDir(), "data.db")))
		for _, s := range script {
			for range 3 {
				want, got := run(plain, s.query, s.text, s.args...), run(ours, s.query, s.text, s.args...)
				if !reflect.DeepEqual(want, got) {
					t.Errorf("keep %d: %q\nplain %+v\nours  %+v", keep, s.text, want, got)
				}
			}
		}
		if n := c.order.Len(); n != len(c.byText) || n > max(keep, 0) {
			t.Errorf("keep %d: %d statements are kept, %d by text", keep, n, len(c.byText))
		}
		if keep > 0 && c.hits == 0 || keep < 0 && c.hits > 0 {
			t.Errorf("keep %d: %d hits", keep, c.hits)
		}
	}
}

// TestThePragmasArePocketBases compares every setting of a connection but for
// the size of its cache.
func TestThePragmasArePocketBases(t *testing.T) {
	t.Parallel()
	settings := func(connect core.DBConnectFunc, file string) map[string]any {
		c, err := open(t, connect, filepath.Join(t.TempDir(), file)).Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		values := map[string]any{}
		for _, name := range run(c, true, "PRAGMA pragma_list").Rows {
			switch name[0] {
			case "database_list", "data_version", "incremental_vacuum", "wal_checkpoint", "function_list", "module_list", "pragma_list":
			default:
				values[name[0].(string)] = run(c, true, "PRAGMA "+name[0].(string)).Rows
			}
		}
		// Defensive mode, which has no pragma that reads it.
		values["journal off"] = run(c, true, "PRAGMA journal_mode = OFF").Rows
		sizes := []int64{-readCache, -writeCache, -logCache, -plainCache}
		if size, _ := values["cache_size"].([][]any)[0][0].(int64); !slices.Contains(sizes, size) {
			t.Errorf("%s: the cache is of %d KB", file, -size)
		}
		delete(values, "cache_size")
		delete(values, "cache_spill") // follows from it
		return values
	}
	for _, file := range []string{"data.db", "auxiliary.db"} {
		want := settings(core.DefaultDBConnect, file)
		if len(want) < 20 {
			t.Fatalf("only %d settings were read", len(want))
		}
		if got := settings(Connect(Options{Durability: Normal}), file); !reflect.DeepEqual(want, got) {
			t.Errorf("%s: want %v, got %v", file, want, got)
		}
		full := settings(Connect(Options{}), file)
		if file == dataFile {
			if !reflect.DeepEqual(full["synchronous"], [][]any{{int64(2)}}) {
				t.Errorf("data.db is not at FULL: %v", full["synchronous"])
			}
			full["synchronous"] = want["synchronous"]
		}
		if !reflect.DeepEqual(want, full) {
			t.Errorf("%s differs in more than synchronous: %v, %v", file, want, full)
		}
	}
}

func TestAStatementInUseGetsASecondOne(t *testing.T) {
	t.Parallel()
	db, c := one(t, open(t, Connect(Options{}), filepath.Join(t.TempDir(), "data.db")))
	ctx := t.Context()
	const text = "SELECT value FROM json_each(?)"
	outer, err := db.QueryContext(ctx, text, "[1,2,3]")
	if err != nil {
		t.Fatal(err)
	}
	var seen []int
	for outer.Next() {
		var a int
		if err := outer.Scan(&a); err != nil {
			t.Fatal(err)
		}
		inner, err := db.QueryContext(ctx, text, "[10,20]")
		if err != nil {
			t.Fatal(err)
		}
		for inner.Next() {
			var b int
			if err := inner.Scan(&b); err != nil {
				t.Fatal(err)
			}
			seen = append(seen, a*b)
		}
		_ = inner.Close()
	}
	_ = outer.Close()
	if want := []int{10, 20, 20, 40, 30, 60}; !reflect.DeepEqual(seen, want) {
		t.Errorf("got %v, want %v", seen, want)
	}
	if c.order.Len() != 1 || c.order.Front().Value.(*statement).busy {
		t.Errorf("%d statements are kept", c.order.Len())
	}
}

// TestWhatIsInUseOutlivesItsPlace evicts and forgets a statement whose rows
// are being read.
func TestWhatIsInUseOutlivesItsPlace(t *testing.T) {
	t.Parallel()
	db, c := one(t, open(t, Connect(Options{Statements: 2}), filepath.Join(t.TempDir(), "data.db")))
	ctx := t.Context()
	outer, err := db.QueryContext(ctx, "SELECT value FROM json_each('[1,2,3]')")
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for ; outer.Next(); n++ {
		for i := range 4 {
			_ = run(db, true, fmt.Sprintf("SELECT %d", i))
		}
		must(t, connExec{db}, fmt.Sprintf("CREATE TABLE t%d (id)", n))
	}
	if err := errors.Join(outer.Err(), outer.Close()); err != nil || n != 3 {
		t.Errorf("%d rows, %v", n, err)
	}
	if c.order.Len() != 0 {
		t.Errorf("%d statements are kept after a schema change", c.order.Len())
	}
}

type connExec struct{ *sql.Conn }

func (c connExec) Exec(text string, args ...any) (sql.Result, error) {
	return c.ExecContext(context.Background(), text, args...)
}

// TestOtherConnectionsSchemaChanges uses a kept statement after another
// connection changed what it was prepared against.
func TestOtherConnectionsSchemaChanges(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "data.db")
	db, c := one(t, open(t, Connect(Options{}), path))
	other := open(t, core.DefaultDBConnect, path)
	must(t, other, "CREATE TABLE t (a)")
	must(t, other, "INSERT INTO t VALUES (1)")
	const text = "SELECT * FROM t"
	for i, change := range []string{
		"ALTER TABLE t ADD COLUMN b DEFAULT 2", "ALTER TABLE t RENAME COLUMN a TO c", "ALTER TABLE t DROP COLUMN b",
		"DROP TABLE t", "CREATE VIEW t AS SELECT 7 AS x, 8 AS y",
	} {
		_ = run(db, true, text)
		must(t, other, change)
		fresh, err := other.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if want, got := run(fresh, true, text), run(db, true, text); !reflect.DeepEqual(want, got) {
			t.Errorf("%d: after %s\nwant %+v\ngot  %+v", i, change, want, got)
		}
		_ = fresh.Close()
	}
	if c.hits == 0 {
		t.Error("the statement was not kept at all")
	}
}

// TestACancelledStatementLeavesAllSound cancels while rows are made, and uses
// the same text again.
func TestACancelledStatementLeavesAllSound(t *testing.T) {
	t.Parallel()
	db := open(t, Connect(Options{}), filepath.Join(t.TempDir(), "data.db"))
	db.SetMaxOpenConns(1)
	must(t, db, "CREATE TABLE t (a)")
	const text = "INSERT INTO t SELECT value FROM generate WHERE ? = ?"
	must(t, db, `CREATE VIEW generate AS WITH RECURSIVE c(value) AS (VALUES (1) UNION ALL SELECT value+1 FROM c WHERE value < 300) SELECT a.value FROM c a, c b, c d`)
	must(t, db, text, 1, 2)
	for _, query := range []string{text, "SELECT count(*) FROM generate a, generate b WHERE ? <> ?"} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() {
			var n int
			done <- db.QueryRowContext(ctx, query, 1, 1).Scan(&n)
		}()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) && !errors.Is(err, sql.ErrNoRows) {
			t.Errorf("cancelled: %v", err)
		}
	}
	must(t, db, text, 1, 2)
	var n int
	if err := db.QueryRow("SELECT count(*) FROM t WHERE a > ?", 0).Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// TestDbxAndTransactions walks the paths that PocketBase takes.
func TestDbxAndTransactions(t *testing.T) {
	t.Parallel()
	db := dbx.NewFromDB(open(t, Connect(Options{}), filepath.Join(t.TempDir(), "data.db")), "sqlite")
	db.DB().SetMaxOpenConns(1)
	if _, err := db.NewQuery("CREATE TABLE {{t}} ([[id]] TEXT PRIMARY KEY, [[n]] INT)").Execute(); err != nil {
		t.Fatal(err)
	}
	fail := errors.New("no")
	for i := range 6 {
		err := db.Transactional(func(tx *dbx.Tx) error {
			if _, err := tx.Insert("t", dbx.Params{"id": fmt.Sprint(i), "n": i}).Execute(); err != nil {
				return err
			}
			if i%2 == 1 {
				return fail
			}
			return nil
		})
		if i%2 == 1 && !errors.Is(err, fail) || i%2 == 0 && err != nil {
			t.Fatal(err)
		}
	}
	var ids []string
	if err := db.Select("id").From("t").OrderBy("id").Column(&ids); err != nil || !reflect.DeepEqual(ids, []string{"0", "2", "4"}) {
		t.Errorf("%v, %v", ids, err)
	}
	prepared := db.NewQuery("SELECT count(*) FROM t WHERE n >= {:n}").Prepare()
	defer prepared.Close()
	for n, want := range map[int]int{0: 3, 3: 1, 5: 0} {
		var got int
		if err := prepared.Bind(dbx.Params{"n": n}).Row(&got); err != nil || got != want {
			t.Errorf("n >= %d: %d, %v", n, got, err)
		}
	}
}

// TestTheDriversOwnFacesStayReachable is for those who use sql.Conn.Raw.
func TestTheDriversOwnFacesStayReachable(t *testing.T) {
	t.Parallel()
	_, c := one(t, open(t, Connect(Options{}), filepath.Join(t.TempDir(), "data.db")))
	var plain any = c.physical
	for _, face := range []reflect.Type{
		reflect.TypeFor[driver.ExecerContext](), reflect.TypeFor[driver.SessionResetter](), reflect.TypeFor[driver.Validator](),
		reflect.TypeFor[physical](),
	} {
		if !reflect.TypeOf(plain).Implements(face) || !reflect.TypeOf(c).Implements(face) {
			t.Errorf("%v is missing", face)
		}
	}
	for _, face := range []reflect.Type{reflect.TypeFor[driver.NamedValueChecker]()} {
		if reflect.TypeOf(plain).Implements(face) {
			t.Errorf("the driver has %v, which ours hides", face)
		}
	}
}
