package engine

import (
	"net/http"
	"strings"
	"sync"
	"time"

	"bungalow/hooks/kit/cache"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/security"
)

const (
	// tokenFor is how long a verified token is believed at most.
	tokenFor = 30 * time.Second
	// tokensKept is how many are remembered, tokenLength how long each may be.
	tokensKept  = 4096
	tokenLength = 2048
)

// bindTokens replaces the middleware that loads a token's account. Where
// somebody took it away it stays away.
func bindTokens(app core.App, commits *commits) *tokens {
	tokens := newTokens(cache.Of(app), commits)
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Priority: last,
		Func: func(e *core.ServeEvent) error {
			for _, m := range e.Router.Middlewares {
				if m.Id != apis.DefaultLoadAuthTokenMiddlewareId {
					continue
				}
				tokens.bound = &hook.Handler[*core.RequestEvent]{Id: m.Id, Priority: m.Priority, Func: tokens.load}
				e.Router.Bind(tokens.bound)
				break
			}
			return e.Next()
		},
	})
	return tokens
}

// tokens remembers the accounts of tokens that PocketBase verified. A write to
// any account of the same collection, in whatever way, to any collection, to the
// settings, or by another process ends that; so does the token's own end.
type tokens struct {
	cache   *cache.Cache
	commits *commits
	now     func() time.Time
	bound   *hook.Handler[*core.RequestEvent]

	mu    sync.RWMutex
	known map[string]*knownToken
}

type knownToken struct {
	record *core.Record // never handed out itself
	stamp  cache.Stamp
	until  time.Time
}

func newTokens(c *cache.Cache, w *commits) *tokens {
	return &tokens{cache: c, commits: w, now: time.Now, known: map[string]*knownToken{}}
}

// load does what PocketBase's middleware does.
func (t *tokens) load(e *core.RequestEvent) error {
	if e.Auth != nil {
		return e.Next()
	}
	token := bearer(e.Request)
	if token == "" {
		return e.Next()
	}
	record, err := t.find(e.App, token)
	if err != nil {
		e.App.Logger().Debug("loadAuthToken failure", "error", err)
	} else if record != nil {
		e.Auth = record
	}
	return e.Next()
}

// bearer is the request's token; the word Bearer before it is optional.
func bearer(r *http.Request) string {
	token := r.Header.Get("Authorization")
	if len(token) > 7 && strings.EqualFold(token[:7], "Bearer ") {
		return token[7:]
	}
	return token
}

// know gives the account of a token that is remembered, nil for any other. The
// record is not the caller's: it may only be read.
func (t *tokens) know(app core.App, token string) *core.Record {
	t.mu.RLock()
	k := t.known[token]
	t.mu.RUnlock()
	if k == nil || !t.commits.open.Load() || !k.good(app, t.now()) {
		return nil
	}
	return k.record
}

// find gives each caller a record of its own.
func (t *tokens) find(app core.App, token string) (*core.Record, error) {
	if record := t.know(app, token); record != nil {
		return record.Original(), nil
	}
	stamp, until := t.cache.Stamp(), t.now().Add(tokenFor) // before the account is read
	seen := t.commits.seen()
	record, err := app.FindAuthRecordByToken(token, core.TokenTypeAuth)
	if err != nil || record == nil {
		t.forget(token)
		return record, err
	}
	if end, ok := tokenEnd(token); ok && seen && !app.IsTransactional() && len(token) <= tokenLength {
		if end.Before(until) {
			until = end
		}
		stamp.Uses(record.Collection().Name) // raw SQL names no record
		t.keep(token, &knownToken{record: record.Original(), stamp: stamp, until: until})
	}
	return record, nil
}

// good reports whether PocketBase would verify the token again, to the same
// account. PocketBase makes new collection models with every change of any, so
// the same model means the same secret and the same name.
func (k *knownToken) good(app core.App, now time.Time) bool {
	if !k.stamp.Fresh() || !now.Before(k.until) {
		return false
	}
	collection, err := app.FindCachedCollectionByNameOrId(k.record.Collection().Id)
	return err == nil && collection == k.record.Collection()
}

// tokenEnd is when the token, already verified, runs out.
func tokenEnd(token string) (time.Time, bool) {
	claims, err := security.ParseUnverifiedJWT(token)
	if err != nil {
		return time.Time{}, false
	}
	end, ok := claims["exp"].(float64)
	return time.Unix(int64(end), 0), ok
}

func (t *tokens) forget(token string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, token)
}

// keep makes room where there is none: first what is over, then any.
func (t *tokens) keep(token string, k *knownToken) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.known) >= tokensKept {
		now := t.now()
		for old, known := range t.known {
			if !known.stamp.Fresh() || !now.Before(known.until) {
				delete(t.known, old)
			}
		}
		for old := range t.known {
			if len(t.known) < tokensKept {
				break
			}
			delete(t.known, old)
		}
	}
	t.known[token] = k
}
