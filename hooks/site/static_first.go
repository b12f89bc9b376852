package site

import (
	"net/http"
	"slices"
	"strings"

	"bungalow/hooks/kit/cache"
	"github.com/pocketbase/pocketbase/core"
)

// wayKey is where the cache keeps that the router leads an address to a file,
// with the header that PocketBase's middlewares had set until then. ok is false
// for requests whose header may be another: it depends on Origin, and on who
// asks.
func wayKey(r *http.Request) (key string, ok bool) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.Header["Origin"] != nil || r.URL.RawPath != "" || bypasses(r) {
		return "", false
	}
	if q := r.URL.RawQuery; q != "" && (!strings.HasPrefix(q, "v=") || strings.Contains(q, "&")) {
		return "", false // a preview, or what somebody's middleware knows
	}
	if r.TLS != nil {
		return "way over TLS " + r.Host + "\x00" + r.URL.Path, true
	}
	return "way " + r.Host + "\x00" + r.URL.Path, true
}

// longestHost bounds what a stranger's header may cost in the cache.
const longestHost = 255

// learnWay is called before a file is served behind the router.
func (s *Server) learnWay(e *core.RequestEvent) {
	key, ok := wayKey(e.Request)
	if !ok || len(e.Request.Host) > longestHost {
		return
	}
	// There is nothing in it that could fail or wait.
	_, _ = s.cache.Do(e.Request.Context(), key, func(*cache.Deps) (*cache.Entry, error) {
		header := e.Response.Header().Clone()
		for name, values := range header {
			header[name] = slices.Clip(values)
		}
		return &cache.Entry{Header: header}, nil
	})
}

// file answers with a file that the router led to before, as the router would;
// it says whether it did.
func (s *Server) file(w http.ResponseWriter, r *http.Request) bool {
	key, ok := wayKey(r)
	if !ok {
		return false
	}
	way, ok := s.cache.Get(key)
	if !ok {
		return false
	}
	if known := s.soonKnown.Load(); known == nil || known.soon || !known.stamp.Fresh() {
		return false
	}
	found, ok := s.static.Find(r.URL.Path)
	if !ok || found.redirect != "" {
		return false
	}
	header := w.Header()
	for name, values := range way.Header {
		header[name] = values
	}
	if err := s.static.Serve(w, r, found); err != nil { // nothing was written
		clear(header)
		return false
	}
	e := &core.RequestEvent{App: s.app}
	e.Request, e.Response = r, w
	s.served(e, http.StatusOK, "", false)
	return true
}
