package site

import (
	"strconv"
	"strings"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

func itoa(n int) string { return strconv.Itoa(n) }

// What the browser is told of how wide a picture will be.
const (
	cardSizes  = "(min-width: 64rem) 22rem, (min-width: 40rem) 45vw, 92vw"
	leadSizes  = "(min-width: 64rem) 38rem, 92vw"
	coverSizes = "(min-width: 64rem) 60rem, 100vw"
	faceSizes  = "5rem"
)

// related records of a number of posts, read at once.
type company struct {
	tags, authors, media map[string]*core.Record
}

func (b *build) company(rows []row) (c company, err error) {
	tags, authors, covers := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, r := range rows {
		for _, id := range r.Tags {
			tags[id] = true
		}
		for _, id := range r.Authors {
			authors[id] = true
		}
		if r.Cover != "" {
			covers[r.Cover] = true
		}
	}
	if c.tags, err = b.records(schema.Tags, tags); err != nil {
		return c, err
	}
	if c.authors, err = b.records(schema.Authors, authors); err != nil {
		return c, err
	}
	c.media, err = b.records(schema.Media, covers)
	return c, err
}

// cards makes what lists show of posts.
func (b *build) cards(rows []row) ([]PostCard, error) {
	c, err := b.company(rows)
	if err != nil {
		return nil, err
	}
	cards := make([]PostCard, len(rows))
	for i, r := range rows {
		cards[i] = b.card(r, c, cardSizes)
	}
	return cards, nil
}

func (b *build) card(r row, c company, sizes string) PostCard {
	card := PostCard{
		Title: r.Title, URL: address.Post(b.site, r.Locale, r.Slug), Excerpt: r.Excerpt,
		PublishedAt: r.PublishedAt.Time().In(b.site.Location()), Minutes: r.Minutes, Featured: r.Featured,
		Cover: b.picture(c.media[r.Cover], sizes),
	}
	if card.Excerpt == "" {
		card.Excerpt = r.Summary
	}
	for _, id := range r.Tags {
		if t := c.tags[id]; t != nil {
			card.Tags = append(card.Tags, b.tagLink(t))
		}
	}
	for _, id := range r.Authors {
		if a := c.authors[id]; a != nil {
			card.Authors = append(card.Authors, Link{Label: a.GetString("name"), URL: address.Author(b.site, b.locale, a.GetString("slug"))})
		}
	}
	return card
}

func (b *build) tagLink(t *core.Record) Link {
	return Link{Label: t.GetString("name"), URL: address.Tag(b.site, b.locale, t.GetString("slug"))}
}

// picture is nil where there is no media record or it can't be shown.
func (b *build) picture(media *core.Record, sizes string) *Image {
	if media == nil {
		return nil
	}
	return b.cfg.Content.Picture(media, sizes)
}

// asRow is the row of a whole record.
func asRow(r *core.Record) row {
	return row{
		ID: r.Id, Title: r.GetString("title"), Slug: r.GetString("slug"), Locale: r.GetString("locale"),
		PublishedAt: r.GetDateTime("published_at"), Updated: r.GetDateTime("updated"),
		Excerpt: r.GetString("excerpt"), Summary: r.GetString("summary"), Cover: r.GetString("cover"),
		Tags: r.GetStringSlice("tags"), Authors: r.GetStringSlice("authors"),
		Minutes: r.GetInt("reading_minutes"), Featured: r.GetBool("featured"),
	}
}

// writers are the authors below a post.
func (b *build) writers(ids []string) ([]Author, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	b.uses(schema.Authors)
	var out []Author
	for _, id := range ids {
		a, err := b.App.FindRecordById(schema.Authors, id)
		if err != nil {
			continue // deleted since
		}
		writer, err := b.writer(a)
		if err != nil {
			return nil, err
		}
		out = append(out, *writer)
	}
	return out, nil
}

func (b *build) writer(a *core.Record) (*Author, error) {
	writer := &Author{
		Name: a.GetString("name"), URL: address.Author(b.site, b.locale, a.GetString("slug")),
		Bio: paragraphs(a.GetString("bio")),
	}
	if u := a.GetString("url"); strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://") {
		writer.Website = u
	}
	if id := a.GetString("avatar"); id != "" {
		media, err := b.records(schema.Media, map[string]bool{id: true})
		if err != nil {
			return nil, err
		}
		writer.Avatar = b.picture(media[id], faceSizes)
	}
	return writer, nil
}
