package engine

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"sync"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

// toll has PocketBase count a request against its rate limits although the
// answer comes from memory. The counters are PocketBase's own and so are the
// rules: its list and view are called with a body that they can't read, so that
// they count and then turn back.
type toll struct {
	app  core.App
	gate func() (http.Handler, error) // made when the first limit is on
}

func newToll(app core.App) *toll {
	return &toll{app: app, gate: sync.OnceValues(func() (http.Handler, error) { return newGate(app) })}
}

// pay reports whether the request may be answered. Where it may not it was
// refused without being counted, and PocketBase refuses it again.
func (t *toll) pay(r *http.Request, auth *core.Record) bool {
	if !t.app.Settings().RateLimits.Enabled {
		return true
	}
	gate, err := t.gate()
	if err != nil {
		return false
	}
	w := &tollWriter{auth: auth}
	counted := *r
	counted.Body, counted.ContentLength = http.NoBody, -1
	if r.Header["Content-Type"] != nil {
		counted.Header = maps.Clone(r.Header)
		delete(counted.Header, "Content-Type")
	}
	gate.ServeHTTP(w, &counted)
	return w.paid
}

// newGate is a router of PocketBase's own, without any middleware. It belongs
// to an app without data; its events are given the real one.
func newGate(app core.App) (http.Handler, error) {
	r, err := apis.NewRouter(core.NewBaseApp(core.BaseAppConfig{}))
	if err != nil {
		return nil, fmt.Errorf("make a router to count requests with: %w", err)
	}
	r.Middlewares = nil
	r.Bind(&hook.Handler[*core.RequestEvent]{Func: func(e *core.RequestEvent) error {
		w, ok := tollOf(e.Response)
		if !ok {
			return nil
		}
		e.App, e.Auth = app, w.auth
		// Only what has passed the limits gets to the body.
		w.paid = errors.Is(e.Next(), router.ErrUnsupportedContentType)
		return nil
	}})
	return r.BuildMux()
}

// tollWriter takes the request's account through the router, and the outcome back. What
// is written to it is lost.
type tollWriter struct {
	auth *core.Record
	paid bool
}

func (w *tollWriter) Header() http.Header         { return http.Header{} }
func (w *tollWriter) WriteHeader(int)             {}
func (w *tollWriter) Write(b []byte) (int, error) { return len(b), nil }

func tollOf(w http.ResponseWriter) (*tollWriter, bool) {
	for {
		switch inner := w.(type) {
		case *tollWriter:
			return inner, true
		case router.RWUnwrapper:
			w = inner.Unwrap()
		default:
			return nil, false
		}
	}
}
