package site

import (
	"errors"
	"net/http"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
)

// preview shows a text that is still being written to whoever has the link. It
// is never kept, neither here nor by a search engine, and the link does not
// travel on with a click.
func (s *Server) preview(r *request, token string) error {
	record, found, err := s.cfg.Content.Preview(r.App, token)
	if err != nil {
		return s.broken(r, err)
	}
	if !found {
		err := s.errorPage(r, http.StatusGone)
		if errors.Is(err, errSoon) {
			err = s.soon(r)
		}
		if err != nil {
			return s.broken(r, err)
		}
		return nil
	}
	site, err := settings.LoadSite(r.App)
	if err != nil {
		return s.broken(r, err)
	}
	locale := record.GetString("locale")
	if locale == "" {
		locale = site.Locale
	}
	b, err := s.read(r, locale, nil)
	if err != nil {
		return s.broken(r, err)
	}
	show := (*build).showPost
	if record.Collection().Name == schema.Pages {
		show = (*build).showPage
	}
	entry, err := b.make(func(b *build) (*cache.Entry, error) { return show(b, record) })
	if err != nil {
		return s.broken(r, err)
	}
	entry.Header.Set("Cache-Control", "private, no-store")
	entry.Header.Set("X-Robots-Tag", "noindex, nofollow")
	entry.Header.Set("Referrer-Policy", "no-referrer")
	entry.Serve(r.Response, r.Request)
	return nil
}
