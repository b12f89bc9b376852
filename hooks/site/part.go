package site

import (
	"html/template"
	"net/http"

	"bungalow/hooks/kit/cache"
	"github.com/pocketbase/pocketbase/core"
)

// Part is a page that another feature shows in the site's frame.
type Part struct {
	Status int // 0 is 200
	Title  string
	Path   string // the page's own address
	Robots string // as in View
	HTML   template.HTML
}

// Show writes a part for this visitor alone. An empty locale is the site's own.
func (s *Server) Show(e *core.RequestEvent, locale string, p Part) error {
	r := s.request(e)
	return s.uncached(r, locale, func(b *build) (*cache.Entry, error) { return b.part(p) })
}

// ShowKept writes a part that is the same for every visitor, from memory while
// nothing of what it depends on changes. make says what that is: a collection,
// and perhaps ids. It is not called while the page is in memory.
func (s *Server) ShowKept(e *core.RequestEvent, locale string, make func(uses func(collection string, ids ...string)) (Part, error)) error {
	return s.cached(s.request(e), locale, func(b *build) (*cache.Entry, error) {
		p, err := make(b.uses)
		if err != nil {
			return nil, err
		}
		return b.part(p)
	})
}

func (b *build) part(p Part) (*cache.Entry, error) {
	if p.Status == 0 {
		p.Status = http.StatusOK
	}
	v, err := b.view(p.Title, p.Path)
	if err != nil {
		return nil, err
	}
	if p.Robots != "" && v.Robots == "" {
		v.Robots = p.Robots
	}
	v.Part = &Part{Title: p.Title, HTML: p.HTML}
	return b.render(p.Status, "part", v, nil)
}

// Missing answers as an address does at which nothing lives.
func (s *Server) Missing(e *core.RequestEvent) error { return s.missing(s.request(e)) }
