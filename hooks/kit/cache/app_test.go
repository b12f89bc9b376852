package cache

import (
	"errors"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

func TestOfIsOnePerApp(t *testing.T) {
	t.Parallel()
	a, b := newApp(t), newApp(t)
	if Of(a) != Of(a) || Of(a) == Of(b) {
		t.Fatal("every app has one cache of its own")
	}
	_ = a.RunInTransaction(func(tx core.App) error {
		if Of(tx) != Of(a) {
			t.Error("a transaction's app has another cache")
		}
		return nil
	})
}

func TestBindFollowsTheApp(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	c := New(1 << 20)
	Bind(app, c)
	record, err := app.FindFirstRecordByFilter("demo2", "id != ''")
	if err != nil {
		t.Fatal(err)
	}
	// keep caches three answers and returns which of them still stand.
	keep := func() func() [3]bool {
		for key, uses := range map[string]func(*Deps){
			"all":   func(d *Deps) { d.Uses("demo2") },
			"one":   func(d *Deps) { d.Uses("demo2", record.Id) },
			"other": func(d *Deps) { d.Uses("demo3") },
		} {
			mustDo(t, c, key, func(d *Deps) (*Entry, error) { uses(d); return page(key), nil })
		}
		return func() (ok [3]bool) {
			for i, key := range []string{"all", "one", "other"} {
				_, ok[i] = c.Get(key)
			}
			return ok
		}
	}
	save := func(app core.App, title string) {
		t.Helper()
		record.Set("title", title)
		if err := app.Save(record); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name string
		do   func(left func() [3]bool)
		want [3]bool
	}{
		{"nothing", func(func() [3]bool) {}, [3]bool{true, true, true}},
		{"update", func(func() [3]bool) { save(app, "updated") }, [3]bool{false, false, true}},
		{"create", func(func() [3]bool) {
			r := core.NewRecord(record.Collection())
			r.Set("title", "created")
			if err := app.Save(r); err != nil {
				t.Fatal(err)
			}
		}, [3]bool{false, true, true}},
		{"transaction", func(left func() [3]bool) {
			_ = app.RunInTransaction(func(tx core.App) error {
				save(tx, "in a transaction")
				if left() != [3]bool{true, true, true} {
					t.Error("bumped before the commit")
				}
				return nil
			})
		}, [3]bool{false, false, true}},
		{"rollback", func(func() [3]bool) {
			_ = app.RunInTransaction(func(tx core.App) error {
				save(tx, "never")
				return errors.New("no")
			})
		}, [3]bool{true, true, true}},
		{"collection", func(func() [3]bool) {
			collection, err := app.FindCollectionByNameOrId("demo5")
			if err != nil {
				t.Fatal(err)
			}
			collection.Fields.Add(&core.BoolField{Name: "extra"})
			if err := app.Save(collection); err != nil {
				t.Fatal(err)
			}
		}, [3]bool{}},
		{"settings", func(func() [3]bool) {
			app.Settings().Meta.AppName = "Other"
			if err := app.Save(app.Settings()); err != nil {
				t.Fatal(err)
			}
		}, [3]bool{}},
		{"delete", func(func() [3]bool) {
			if err := app.Delete(record); err != nil {
				t.Fatal(err)
			}
		}, [3]bool{false, false, true}},
	} {
		left := keep()
		tt.do(left)
		if got := left(); got != tt.want {
			t.Errorf("%s: of all, one and other there are %v, want %v", tt.name, got, tt.want)
		}
	}
}
