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
	At        time.Time
}

// Import saves comments of another system with their threads, dates, authors
// and statuses. One whose source key is known is left as it is and counted in
// known. An answer whose parent is in none of the imports stands at the top.
// Call it with a transaction's app.
func Import(app core.App, batch []Imported) (created, known int, err error) {
	collection, err := app.FindCachedCollectionByNameOrId(schema.Comments)
	if err != nil {
		return 0, 0, fmt.Errorf("import comments: %w", err)
	}
	ids := map[string]string{}
	var answers []*core.Record
	parents := map[*core.Record]string{}
	for _, c := range batch {
		id, err := find(app, c.SourceKey)
		if err != nil {
			return created, known, err
		}
		if id != "" {
			ids[c.SourceKey] = id
			known++
			continue
		}
		r := c.record(collection)
		if c.Parent != "" {
			answers = append(answers, r)
			parents[r] = c.Parent
		}
		if err := app.Save(r); err != nil {
			return created, known, fmt.Errorf("save the comment %s: %w", c.SourceKey, err)
		}
		ids[c.SourceKey] = r.Id
		created++
	}
	// A parent may stand after its answers.
	for _, r := range answers {
		id := ids[parents[r]]
		if id == "" {
			if id, err = find(app, parents[r]); err != nil {
				return created, known, err
			}
		}
		if id == "" || id == r.Id {
			continue
		}
		r.Set("parent", id)
		if err := app.Save(r); err != nil {
			return created, known, fmt.Errorf("save the thread of a comment: %w", err)
		}
	}
	return created, known, nil
}

func (c Imported) record(collection *core.Collection) *core.Record {
	r := core.NewRecord(collection)
	r.Set("source_key", c.SourceKey)
	r.Set("thread", c.Thread)
	r.Set("author", clip(c.Author, 200))
	r.Set("email", clip(c.Email, 320))
	if u, err := url.Parse(c.URL); err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") {
		r.Set("url", clip(c.URL, 2000))
	}
	clean := Clean(c.HTML)
	if utf8.RuneCountInString(clean) > 100_000 {
		clean = Clean(clip(clean, 100_000))
	}
	r.Set("body", clip(clean, 100_000))
	r.Set("html", clean)
	r.Set("status", c.Status)
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
	err := app.DB().Select("id").From(schema.Comments).
		Where(dbx.NewExp("[[source_key]] = {:key} AND [[source_key]] != ''", dbx.Params{"key": key})).Limit(1).Row(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("look for a comment: %w", err)
	}
	return id, nil
}
