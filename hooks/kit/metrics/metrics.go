// Package metrics counts what the server does, for machines that watch it
// (Prometheus' text format, version 0.0.4).
//
// It promises that nothing is counted and nothing shown until the owner has
// set a token, and that no figure names a visitor or an address: what is
// counted is kinds of addresses. It keeps figures of this process alone.
package metrics

import (
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// Feature is the settings record.
const Feature = "metrics"

// Options are what the owner sets.
type Options struct {
	Token string `json:"token" kind:"secret" min:"16" max:"200" label:"Token" help:"Whoever sends it as Authorization: Bearer … may read the figures at /metrics. Without a token there are none."`
}

// areas are the kinds of addresses that are told apart.
var areas = []string{"site", "desk", "api", "dashboard", "media", "assets", "other"}

// bounds are the upper limits of the histogram's buckets, in seconds.
var bounds = []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

// area is what is counted of one kind of address.
type area struct {
	status  [6]atomic.Uint64 // by the first digit
	buckets [14]atomic.Uint64
	nanos   atomic.Int64
}

// meter is the figures of one app.
type meter struct {
	app    core.App
	areas  map[string]*area
	began  time.Time
	state  atomic.Pointer[state]
	bound  atomic.Bool
	cached atomic.Uint64
	made   atomic.Uint64
}

// state is the token as it was read last, as its hash.
type state struct {
	stamp cache.Stamp
	on    bool
	hash  [32]byte
}

const storeKey = "bungalow.metrics"

// outermost is around every other handler of the server.
const outermost = -2000

// Register counts the requests of a running server, once a token is set.
func Register(app core.App) {
	m := &meter{app: app, areas: map[string]*area{}, began: time.Now()}
	for _, name := range areas {
		m.areas[name] = &area{}
	}
	app.Store().Set(storeKey, m)
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Id: "bungalowMetrics", Priority: outermost,
		Func: func(e *core.ServeEvent) error {
			if err := e.Next(); err != nil || e.Server == nil {
				return err
			}
			e.Server.Handler = m.around(e.Server.Handler)
			return nil
		},
	})
}

// Routes is /metrics.
func Routes(app core.App) []web.Route {
	return []web.Route{{Method: http.MethodGet, Path: "/metrics", Access: web.Public, Do: func(e *core.RequestEvent) error {
		m, ok := app.Store().Get(storeKey).(*meter)
		if !ok {
			return e.NotFoundError("", nil)
		}
		return m.show(e)
	}}}
}

// read is the token as it is now.
func (m *meter) read() *state {
	if s := m.state.Load(); s != nil && s.stamp.Fresh() {
		return s
	}
	s := &state{stamp: cache.Of(m.app).Stamp()}
	s.stamp.Uses(schema.Settings)
	o, err := settings.Load(m.app, Feature, Options{})
	if err != nil {
		m.app.Logger().Error("the settings of the figures can't be read", "error", err)
	}
	if o.Token != "" {
		s.on, s.hash = true, sha256.Sum256([]byte(o.Token))
		m.bind()
	}
	m.state.Store(s)
	return s
}

// bind counts pages from memory, from the first token on.
func (m *meter) bind() {
	if m.bound.Swap(true) {
		return
	}
	events.OnServed(m.app).BindFunc(func(e *events.ServedEvent) error {
		if e.Cached {
			m.cached.Add(1)
		} else {
			m.made.Add(1)
		}
		return e.Next()
	})
}

func (m *meter) show(e *core.RequestEvent) error {
	s := m.read()
	if !s.on {
		return e.NotFoundError("", nil)
	}
	token, _ := strings.CutPrefix(e.Request.Header.Get("Authorization"), "Bearer ")
	hash := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(hash[:], s.hash[:]) != 1 {
		e.Response.Header().Set("WWW-Authenticate", `Bearer realm="metrics"`)
		return e.UnauthorizedError("Send the token of the figures.", nil)
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	text, err := m.text()
	if err != nil {
		return web.Refuse(e, err)
	}
	return e.Blob(http.StatusOK, "text/plain; version=0.0.4; charset=utf-8", []byte(text))
}

// around counts the requests that pass, while somebody may read the figures.
func (m *meter) around(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !m.read().on {
			next.ServeHTTP(w, r)
			return
		}
		began := time.Now()
		c := &counted{ResponseWriter: w}
		next.ServeHTTP(c, r)
		m.areas[areaOf(r.URL.Path)].add(c.status, time.Since(began))
	})
}

func areaOf(path string) string {
	first, _, _ := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	switch first {
	case "desk", "api", "media", "assets":
		return first
	case "_":
		return "dashboard"
	case "healthz", "readyz", "metrics", "embed", "f":
		return "other"
	}
	return "site"
}

func (a *area) add(status int, took time.Duration) {
	a.status[min(max(status/100, 0), 5)].Add(1)
	n := len(bounds)
	for i, b := range bounds {
		if took.Seconds() <= b {
			n = i
			break
		}
	}
	a.buckets[n].Add(1)
	a.nanos.Add(int64(took))
}

// counted remembers an answer's status.
type counted struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the first final status.
func (c *counted) WriteHeader(status int) {
	if c.status == 0 && status >= 200 {
		c.status = status
	}
	c.ResponseWriter.WriteHeader(status)
}

// Write is an answer with 200 where no status was set.
func (c *counted) Write(p []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	return c.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController reach what is below.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }
