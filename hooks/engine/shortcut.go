package engine

import (
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"bungalow/hooks/kit/cache"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/logger"
)

// shortcut answers from memory before PocketBase's router, whose way to the same
// bytes costs more than all the rest of such an answer. It knows what each of
// PocketBase's middlewares would do with the request and does that itself;
// where it doesn't know, or anybody else's middleware stands there, the router
// is asked.
type shortcut struct {
	app       core.App
	responses *responses
	tokens    *tokens      // nil: whoever has a token goes to the router
	log       *activityLog // nil: nothing is logged
	next      http.Handler

	cors   func(*core.RequestEvent) error // nil: there is none
	plain  http.Header                    // what the middlewares set where no Origin is named
	always http.Header                    // the same without what CORS sets

	hits atomic.Int64
}

// bindShortcut puts the shortcut before the router, when everybody has bound what he has.
func bindShortcut(app core.App, e *Engine, tokens *tokens) {
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Priority: last,
		Func: func(event *core.ServeEvent) error {
			if err := event.Next(); err != nil || event.Server == nil {
				return err
			}
			s := &shortcut{app: event.App, responses: e.responses, tokens: tokens, log: e.log, next: event.Server.Handler}
			fits, err := s.fit(event.Router.Middlewares)
			if fits {
				e.shortcut, event.Server.Handler = s, s
			}
			return err
		},
	})
}

// Shortcut reports whether answers in memory are given before the router,
// because no middleware of anybody's stands in the way.
func (e *Engine) Shortcut() bool { return e.shortcut != nil }

// ours begins the id of every middleware of the product. None of them changes
// the answer to a list or a view that succeeds.
const ours = "bungalow"

// passed are PocketBase's middlewares that do nothing to a plain GET without a
// body, or that the shortcut does itself.
var passed = []string{
	apis.DefaultPanicRecoverMiddlewareId, apis.DefaultRateLimitMiddlewareId, apis.DefaultSuperuserIPsWhitelistMiddlewareId,
	apis.DefaultBodyLimitMiddlewareId,
	apis.DefaultWWWRedirectMiddlewareId, // decided by the host, which a wish is known by
}

// fit reports whether all middlewares are known, and prepares what they do.
func (s *shortcut) fit(middlewares []*hook.Handler[*core.RequestEvent]) (bool, error) {
	bare, err := plain()
	if err != nil {
		return false, err
	}
	logs := false
	for i, m := range middlewares {
		if m.Id != "" && slices.ContainsFunc(middlewares[i+1:], func(other *hook.Handler[*core.RequestEvent]) bool { return other.Id == m.Id }) {
			continue // a later one of the same name takes its place
		}
		original, known := bare.middlewares[m.Id]
		switch {
		case strings.HasPrefix(m.Id, ours):
		case s.log != nil && m == s.log.bound:
			logs = true
		case s.tokens != nil && m == s.tokens.bound:
		case known && original != code(m), m.Id == apis.DefaultActivityLoggerMiddlewareId:
			return false, nil // PocketBase's own logger, or somebody's under its name
		case m.Id == apis.DefaultLoadAuthTokenMiddlewareId:
			s.tokens = nil
		case m.Id == apis.DefaultCorsMiddlewareId:
			s.cors = m.Func
		case m.Id == apis.DefaultSecurityHeadersMiddlewareId:
			s.always = s.sets(m.Func)
		case !slices.Contains(passed, m.Id):
			return false, nil
		}
	}
	if !logs {
		s.log = nil
	}
	s.plain = s.always.Clone()
	if s.cors != nil {
		if s.plain == nil {
			s.plain = http.Header{}
		}
		for name, values := range s.sets(s.cors) {
			s.plain[name] = append(s.plain[name], values...)
		}
	}
	for name, values := range s.plain {
		s.plain[name] = slices.Clip(values)
	}
	return true, nil
}

// sets is the header that a middleware sets before it goes on.
func (s *shortcut) sets(middleware func(*core.RequestEvent) error) http.Header {
	w := httptest.NewRecorder()
	e := &core.RequestEvent{App: s.app}
	e.Request, e.Response = httptest.NewRequest(http.MethodGet, "/", nil), w
	_ = middleware(e) // with nothing behind it
	return w.Header()
}

// code tells functions apart by where their code lies.
func code(m *hook.Handler[*core.RequestEvent]) uintptr { return reflect.ValueOf(m.Func).Pointer() }

// ServeHTTP answers what it can and leaves the rest to the router.
func (s *shortcut) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	entry, wish, auth := s.find(r)
	if entry == nil {
		s.next.ServeHTTP(w, r)
		return
	}
	s.hits.Add(1)
	s.responses.hits.Add(1)
	e := &core.RequestEvent{App: s.app, Auth: auth}
	e.Request, e.Response = r, w
	header, set := w.Header(), s.plain
	if s.cors != nil && r.Header["Origin"] != nil {
		_ = s.cors(e) // a GET is never refused
		set = s.always
	}
	for name, values := range set {
		header[name] = values
	}
	header["Content-Type"] = entry.Header["Content-Type"]
	w.WriteHeader(http.StatusOK)
	_, err := w.Write(entry.Body)
	if s.log != nil {
		s.log.answered(e, wish, started, err)
	}
}

// find looks for the answer; entry is nil where PocketBase has to be asked.
func (s *shortcut) find(r *http.Request) (entry *cache.Entry, w *wish, auth *core.Record) {
	// Cookies mean nothing to PocketBase, but may to those who put something
	// before it.
	if r.Method != http.MethodGet || r.ContentLength != 0 || r.Header["Cookie"] != nil {
		return nil, nil, nil
	}
	if w = s.responses.wishes.find(s.app, r); w == nil || !s.responses.alone(s.app) || !s.responses.commits.open.Load() {
		return nil, nil, nil
	}
	if s.log != nil {
		if _, ok := s.app.Logger().Handler().(*logger.BatchHandler); !ok {
			return nil, nil, nil // somebody's own logger
		}
	}
	settings := s.app.Settings()
	key := w.guest
	if token := bearer(r); token != "" {
		if s.tokens == nil {
			return nil, nil, nil
		}
		auth = s.tokens.know(s.app, token)
		if auth == nil || auth.IsSuperuser() && len(settings.SuperuserIPs) > 0 {
			return nil, nil, nil
		}
		key = answerKey(w.serial, auth, w.rest)
	}
	entry, ok := s.responses.cache.Get(key)
	if !ok || !s.responses.toll.pay(r, auth) {
		return nil, nil, nil
	}
	return entry, w, auth
}
