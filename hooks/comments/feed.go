package comments

import (
	"encoding/xml"
	"fmt"
	"strings"
	"time"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// feedItems is how many comments a feed holds.
const feedItems = 50

// atom is a feed of RFC 4287.
type atom struct {
	XMLName xml.Name    `xml:"http://www.w3.org/2005/Atom feed"`
	Title   string      `xml:"title"`
	ID      string      `xml:"id"`
	Updated string      `xml:"updated"`
	Links   []atomLink  `xml:"link"`
	Entries []atomEntry `xml:"entry"`
}

type atomLink struct {
	Rel  string `xml:"rel,attr,omitempty"`
	Href string `xml:"href,attr"`
}

type atomEntry struct {
	Title   string   `xml:"title"`
	ID      string   `xml:"id"`
	Updated string   `xml:"updated"`
	Author  string   `xml:"author>name"`
	Link    atomLink `xml:"link"`
	Content struct {
		Type string `xml:"type,attr"`
		Body string `xml:",chardata"`
	} `xml:"content"`
}

// siteFeed is GET /comments.xml, of the whole site or with ?thread= of one.
func siteFeed(e *core.RequestEvent) error {
	if raw := e.Request.URL.Query().Get("thread"); raw != "" {
		return serveFeed(e, raw)
	}
	return serveFeed(e, "")
}

// threadFeed is GET /blog/{slug}/comments.xml.
func threadFeed(e *core.RequestEvent) error {
	return serveFeed(e, "/blog/"+e.Request.PathValue("slug")+"/")
}

func serveFeed(e *core.RequestEvent, raw string) error {
	var t *Thread
	if raw != "" {
		found, err := threadOf(e, raw)
		if err != nil {
			return refuse(e, err)
		}
		t = &found
	} else if web.Shut(e) {
		return refuse(e, web.NotOpen(e))
	}
	base := siteURL(e)
	address := ""
	if t != nil {
		address = t.Address
	}
	web.HardenFile(e.Response.Header(), e.IsTLS())
	return refuse(e, fromMemory(e, "comments feed "+base+" "+address, t, func() (any, string, error) {
		body, err := feed(e.App, base, t, e.Request.URL.RequestURI())
		return body, "application/atom+xml; charset=utf-8", err
	}))
}

// siteURL is the site's own address, or the one that the visitor used.
func siteURL(e *core.RequestEvent) string {
	if set := strings.TrimRight(e.App.Settings().Meta.AppURL, "/"); set != "" && set != "http://localhost:8090" {
		return set
	}
	if o := origin("http://" + e.Request.Host); o != "" && len(o) < 300 {
		if e.IsTLS() {
			return "https" + strings.TrimPrefix(o, "http")
		}
		return o
	}
	return "http://localhost:8090"
}

// feed is an Atom feed of the newest approved comments whose pages can be seen.
func feed(app core.App, base string, t *Thread, self string) ([]byte, error) {
	site, err := settings.LoadSite(app)
	if err != nil {
		return nil, err
	}
	query := app.DB().Select("id", "thread", "author", "html", "created", "edited").From(schema.Comments).
		Where(dbx.HashExp{"status": schema.CommentApproved})
	f := atom{Title: "Comments · " + site.Title, ID: base + "/comments.xml", Links: []atomLink{{"self", base + self}, {"alternate", base + "/"}}}
	if t != nil {
		query.AndWhere(dbx.HashExp{"thread": t.Address})
		f.Title, f.ID, f.Links[1].Href = "Comments: "+t.Title, absolute(base, t.Address)+"comments.xml", absolute(base, t.Address)
	}
	var rows []struct {
		row
		Thread string `db:"thread"`
	}
	if err := query.OrderBy("created DESC", "id").Limit(feedItems * 2).All(&rows); err != nil {
		return nil, fmt.Errorf("list the newest comments: %w", err)
	}
	collection, err := app.FindCachedCollectionByNameOrId(schema.Comments)
	if err != nil {
		return nil, fmt.Errorf("find the comments: %w", err)
	}
	newest := collection.Created.Time() // of an empty feed
	visible := map[string]*Thread{}
	for _, r := range rows {
		at, known := visible[r.Thread]
		if !known {
			found, err := FindThread(app, r.Thread)
			if isFault(err) {
				return nil, err
			}
			if err == nil {
				at = &found
			}
			visible[r.Thread] = at
		}
		if at == nil || len(f.Entries) == feedItems {
			continue
		}
		entry := atomEntry{Title: r.Author + ": " + firstOf(at.Title, at.Address), ID: base + "/#" + r.ID, Author: firstOf(r.Author, "…")}
		changed := r.Created.Time()
		if !r.Edited.IsZero() {
			changed = r.Edited.Time()
		}
		if changed.After(newest) {
			newest = changed
		}
		entry.Updated = changed.UTC().Format(time.RFC3339)
		entry.Link.Href = absolute(base, r.Thread) + "?comment=" + r.ID + "#c-" + r.ID
		entry.Content.Type, entry.Content.Body = "html", r.HTML
		f.Entries = append(f.Entries, entry)
	}
	f.Updated = newest.UTC().Format(time.RFC3339)
	body, err := xml.Marshal(f)
	if err != nil {
		return nil, fmt.Errorf("write the feed: %w", err)
	}
	return append([]byte(xml.Header), body...), nil
}

func absolute(base, address string) string {
	if strings.HasPrefix(address, "/") {
		return base + address
	}
	return address
}
