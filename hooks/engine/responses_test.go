package engine

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"bungalow/hooks/kit/sqlite"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

func TestAnswersFromMemoryArePocketBases(t *testing.T) {
	t.Parallel()
	dir := everyField(t)
	theirs, ours := serve(t, dir, Options{}), serve(t, dir, Options{Responses: true, JSON: true})
	root, err := theirs.FindRecordById(core.CollectionNameSuperusers, id("root"))
	must(t, err)
	token, err := root.NewAuthToken()
	must(t, err)
	for _, who := range []string{"", token} {
		for _, path := range questions(t, theirs) {
			wantStatus, wantHeader, want := theirs.get(path, who)
			for range 3 {
				status, header, got := ours.get(path, who)
				if wantStatus == http.StatusOK && strings.Contains(path, "fields=") {
					got, want = sorted(t, got), sorted(t, want)
				}
				if status != wantStatus || got != want || fmt.Sprint(header) != fmt.Sprint(wantHeader) {
					t.Fatalf("%s:\nPocketBase %d %v\n%.1000q\nengine     %d %v\n%.1000q", path, wantStatus, wantHeader, around(want, got), status, header, around(got, want))
				}
			}
		}
	}
	if hits := Of(ours.App).responses.hits.Load(); hits < 100 {
		t.Errorf("only %d answers came from memory", hits)
	}
}

// change writes in one way; the very next request must show it.
type change struct {
	name string
	do   func(t *testing.T, s *site)
}

func exec(query string) func(*testing.T, *site) {
	return func(t *testing.T, s *site) { must(t, tryExec(s, query)) }
}

var changes = []change{
	{"a saved record", func(t *testing.T, s *site) {
		r, err := s.FindRecordById("books", id("book3"))
		must(t, err)
		r.Set("title", "saved")
		must(t, s.Save(r))
	}},
	{"a deleted record", func(t *testing.T, s *site) {
		r, err := s.FindRecordById("books", id("book5"))
		must(t, err)
		must(t, s.Delete(r))
	}},
	{"a related record", func(t *testing.T, s *site) {
		r, err := s.FindRecordById("authors", id("author0"))
		must(t, err)
		r.Set("name", "renamed")
		must(t, s.Save(r))
	}},
	{"raw SQL", exec("UPDATE books SET title='raw' WHERE id='" + id("book3") + "'")},
	{"raw SQL that deletes all", exec("DELETE FROM thickness")},
	{"raw SQL in a transaction", func(t *testing.T, s *site) {
		must(t, s.RunInTransaction(func(tx core.App) error {
			_, err := tx.DB().Update("books", dbx.Params{"title": "in tx"}, dbx.HashExp{"id": id("book3")}).Execute()
			return err
		}))
	}},
	{"a save without hooks", func(t *testing.T, s *site) {
		r, err := s.FindRecordById("books", id("book3"))
		must(t, err)
		r.Set("title", "unhooked")
		must(t, s.UnsafeWithoutHooks().Save(r))
	}},
	{"rows through RETURNING", func(t *testing.T, s *site) {
		var got string
		must(t, s.NonconcurrentDB().NewQuery("UPDATE books SET title='returned' WHERE id='"+id("book3")+"' RETURNING title").Row(&got))
	}},
	{"a rule", func(t *testing.T, s *site) {
		c, err := s.FindCollectionByNameOrId("books")
		must(t, err)
		c.ListRule, c.ViewRule = types.Pointer("pages > 7"), nil
		must(t, s.Save(c))
	}},
	{"a hidden field", func(t *testing.T, s *site) {
		c, err := s.FindCollectionByNameOrId("books")
		must(t, err)
		c.Fields.GetByName("title").SetHidden(true)
		must(t, s.Save(c))
	}},
	{"a collection change that is rolled back", func(t *testing.T, s *site) {
		_ = s.RunInTransaction(func(tx core.App) error {
			c, err := tx.FindCollectionByNameOrId("books")
			must(t, err)
			c.Fields.GetByName("title").SetHidden(true)
			must(t, tx.Save(c))
			s.get("/api/collections/books/records", "") // under the rules of what never was
			return fmt.Errorf("no")
		})
	}},
	{"a column by raw SQL", exec("ALTER TABLE books RENAME COLUMN shelf TO shelf_")},
	{"nothing", func(*testing.T, *site) {}},
}

func TestEveryWriteShowsInTheNextAnswer(t *testing.T) {
	t.Parallel()
	connections := map[string]*sqlite.Options{"the queue": {}, "plain connections": {NoQueue: true}}
	for _, c := range changes {
		for what, o := range connections {
			t.Run(what+"/"+c.name, func(t *testing.T) {
				t.Parallel()
				showsInTheNext(t, serveOn(t, o, "", Options{Responses: true, JSON: true}), c)
			})
		}
	}
	t.Run("after the app began again", func(t *testing.T) {
		t.Parallel()
		s := serve(t, "", Options{Responses: true, JSON: true})
		must(t, s.ClearBootstrap())
		must(t, s.Bootstrap())
		showsInTheNext(t, s, change{"raw SQL", exec("UPDATE books SET title='again'")})
	})
}

// showsInTheNext fills the memory, makes the change and compares.
func showsInTheNext(t *testing.T, s *site, c change) {
	t.Helper()
	library(t, s, 12)
	must(t, tryExec(s, "CREATE TABLE thickness (x)"))
	must(t, tryExec(s, "INSERT INTO thickness VALUES (1)"))
	bare := s.uncached(t)
	paths := []string{"/api/collections/books/records", "/api/collections/books/records?expand=authors", "/api/collections/books/records?filter=authors.name?='Author+0'",
		"/api/collections/books/records/" + id("book3"), "/api/collections/books/records/" + id("book5"), "/api/collections/thick/records", "/api/collections/authors/records?filter=books_via_authors.title?~'Book'"}
	for _, path := range paths {
		for range 3 {
			s.get(path, "")
		}
	}
	if Of(s.App).responses.hits.Load() < int64(len(paths)) {
		t.Fatalf("only %d hits", Of(s.App).responses.hits.Load())
	}
	c.do(t, s)
	for _, path := range paths {
		wantStatus, _, want := bare.get(path, "")
		if status, _, got := s.get(path, ""); status != wantStatus || got != want {
			t.Errorf("%s: %d %.300s\nuncached %d %.300s", path, status, got, wantStatus, want)
		}
	}
}
