package engine

import (
	"errors"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"bungalow/hooks/kit/cache"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

const (
	// answerKept is the largest answer that is kept, in bytes.
	answerKept = 1 << 20
	// addressKept is the longest address whose answer is kept.
	addressKept = 4 << 10
)

// bindResponses answers lists and views from memory while nothing that they
// depend on was written. It is the last middleware, so that all others run,
// and PocketBase itself answers whatever it can't be sure of.
func bindResponses(app core.App, commits *commits, jsonHooks int) *responses {
	r := &responses{cache: cache.Of(app), commits: commits, toll: newToll(app), door: newDoorkeeper(), serials: map[string]serial{}}
	r.wishes.known = map[string]*wish{}
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Priority: last,
		Func: func(e *core.ServeEvent) error {
			bare, err := plain()
			if err != nil {
				return err
			}
			most := bare.listHooks + jsonHooks
			r.alone = func(app core.App) bool { return listHooks(app) == most }
			e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "bungalowResponses", Priority: last, Func: r.pass})
			return e.Next()
		},
	})
	return r
}

type responses struct {
	cache   *cache.Cache
	commits *commits
	toll    *toll
	door    *doorkeeper
	wishes  wishes
	alone   func(core.App) bool

	hits atomic.Int64

	mu      sync.Mutex
	serials map[string]serial
}

// serial numbers the models of a collection. PocketBase makes new ones with
// every change of any collection, also with one that is rolled back.
type serial struct {
	model *core.Collection
	n     uint64
}

func (r *responses) serial(c *core.Collection) uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.serials[c.Id]
	if s.model != c {
		s = serial{c, s.n + 1}
		r.serials[c.Id] = s
	}
	return s.n
}

// errOwn sends a request that waited for another's answer to PocketBase.
var errOwn = errors.New("the answer is for the one who asked")

func (r *responses) pass(e *core.RequestEvent) error {
	collection, list := r.asked(e)
	if collection == nil || !r.commits.open.Load() {
		return e.Next()
	}
	serial, rest := r.serial(collection), e.Request.URL.Path+"\x00"+address(e.Request.URL.Query())
	key := answerKey(serial, e.Auth, rest)
	entry, ok := r.cache.Get(key)
	if !ok {
		if !r.door.again(key) {
			return e.Next()
		}
		var done bool
		var err error // what PocketBase returned to this very request
		if entry, done, err = r.ask(e, key, collection, list); done {
			return err
		}
	}
	if entry == nil || !r.toll.pay(e.Request, e.Auth) {
		return e.Next()
	}
	r.hits.Add(1)
	if slices.Contains(models(e.App), collection) {
		r.wishes.learn(e, serial, rest)
	}
	if header := e.Response.Header(); header.Get("Content-Type") == "" {
		header.Set("Content-Type", entry.Header.Get("Content-Type"))
	}
	e.Response.WriteHeader(http.StatusOK)
	_, err := e.Response.Write(entry.Body)
	return err
}

// ask has PocketBase answer, this request or another with the same key that is
// under way. Done says that it answered this one; entry is nil where the other
// one's answer is not for everybody.
func (r *responses) ask(e *core.RequestEvent, key string, c *core.Collection, list bool) (entry *cache.Entry, done bool, answered error) {
	entry, err := r.cache.Do(e.Request.Context(), key, func(d *cache.Deps) (*cache.Entry, error) {
		done = true
		reach := depends(d, e, c, list)
		if !r.commits.seen() || !current(e) {
			d.NoStore()
		}
		var entry *cache.Entry
		if entry, answered = record(e, c, list); entry == nil {
			return nil, errOwn
		}
		if reach == near {
			for _, key := range r.rows(e, c, list) {
				d.Uses(key)
			}
		}
		return entry, nil
	})
	if err != nil {
		entry = nil
	}
	return entry, done, answered
}

// asked is the collection whose list or view is asked for, nil where only
// PocketBase may answer.
func (r *responses) asked(e *core.RequestEvent) (c *core.Collection, list bool) {
	list = isList(e.Request)
	if e.Request.Method != http.MethodGet || e.Request.ContentLength != 0 || len(e.Request.RequestURI)+len(e.Request.URL.RawQuery) > addressKept ||
		!list && e.Request.Pattern != "GET /api/collections/{collection}/records/{id}" {
		return nil, false
	}
	c, err := e.App.FindCachedCollectionByNameOrId(e.Request.PathValue("collection"))
	if err != nil || c.IsAuth() || e.App.IsTransactional() || e.Response.Header().Get("Content-Type") != "" || !r.alone(e.App) {
		return nil, false
	}
	return c, list
}

// answerKey holds all that an answer depends on besides the database.
func answerKey(serial uint64, auth *core.Record, rest string) string {
	b := make([]byte, 0, 64+len(rest))
	b = strconv.AppendUint(append(b, "api\x00"...), serial, 10)
	b = append(b, 0)
	if auth != nil {
		b = append(append(append(b, auth.Collection().Id...), '/'), auth.Id...)
	}
	return string(append(append(b, 0), rest...))
}

// depends declares what a write of may change the answer, but for the rows of
// its own collection.
func depends(d *cache.Deps, e *core.RequestEvent, c *core.Collection, list bool) reach {
	rule := c.ViewRule
	if list {
		rule = c.ListRule
	}
	query := e.Request.URL.Query()
	reach := near
	if rule != nil && !e.HasSuperuserAuth() {
		reach = reachOf(*rule)
	}
	if list {
		reach = max(reach, reachOf(query.Get("filter")), sortReach(query.Get("sort")))
	}
	if c.IsView() || query.Get("expand") != "" {
		reach = max(reach, wide)
	}
	switch reach {
	case near:
	case wide:
		d.UsesAll()
	default:
		d.NoStore()
	}
	if e.Auth != nil {
		d.Uses(e.Auth.Collection().Name)
	}
	return reach
}

// rows names what of its own collection an answer depends on: a view of a
// record on that row, everything else on all. To ask which row it is costs a
// query, so it is done only while other rows are written.
//
// The row is asked for after the answer was made. If the record has moved to
// another row since, both were bumped after the answer was begun.
func (r *responses) rows(e *core.RequestEvent, c *core.Collection, list bool) []string {
	if list || !r.commits.isLively(c.Name) {
		return []string{c.Name}
	}
	var row int64
	err := e.App.ConcurrentDB().Select("_rowid_").From(c.Name).Where(dbx.HashExp{core.FieldNameId: e.Request.PathValue("id")}).Row(&row)
	if err != nil {
		return []string{c.Name}
	}
	return []string{anyRow(c.Name), oneRow(c.Name, row)}
}

// current reports whether the request's account is as the database has it: it
// was loaded before the answer was begun.
func current(e *core.RequestEvent) bool {
	if e.Auth == nil {
		return true
	}
	now, err := e.App.FindRecordById(e.Auth.Collection(), e.Auth.Id)
	return err == nil && reflect.DeepEqual(now.FieldsData(), e.Auth.FieldsData()) && len(e.Auth.CustomData()) == 0 && len(e.Auth.Expand()) == 0
}

// record lets PocketBase answer and keeps a copy; nil where that is not one to
// give to others.
func record(e *core.RequestEvent, c *core.Collection, list bool) (*cache.Entry, error) {
	before := len(e.Response.Header())
	w := &copied{ResponseWriter: e.Response}
	e.Response = w
	err := e.Next()
	if e.Response == w {
		e.Response = w.ResponseWriter
	}
	header := w.Header()
	if err != nil || w.status != http.StatusOK || w.lost || len(header) != before+1 || header.Get("Content-Type") != "application/json" {
		return nil, err
	}
	// PocketBase slows down who guesses by filters and finds nothing.
	if list && strings.HasPrefix(string(w.body[:min(len(w.body), 12)]), `{"items":[]`) {
		return nil, nil
	}
	return &cache.Entry{Header: http.Header{"Content-Type": {"application/json"}}, Body: w.body}, nil
}

// copied writes through and keeps what was written.
type copied struct {
	http.ResponseWriter
	status int
	body   []byte
	lost   bool
}

// Unwrap is how PocketBase finds its own writer.
func (w *copied) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *copied) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *copied) Write(b []byte) (int, error) {
	n, err := w.ResponseWriter.Write(b)
	if err != nil || len(w.body)+len(b) > answerKept {
		w.lost, w.body = true, nil
	}
	if !w.lost {
		w.body = append(w.body, b...)
	}
	return n, err
}
