package hooks

import (
	"html/template"
	"slices"

	"bungalow/hooks/content"
	"bungalow/hooks/content/media"
	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"bungalow/hooks/site"
	"github.com/pocketbase/pocketbase/core"
)

// This file joins features that must not know each other: what one asks for
// as an interface, another's functions answer here.

func registerContent(app core.App, _ Config) error {
	if err := content.Register(app); err != nil {
		return err
	}
	return media.Register(app)
}

func contentRoutes(app core.App) []web.Route {
	return append(content.Routes(app), media.Routes()...)
}

// registerSite joins the site to the content, where that is on.
func registerSite(app core.App, cfg Config) error {
	siteCfg := site.Config{PublicDir: cfg.publicDir(app), IndexFallback: cfg.IndexFallback}
	if !slices.Contains(cfg.Without, "content") {
		siteCfg.Content = contentForSite{}
	}
	return site.Register(app, siteCfg)
}

// contentForSite answers what the site asks of the content.
type contentForSite struct{}

func (contentForSite) Search(app core.App, locale, query string, page, perPage int) ([]site.SearchHit, int, error) {
	found, err := content.Search(app, locale, query, page, perPage)
	if err != nil {
		return nil, 0, err
	}
	hits := make([]site.SearchHit, len(found.Items))
	for i, f := range found.Items {
		hits[i] = site.SearchHit{Collection: f.Collection, ID: f.Record, Title: f.Title, Snippet: template.HTML(f.Snippet)} // escaped by content
	}
	return hits, found.Total, nil
}

func (contentForSite) Redirect(app core.App, path, query string) (string, int, bool, error) {
	r, found, err := content.FindRedirect(app, path, query)
	if found && err == nil {
		content.CountHit(app, r.ID)
	}
	return r.To, r.Status, found, err
}

func (contentForSite) Picture(record *core.Record, sizes string) *site.Image {
	p := media.Image(record, sizes)
	if p.Src == "" {
		return nil
	}
	return &site.Image{Src: p.Src, SrcSet: p.SrcSet, Width: p.Width, Height: p.Height, Alt: p.Alt}
}

func (contentForSite) Enrich(app core.App, html string) (string, []string) {
	var used []string
	enriched := media.Enrich(html, func(id string) *core.Record {
		used = append(used, id)
		record, err := app.FindRecordById(schema.Media, id)
		if err != nil {
			return nil // deleted since, or never there: the picture stays as it was written
		}
		return record
	})
	return enriched, used
}

func (contentForSite) Contents(html string) []site.Heading {
	headings := text.Contents(html)
	out := make([]site.Heading, len(headings))
	for i, h := range headings {
		out[i] = site.Heading{Level: h.Level, ID: h.ID, Text: h.Text}
	}
	return out
}
