package imports

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"bungalow/hooks/content"
	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// named makes a tag or an author unless it is there: by its source key, or by
// its slug when somebody made it here.
func (w *writer) named(i *Item) error {
	id, created, err := w.ensure(string(i.Kind), Ref{i.Key, i.Title, i.Slug}, i)
	if err != nil {
		return err
	}
	w.know(i.Key, id)
	if created {
		w.count(&w.report.of(i.Kind).Created)
	} else {
		w.count(&w.report.of(i.Kind).Unchanged)
	}
	if i.Kind != KindTag || len(i.Old) == 0 {
		return nil
	}
	r, err := w.app.FindRecordById(schema.Tags, id)
	if err != nil {
		return fmt.Errorf("look for %s: %w", i.label(), err)
	}
	return w.redirects(i, address.Tag(w.site, w.site.Locale, r.GetString("slug")))
}

func (w *writer) ensure(collection string, ref Ref, about *Item) (id string, created bool, err error) {
	slug := text.Slug(first(ref.Slug, ref.Name))
	for _, where := range []dbx.Expression{bySource(ref.Key), dbx.HashExp{"slug": slug}} {
		err := w.app.DB().Select("id").From(collection).Where(where).Limit(1).Row(&id)
		if err == nil {
			return id, false, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return "", false, fmt.Errorf("look for %s: %w", ref.Name, err)
		}
	}
	c, err := w.app.FindCachedCollectionByNameOrId(collection)
	if err != nil {
		return "", false, err
	}
	r := core.NewRecord(c)
	r.Set("source_key", ref.Key)
	r.Set("name", text.Excerpt(first(ref.Name, slug), 200))
	r.Set("slug", slug)
	if about != nil {
		r.Set("description", text.Excerpt(about.Caption, 5000))
		r.Set("bio", text.Excerpt(about.Caption, 5000))
		if u, err := url.Parse(about.URL); err == nil && u.Host != "" && absolute(about.URL) != "" {
			r.Set("url", about.URL)
		}
	}
	if err := w.app.Save(r); err != nil {
		return "", false, err
	}
	return r.Id, true, nil
}

// refs returns the ids of tags or authors, making those that no item described.
func (w *writer) refs(i *Item, collection string, refs []Ref, max int) ([]string, error) {
	if len(refs) > max {
		i.note(fmt.Sprintf("it has more than %d %s; the others are left out", max, collection))
		refs = refs[:max]
	}
	ids := make([]string, 0, len(refs))
	for _, ref := range refs {
		id, known := w.names[ref.Key]
		if !known {
			made, created, err := w.ensure(collection, ref, nil)
			if err != nil {
				return nil, err
			}
			if id = made; created {
				w.count(&w.report.of(Kind(collection)).Created)
			}
			w.know(ref.Key, id)
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// menu makes a menu once; what the owner does with it later is his.
func (w *writer) menu(i *Item) error {
	existing, err := w.find(schema.Menus, i.Key)
	if err != nil {
		return err
	}
	if existing != nil {
		w.count(&w.report.of(KindMenu).Unchanged)
		return nil
	}
	c, err := w.app.FindCachedCollectionByNameOrId(schema.Menus)
	if err != nil {
		return err
	}
	r := core.NewRecord(c)
	r.Set("source_key", i.Key)
	name, err := w.freeMenu(text.Excerpt(i.Title, 90))
	if err != nil {
		return err
	}
	if name != i.Title {
		i.renamed = fmt.Sprintf("%s became %s", i.Title, name)
	}
	r.Set("name", name)
	count := 0
	items, err := json.Marshal(w.entries(i, i.Menu, 1, &count))
	if err != nil {
		return fmt.Errorf("write the menu down: %w", err)
	}
	r.Set("items", string(items))
	if err := w.app.Save(r); err != nil {
		return err
	}
	w.count(&w.report.of(KindMenu).Created)
	return nil
}

func (w *writer) freeMenu(name string) (string, error) {
	for n := 1; n < 1000; n++ {
		try := name
		if n > 1 {
			try = fmt.Sprintf("%s %d", name, n)
		}
		count, err := w.app.CountRecords(schema.Menus, dbx.HashExp{"name": try})
		if err != nil {
			return "", fmt.Errorf("find a free name: %w", err)
		}
		if count == 0 {
			return try, nil
		}
	}
	return "", validation.Errors{"name": validation.NewError("validation_taken", "too many menus have this name")}
}

// The limits of a menu here; deeper lines move up to the last level.
const (
	maxMenuDepth = 3
	maxMenuItems = 200
)

// entries gives the lines of a menu the addresses of what they lead to.
func (w *writer) entries(i *Item, lines []MenuEntry, depth int, count *int) []content.MenuItem {
	var out []content.MenuItem
	for _, line := range lines {
		m := content.MenuItem{URL: w.menuURL(&line)}
		m.Label = text.Excerpt(line.Label, 200)
		if m.URL == "" || m.Label == "" || *count >= maxMenuItems {
			i.note(fmt.Sprintf("its line %q leads nowhere here and is left out", first(line.Label, line.URL, line.Target)))
			out = append(out, w.entries(i, line.Children, depth, count)...)
			continue
		}
		*count++
		below := w.entries(i, line.Children, min(depth+1, maxMenuDepth), count)
		if out = append(out, m); depth < maxMenuDepth {
			out[len(out)-1].Children = below
		} else if len(below) > 0 {
			i.note(fmt.Sprintf("it was more than %d levels deep; the deepest lines moved up", maxMenuDepth))
			out = append(out, below...)
		}
	}
	return out
}

// menuURL finds where a line leads and fills an empty label with the title of
// that.
func (w *writer) menuURL(line *MenuEntry) string {
	if p, there := w.places[line.Target]; there && line.Target != "" {
		line.Label = first(line.Label, p.title)
		return p.address
	}
	if id := w.names[line.Target]; id != "" {
		if r, err := w.app.FindRecordById(schema.Tags, id); err == nil {
			line.Label = first(line.Label, r.GetString("name"))
			return address.Tag(w.site, w.site.Locale, r.GetString("slug"))
		}
	}
	u, err := url.Parse(strings.TrimSpace(line.URL))
	switch {
	case err != nil || line.URL == "":
		return ""
	case u.Scheme == "" && u.Host == "" && (strings.HasPrefix(line.URL, "/") || strings.HasPrefix(line.URL, "#")):
		return strings.TrimSpace(line.URL)
	case u.Scheme == "" && u.Host == "":
		return "/" + strings.TrimSpace(line.URL)
	case (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", u.Scheme == "mailto", u.Scheme == "tel":
		return strings.TrimSpace(line.URL)
	}
	return ""
}
