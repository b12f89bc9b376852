package site

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"time"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// feedItems is how many posts a feed holds.
const feedItems = 20

// channel is a feed before it has a format.
type channel struct {
	Title, Tagline, Locale string
	URL, Self              string // absolute
	Updated                time.Time
	Items                  []feedItem
}

type feedItem struct {
	Title, URL, ID, HTML, Summary string
	Authors, Tags                 []string
	Published, Updated            time.Time
}

func (b *build) feed(name string) (*cache.Entry, error) {
	if !b.has() {
		return nil, errNotFound
	}
	c, err := b.channel(b.site.Title, b.path("/"), b.path("/"+name), nil)
	if err != nil {
		return nil, err
	}
	switch name {
	case "rss.xml":
		return b.xml("application/rss+xml; charset=utf-8", c.rss(), time.Now())
	case "feed.json":
		body, err := json.Marshal(c.jsonFeed())
		if err != nil {
			return nil, fmt.Errorf("write the feed: %w", err)
		}
		return b.document("application/feed+json; charset=utf-8", body, time.Now()), nil
	}
	return b.xml("application/atom+xml; charset=utf-8", c.atom(), time.Now())
}

func (b *build) tagFeed(slug string) (*cache.Entry, error) {
	if !b.has() {
		return nil, errNotFound
	}
	tag, err := b.named(schema.Tags, slug)
	if err != nil {
		return nil, err
	}
	at := address.Tag(b.site, b.locale, slug)
	c, err := b.channel(tag.GetString("name")+" · "+b.site.Title, at, at+"feed.xml", having("tags", tag.Id))
	if err != nil {
		return nil, err
	}
	return b.xml("application/atom+xml; charset=utf-8", c.atom(), time.Now())
}

// channel collects the newest posts with their whole text.
func (b *build) channel(title, at, self string, where dbx.Expression) (*channel, error) {
	b.uses(schema.Posts)
	var posts []*core.Record
	query := b.App.RecordQuery(schema.Posts).AndWhere(b.public(schema.Posts))
	if where != nil {
		query.AndWhere(where)
	}
	err := query.OrderBy("published_at DESC", "id DESC").Limit(feedItems).WithContext(b.ctx).All(&posts)
	if err != nil {
		return nil, fmt.Errorf("list the posts of the feed: %w", err)
	}
	rows := make([]row, len(posts))
	for i, p := range posts {
		rows[i] = asRow(p)
	}
	with, err := b.company(rows)
	if err != nil {
		return nil, err
	}
	c := &channel{Title: title, Tagline: b.site.Tagline, Locale: b.locale, URL: b.absolute(at), Self: b.absolute(self)}
	for i, p := range posts {
		card := b.card(rows[i], with, "")
		item := feedItem{
			Title: card.Title, URL: b.absolute(card.URL), ID: b.base + "/#" + p.Id, Summary: card.Excerpt,
			HTML:      b.absoluteHTML(string(b.body(p))),
			Published: card.PublishedAt, Updated: latest(card.PublishedAt, p.GetDateTime("updated").Time()),
		}
		for _, a := range card.Authors {
			item.Authors = append(item.Authors, a.Label)
		}
		for _, t := range card.Tags {
			item.Tags = append(item.Tags, t.Label)
		}
		c.Updated = latest(c.Updated, item.Updated)
		c.Items = append(c.Items, item)
	}
	return c, nil
}

var (
	localLink   = regexp.MustCompile(`( (?:href|src|poster)=")(/[^/"][^"]*|/)"`)
	localSrcset = regexp.MustCompile(` srcset="[^"]*"`)
	localPart   = regexp.MustCompile(`(^ srcset="|, )/`)
)

// absoluteHTML puts the site's address before the links of a sanitised body, in
// which every attribute stands in double quotes.
func (b *build) absoluteHTML(html string) string {
	html = localLink.ReplaceAllString(html, `${1}`+escapeDollar(b.base)+`${2}"`)
	return localSrcset.ReplaceAllStringFunc(html, func(set string) string {
		return localPart.ReplaceAllString(set, `${1}`+escapeDollar(b.base)+`/`)
	})
}

func escapeDollar(s string) string {
	return string(bytes.ReplaceAll([]byte(s), []byte("$"), []byte("$$")))
}

func (b *build) xml(contentType string, v any, modified time.Time) (*cache.Entry, error) {
	body, err := xml.Marshal(v)
	if err != nil {
		return nil, fmt.Errorf("write the feed: %w", err)
	}
	return b.document(contentType, append([]byte(xml.Header), body...), modified), nil
}

// Atom, RFC 4287.
type (
	atomFeed struct {
		XMLName  xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
		Lang     string      `xml:"xml:lang,attr"`
		ID       string      `xml:"id"`
		Title    string      `xml:"title"`
		Subtitle string      `xml:"subtitle,omitempty"`
		Updated  string      `xml:"updated"`
		Links    []atomLink  `xml:"link"`
		Author   *atomPerson `xml:"author,omitempty"`
		Entries  []atomEntry `xml:"entry"`
	}
	atomLink struct {
		Rel  string `xml:"rel,attr,omitempty"`
		Type string `xml:"type,attr,omitempty"`
		Href string `xml:"href,attr"`
	}
	atomPerson struct {
		Name string `xml:"name"`
	}
	atomText struct {
		Type string `xml:"type,attr"`
		Text string `xml:",chardata"`
	}
	atomCategory struct {
		Term string `xml:"term,attr"`
	}
	atomEntry struct {
		ID         string         `xml:"id"`
		Title      string         `xml:"title"`
		Link       atomLink       `xml:"link"`
		Published  string         `xml:"published"`
		Updated    string         `xml:"updated"`
		Authors    []atomPerson   `xml:"author"`
		Categories []atomCategory `xml:"category"`
		Summary    string         `xml:"summary,omitempty"`
		Content    atomText       `xml:"content"`
	}
)

func (c *channel) atom() atomFeed {
	feed := atomFeed{
		Lang: c.Locale, ID: c.URL, Title: c.Title, Subtitle: c.Tagline, Updated: stamp(c.Updated),
		Links:  []atomLink{{Rel: "self", Type: "application/atom+xml", Href: c.Self}, {Rel: "alternate", Type: "text/html", Href: c.URL}},
		Author: &atomPerson{Name: c.Title},
	}
	for _, i := range c.Items {
		entry := atomEntry{
			ID: i.ID, Title: i.Title, Link: atomLink{Rel: "alternate", Href: i.URL}, Published: stamp(i.Published), Updated: stamp(i.Updated),
			Summary: i.Summary, Content: atomText{Type: "html", Text: i.HTML},
		}
		for _, a := range i.Authors {
			entry.Authors = append(entry.Authors, atomPerson{Name: a})
		}
		for _, t := range i.Tags {
			entry.Categories = append(entry.Categories, atomCategory{Term: t})
		}
		feed.Entries = append(feed.Entries, entry)
	}
	return feed
}

// stamp is a time of RFC 3339; a feed without posts dates from the epoch, so
// that it does not change by being read.
func stamp(t time.Time) string {
	if t.IsZero() {
		t = time.Unix(0, 0)
	}
	return t.UTC().Format(time.RFC3339)
}

// RSS 2.0 (rssboard.org) with the content and Atom modules.
type (
	rssFeed struct {
		XMLName xml.Name   `xml:"rss"`
		Version string     `xml:"version,attr"`
		Content string     `xml:"xmlns:content,attr"`
		Atom    string     `xml:"xmlns:atom,attr"`
		DC      string     `xml:"xmlns:dc,attr"`
		Channel rssChannel `xml:"channel"`
	}
	rssChannel struct {
		Title       string    `xml:"title"`
		Link        string    `xml:"link"`
		Description string    `xml:"description"`
		Language    string    `xml:"language"`
		LastBuild   string    `xml:"lastBuildDate,omitempty"`
		Self        rssSelf   `xml:"atom:link"`
		Items       []rssItem `xml:"item"`
	}
	rssSelf struct {
		Rel  string `xml:"rel,attr"`
		Type string `xml:"type,attr"`
		Href string `xml:"href,attr"`
	}
	rssGUID struct {
		PermaLink bool   `xml:"isPermaLink,attr"`
		ID        string `xml:",chardata"`
	}
	rssItem struct {
		Title       string   `xml:"title"`
		Link        string   `xml:"link"`
		GUID        rssGUID  `xml:"guid"`
		PubDate     string   `xml:"pubDate"`
		Creators    []string `xml:"dc:creator"`
		Categories  []string `xml:"category"`
		Description string   `xml:"description"`
		Content     string   `xml:"content:encoded"`
	}
)

func (c *channel) rss() rssFeed {
	feed := rssFeed{
		Version: "2.0", Content: "http://purl.org/rss/1.0/modules/content/",
		Atom: "http://www.w3.org/2005/Atom", DC: "http://purl.org/dc/elements/1.1/",
		Channel: rssChannel{
			Title: c.Title, Link: c.URL, Description: firstOf(c.Tagline, c.Title), Language: c.Locale,
			Self: rssSelf{Rel: "self", Type: "application/rss+xml", Href: c.Self},
		},
	}
	if !c.Updated.IsZero() {
		feed.Channel.LastBuild = c.Updated.UTC().Format(http.TimeFormat)
	}
	for _, i := range c.Items {
		feed.Channel.Items = append(feed.Channel.Items, rssItem{
			Title: i.Title, Link: i.URL, GUID: rssGUID{ID: i.ID}, PubDate: i.Published.UTC().Format(time.RFC1123Z),
			Creators: i.Authors, Categories: i.Tags, Description: i.Summary, Content: i.HTML,
		})
	}
	return feed
}

// jsonFeed is JSON Feed 1.1 (jsonfeed.org).
func (c *channel) jsonFeed() map[string]any {
	items := make([]any, 0, len(c.Items))
	for _, i := range c.Items {
		item := map[string]any{
			"id": i.ID, "url": i.URL, "title": i.Title, "content_html": i.HTML,
			"date_published": stamp(i.Published), "date_modified": stamp(i.Updated),
		}
		if i.Summary != "" {
			item["summary"] = i.Summary
		}
		if len(i.Tags) > 0 {
			item["tags"] = i.Tags
		}
		var authors []any
		for _, a := range i.Authors {
			authors = append(authors, map[string]any{"name": a})
		}
		if len(authors) > 0 {
			item["authors"] = authors
		}
		items = append(items, item)
	}
	return map[string]any{
		"version": "https://jsonfeed.org/version/1.1", "title": c.Title, "description": c.Tagline,
		"home_page_url": c.URL, "feed_url": c.Self, "language": c.Locale, "items": items,
	}
}
