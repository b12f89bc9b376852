package site

import (
	"time"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// The structured data of a page, as schema.org defines the types. Each value
// becomes one JSON-LD block.

// webSite says where the site's search is.
func (b *build) webSite() any {
	site := map[string]any{
		"@context": "https://schema.org", "@type": "WebSite",
		"name": b.site.Title, "url": b.absolute(b.path("/")), "inLanguage": b.locale,
	}
	if b.has() {
		site["potentialAction"] = map[string]any{
			"@type":       "SearchAction",
			"target":      map[string]any{"@type": "EntryPoint", "urlTemplate": b.absolute(b.path("/search/")) + "?q={search_term_string}"},
			"query-input": "required name=search_term_string",
		}
	}
	return site
}

// crumbs is the way from the home page to this one.
func (b *build) crumbs(links []Link, title, at string) any {
	items := make([]any, 0, len(links)+1)
	for _, l := range append(append([]Link{}, links...), Link{Label: title, URL: at}) {
		items = append(items, map[string]any{
			"@type": "ListItem", "position": len(items) + 1, "name": l.Label, "item": b.absolute(l.URL),
		})
	}
	return map[string]any{"@context": "https://schema.org", "@type": "BreadcrumbList", "itemListElement": items}
}

// article describes a post.
func (b *build) article(r *core.Record, post *Post, v *View) any {
	article := map[string]any{
		"@context": "https://schema.org", "@type": "Article",
		"headline": r.GetString("title"), "inLanguage": r.GetString("locale"),
		"datePublished":    post.PublishedAt.Format(time.RFC3339),
		"dateModified":     latest(post.PublishedAt, r.GetDateTime("updated").Time()).Format(time.RFC3339),
		"mainEntityOfPage": v.Canonical, "description": v.Description,
		"publisher": map[string]any{"@type": "Organization", "name": b.site.Title, "url": b.absolute("/")},
	}
	var authors []any
	for _, a := range post.Authors {
		authors = append(authors, map[string]any{"@type": "Person", "name": a.Label, "url": b.absolute(a.URL)})
	}
	if len(authors) > 0 {
		article["author"] = authors
	}
	if v.OG.Image != "" {
		article["image"] = v.OG.Image
	}
	return article
}

// openGraph says what a shared link shows.
func (b *build) openGraph(v *View, r *core.Record, post *Post) {
	v.OG.Type = "article"
	v.OG.PublishedAt = post.PublishedAt
	v.OG.ModifiedAt = latest(post.PublishedAt, r.GetDateTime("updated").Time())
	for _, t := range post.Tags {
		v.OG.Tags = append(v.OG.Tags, t.Label)
	}
	b.image(v, post.Cover)
}

func (b *build) image(v *View, cover *Image) {
	if cover == nil {
		return
	}
	b.uses(schema.Media)
	v.OG.Image, v.OG.ImageAlt = b.absolute(cover.Src), cover.Alt
	v.OG.Width, v.OG.Height = cover.Width, cover.Height
}
