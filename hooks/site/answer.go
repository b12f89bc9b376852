package site

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/theme"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// maxPath is the longest address that is looked up, in bytes.
const maxPath = 2000

// answer finds what lives at the address. errNotFound means nothing does.
func (s *Server) answer(r *request) error {
	path := r.Request.URL.Path
	if len(path) > maxPath {
		return errNotFound
	}
	if path == "/" && r.Request.URL.RawQuery != "" { // an old /?p=12
		if done, err := s.redirect(r); done || err != nil {
			return err
		}
	}
	to, differs := canonical(path)
	locale, make, live, err := s.find(r, to)
	if err != nil {
		return err
	}
	switch {
	case differs:
		return s.toCanonical(r, to, locale, make)
	case make == nil:
		return errNotFound
	case live || personal(r.Request.URL.Query()):
		return s.uncached(r, locale, make)
	}
	return s.cached(r, locale, make)
}

// find says who makes the page of a canonical path, nil if nobody does, and in
// which language; live is as in route.
func (s *Server) find(r *request, path string) (locale string, make maker, live bool, err error) {
	if doc, ok := documents[path]; ok {
		return "", doc, false, nil
	}
	if n, ok := sitemapNumber(path); ok {
		return "", func(b *build) (*cache.Entry, error) { return sitemapPart(b, n) }, false, nil
	}
	site, err := settings.LoadSite(r.App)
	if err != nil {
		return "", nil, false, err
	}
	locale, rest := address.Split(site, path)
	make, live = route(rest)
	return locale, make, live, nil
}

// canonical is the one form of a page's address: clean, with a slash at its
// end. Files have a dot in their last segment and no slash.
func canonical(path string) (to string, differs bool) {
	clean := "/" + strings.Trim(strings.Join(strings.FieldsFunc(path, func(c rune) bool { return c == '/' }), "/"), "/")
	if clean == "/" {
		return clean, path != "/"
	}
	last := clean[strings.LastIndexByte(clean, '/')+1:]
	if !strings.Contains(last, ".") {
		clean += "/"
	}
	return clean, clean != path
}

// toCanonical redirects (308) where something lives at the canonical address.
// Elsewhere an old address, a single-page app or a 404 answers right away.
func (s *Server) toCanonical(r *request, to, locale string, make maker) error {
	if _, isFile := s.static.Find(to); !isFile {
		if make == nil {
			return errNotFound
		}
		if err := s.lives(r.at(to), locale, make); err != nil {
			return err
		}
	}
	u := url.URL{Path: to, RawQuery: r.Request.URL.RawQuery}
	s.harden(r)
	s.served(r.RequestEvent, http.StatusPermanentRedirect, "", false)
	return r.Redirect(http.StatusPermanentRedirect, u.String())
}

// lives makes the page of an address, or finds it in memory, to know that it is
// there.
func (s *Server) lives(r *request, locale string, make maker) error {
	inside, err := s.inside(r.RequestEvent)
	if err != nil {
		return err
	}
	if !inside {
		_, _, err := s.entry(r, key(r.base, r.Request, r.Request.URL.Path), locale, make)
		return err
	}
	b, err := s.begin(r, locale, nil)
	if err != nil {
		return err
	}
	_, err = b.make(make)
	return err
}

// redirect sends the visitor on where the address is an old one.
func (s *Server) redirect(r *request) (done bool, err error) {
	if s.cfg.Content == nil {
		return false, nil
	}
	to, status, found, err := s.cfg.Content.Redirect(r.App, r.Request.URL.Path, r.Request.URL.RawQuery)
	if err != nil || !found {
		return false, err
	}
	if status == http.StatusGone {
		return true, s.errorPage(r, http.StatusGone)
	}
	s.harden(r)
	r.Response.Header().Set("Cache-Control", "no-cache")
	s.served(r.RequestEvent, status, "", false)
	return true, r.Redirect(status, to)
}

// missing is the end of the search: an old address, a single-page app, or 404.
func (s *Server) missing(r *request) error {
	if done, err := s.redirect(r); done || err != nil {
		return err
	}
	if s.cfg.IndexFallback {
		if file, ok := s.static.Find("/"); ok {
			if err := s.static.Serve(r.Response, r.Request, file); err != nil {
				return err
			}
			s.served(r.RequestEvent, http.StatusOK, "", false)
			return nil
		}
	}
	return s.errorPage(r, http.StatusNotFound)
}

// errorPage shows the page of a status, one for all addresses.
func (s *Server) errorPage(r *request, status int) error {
	site, err := settings.LoadSite(r.App)
	if err != nil {
		return err
	}
	locale, _ := address.Split(site, r.Request.URL.Path)
	key := key(r.base, r.Request, fmt.Sprintf(" error %d %s", status, locale))
	return s.fromCache(r, key, locale, func(b *build) (*cache.Entry, error) { return b.errorPage(status) })
}

// broken is what a visitor sees when we failed. It needs no database.
func (s *Server) broken(r *request, err error) error {
	if errors.Is(err, r.ctx.Err()) && r.ctx.Err() != nil {
		return nil // the visitor has gone
	}
	r.App.Logger().Error("a page failed", "path", r.Request.URL.Path, "error", err)
	var fault *theme.Error
	if r.App.IsDev() && errors.As(err, &fault) {
		s.harden(r)
		r.Response.Header().Set("Cache-Control", "no-store")
		return r.HTML(http.StatusInternalServerError, string(fault.Page()))
	}
	defaults := settings.SiteDefaults()
	b := &build{Server: s, request: r, site: defaults, locale: defaults.Locale}
	entry, renderErr := b.plainError(http.StatusInternalServerError)
	if renderErr != nil {
		return r.InternalServerError("", errors.Join(err, renderErr))
	}
	entry.Serve(r.Response, r.Request)
	s.served(r.RequestEvent, http.StatusInternalServerError, "error", false)
	return nil
}

// maker makes one answer.
type maker func(b *build) (*cache.Entry, error)

// cached serves the path's page from memory or makes it for all.
func (s *Server) cached(r *request, locale string, make maker) error {
	return s.fromCache(r, key(r.base, r.Request, r.Request.URL.Path), locale, make)
}

func (s *Server) fromCache(r *request, key, locale string, make maker) error {
	inside, err := s.inside(r.RequestEvent)
	if err != nil {
		return err
	}
	if inside || bypasses(r.Request) && r.Auth != nil {
		return s.uncached(r, locale, make)
	}
	entry, made, err := s.entry(r, key, locale, make)
	if err != nil {
		return err
	}
	entry.Serve(r.Response, r.Request)
	s.served(r.RequestEvent, entry.Status, entry.Label, !made)
	return nil
}

// entry is what lies at key, made first where it is not there yet.
func (s *Server) entry(r *request, key, locale string, make maker) (entry *cache.Entry, made bool, err error) {
	entry, err = s.cache.Do(r.ctx, key, func(deps *cache.Deps) (*cache.Entry, error) {
		made = true
		b, err := s.begin(r, locale, deps)
		if err != nil {
			return nil, err
		}
		return b.make(make)
	})
	return entry, made, err
}

// uncached makes a page for this visitor alone.
func (s *Server) uncached(r *request, locale string, make maker) error {
	b, err := s.begin(r, locale, nil)
	if err != nil {
		return err
	}
	entry, err := b.make(make)
	if err != nil {
		return err
	}
	entry.Header.Set("Cache-Control", "private, no-store")
	entry.Serve(r.Response, r.Request)
	s.served(r.RequestEvent, entry.Status, entry.Label, false)
	return nil
}

func (b *build) make(make maker) (*cache.Entry, error) {
	entry, err := make(b)
	if err != nil {
		return nil, err
	}
	if entry.Header.Get("Cache-Control") == "" {
		entry.Header.Set("Cache-Control", "no-cache") // kept, but asked about each time
	}
	return entry, nil
}

// render makes an entry of a theme page.
func (b *build) render(status int, page string, view *View, record *core.Record) (*cache.Entry, error) {
	event := events.NewRenderEvent(b.App, b.Request, page, record, b.uses, b.noStore).WithUntil(b.until)
	event.Path, event.Locale = view.Path, b.locale
	err := events.OnRender(b.App).Trigger(event, func(e *events.RenderEvent) error {
		view.take(e)
		return e.Next()
	})
	if err != nil {
		return nil, fmt.Errorf("render %s: %w", page, err)
	}
	var buf bytes.Buffer
	if err := theme.Of(b.App).Render(&buf, "pages/"+page+".html", view); err != nil {
		return nil, fmt.Errorf("render %s: %w", page, err)
	}
	entry := &cache.Entry{Status: status, Label: page, Body: buf.Bytes(), Header: http.Header{}}
	entry.Header.Set("Content-Type", "text/html; charset=utf-8")
	entry.Header.Set("Content-Language", view.Lang)
	web.Harden(entry.Header, b.IsTLS())
	return entry, nil
}

// document makes an entry of something for machines. modified, if it is not
// zero, is when this version was made: what it shows may have lost something
// since, so the newest item's time would say too little.
func (b *build) document(contentType string, body []byte, modified time.Time) *cache.Entry {
	entry := &cache.Entry{Status: http.StatusOK, Body: body, Header: http.Header{}}
	entry.Header.Set("Content-Type", contentType)
	if !modified.IsZero() {
		entry.Header.Set("Last-Modified", modified.UTC().Format(http.TimeFormat))
	}
	web.HardenFile(entry.Header, b.IsTLS())
	return entry
}

func (s *Server) harden(r *request) { web.Harden(r.Response.Header(), r.IsTLS()) }

// served announces the answer to whoever counts.
func (s *Server) served(e *core.RequestEvent, status int, page string, fromMemory bool) {
	on := events.OnServed(s.app)
	if on.Length() == 0 {
		return
	}
	r := e.Request
	event := &events.ServedEvent{App: s.app, Served: events.Served{
		Path: r.URL.Path, Query: r.URL.RawQuery, Status: status, Referrer: r.Referer(),
		UserAgent: r.UserAgent(), Language: r.Header.Get("Accept-Language"), RemoteIP: e.RealIP(),
		Page: page, Cached: fromMemory, At: time.Now().UTC(),
	}}
	if err := on.Trigger(event); err != nil {
		s.app.Logger().Error("a handler of site.OnServed failed", "error", err)
	}
}

// route finds who makes the page of a path without its locale. live is true
// for what differs with each visitor's wish and is not kept.
func route(path string) (make maker, live bool) {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	switch {
	case path == "/":
		return (*build).home, false
	case path == "/search/":
		return (*build).search, true
	case path == "/archive/":
		return (*build).archive, false
	case parts[0] == "blog":
		return blogRoute(parts), false
	case parts[0] == "tag" && len(parts) == 3 && parts[2] == "feed.xml":
		return func(b *build) (*cache.Entry, error) { return b.tagFeed(parts[1]) }, false
	case parts[0] == "tag" && len(parts) >= 2:
		return paged(parts[2:], func(b *build, n int) (*cache.Entry, error) { return b.tag(parts[1], n) }), false
	case parts[0] == "author" && len(parts) >= 2:
		return paged(parts[2:], func(b *build, n int) (*cache.Entry, error) { return b.author(parts[1], n) }), false
	case parts[0] == "feed.xml" || parts[0] == "rss.xml" || parts[0] == "feed.json":
		if len(parts) > 1 {
			return nil, false
		}
		return func(b *build) (*cache.Entry, error) { return b.feed(parts[0]) }, false
	}
	return func(b *build) (*cache.Entry, error) { return b.page(strings.Join(parts, "/")) }, false
}

func blogRoute(parts []string) maker {
	if len(parts) == 2 && parts[1] != "page" {
		return func(b *build) (*cache.Entry, error) { return b.post(parts[1]) }
	}
	return paged(parts[1:], (*build).blog)
}

// paged reads nothing, or page/N with N from 2 on, at the end of an address.
func paged(rest []string, make func(b *build, n int) (*cache.Entry, error)) maker {
	switch {
	case len(rest) == 0:
		return func(b *build) (*cache.Entry, error) { return make(b, 1) }
	case len(rest) == 2 && rest[0] == "page":
		n, err := strconv.Atoi(rest[1])
		if err == nil && n >= 2 && n <= maxPage && strconv.Itoa(n) == rest[1] {
			return func(b *build) (*cache.Entry, error) { return make(b, n) }
		}
	}
	return nil
}

// maxPage bounds the pages of a list.
const maxPage = 100_000
