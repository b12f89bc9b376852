package engine

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bungalow/hooks/kit/sqlite"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// truth is a site whose rules look through everything that a rule can.
type truth struct {
	*site
	bare   *site
	tokens []string
	paths  []string
}

const (
	truthBooks = 24
	truthUsers = 4
)

func newTruth(t *testing.T) *truth {
	s := serveOn(t, &sqlite.Options{}, "", Options{Responses: true, JSON: true, Tokens: true, Count: true})
	library(t, s, truthBooks)
	flags := core.NewBaseCollection("flags")
	flags.Fields.Add(&core.BoolField{Name: "on"})
	must(t, s.Save(flags))
	s.save(t, "flags", map[string]any{"id": id("flag"), "on": true})
	tr := &truth{site: s, tokens: []string{""}}
	users, err := s.FindCollectionByNameOrId("users")
	must(t, err)
	users.Fields.Add(&core.TextField{Name: "role"})
	users.ListRule = types.Pointer("id = @request.auth.id")
	must(t, s.Save(users))
	for i := range truthUsers {
		user, token := s.user(t, fmt.Sprint("user", i, "@example.com"))
		user.Set("role", "reader")
		must(t, s.Save(user))
		tr.tokens = append(tr.tokens, token)
	}
	for name, rule := range map[string]string{
		"by_own": "shelf > 40 || pages < 5", "by_relation": "authors.name ?~ 'public'", "by_flag": "@collection.flags.on ?= true",
		"by_role": "@request.auth.role = 'editor'", "by_back": "parts_via_whole.size ?> 3", "by_clock": "created_at < @now",
	} {
		c := core.NewBaseCollection(name)
		authors, err := s.FindCollectionByNameOrId("authors")
		must(t, err)
		c.Fields.Add(&core.TextField{Name: "title"}, &core.NumberField{Name: "pages"}, &core.NumberField{Name: "shelf"}, &core.DateField{Name: "created_at"},
			&core.RelationField{Name: "authors", CollectionId: authors.Id, MaxSelect: 3, CascadeDelete: true})
		must(t, s.Save(c))
		if name == "by_back" {
			parts := core.NewBaseCollection("parts")
			parts.Fields.Add(&core.NumberField{Name: "size"}, &core.RelationField{Name: "whole", CollectionId: c.Id, CascadeDelete: true})
			must(t, s.Save(parts))
		}
		c.ListRule, c.ViewRule = types.Pointer(rule), types.Pointer(rule)
		must(t, s.Save(c))
		for i := range 6 {
			r := s.save(t, name, map[string]any{"id": id(fmt.Sprint(name, i)), "title": name, "pages": i, "authors": []string{id(fmt.Sprint("author", i%3))}})
			if name == "by_back" {
				s.save(t, "parts", map[string]any{"id": id(fmt.Sprint("part", i)), "size": i, "whole": r.Id})
			}
			tr.paths = append(tr.paths, "/api/collections/"+name+"/records/"+r.Id)
		}
		tr.paths = append(tr.paths, "/api/collections/"+name+"/records", "/api/collections/"+name+"/records?expand=authors&sort=-title,id", "/api/collections/"+name+"/records?filter=pages>2&skipTotal=1")
	}
	tr.paths = append(tr.paths, "/api/collections/thick/records?sort=id", "/api/collections/books/records?filter=authors.name~'public'", "/api/collections/users/records", "/api/collections/books/records/"+id("book1"))
	tr.bare = s.uncached(t)
	return tr
}

var collections = []string{"by_own", "by_relation", "by_flag", "by_role", "by_back", "by_clock"}

var errBack = errors.New("rolled back")

// write changes something; its error means that another was quicker.
func (tr *truth) write(rng *rand.Rand) error {
	name := collections[rng.IntN(len(collections))]
	record := id(fmt.Sprint(name, rng.IntN(6)))
	set := map[string]any{"title": strconv.Itoa(rng.IntN(1000)), "pages": rng.IntN(10), "shelf": rng.IntN(80)}
	save := func(app core.App, c, id string, fields map[string]any) error {
		r, err := app.FindRecordById(c, id)
		if err != nil {
			return err
		}
		r.Load(fields)
		return app.Save(r)
	}
	switch rng.IntN(12) {
	case 0, 1:
		return save(tr.App, name, record, set)
	case 2:
		_, err := tr.DB().Update(name, dbx.Params(set), dbx.HashExp{"id": record}).Execute()
		return err
	case 3:
		return tr.RunInTransaction(func(tx core.App) error {
			for range 3 {
				if err := save(tx, name, record, set); err != nil {
					return err
				}
			}
			if rng.IntN(2) == 0 {
				return errBack
			}
			_, err := tx.DB().NewQuery("UPDATE parts SET size = abs(random() % 6)").Execute()
			return err
		})
	case 4:
		return save(tr.App, "authors", id(fmt.Sprint("author", rng.IntN(3))), map[string]any{"name": []string{"public", "private"}[rng.IntN(2)]})
	case 5:
		return save(tr.App, "flags", id("flag"), map[string]any{"on": rng.IntN(2) == 0})
	case 6:
		return save(tr.App, "users", id(fmt.Sprint("user", rng.IntN(truthUsers), "@example.com")), map[string]any{"role": []string{"reader", "editor"}[rng.IntN(2)]})
	case 7: // a record goes, with its parts, and comes back
		r, err := tr.FindRecordById(name, record)
		if err != nil {
			return err
		}
		if err := tr.Delete(r); err != nil {
			return err
		}
		back := core.NewRecord(r.Collection())
		back.Load(r.FieldsData())
		return tr.Save(back)
	case 8:
		return save(tr.App, "parts", id(fmt.Sprint("part", rng.IntN(6))), map[string]any{"size": rng.IntN(7)})
	case 9:
		return save(tr.App, "books", id(fmt.Sprint("book", rng.IntN(truthBooks))), map[string]any{"pages": rng.IntN(10)})
	case 10:
		_, err := tr.NonconcurrentDB().NewQuery("INSERT INTO books (id, title, pages) VALUES ('" + core.GenerateDefaultRandomId() + "', 'x', 9)").Execute()
		return errors.Join(err, tryExec(tr.site, "DELETE FROM books WHERE title='x'"))
	default:
		if rng.IntN(20) > 0 {
			return nil
		}
		c, err := tr.FindCollectionByNameOrId("by_own")
		if err != nil {
			return err
		}
		c.ListRule = types.Pointer(fmt.Sprintf("shelf > %d", rng.IntN(80)))
		return tr.Save(c)
	}
}

// TestAnswersFromMemoryAreTrue has writers and readers at work at once. Each
// answer that may come from memory is compared with one that does not; where
// nothing was committed from before the one until after the other, the two
// must be equal. BUNGALOW_TRUTH=200000 makes it as long as the promise is.
func TestAnswersFromMemoryAreTrue(t *testing.T) {
	t.Parallel()
	const workers, leastWrites = 16, 100
	enough := int64(1500)
	if n, err := strconv.ParseInt(os.Getenv("BUNGALOW_TRUTH"), 10, 64); err == nil {
		enough = n
	}
	tr := newTruth(t)
	// A connection of the test's own sees every commit.
	eye, err := tr.ConcurrentDB().(*dbx.DB).DB().Conn(t.Context())
	must(t, err)
	defer eye.Close()
	var eyes sync.Mutex
	version := func() (v int64) {
		eyes.Lock()
		defer eyes.Unlock()
		if err := eye.QueryRowContext(context.Background(), "PRAGMA data_version").Scan(&v); err != nil {
			t.Error(err)
		}
		return v
	}
	hits := func() int64 { return int64(Of(tr.App).responses.hits.Load()) }
	var compared, skipped, wrote atomic.Int64
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
	defer stop()
	var wg sync.WaitGroup
	for n := range workers {
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(n), 1))
			for ctx.Err() == nil {
				if err := tr.write(rng); err == nil {
					wrote.Add(1)
				} else if !errors.Is(err, errBack) && !errors.Is(err, sql.ErrNoRows) && ctx.Err() == nil && wrote.Load() == 0 {
					t.Errorf("nothing can be written: %v", err)
					stop()
				}
				// On a slow machine a commit would come between any two answers.
				slower := min(1+8*(skipped.Load()/(1+compared.Load())), 100)
				time.Sleep(time.Duration(rng.Int64N(600*slower)) * time.Millisecond)
			}
		})
		wg.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(n), 2))
			var path, token string
			for i := 0; ctx.Err() == nil; i++ {
				if i%6 == 0 { // the same again and again, so that it is in memory
					path, token = tr.paths[rng.IntN(len(tr.paths))], tr.tokens[rng.IntN(len(tr.tokens))]
				}
				before, rules := version(), models(tr.App)
				status, _, got := tr.get(path, token)
				wantStatus, _, want := tr.bare.get(path, token)
				// PocketBase has changed rules in memory before they are committed.
				if version() != before || !sameModels(rules, models(tr.App)) {
					skipped.Add(1)
					continue
				}
				if status != wantStatus || got != want {
					t.Errorf("%s as %.8s: %d %.600s\nuncached %d %.600s", path, token, status, got, wantStatus, want)
					stop()
				}
				if compared.Add(1) >= enough && wrote.Load() >= leastWrites && hits() >= enough/10 {
					stop()
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d answers compared, %d skipped because of a commit in between, %d from memory, %d writes", compared.Load(), skipped.Load(), hits(), wrote.Load())
	if compared.Load() < enough || hits() < enough/10 || wrote.Load() < leastWrites {
		t.Errorf("that proves little")
	}
}
