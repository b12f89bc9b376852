package site

import (
	"html/template"
	"net/http"
	"net/url"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/pocketbase/core"
)

// personalKeys are parameters with which a page is made for one visitor: a
// notice after a redirect, and where in its thread he wants to be.
var personalKeys = []string{"notice", "comment", "comments", "reply", "sort"}

func personal(query url.Values) bool {
	for _, key := range personalKeys {
		if query.Has(key) {
			return true
		}
	}
	return false
}

// take puts into the view what handlers of site.OnRender added.
func (v *View) take(e *events.RenderEvent) {
	v.Extra = e.Extra
	v.Scripts = append(v.Scripts, e.Scripts...)
	for _, f := range e.Feeds {
		v.Feeds = append(v.Feeds, Feed{Title: f.Title, Type: f.Type, URL: f.URL})
	}
	if v.Post != nil {
		v.Post.Comments = e.Comments
	}
	if v.Page != nil {
		v.Page.Comments = e.Comments
	}
}

// Again shows the page at a canonical path to this visitor alone, with another
// status: a form that is shown again after it was sent. What handlers of
// site.OnRender need to know of it they find in the request's context. Where
// nothing lives at the path, the answer is the 404 page.
func (s *Server) Again(e *core.RequestEvent, path string, status int) error {
	r := s.request(e).at(path)
	locale, make, _, err := s.find(r, path)
	if err != nil {
		return s.broken(r, err)
	}
	if make == nil {
		return s.errorPage(r, http.StatusNotFound)
	}
	err = s.uncached(r, locale, func(b *build) (*cache.Entry, error) {
		entry, err := make(b)
		if err == nil && entry.Status == http.StatusOK {
			entry.Status = status
		}
		return entry, err
	})
	if err == errNotFound {
		return s.errorPage(r, http.StatusNotFound)
	}
	if err != nil {
		return s.broken(r, err)
	}
	return nil
}

// Note shows a page of a title and a few sentences of safe HTML.
func (s *Server) Note(e *core.RequestEvent, status int, title, html string) error {
	r := s.request(e)
	site, err := settings.LoadSite(r.App)
	if err != nil {
		return s.broken(r, err)
	}
	err = s.uncached(r, site.Locale, func(b *build) (*cache.Entry, error) {
		v, err := b.view(title, "")
		if err != nil {
			return nil, err
		}
		v.Robots = "noindex"
		v.Page = &Page{Title: title, HTML: template.HTML(html)}
		return b.render(status, "page", v, nil)
	})
	if err != nil {
		return s.broken(r, err)
	}
	return nil
}
