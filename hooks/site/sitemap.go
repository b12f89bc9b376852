package site

import (
	"encoding/xml"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/tools/types"
)

// documents are the addresses for machines that belong to no language.
var documents = map[string]maker{
	"/robots.txt":  (*build).robots,
	"/sitemap.xml": (*build).sitemap,
}

// maxURLs is how many addresses one sitemap may hold (sitemaps.org).
const maxURLs = 50_000

type (
	urlSet struct {
		XMLName xml.Name  `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 urlset"`
		URLs    []siteURL `xml:"url"`
	}
	siteIndex struct {
		XMLName xml.Name  `xml:"http://www.sitemaps.org/schemas/sitemap/0.9 sitemapindex"`
		Parts   []siteURL `xml:"sitemap"`
	}
	siteURL struct {
		Loc     string `xml:"loc"`
		LastMod string `xml:"lastmod,omitempty"`
	}
)

func (b *build) robots() (*cache.Entry, error) {
	var out strings.Builder
	out.WriteString("User-agent: *\n")
	if b.site.HideFromSearch {
		out.WriteString("Disallow: /\n")
	} else {
		for _, l := range b.site.AllLocales() {
			out.WriteString("Disallow: " + address.Prefix(b.site, l) + "/search/\n")
		}
		out.WriteString("Disallow: /api/\nDisallow: /_/\nDisallow: /desk/\n\nSitemap: " + b.base + "/sitemap.xml\n")
	}
	return b.document("text/plain; charset=utf-8", []byte(out.String()), time.Time{}), nil
}

// sitemap is the one file of a small site, or the index of a large one's parts.
func (b *build) sitemap() (*cache.Entry, error) {
	total, err := b.countURLs()
	if err != nil {
		return nil, err
	}
	if total <= maxURLs {
		return sitemapPart(b, 1)
	}
	var index siteIndex
	for n := 1; (n-1)*maxURLs < total; n++ {
		index.Parts = append(index.Parts, siteURL{Loc: b.base + "/sitemap-" + itoa(n) + ".xml"})
	}
	return b.xml("application/xml; charset=utf-8", index, time.Time{})
}

var sitemapName = regexp.MustCompile(`^/sitemap-([1-9][0-9]{0,3})\.xml$`)

func sitemapNumber(path string) (int, bool) {
	m := sitemapName.FindStringSubmatch(path)
	if m == nil {
		return 0, false
	}
	n, err := strconv.Atoi(m[1])
	return n, err == nil
}

// listed is the query of every address in the sitemap, in a lasting order.
const listed = `SELECT 0 AS kind, '' AS locale, '' AS slug, '' AS updated, '' AS id WHERE {:first}
	UNION ALL SELECT 1, locale, slug, updated, id FROM posts WHERE status = 'published' AND published_at <= {:now} AND canonical_url = ''
	UNION ALL SELECT 2, locale, path, updated, id FROM pages WHERE status = 'published' AND published_at <= {:now} AND canonical_url = ''
	UNION ALL SELECT 3, '', slug, '', id FROM tags WHERE EXISTS (SELECT 1 FROM posts, json_each(CASE WHEN json_valid(posts.tags) THEN posts.tags ELSE '[]' END) j
		WHERE j.value = tags.id AND posts.status = 'published' AND posts.published_at <= {:now})`

func (b *build) countURLs() (int, error) {
	if !b.has() {
		return 1, nil
	}
	b.uses(schema.Posts)
	b.uses(schema.Pages)
	b.uses(schema.Tags)
	var posts, pages, tags int
	for collection, n := range map[string]*int{schema.Posts: &posts, schema.Pages: &pages, schema.Tags: &tags} {
		count := b.App.DB().Select("count(*)").From(collection)
		if collection != schema.Tags {
			count.Where(dbx.HashExp{"status": schema.StatusPublished})
		}
		if err := count.WithContext(b.ctx).Row(n); err != nil {
			return 0, fmt.Errorf("count the sitemap: %w", err)
		}
	}
	return 1 + posts + pages + tags, nil
}

func sitemapPart(b *build, n int) (*cache.Entry, error) {
	set := urlSet{}
	if n == 1 && !b.has() {
		set.URLs = []siteURL{{Loc: b.absolute("/")}}
		return b.xml("application/xml; charset=utf-8", set, time.Time{})
	}
	total, err := b.countURLs()
	if err != nil {
		return nil, err
	}
	if (n-1)*maxURLs >= total {
		return nil, errNotFound
	}
	var rows []struct {
		Kind    int            `db:"kind"`
		Locale  string         `db:"locale"`
		Slug    string         `db:"slug"`
		Updated types.DateTime `db:"updated"`
	}
	err = b.App.DB().NewQuery("SELECT kind, locale, slug, updated FROM (" + listed + ") ORDER BY kind, id LIMIT {:limit} OFFSET {:offset}").
		Bind(dbx.Params{"now": now(), "first": true, "limit": maxURLs, "offset": (n - 1) * maxURLs}).WithContext(b.ctx).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("list the sitemap: %w", err)
	}
	locales := b.site.AllLocales()
	for _, r := range rows {
		if r.Locale != "" && !slices.Contains(locales, r.Locale) {
			continue // in a language that the site does not have any more
		}
		at := "/"
		switch r.Kind {
		case 1:
			at = address.Post(b.site, r.Locale, r.Slug)
		case 2:
			at = address.Page(b.site, r.Locale, r.Slug)
		case 3:
			at = address.Tag(b.site, r.Locale, r.Slug)
		}
		u := siteURL{Loc: b.absolute(at)}
		if !r.Updated.IsZero() {
			u.LastMod = r.Updated.Time().UTC().Format(time.RFC3339)
		}
		set.URLs = append(set.URLs, u)
	}
	return b.xml("application/xml; charset=utf-8", set, time.Time{})
}
