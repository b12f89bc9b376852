package site

import (
	"errors"
	"fmt"
	"net/http"
	"path"
	"strings"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// errSoon says that the site has not opened yet, and that whoever asks is none
// of those who build it.
var errSoon = errors.New("the site has not opened yet")

// soonRetry is when a machine may ask again, in seconds.
const soonRetry = "3600"

// Shut reports whether this visitor finds the site still closed.
func (s *Server) Shut(e *core.RequestEvent) (bool, error) {
	stamp := s.cache.Stamp()
	stamp.Uses(schema.Settings)
	known := s.soonKnown.Load()
	if known == nil || !known.stamp.Fresh() {
		site, err := settings.LoadSite(e.App)
		if err != nil {
			return false, err
		}
		known = &soonState{stamp, site.ComingSoon}
		s.soonKnown.Store(known)
	}
	if !known.soon {
		return false, nil
	}
	inside, err := s.inside(e)
	return !inside, err
}

// soonState is whether the site is closed, as it was read last.
type soonState struct {
	stamp cache.Stamp
	soon  bool
}

// inside reports whether the visitor is one of the staff. Only a request that
// brings a session or a token costs a look.
func (s *Server) inside(e *core.RequestEvent) (bool, error) {
	if !bypasses(e.Request) {
		return false, nil
	}
	if web.Allowed(e.Auth, web.Staff) {
		return true, nil
	}
	if s.cfg.Staff == nil {
		return false, nil
	}
	return s.cfg.Staff(e)
}

// isPage reports whether an address shows a page rather than a picture or a
// style sheet.
func isPage(p string) bool {
	switch path.Ext(p) {
	case "", ".html", ".htm", ".xml", ".json", ".txt":
		return true
	}
	return strings.HasSuffix(p, "/")
}

// soon shows the page of a site that has not opened, one for all addresses.
func (s *Server) soon(r *request) error {
	site, err := settings.LoadSite(r.App)
	if err != nil {
		return err
	}
	locale, _ := address.Split(site, r.Request.URL.Path)
	entry, err := s.cache.Do(r.ctx, key(r.base, r.Request, " soon "+locale), func(deps *cache.Deps) (*cache.Entry, error) {
		b, err := s.read(r, locale, deps)
		if err != nil {
			return nil, err
		}
		return b.soonPage()
	})
	if err != nil {
		return err
	}
	entry.Serve(r.Response, r.Request)
	s.served(r.RequestEvent, entry.Status, entry.Label, false)
	return nil
}

func (b *build) soonPage() (*cache.Entry, error) {
	v := b.bare(b.t("soon.title"))
	v.Robots = "noindex"
	v.Site.BlogURL, v.Site.ArchiveURL, v.Site.SearchURL = "", "", ""
	v.Soon = &Soon{Text: strings.TrimSpace(b.site.ComingSoonText)}
	var err error
	if v.Site.LogoURL, err = b.mediaURL(b.site.Logo); err != nil {
		return nil, err
	}
	entry, err := b.render(http.StatusServiceUnavailable, "soon", v, nil)
	if err != nil {
		return nil, fmt.Errorf("make the page of a closed site: %w", err)
	}
	entry.Header.Set("Retry-After", soonRetry)
	entry.Header.Set("Cache-Control", "no-store")
	return entry, nil
}
