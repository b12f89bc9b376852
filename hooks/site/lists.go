package site

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
)

// searchPerPage is how many hits a page of the search shows.
const searchPerPage = 20

func (b *build) blog(page int) (*cache.Entry, error) {
	return b.list("list", b.t("blog.title"), "", b.path("/blog/"), nil, page, nil)
}

func (b *build) tag(slug string, page int) (*cache.Entry, error) {
	if !b.has() {
		return nil, errNotFound
	}
	tag, err := b.named(schema.Tags, slug)
	if err != nil {
		return nil, err
	}
	at := address.Tag(b.site, b.locale, slug)
	return b.list("tag", tag.GetString("name"), tag.GetString("description"), at, having("tags", tag.Id), page, func(v *View) error {
		v.Feeds = append(v.Feeds, Feed{Title: tag.GetString("name"), Type: "application/atom+xml", URL: b.absolute(at + "feed.xml")})
		return nil
	})
}

func (b *build) author(slug string, page int) (*cache.Entry, error) {
	if !b.has() {
		return nil, errNotFound
	}
	author, err := b.named(schema.Authors, slug)
	if err != nil {
		return nil, err
	}
	return b.list("author", author.GetString("name"), author.GetString("bio"), address.Author(b.site, b.locale, slug), having("authors", author.Id), page, func(v *View) error {
		v.Author, err = b.writer(author)
		return err
	})
}

// list makes a page of posts: the blog, a tag's, an author's.
func (b *build) list(page, heading, intro, at string, where dbx.Expression, n int, more func(*View) error) (*cache.Entry, error) {
	if !b.has() {
		return nil, errNotFound
	}
	rows, total, err := b.posts(where, n)
	if err != nil {
		return nil, err
	}
	title := heading
	if n > 1 {
		title = heading + " – " + b.t("pagination.page", n)
	}
	v, err := b.view(title, numbered(at)(n))
	if err != nil {
		return nil, err
	}
	v.Description = firstOf(intro, b.site.Description, b.site.Tagline)
	v.List = &List{Heading: heading, Intro: paragraphs(intro), Total: total, Pagination: pagination(n, b.site.PostsPerPage, total, numbered(at))}
	if v.List.Posts, err = b.cards(rows); err != nil {
		return nil, err
	}
	v.Breadcrumbs = []Link{{Label: b.t("home"), URL: b.path("/")}}
	v.JSONLD = []any{b.crumbs(v.Breadcrumbs, heading, at)}
	if n == 1 {
		b.languages(v, b.everywhere(strings.TrimPrefix(at, address.Prefix(b.site, b.locale))))
	}
	if more != nil {
		if err := more(v); err != nil {
			return nil, err
		}
	}
	return b.render(http.StatusOK, page, v, nil)
}

func (b *build) archive() (*cache.Entry, error) {
	if !b.has() {
		return nil, errNotFound
	}
	var rows []row
	if err := b.newest().Limit(maxArchive).WithContext(b.ctx).All(&rows); err != nil {
		return nil, fmt.Errorf("list the archive: %w", err)
	}
	v, err := b.view(b.t("archive.title"), b.path("/archive/"))
	if err != nil {
		return nil, err
	}
	v.Archive = &Archive{Total: len(rows)}
	for _, r := range rows {
		v.Archive.add(PostCard{
			Title: r.Title, URL: address.Post(b.site, r.Locale, r.Slug),
			PublishedAt: r.PublishedAt.Time().In(b.site.Location()), Minutes: r.Minutes,
		})
	}
	b.languages(v, b.everywhere("/archive/"))
	return b.render(http.StatusOK, "archive", v, nil)
}

// maxArchive bounds the archive page; older posts stay in the blog's pages.
const maxArchive = 5000

// add puts the next older post into its year and month.
func (a *Archive) add(card PostCard) {
	at := card.PublishedAt
	if len(a.Years) == 0 || a.Years[len(a.Years)-1].Year != at.Year() {
		a.Years = append(a.Years, ArchiveYear{Year: at.Year()})
	}
	year := &a.Years[len(a.Years)-1]
	year.Total++
	month := time.Date(at.Year(), at.Month(), 1, 0, 0, 0, 0, at.Location())
	if len(year.Months) == 0 || !year.Months[len(year.Months)-1].Month.Equal(month) {
		year.Months = append(year.Months, ArchiveMonth{Month: month})
	}
	last := &year.Months[len(year.Months)-1]
	last.Posts = append(last.Posts, card)
}

func (b *build) search() (*cache.Entry, error) {
	if !b.has() {
		return nil, errNotFound
	}
	q := b.Request.URL.Query()
	query := strings.TrimSpace(strings.ToValidUTF8(q.Get("q"), ""))
	n, err := strconv.Atoi(q.Get("page"))
	if err != nil || n < 1 {
		n = 1
	}
	v, err := b.view(b.t("search.title"), b.path("/search/"))
	if err != nil {
		return nil, err
	}
	v.Robots, v.SearchQuery = "noindex", query
	v.Search = &Search{Query: query}
	b.languages(v, b.everywhere("/search/"))
	hits, total, err := b.cfg.Content.Search(b.App, b.locale, query, n, searchPerPage)
	if errors.Is(err, ErrSlow) {
		v.Search.Slow = true
		return b.render(http.StatusServiceUnavailable, "search", v, nil)
	}
	if err != nil {
		return nil, err
	}
	v.Search.Total = total
	for _, h := range hits {
		r, err := b.App.FindRecordById(h.Collection, h.ID)
		if err != nil || r.GetString("status") != schema.StatusPublished {
			continue
		}
		item := SearchItem{Title: h.Title, Snippet: h.Snippet, Kind: "page", URL: address.Page(b.site, b.locale, r.GetString("path"))}
		if h.Collection == schema.Posts {
			item.Kind, item.URL = "post", address.Post(b.site, b.locale, r.GetString("slug"))
			item.Date = r.GetDateTime("published_at").Time().In(b.site.Location())
		}
		v.Search.Items = append(v.Search.Items, item)
	}
	v.Search.Pagination = b.searchPages(query, n, total)
	return b.render(http.StatusOK, "search", v, nil)
}

func (b *build) searchPages(query string, n, total int) Pagination {
	return pagination(n, searchPerPage, total, func(n int) string {
		values := url.Values{"q": {query}}
		if n > 1 {
			values.Set("page", itoa(n))
		}
		return b.path("/search/") + "?" + values.Encode()
	})
}
