package imports

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"bungalow/hooks/content"
	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// writing saves a post or a page.
func (w *writer) writing(i *Item) error {
	r, err := w.find(string(i.Kind), i.Key)
	if err != nil {
		return err
	}
	fingerprint := i.fingerprint()
	count := w.report.of(i.Kind)
	counted := &count.Updated
	if r == nil {
		counted = &count.Created
		if r, err = w.begin(i); err != nil {
			return err
		}
	} else {
		source, here, _ := strings.Cut(r.GetString("imported_hash"), ":")
		if source == fingerprint {
			w.count(&count.Unchanged)
			return w.arrived(i, r)
		}
		if here != recordHash(r) {
			w.count(&count.Kept)
			w.report.Kept = append(w.report.Kept, Line{i.Kind, i.label(), "it changed at the source too; to take that over, delete it here and import again"})
			return w.arrived(i, r)
		}
	}
	if err := w.fill(r, i); err != nil {
		return err
	}
	if err := w.app.Save(r); err != nil {
		return err
	}
	w.count(counted)
	if err := setHash(w.app, r, fingerprint); err != nil {
		return err
	}
	return w.arrived(i, r)
}

// setHash keeps what the item and the record were like, with raw SQL: this is
// no change that anybody hooks into. What hooks made of the record is part of
// what "not edited here" means, so it is read back.
func setHash(app core.App, r *core.Record, fingerprint string) error {
	stored, err := app.FindRecordById(r.Collection(), r.Id)
	if err != nil {
		return fmt.Errorf("read back: %w", err)
	}
	_, err = app.DB().Update(r.Collection().Name, dbx.Params{"imported_hash": fingerprint + ":" + recordHash(stored)}, dbx.HashExp{"id": r.Id}).Execute()
	if err != nil {
		return fmt.Errorf("mark as imported: %w", err)
	}
	return nil
}

// find returns the record of a source key, nil where there is none.
func (w *writer) find(collection, key string) (*core.Record, error) {
	found, err := w.app.FindAllRecords(collection, bySource(key))
	if err != nil {
		return nil, fmt.Errorf("look for %s: %w", key, err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0], nil
}

// bySource finds a source key through its index, which holds only keys that
// are not empty: SQLite uses it when the query says so too.
func bySource(key string) dbx.Expression {
	return dbx.NewExp("[[source_key]] = {:source} AND [[source_key]] != ''", dbx.Params{"source": key})
}

// begin begins a new record at a free address.
func (w *writer) begin(i *Item) (*core.Record, error) {
	c, err := w.app.FindCachedCollectionByNameOrId(string(i.Kind))
	if err != nil {
		return nil, err
	}
	r := core.NewRecord(c)
	r.Set("source_key", i.Key)
	r.Set("locale", w.site.Locale)
	if i.Kind == KindPage && !i.orphan {
		r.Set("parent", w.places[i.Parent].id)
	}
	wanted := text.Slug(first(i.Slug, i.Title, i.Key))
	free, err := content.FreeSlug(w.app, w.site, r, wanted)
	if err != nil {
		return nil, err
	}
	if free != wanted {
		i.renamed = fmt.Sprintf("%s became %s", wanted, free)
	}
	r.Set("slug", free)
	return r, nil
}

// fill sets the fields that the source decides.
func (w *writer) fill(r *core.Record, i *Item) error {
	r.Set("title", w.clip(i, "title", i.title(), 300))
	r.Set("status", i.Status)
	r.Set("published_at", stamp(i.PublishedAt))
	if i.Status == schema.StatusPublished && r.GetDateTime("announced_at").IsZero() && !r.IsNew() {
		r.Set("announced_at", types.NowDateTime()) // it was news where it comes from
	}
	body, err := w.bringImages(i)
	if err != nil {
		return err
	}
	r.Set("format", i.Format)
	r.Set("body", body)
	r.Set("excerpt", w.clip(i, "excerpt", i.Excerpt, 5000))
	r.Set("comments_open", i.CommentsOpen)
	r.Set("seo_title", w.clip(i, "SEO title", i.SEOTitle, 300))
	r.Set("seo_description", w.clip(i, "SEO description", i.SEODescription, 1000))
	if absolute(i.Canonical) != "" {
		r.Set("canonical_url", i.Canonical)
	}
	authors, err := w.refs(i, schema.Authors, i.Authors, 20)
	if err != nil {
		return err
	}
	r.Set("authors", authors)
	if i.Kind == KindPost {
		tags, err := w.refs(i, schema.Tags, i.Tags, 100)
		if err != nil {
			return err
		}
		r.Set("tags", tags)
		r.Set("featured", i.Featured)
	} else {
		r.Set("position", i.Position)
		if err := w.move(r, i); err != nil {
			return err
		}
	}
	cover, err := w.cover(i)
	if cover != "" {
		r.Set("cover", cover)
	}
	return err
}

// move puts a page below another one where the source did so since.
func (w *writer) move(r *core.Record, i *Item) error {
	up := w.places[i.Parent].id
	if r.IsNew() || i.orphan || up == r.GetString("parent") {
		return nil
	}
	r.Set("parent", up)
	free, err := content.FreeSlug(w.app, w.site, r, r.GetString("slug"))
	if err != nil {
		return err
	}
	r.Set("slug", free)
	return nil
}

// title is the item's own, else the beginning of its text.
func (i *Item) title() string {
	if i.Title != "" {
		return i.Title
	}
	if r, err := text.Render(i.Format, i.Body); err == nil && r.Text != "" {
		return text.Excerpt(r.Text, 60)
	}
	return first(i.Slug, "Untitled")
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return ""
	}
	at, _ := types.ParseDateTime(t)
	return at
}

// clip shortens what is longer than a field holds, and says so.
func (w *writer) clip(i *Item, what, s string, max int) string {
	if utf8.RuneCountInString(s) <= max {
		return s
	}
	i.note(fmt.Sprintf("its %s is cut at %d characters", what, max))
	return string([]rune(s)[:max])
}

// arrived remembers where an item is and leads its old addresses there.
func (w *writer) arrived(i *Item, r *core.Record) error {
	p := w.place(r)
	w.places[i.Key] = p
	if p.public || r.GetString("status") == schema.StatusScheduled {
		return w.redirects(i, p.address)
	}
	return nil
}

func (w *writer) place(r *core.Record) place {
	return place{id: r.Id, address: content.Address(w.site, r), title: r.GetString("title"), public: content.IsPublic(r), met: true}
}

// fingerprint tells whether an item changed at its source. What only the clock
// changes is left out.
func (i *Item) fingerprint() string {
	status := i.Status
	if i.Timed {
		status = "timed"
	} else if status == schema.StatusScheduled {
		status = schema.StatusPublished
	}
	keys := func(refs []Ref) (out []string) {
		for _, r := range refs {
			out = append(out, r.Key)
		}
		return out
	}
	return digest(i.Title, i.Slug, status, i.PublishedAt.Unix(), i.Format, i.Body, i.Excerpt, i.Featured, i.CommentsOpen, i.SEOTitle, i.SEODescription,
		i.Canonical, keys(i.Tags), keys(i.Authors), i.Cover, i.Parent, i.Position)
}

// recordHash tells whether a record was edited here. Being published in time
// is no edit.
func recordHash(r *core.Record) string {
	status := r.GetString("status")
	if status == schema.StatusScheduled {
		status = schema.StatusPublished
	}
	tags, authors := slices.Clone(r.GetStringSlice("tags")), slices.Clone(r.GetStringSlice("authors"))
	slices.Sort(tags)
	slices.Sort(authors)
	return digest(r.GetString("title"), r.GetString("slug"), r.GetString("locale"), status, r.GetDateTime("published_at").Unix(), r.GetString("format"),
		r.GetString("body"), r.GetString("excerpt"), r.GetString("cover"), r.GetBool("comments_open"), r.GetBool("featured"), r.GetString("seo_title"),
		r.GetString("seo_description"), r.GetString("canonical_url"), tags, authors, r.GetString("parent"), r.GetInt("position"))
}

func digest(values ...any) string {
	raw, err := json.Marshal(values)
	if err != nil {
		raw = fmt.Append(nil, values...)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:20])
}
