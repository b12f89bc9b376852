package site

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/theme"
	"bungalow/pb_public"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Config is what the site is given by those who wire it.
type Config struct {
	// PublicDir is the owner's folder of files, which may be missing.
	PublicDir string
	// IndexFallback answers unknown addresses with PublicDir's index.html.
	IndexFallback bool
	// Content answers what the site asks of the content feature; nil without it.
	Content Content
	// Staff reports whether a session of the desk comes with the request; nil
	// where there is no desk.
	Staff func(e *core.RequestEvent) (bool, error)
}

// ErrSlow is Content.Search's answer for a search that was given up.
var ErrSlow = errors.New("the search took too long")

// Content is what the site asks of the content feature.
type Content interface {
	// Search finds published posts and pages; see SearchHit. Errors: ErrSlow.
	Search(app core.App, locale, query string, page, perPage int) (hits []SearchHit, total int, err error)
	// Redirect tells where an old address leads: 301, 302, 307, 308, or 410 without to.
	Redirect(app core.App, path, query string) (to string, status int, found bool, err error)
	// Preview finds the post or page that a signed link shows, as it is being
	// written; found is false for a link that is old or forged.
	Preview(app core.App, token string) (record *core.Record, found bool, err error)
	// Picture makes an image of a media record; sizes is the attribute's value.
	Picture(media *core.Record, sizes string) *Image
	// Enrich gives the pictures in a body their sizes. It says which media it used.
	Enrich(app core.App, html string) (enriched string, media []string)
	// Contents lists the headings of a rendered body.
	Contents(html string) []Heading
}

// SearchHit is one thing found.
type SearchHit struct {
	Collection, ID, Title string
	Snippet               template.HTML
}

// Server answers the visitors of one app.
type Server struct {
	app    core.App
	cfg    Config
	cache  *cache.Cache
	static *Static
	router *router.Router[*core.RequestEvent]

	soonKnown atomic.Pointer[soonState]
}

// errNotFound says that nothing lives at an address.
var errNotFound = errors.New("no such page")

// Register mounts the site's one catch-all behind everything else. Where
// another route has it already, the site stays away.
func Register(app core.App, cfg Config) error {
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Id:       "bungalowSite",
		Priority: lastly,
		Func: func(e *core.ServeEvent) error {
			if e.Router.HasRoute(http.MethodGet, catchAll) {
				return e.Next()
			}
			s := &Server{app: e.App, cfg: cfg, cache: cache.Of(e.App), router: e.Router}
			s.static = NewStatic(cfg.PublicDir, pb_public.Files, s.cache)
			if theme.Of(e.App) == nil {
				return fmt.Errorf("the theme was not loaded before the site")
			}
			e.App.Store().Set(storeKey, s)
			e.Router.GET(catchAll, s.serve).Bind(apis.SkipSuccessActivityLog())
			if e.Server == nil { // a router without a server, as in tests
				return e.Next()
			}
			if err := e.Next(); err != nil {
				return err
			}
			e.Server.Handler = s.MemoryFirst(e.Server.Handler)
			return nil
		},
	})
	return nil
}

// Of is the app's server of pages, nil before it serves.
func Of(app core.App) *Server {
	s, _ := app.Store().Get(storeKey).(*Server)
	return s
}

const (
	storeKey = "bungalow.site"
	catchAll = "/{path...}"
	// lastly mounts the catch-all after every other route.
	lastly = 999
)

// MemoryFirst answers a stranger's plain request with a page that is ready, or
// with a file, and leaves everything else to next. It stands before the router:
// a page is in memory and a file is known only if the router has led to it, so
// no other route is passed over.
// Where somebody's middleware stands before every route, nothing is.
func (s *Server) MemoryFirst(next http.Handler) http.Handler {
	if guarded(s.router) {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if entry, ok := s.ready(r); ok {
			entry.Serve(w, r)
			e := &core.RequestEvent{App: s.app}
			e.Request, e.Response = r, w
			s.served(e, entry.Status, entry.Label, true)
			return
		}
		if !s.file(w, r) {
			next.ServeHTTP(w, r)
		}
	})
}

// guarded reports whether middleware that is neither PocketBase's nor ours
// stands before every route. It may refuse a visitor, so it has to see each one.
func guarded(r *router.Router[*core.RequestEvent]) bool {
	return slices.ContainsFunc(r.Middlewares, func(m *hook.Handler[*core.RequestEvent]) bool {
		return !slices.Contains(harmless, m.Id) && !strings.HasPrefix(m.Id, ours)
	})
}

// ours begins the id of every middleware of the product.
const ours = "bungalow"

// harmless are PocketBase's middlewares that a page in memory may pass over: it
// is for everybody, has headers of its own and no body to limit.
var harmless = []string{
	apis.DefaultActivityLoggerMiddlewareId, apis.DefaultPanicRecoverMiddlewareId, apis.DefaultRateLimitMiddlewareId,
	apis.DefaultLoadAuthTokenMiddlewareId, apis.DefaultSuperuserIPsWhitelistMiddlewareId,
	apis.DefaultSecurityHeadersMiddlewareId, apis.DefaultBodyLimitMiddlewareId, apis.DefaultCorsMiddlewareId,
	apis.DefaultWWWRedirectMiddlewareId,
}

// ready is the page in memory that answers the request, if there is one.
func (s *Server) ready(r *http.Request) (*cache.Entry, bool) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead || r.URL.RawQuery != "" || bypasses(r) {
		return nil, false
	}
	base := baseURL(s.app, r)
	if _, host, _ := strings.Cut(base, "://"); !strings.EqualFold(host, r.Host) {
		return nil, false // the router may redirect this host
	}
	entry, ok := s.cache.Get(key(base, r, r.URL.Path))
	if !ok || s.static.OnDisk(r.URL.Path) {
		return nil, false
	}
	return entry, true
}

// bypasses reports whether the visitor may be a member of staff, who sees
// pages made for him alone.
func bypasses(r *http.Request) bool {
	if r.Header.Get("Authorization") != "" {
		return true
	}
	if len(r.Header["Cookie"]) == 0 {
		return false
	}
	for _, name := range []string{"session", "__Host-session"} {
		if _, err := r.Cookie(name); err == nil {
			return true
		}
	}
	return false
}

// key is where the page of a path lies in the cache. Its headers differ over TLS.
func key(base string, r *http.Request, path string) string {
	if r.TLS != nil {
		return "page over TLS " + base + path
	}
	return "page " + base + path
}

// defaultAppURL is PocketBase's, which nobody meant.
const defaultAppURL = "http://localhost:8090"

// baseURL is the site's own address without a trailing slash: what the owner
// set, else the one that the visitor used.
func baseURL(app core.App, r *http.Request) string {
	if set := strings.TrimRight(app.Settings().Meta.AppURL, "/"); set != "" && set != defaultAppURL {
		return set
	}
	scheme := "http://"
	if r.TLS != nil {
		scheme = "https://"
	}
	return scheme + cleanHost(r.Host)
}

// cleanHost keeps what a host may be made of; a stranger chooses this header.
func cleanHost(host string) string {
	if len(host) > 255 {
		return "localhost"
	}
	for _, c := range host {
		if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune(".-:[]_", c)) {
			return "localhost"
		}
	}
	return strings.ToLower(host)
}

// serve answers what memory could not: the owner's files, then pages, then
// old addresses, then 404.
func (s *Server) serve(e *core.RequestEvent) error {
	path := e.Request.URL.Path
	if token := e.Request.URL.Query().Get("preview"); token != "" && s.cfg.Content != nil {
		return s.preview(s.request(e), token)
	}
	shut, err := s.Shut(e)
	if err != nil {
		return s.broken(s.request(e), err)
	}
	if file, ok := s.static.Find(path); ok && !(shut && isPage(path)) {
		s.learnWay(e)
		err := s.static.Serve(e.Response, e.Request, file)
		if err == nil {
			s.served(e, http.StatusOK, "", false)
			return nil
		}
		if !errors.Is(err, fs.ErrNotExist) { // it went away meanwhile: then as if it had never been
			return s.broken(s.request(e), err)
		}
	}
	if strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/_/") { // PocketBase's, with its own 404
		return e.NotFoundError("", nil)
	}
	req := s.request(e)
	if shut {
		err = errSoon
	} else {
		err = s.answer(req)
	}
	if errors.Is(err, errNotFound) {
		err = s.missing(req)
	}
	if errors.Is(err, errSoon) {
		err = s.soon(req)
	}
	if err != nil {
		return s.broken(req, err)
	}
	return nil
}

// request is one visitor's wish, with what every page needs to know of it.
type request struct {
	*core.RequestEvent
	ctx  context.Context
	base string // the site's address without a trailing slash
}

func (s *Server) request(e *core.RequestEvent) *request {
	return &request{RequestEvent: e, ctx: e.Request.Context(), base: baseURL(e.App, e.Request)}
}

// at is the same visitor's wish for another path.
func (r *request) at(path string) *request {
	there := *r.Request.URL
	there.Path, there.RawPath = path, ""
	e := &core.RequestEvent{App: r.App, Auth: r.Auth}
	e.Response, e.Request = r.Response, r.Request.WithContext(r.ctx)
	e.Request.URL = &there
	return &request{RequestEvent: e, ctx: r.ctx, base: r.base}
}
