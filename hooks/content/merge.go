package content

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// ErrSame means that a tag or an author was to be merged with itself, or with
// something of another kind.
var ErrSame = errors.New("choose another one to merge with")

// Relisted is a list of tags or authors that was changed: of a post or page.
type Relisted struct {
	Collection, ID, Field string
	Before, After         []string
}

// listing names the fields that list tags or authors.
var listing = map[string][][2]string{
	schema.Tags:    {{schema.Posts, "tags"}},
	schema.Authors: {{schema.Posts, "authors"}, {schema.Pages, "authors"}},
}

// MergeNamed moves all that a tag or an author has to another one, leads the
// old address there and deletes it. Call it in a transaction, and bump the
// whole cache after that: posts are changed without their hooks. The search
// follows by a job.
func MergeNamed(tx core.App, from, into *core.Record) ([]Relisted, error) {
	if from.Id == into.Id || from.Collection().Id != into.Collection().Id {
		return nil, ErrSame
	}
	changed, err := relist(tx, from, into.Id)
	if err != nil {
		return nil, err
	}
	if err := relistVersions(tx, from.Id, into.Id); err != nil {
		return nil, err
	}
	if err := tx.Delete(from); err != nil {
		return nil, fmt.Errorf("delete what was merged: %w", err)
	}
	site, err := settings.LoadSite(tx)
	if err != nil {
		return nil, err
	}
	for _, locale := range site.AllLocales() {
		if err := leave(tx, NamedAddress(site, locale, from), NamedAddress(site, locale, into)); err != nil {
			return nil, err
		}
	}
	return changed, searchLater(tx, into)
}

// DropNamed takes a tag or an author off everything and deletes it; what
// holds for MergeNamed holds here too.
func DropNamed(tx core.App, record *core.Record) ([]Relisted, error) {
	changed, err := relist(tx, record, "")
	if err != nil {
		return nil, err
	}
	if err := tx.Delete(record); err != nil {
		return nil, fmt.Errorf("delete: %w", err)
	}
	return changed, searchPosts(tx, record, changed)
}

// NamedAddress is the canonical path of a tag or an author.
func NamedAddress(site settings.Site, locale string, r *core.Record) string {
	if r.Collection().Name == schema.Tags {
		return address.Tag(site, locale, r.GetString("slug"))
	}
	return address.Author(site, locale, r.GetString("slug"))
}

// relist puts another id in the place of the record's in every list, or none.
func relist(tx core.App, record *core.Record, into string) ([]Relisted, error) {
	var changed []Relisted
	for _, at := range listing[record.Collection().Name] {
		var rows []struct {
			ID   string `db:"id"`
			List string `db:"list"`
		}
		collection, field := at[0], at[1]
		err := tx.DB().NewQuery(fmt.Sprintf("SELECT id, %[2]s AS list FROM %[1]s WHERE instr(%[2]s, {:id}) > 0", collection, field)).
			Bind(dbx.Params{"id": `"` + record.Id + `"`}).All(&rows)
		if err != nil {
			return nil, fmt.Errorf("find what lists it: %w", err)
		}
		for _, row := range rows {
			c := Relisted{Collection: collection, ID: row.ID, Field: field}
			if err := json.Unmarshal([]byte(row.List), &c.Before); err != nil {
				return nil, fmt.Errorf("read a list: %w", err)
			}
			for _, id := range c.Before {
				if id == record.Id {
					id = into
				}
				if id != "" && !slices.Contains(c.After, id) {
					c.After = append(c.After, id)
				}
			}
			list, err := json.Marshal(append([]string{}, c.After...))
			if err != nil {
				return nil, err
			}
			if _, err := tx.DB().Update(collection, dbx.Params{field: string(list)}, dbx.HashExp{"id": row.ID}).Execute(); err != nil {
				return nil, fmt.Errorf("change a list: %w", err)
			}
			changed = append(changed, c)
		}
	}
	return changed, nil
}

// relistVersions does the same in versions that are still to be published and
// in the bin. Ids are random words of 15 letters, so nothing else has them.
func relistVersions(tx core.App, from, into string) error {
	_, err := tx.DB().NewQuery(`UPDATE revisions SET data = replace(data, {:from}, {:into}), authors = replace(authors, {:from}, {:into})
		WHERE state IN ('draft', 'scheduled', 'binned') AND instr(data, {:from}) > 0`).
		Bind(dbx.Params{"from": `"` + from + `"`, "into": `"` + into + `"`}).Execute()
	if err != nil {
		return fmt.Errorf("change versions: %w", err)
	}
	return nil
}

// searchKind is the queue's name for bringing posts into the search anew.
const searchKind = "content.search"

// searchOrder names the posts by their tag, or one by one.
type searchOrder struct {
	Tag   string   `json:"tag,omitzero"`
	Posts []string `json:"posts,omitzero"`
}

// searchBatch is how many posts one transaction, or one job, takes.
const (
	searchBatch    = 50
	searchJobPosts = 2000
)

func registerSearch(app core.App) {
	queue.Register(app, queue.Kind{Name: searchKind, Timeout: 10 * time.Minute, Attempts: 5, Concurrency: 1, Do: searchAnew})
}

func searchLater(tx core.App, into *core.Record) error {
	if into.Collection().Name != schema.Tags {
		return nil
	}
	return queue.Enqueue(tx, searchKind, searchOrder{Tag: into.Id})
}

func searchPosts(tx core.App, record *core.Record, changed []Relisted) error {
	if record.Collection().Name != schema.Tags {
		return nil
	}
	for batch := range slices.Chunk(changed, searchJobPosts) {
		var o searchOrder
		for _, c := range batch {
			o.Posts = append(o.Posts, c.ID)
		}
		if err := queue.Enqueue(tx, searchKind, o); err != nil {
			return err
		}
	}
	return nil
}

// searchAnew is the job; it may run twice.
func searchAnew(ctx context.Context, app core.App, payload []byte) error {
	var o searchOrder
	if err := json.Unmarshal(payload, &o); err != nil {
		return queue.NoRetry(fmt.Errorf("read what to search: %w", err))
	}
	ids := o.Posts
	if o.Tag != "" {
		var err error
		if ids, err = postsWithTag(app, o.Tag); err != nil {
			return err
		}
	}
	for batch := range slices.Chunk(ids, searchBatch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := app.RunInTransaction(func(tx core.App) error {
			there, err := tx.FindRecordsByIds(schema.Posts, batch)
			if err != nil {
				return err
			}
			for _, post := range there {
				if err := index(tx, post); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("bring posts into the search: %w", err)
		}
	}
	return nil
}
