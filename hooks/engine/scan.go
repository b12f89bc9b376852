package engine

import (
	"context"
	"errors"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/ganigeorgiev/fexpr"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/dbutils"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/pocketbase/pocketbase/tools/search"
)

// scanWait is how long a stranger's search waits for its turn.
const scanWait = 5 * time.Second

// bindScans bounds how many strangers' lists may read whole tables at once.
// How long each may read is PocketBase's --queryTimeout.
func bindScans(app core.App) *scans {
	gate := &scans{turns: newTurns(max(2, runtime.GOMAXPROCS(0))), wait: scanWait, indexes: map[string]collectionIndexes{}}
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Priority: last, // after the answers from memory, which wait for no turn
		Func: func(e *core.ServeEvent) error {
			e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "bungalowScans", Priority: last, Func: gate.pass})
			return e.Next()
		},
	})
	return gate
}

type scans struct {
	turns *turns
	wait  time.Duration

	mu      sync.RWMutex
	indexes map[string]collectionIndexes
}

// collectionIndexes is what leading says of a collection's model.
type collectionIndexes struct {
	model   *core.Collection
	leading map[string]bool
}

// leading remembers the function of the same name. PocketBase makes new models
// with every change of any collection.
func (s *scans) leading(c *core.Collection) map[string]bool {
	s.mu.RLock()
	known := s.indexes[c.Id]
	s.mu.RUnlock()
	if known.model == c {
		return known.leading
	}
	known = collectionIndexes{c, leading(c)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.indexes) > shapesKept { // of collections that are no more
		clear(s.indexes)
	}
	s.indexes[c.Id] = known
	return known.leading
}

func (s *scans) pass(e *core.RequestEvent) error {
	if e.Auth != nil || e.Request.URL.RawQuery == "" || !isList(e.Request) {
		return e.Next()
	}
	c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
	query := e.Request.URL.Query()
	if err != nil || !readsAll(s.leading(c), query.Get(search.FilterQueryParam), query.Get(search.SortQueryParam)) {
		return e.Next()
	}
	ctx, cancel := context.WithTimeout(e.Request.Context(), s.wait)
	defer cancel()
	release, err := s.turns.take(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		e.Response.Header().Set("Retry-After", strconv.Itoa(int(scanWait/time.Second)))
		return router.NewTooManyRequestsError("Too many searches are running. Try again in a few seconds.", nil)
	}
	if err != nil {
		return err // whoever asked is gone
	}
	defer release()
	return e.Next()
}

// isList reports whether PocketBase's list answers the request.
func isList(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && r.Pattern == "GET /api/collections/{collection}/records"
}

// readsAll reports whether no index is known to spare SQLite the whole table.
// It errs on the side of yes, which only costs a place in the queue.
func readsAll(indexed map[string]bool, filter, sort string) bool {
	one := false
	if filter != "" {
		var narrow bool
		if narrow, one = narrows(filter, indexed); !narrow {
			return true
		}
	}
	if strings.TrimSpace(sort) == "" || one {
		return false
	}
	by := search.ParseSortFromString(sort)[0].Name
	_, ok := indexed[by]
	return by != "@rowid" && !ok
}

// leading lists the fields that begin an index, and whether a value of theirs
// names one row.
func leading(c *core.Collection) map[string]bool {
	if c.IsView() {
		return nil
	}
	fields := map[string]bool{core.FieldNameId: true}
	for _, text := range c.Indexes {
		if index := dbutils.ParseIndex(text); index.IsValid() && index.Where == "" {
			name := index.Columns[0].Name
			fields[name] = fields[name] || index.Unique && len(index.Columns) == 1
		}
	}
	return fields
}

// narrows reports whether every row of the answer satisfies a comparison of a
// field that begins an index, and whether that leaves one row.
func narrows(filter string, indexed map[string]bool) (narrow, one bool) {
	groups, err := fexpr.Parse(filter)
	if err != nil {
		return true, true // PocketBase refuses it without reading anything
	}
	for i, group := range groups {
		if i > 0 && group.Join != fexpr.JoinAnd {
			return false, false
		}
	}
	for _, group := range groups {
		e, ok := group.Item.(fexpr.Expr)
		if !ok || e.Left.Type != fexpr.TokenIdentifier || !fixed(e.Right) {
			continue
		}
		unique, ok := indexed[e.Left.Literal]
		if !ok {
			continue
		}
		switch e.Op {
		case fexpr.SignEq:
			narrow, one = true, one || unique
		case fexpr.SignLt, fexpr.SignLte, fexpr.SignGt, fexpr.SignGte:
			narrow = true
		default:
		}
	}
	return narrow, one
}

// fixed reports whether the token is the same for all rows; @now and its like
// are.
func fixed(t fexpr.Token) bool {
	switch t.Type {
	case fexpr.TokenText, fexpr.TokenNumber:
		return t.Literal != "" // an empty text matches NULL too, in an OR
	case fexpr.TokenIdentifier:
		return strings.HasPrefix(t.Literal, "@")
	default:
		return false
	}
}
