package sqlite

import (
	"context"
	"database/sql"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

func TestKindOf(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]kind{
		"SELECT 1":                           read,
		" \t\r\n\fselect 1;":                 read,
		"VALUES (1)":                         read,
		"INSERT INTO t VALUES (1)":           write,
		"update t set a = 1":                 write,
		"DELETE FROM t":                      write,
		"REPLACE INTO t VALUES (1)":          write,
		"INSERT INTO t VALUES (1) RETURNING": returning,
		"DELETE FROM t where a='Returning'":  returning,
		"WITH x AS (SELECT 1) SELECT 1":      returning,
		"PRAGMA data_version":                ask,
		"EXPLAIN QUERY PLAN SELECT 1":        ask,
		"PRAGMA foreign_keys=0":              other,
		"PRAGMA table_info(t)":               other,
		"":                                   other,
		";":                                  other,
		"SELECT 1; SELECT 2":                 other,
		"SELECT ';'":                         other,
		"SELECT 1; ":                         other,
		"SELECT 1\x00; DROP TABLE t":         other,
		"/* */ SELECT 1":                     other,
		"-- x\nSELECT 1":                     other,
		"\vSELECT 1":                         other,
		"SELECTED":                           other,
		"BEGIN":                              other,
		"COMMIT":                             other,
		"VACUUM":                             other,
		"CREATE TABLE t (a)":                 other,
		"ATTACH 'x' AS y":                    other,
		"INSERTS":                            other,
	} {
		if got := kindOf(text); got != want {
			t.Errorf("%q is %d, want %d", text, got, want)
		}
	}
}

// FuzzKept runs any text twice on a plain connection and on ours, and holds
// that what is kept is one statement of the kind that its first word says.
func FuzzKept(f *testing.F) {
	for _, s := range script {
		f.Add(s.text, s.query)
	}
	f.Add("SELECT 1\x00;", true)
	f.Add("SELECT \"a;\" ;", true)
	f.Add("select(1)union select(2)", true)
	f.Add("PRAGMA data_version", true)
	f.Fuzz(func(t *testing.T, text string, query bool) {
		lower := strings.ToLower(text)
		for _, word := range []string{"random", "now", "date", "time", "attach", "vacuum", "data_version", "with", "changes", "julian", "current", "blob", "rowid", "file", "stat", "sqlite_"} {
			if strings.Contains(lower, word) {
				t.Skip("not the same twice, or not for this machine")
			}
		}
		if k := kindOf(text); k.kept() {
			if i := strings.IndexByte(text, ';'); i >= 0 && i < len(text)-1 {
				t.Fatalf("%q is kept", text)
			}
			first := strings.ToUpper(strings.TrimLeft(text, " \t\n\f\r"))
			if k == read && !strings.HasPrefix(first, "SELECT") && !strings.HasPrefix(first, "VALUES") {
				t.Fatalf("%q is a read", text)
			}
		}
		var seen [2][]outcome
		for i, connect := range []core.DBConnectFunc{core.DefaultDBConnect, Connect(Options{Durability: Normal})} {
			db := open(t, connect, ":memory:")
			db.SetMaxOpenConns(1)
			must(t, db, "CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE)")
			must(t, db, "INSERT INTO t (name) VALUES ('a'), ('b')")
			c, err := db.Conn(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				seen[i] = append(seen[i], run(c, query, text))
			}
			seen[i] = append(seen[i], run(c, true, "SELECT * FROM t"))
			_ = c.Close()
		}
		if !reflect.DeepEqual(seen[0], seen[1]) {
			t.Fatalf("%q\nplain %+v\nours  %+v", text, seen[0], seen[1])
		}
	})
}

func BenchmarkStatements(b *testing.B) {
	for _, bench := range []struct {
		name, text string
		args       []any
	}{
		{"get", "SELECT `t`.* FROM `t` WHERE `t`.`id`=? LIMIT 1", []any{"r500"}},
		{"insert", "INSERT INTO `t` (`id`, `name`, `n`) VALUES (?, ?, ?)", []any{nil, "name", 7}},
	} {
		for _, kind := range []struct {
			name    string
			connect core.DBConnectFunc
		}{{"plain", core.DefaultDBConnect}, {"kept", Connect(Options{Durability: Normal})}} {
			b.Run(bench.name+"/"+kind.name, func(b *testing.B) {
				db := open(b, kind.connect, filepath.Join(b.TempDir(), "data.db"))
				must(b, db, "CREATE TABLE t (id TEXT, name TEXT NOT NULL DEFAULT '', n NUMERIC)")
				must(b, db, "CREATE UNIQUE INDEX i ON t (id)")
				must(b, db, "WITH RECURSIVE c(x) AS (VALUES (1) UNION ALL SELECT x+1 FROM c WHERE x < 1000) INSERT INTO t SELECT 'r' || x, 'name', x FROM c")
				ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
				defer cancel()
				b.ReportAllocs()
				db.SetMaxOpenConns(1)
				for b.Loop() {
					rows, err := db.QueryContext(ctx, bench.text, bench.args...)
					if err != nil {
						b.Fatal(err)
					}
					for rows.Next() {
						var id, name sql.NullString
						var n int
						if err := rows.Scan(&id, &name, &n); err != nil {
							b.Fatal(err)
						}
					}
					_ = rows.Close()
				}
			})
		}
	}
}
