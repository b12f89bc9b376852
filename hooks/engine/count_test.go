package engine

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

func TestOnlyCountsOfOneTableAreMadePlain(t *testing.T) {
	t.Parallel()
	for query, want := range map[string]string{
		"SELECT COUNT(DISTINCT [[posts._rowid_]]) FROM `posts`":                                    "SELECT COUNT(*) FROM `posts`",
		"SELECT COUNT(DISTINCT [[posts._rowid_]]) FROM `posts` WHERE a=1 AND EXISTS (… LEFT JOIN)": "SELECT COUNT(*) FROM `posts` WHERE a=1 AND EXISTS (… LEFT JOIN)",
		"SELECT COUNT(DISTINCT [[posts._rowid_]]) FROM `posts` LEFT JOIN `tags` `x` ON 1":          "",
		"SELECT COUNT(DISTINCT [[posts._rowid_]]) FROM `posts` `p` WHERE 1":                        "",
		"SELECT COUNT(DISTINCT [[posts._rowid_]]) FROM `posts`, `tags` WHERE 1":                    "",
		"SELECT COUNT(DISTINCT [[posts._rowid_]]) FROM `other` WHERE 1":                            "",
		"SELECT COUNT(DISTINCT [[v.id]]) FROM `v`":                                                 "",
		"SELECT COUNT(DISTINCT [[a.b._rowid_]]) FROM `a.b`":                                        "",
		"SELECT COUNT(DISTINCT [[":                                                                 "",
		"SELECT * FROM posts":                                                                      "",
		"":                                                                                         "",
	} {
		if want == "" {
			want = query
		}
		if got := plainCount(query); got != want {
			t.Errorf("%s\nbecame %s\nwanted %s", query, got, want)
		}
	}
}

// library fills an app with books and their authors; the same in every app.
func library(t testing.TB, s *site, books int) {
	t.Helper()
	authors := core.NewBaseCollection("authors")
	authors.Fields.Add(&core.TextField{Name: "name"})
	authors.ListRule, authors.ViewRule = types.Pointer(""), types.Pointer("")
	must(t, s.Save(authors))
	c := core.NewBaseCollection("books")
	c.Fields.Add(&core.TextField{Name: "title"}, &core.NumberField{Name: "pages"}, &core.NumberField{Name: "shelf"},
		&core.RelationField{Name: "authors", CollectionId: authors.Id, MaxSelect: 9})
	c.AddIndex("idx_books_pages", false, "pages", "")
	c.ListRule, c.ViewRule = types.Pointer(""), types.Pointer("")
	must(t, s.Save(c))
	view := core.NewViewCollection("thick")
	view.ViewQuery = "SELECT id, title, pages FROM books WHERE pages > 5"
	view.ListRule, view.ViewRule = types.Pointer(""), types.Pointer("")
	must(t, s.Save(view))
	var ids []string
	for i := range 3 {
		ids = append(ids, s.save(t, "authors", map[string]any{"id": id(fmt.Sprint("author", i)), "name": fmt.Sprint("Author ", i)}).Id)
	}
	must(t, s.RunInTransaction(func(tx core.App) error {
		for i := range books {
			book := core.NewRecord(c)
			book.Load(map[string]any{"id": id(fmt.Sprint("book", i)), "title": fmt.Sprintf("Book <%d> & Söhne", i), "pages": i, "shelf": i * 7 % 101, "authors": ids[:i%4]})
			if err := tx.Save(book); err != nil {
				return err
			}
		}
		return nil
	}))
}

func TestListsCountTheSame(t *testing.T) {
	t.Parallel()
	theirs, ours := serve(t, "", Options{}), serve(t, "", Options{Count: true})
	library(t, theirs, 60)
	library(t, ours, 60)
	if _, ok := ours.ConcurrentDB().(*dbx.DB).Builder.(*rowCounter); !ok {
		t.Fatal("the lists are not counted in the engine's way")
	}
	for _, c := range []string{"books", "authors", "thick", "users", "nothing"} {
		for _, query := range []string{"", "?filter=pages>30", "?filter=authors.name='Author+1'", "?filter=authors.name?='Author+1'", "?filter=authors:length>1",
			"?sort=-authors.name,id&perPage=7&page=2", "?filter=authors.books_via_authors.pages>3", "?skipTotal=1", "?page=99", "?perPage=0&page=-1", "?filter=(((", "?filter=id=''", "?sort=@random&perPage=1&fields=totalItems"} {
			path := "/api/collections/" + c + "/records" + query
			wantStatus, _, want := theirs.get(path, "")
			status, _, got := ours.get(path, "")
			if strings.Contains(query, "fields=") { // then PocketBase's own order of names is random
				got, want = sorted(t, got), sorted(t, want)
			}
			if status != wantStatus || got != want {
				t.Errorf("%s: %d %.300s\nPocketBase %d %.300s", path, status, got, wantStatus, want)
			}
		}
	}
}

// sorted is the same JSON with its names in order.
func sorted(t testing.TB, text string) string {
	t.Helper()
	var value any
	must(t, json.Unmarshal([]byte(text), &value))
	ordered, err := json.Marshal(value)
	must(t, err)
	return string(ordered)
}

func BenchmarkListWithTotals(b *testing.B) {
	for name, o := range map[string]Options{"vanilla": {}, "count": {Count: true}} {
		s := serve(b, "", o)
		library(b, s, 5000)
		for what, query := range map[string]string{"all": "", "indexed": "&filter=pages>100", "unindexed": "&filter=shelf>50"} {
			b.Run(name+"/"+what, func(b *testing.B) {
				for b.Loop() {
					if status, _, body := s.get("/api/collections/books/records?perPage=1"+query, ""); status != 200 {
						b.Fatal(body)
					}
				}
			})
		}
	}
}
