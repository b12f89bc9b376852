package engine

import (
	"fmt"
	"slices"
	"testing"

	"bungalow/hooks/kit/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

func TestChangesNameTablesAndRows(t *testing.T) {
	t.Parallel()
	c, other := changeSet{}, changeSet{}
	c.add("a", 1, 1)
	other.add("a", 2, 3)
	other.add("b", 7)
	c.take(other)
	keys := c.keys()
	slices.Sort(keys)
	if want := []string{"a", "a#1", "a#2", "a#3", "b", "b#7"}; !slices.Equal(keys, want) || len(other) != 0 {
		t.Errorf("%v, want %v; %v is left", keys, want, other)
	}
	for i := range int64(rowsKept + 1) {
		other.add("a", i)
	}
	c.take(other)
	if keys := c.keys(); !slices.Contains(keys, "a#") {
		t.Errorf("so many rows are not all: %v", keys)
	}
}

// TestViewsOutliveWritesToOtherRows holds that while a collection is written,
// the views of other records stay in memory, and that none survives a write to
// its own, in whatever way that comes.
func TestViewsOutliveWritesToOtherRows(t *testing.T) {
	t.Parallel()
	own, other := id("book3"), id("book5")
	for name, c := range map[string]struct {
		do    func(*site) error
		stays bool
	}{
		"another record":               {func(s *site) error { return saveBook(s, other) }, true},
		"another record by raw SQL":    {raw("UPDATE books SET title='x' WHERE id='" + other + "'"), true},
		"a new record":                 {raw("INSERT INTO books (id, title) VALUES ('new000000000000','x')"), true},
		"another record is deleted":    {raw("DELETE FROM books WHERE id='" + other + "'"), true},
		"another collection":           {raw("UPDATE authors SET name='x'"), true},
		"the record":                   {func(s *site) error { return saveBook(s, own) }, false},
		"the record by raw SQL":        {raw("UPDATE books SET title='x' WHERE id='" + own + "'"), false},
		"the record is deleted":        {raw("DELETE FROM books WHERE id='" + own + "'"), false},
		"the record is replaced":       {raw("REPLACE INTO books (id, title) VALUES ('" + own + "','x')"), false},
		"the record is put over":       {raw("INSERT INTO books (id, title) VALUES ('" + own + "','x') ON CONFLICT(id) DO UPDATE SET title='y'"), false},
		"the record changes its row":   {raw("UPDATE books SET rowid=900, title='x' WHERE id='" + own + "'"), false},
		"the record comes back":        {raw("DELETE FROM books WHERE id='"+own+"'", "INSERT INTO books (id, title) VALUES ('filler000000000','x')", "INSERT INTO books (id, title) VALUES ('"+own+"','x')"), false},
		"another takes its id":         {raw("UPDATE books SET id='moved0000000000' WHERE id='"+own+"'", "UPDATE books SET id='"+own+"' WHERE id='"+other+"'"), false},
		"every record":                 {raw("UPDATE books SET title='x'"), false},
		"the record after a VACUUM":    {raw("DELETE FROM books WHERE id='"+id("book0")+"'", "VACUUM", "UPDATE books SET title='x' WHERE id='"+own+"'"), false},
		"a rollback":                   {func(s *site) error { rolledBack(s, own); return nil }, true},
		"the record, after a rollback": {func(s *site) error { rolledBack(s, other); return saveBook(s, own) }, false},
		"another, after a rollback":    {func(s *site) error { rolledBack(s, own); return saveBook(s, other) }, true},
		"all in one transaction": {func(s *site) error {
			return s.RunInTransaction(func(tx core.App) error { return saveBook(&site{App: tx}, own) })
		}, false},
		"the collection": {func(s *site) error { c, _ := s.FindCollectionByNameOrId("books"); c.ViewRule = nil; return s.Save(c) }, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serveOn(t, &sqlite.Options{}, "", everything)
			library(t, s, 60)
			bare := s.uncached(t)
			must(t, saveBook(s, id("book50"))) // the collection is being written
			path := "/api/collections/books/records/" + own
			for range 4 {
				s.get(path, "")
			}
			r := Of(s.App).responses
			if r.hits.Load() == 0 {
				t.Fatal("the view is not in memory")
			}
			must(t, c.do(s))
			before := r.hits.Load()
			status, _, got := s.get(path, "")
			wantStatus, _, want := bare.get(path, "")
			if status != wantStatus || got != want {
				t.Errorf("%d %s\nuncached %d %s", status, got, wantStatus, want)
			}
			if stays := r.hits.Load() > before; stays != c.stays {
				t.Errorf("the view is in memory: %v", stays)
			}
		})
	}
}

func saveBook(s *site, id string) error {
	book, err := s.FindRecordById("books", id)
	if err != nil {
		return err
	}
	book.Set("title", book.GetString("title")+"!")
	return s.Save(book)
}

func raw(statements ...string) func(*site) error {
	return func(s *site) error {
		for _, text := range statements {
			if err := tryExec(s, text); err != nil {
				return fmt.Errorf("%s: %w", text, err)
			}
		}
		return nil
	}
}

func rolledBack(s *site, id string) {
	_ = s.RunInTransaction(func(tx core.App) error {
		if err := saveBook(&site{App: tx}, id); err != nil {
			return err
		}
		return errBack
	})
}
