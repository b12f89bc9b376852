package engine

import (
	"net/http"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

func TestWhichListsReadTheWholeTable(t *testing.T) {
	t.Parallel()
	c := core.NewBaseCollection("c")
	for _, name := range []string{"a", "b", "u", "v", "part"} {
		c.Fields.Add(&core.TextField{Name: name})
	}
	c.AddIndex("i1", false, "a, b", "")
	c.AddIndex("i2", true, "u", "")
	c.AddIndex("i3", false, "part", "part > 1")
	for _, q := range []struct {
		filter, sort string
		want         bool
	}{
		{"", "", false}, {"", "a", false}, {"", "-a,v", false}, {"", "+id", false}, {"", "@rowid", false}, {"", " ", false},
		{"", "v", true}, {"", "b", true}, {"", "@random", true}, {"", "part", true}, {"", ",a", true},
		{"a=1", "", false}, {"a='x' && v~'y'", "", false}, {"v~'y' && a>=3", "", false}, {"a<@now", "", false}, {"(((", "", false},
		{"v=1", "", true}, {"b=1", "", true}, {"a=1||v=1", "", true}, {"a!=1", "", true}, {"a~'x'", "", true}, {"a=v", "", true}, {"a=''", "", true},
		{"a?=1", "", true}, {"a.b=1", "", true}, {"(a=1 || b=2) && v=3", "", true}, {"1=1", "", true}, {"a:lower='x'", "", true},
		{"a=1", "v", true}, {"u=1", "v", false}, {"id='x'", "v", false}, {"a=1 && u=2", "v", false}, {"u>1", "v", true},
	} {
		if got := readsAll(leading(c), q.filter, q.sort); got != q.want {
			t.Errorf("filter %q, sort %q: %v", q.filter, q.sort, got)
		}
	}
	view := core.NewViewCollection("view")
	if !readsAll(leading(view), "id='x'", "") || !readsAll(leading(view), "", "id") || readsAll(leading(view), "", "") {
		t.Error("nothing is known of a view's indexes")
	}
}

func TestStrangersSearchesWaitForATurn(t *testing.T) {
	t.Parallel()
	const path = "/api/collections/books/records?sort=-shelf,id&perPage=5"
	theirs, ours := serve(t, "", Options{}), serve(t, "", Options{Scans: true})
	library(t, theirs, 50)
	library(t, ours, 50)
	_, token := ours.user(t, "ada@example.com")
	gate := Of(ours.App).scans
	gate.wait = 20 * time.Millisecond
	release := occupy(t, gate.turns)
	status, header, body := ours.get(path, "")
	if status != http.StatusTooManyRequests || header.Get("Retry-After") != "5" {
		t.Errorf("%d %v %s", status, header, body)
	}
	for _, free := range []string{"/api/collections/books/records", "/api/collections/books/records?sort=pages", "/api/collections/books/records?perPage=1",
		"/api/collections/books/records/" + id("book1") + "?sort=shelf", "/api/health?sort=shelf"} {
		if status, _, body := ours.get(free, ""); status != http.StatusOK {
			t.Errorf("%s waits too: %d %s", free, status, body)
		}
	}
	if status, _, body := ours.get(path, token); status != http.StatusOK {
		t.Errorf("who is signed in waits too: %d %s", status, body)
	}
	gate.wait = scanWait
	waiting := ours.later(t.Context(), http.MethodGet, path, "")
	release()
	rec := <-waiting
	if _, _, want := theirs.get(path, ""); rec.Code != http.StatusOK || rec.Body.String() != want {
		t.Errorf("after the wait: %d %s\nPocketBase: %s", rec.Code, rec.Body, want)
	}
	if n := len(gate.turns.free); n != 0 {
		t.Errorf("%d turns are lost", n)
	}
}

func TestAnswersFromMemoryWaitForNoTurn(t *testing.T) {
	t.Parallel()
	const path = "/api/collections/books/records?sort=-shelf,id&perPage=5"
	s := serve(t, "", Options{Scans: true, Responses: true})
	library(t, s, 20)
	s.get(path, "")
	_, _, want := s.get(path, "") // kept
	gate := Of(s.App).scans
	gate.wait = 20 * time.Millisecond
	release := occupy(t, gate.turns)
	defer release()
	if status, _, got := s.get(path, ""); status != http.StatusOK || got != want {
		t.Errorf("%d %s", status, got)
	}
	if status, _, _ := s.get(path+"&page=2", ""); status != http.StatusTooManyRequests {
		t.Errorf("what is not in memory: %d", status)
	}
}

func TestWhatIsKnownOfIndexesFollowsTheCollection(t *testing.T) {
	t.Parallel()
	s := serve(t, "", Options{Scans: true})
	library(t, s, 3)
	gate := Of(s.App).scans
	c, err := s.FindCachedCollectionByNameOrId("books")
	must(t, err)
	if _, indexed := gate.leading(c)["shelf"]; indexed {
		t.Fatal("shelf has an index already")
	}
	change, err := s.FindCollectionByNameOrId("books")
	must(t, err)
	change.AddIndex("by_shelf", false, "shelf", "")
	must(t, s.Save(change))
	c, err = s.FindCachedCollectionByNameOrId("books")
	must(t, err)
	if _, indexed := gate.leading(c)["shelf"]; !indexed {
		t.Error("the new index is not known")
	}
}

func FuzzReadsAll(f *testing.F) {
	f.Add("a=1 && b~'x'", "-a,b")
	f.Fuzz(func(_ *testing.T, filter, sort string) {
		c := core.NewBaseCollection("c")
		c.AddIndex("i", true, "a", "")
		readsAll(leading(c), filter, sort)
	})
}
