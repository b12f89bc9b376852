package comments

import (
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Imported is a comment of another system.
type Imported struct {
	SourceKey string // unique over all sources
	Parent    string // source key of the comment that it answers, "" at the top
	Thread    string // canonical path or absolute address
	Author    string
	Email     string
	URL       string
	HTML      string // not yet cleaned
	Status    string // a comment status of schema
	Votes     int    // likes less dislikes
	Pinned    bool
	Removed   bool // its author took it back; it has no text
	At        time.Time
}

// Import saves comments of another system with their threads, dates, authors
// and statuses. One whose source key is known is left as it is and counted in
// known. An answer whose parent is in none of the imports, or in another
// thread, stands at the top. Call it with a transaction's app.
func Import(app core.App, batch []Imported) (created, known int, err error) {
	collection, err := app.FindCachedCollectionByNameOrId(schema.Comments)
	if err != nil {
		return 0, 0, fmt.Errorf("import comments: %w", err)
	}
	b := &importing{app: app, collection: collection, items: map[string]*Imported{}, ids: map[string]string{}}
	for i := range batch {
		b.items[batch[i].SourceKey] = &batch[i]
	}
	for i := range batch {
		if _, err := b.save(&batch[i]); err != nil {
			return b.created, b.known, err
		}
	}
	return b.created, b.known, nil
}

// importing is one batch on its way in.
type importing struct {
	app            core.App
	collection     *core.Collection
	items          map[string]*Imported
	ids            map[string]string // by source key, of what is saved; "" while it is being saved
	created, known int
}

// save stores a comment after the one that it answers, which may stand after
// it, and gives its id.
func (b *importing) save(c *Imported) (string, error) {
	if id, seen := b.ids[c.SourceKey]; seen {
		return id, nil // "" in a circle: the first of it stands at the top
	}
	id, err := find(b.app, c.SourceKey)
	if err != nil {
		return "", err
	}
	b.ids[c.SourceKey] = id
	if id != "" {
		b.known++
		return id, nil
	}
	parent, err := b.parent(c)
	if err != nil {
		return "", err
	}
	r := c.record(b.collection)
	r.Set("parent", parent)
	if err := b.app.Save(r); err != nil {
		return "", fmt.Errorf("save the comment %s: %w", c.SourceKey, err)
	}
	b.ids[c.SourceKey] = r.Id
	b.created++
	return r.Id, nil
}

// parent is the id of the comment that c answers, "" at the top.
func (b *importing) parent(c *Imported) (id string, err error) {
	if c.Parent == "" {
		return "", nil
	}
	if up := b.items[c.Parent]; up != nil {
		id, err = b.save(up)
	} else {
		id, err = find(b.app, c.Parent)
	}
	if err != nil || id == "" {
		return "", err
	}
	var thread string
	if err := b.app.NonconcurrentDB().Select("thread").From(schema.Comments).Where(dbx.HashExp{"id": id}).Row(&thread); err != nil {
		return "", fmt.Errorf("find the comment above: %w", err)
	}
	if thread != c.Thread {
		return "", nil
	}
	return id, nil
}

func (c Imported) record(collection *core.Collection) *core.Record {
	r := core.NewRecord(collection)
	r.Set("source_key", c.SourceKey)
	r.Set("thread", c.Thread)
	r.Set("author", clip(tidyLine(c.Author), 200))
	r.Set("email", clip(c.Email, 320))
	if u, err := url.Parse(c.URL); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
		r.Set("url", clip(c.URL, 2000))
	}
	clean := Clean(c.HTML)
	if utf8.RuneCountInString(clean) > 100_000 {
		clean = Clean(clip(clean, 100_000))
	}
	r.Set("body", clip(clean, 100_000))
	r.Set("html", firstOf(clean, "<p></p>"))
	r.Set("status", c.Status)
	r.Set("votes", max(min(c.Votes, 1_000_000), -1_000_000))
	r.Set("pinned", c.Pinned)
	r.Set("removed", c.Removed)
	if at, err := types.ParseDateTime(c.At); err == nil && !at.IsZero() {
		r.SetRaw("created", at)
	}
	return r
}

func clip(s string, max int) string {
	s = strings.TrimSpace(s)
	if utf8.RuneCountInString(s) > max {
		return string([]rune(s)[:max])
	}
	return s
}

func find(app core.App, key string) (string, error) {
	var id string
	// The index holds only keys that are not empty; the query has to say so too.
	err := app.NonconcurrentDB().Select("id").From(schema.Comments).
		Where(dbx.NewExp("[[source_key]] = {:key} AND [[source_key]] != ''", dbx.Params{"key": key})).Limit(1).Row(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("look for a comment: %w", err)
	}
	return id, nil
}
