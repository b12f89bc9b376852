package library

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"bungalow/hooks/content"
	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// maxTakeBack is of how many posts a merge can be taken back.
const maxTakeBack = 1000

// Named is a tag or an author in a list.
type Named struct {
	ID    string `db:"id"`
	Name  string `db:"name"`
	Slug  string `db:"slug"`
	Posts int    `db:"posts"` // of any status
	Staff string `db:"staff"` // name of the account that signs as this author
}

// countQueries count how often each is listed. They read an index alone.
var countQueries = map[string]string{
	schema.Tags: "SELECT j.value AS id, count(*) AS n FROM {{posts}}, json_each({{posts}}.[[tags]]) j GROUP BY j.value",
	schema.Authors: "SELECT id, sum(n) AS n FROM (SELECT j.value AS id, count(*) AS n FROM {{posts}}, json_each({{posts}}.[[authors]]) j GROUP BY j.value" +
		" UNION ALL SELECT j.value, count(*) FROM {{pages}}, json_each({{pages}}.[[authors]]) j GROUP BY j.value) GROUP BY id",
}

// counted are the counts of a collection, good while no text changes.
type counted struct {
	stamp cache.Stamp
	by    map[string]int
}

// countNamed gives how many posts (and pages) have each tag or author.
func countNamed(app core.App, collection string) (map[string]int, error) {
	key := "bungalow.library.counted." + collection
	if c, ok := app.Store().Get(key).(counted); ok && c.stamp.Fresh() {
		return c.by, nil
	}
	c := counted{stamp: cache.Of(app).Stamp(), by: map[string]int{}}
	c.stamp.Uses(schema.Posts, schema.Pages)
	var rows []struct {
		ID string `db:"id"`
		N  int    `db:"n"`
	}
	if err := app.DB().NewQuery(countQueries[collection]).All(&rows); err != nil {
		return nil, fmt.Errorf("count the posts of %s: %w", collection, err)
	}
	for _, r := range rows {
		c.by[r.ID] = r.N
	}
	app.Store().Set(key, c)
	return c.by, nil
}

// ListNamed lists tags or authors with how many posts have them, by name or by
// that number, and how many there are.
func ListNamed(app core.App, collection, query, order string, page, perPage int) ([]Named, int, error) {
	counts, err := countNamed(app, collection)
	if err != nil {
		return nil, 0, err
	}
	where := having(query, "name", "slug")
	var total int
	if err := app.DB().Select("count(*)").From(collection).Where(where).Row(&total); err != nil {
		return nil, 0, fmt.Errorf("count %s: %w", collection, err)
	}
	from := (min(max(page, 1), max(1, (total+perPage-1)/perPage)) - 1) * perPage
	q := app.DB().Select("id", "name", "slug").From(collection).Where(where).OrderBy("name", "id")
	if order != "posts" {
		q.Limit(int64(perPage)).Offset(int64(from))
	}
	var list []Named
	if err := q.All(&list); err != nil {
		return nil, 0, fmt.Errorf("list %s: %w", collection, err)
	}
	for i := range list {
		list[i].Posts = counts[list[i].ID]
	}
	if order == "posts" {
		slices.SortStableFunc(list, func(a, b Named) int { return cmp.Compare(b.Posts, a.Posts) })
		list = list[min(from, len(list)):min(len(list), from+perPage)]
	}
	if collection == schema.Authors {
		err = withStaff(app, list)
	}
	return list, total, err
}

// withStaff fills in the accounts that sign as the authors.
func withStaff(app core.App, list []Named) error {
	ids := make([]any, len(list))
	for i, n := range list {
		ids[i] = n.ID
	}
	var rows []struct {
		ID   string `db:"id"`
		Name string `db:"name"`
	}
	err := app.DB().Select("authors.id", "staff.name").From(schema.Authors).InnerJoin(schema.Staff, dbx.NewExp("staff.id = authors.staff")).
		Where(dbx.In("authors.id", ids...)).All(&rows)
	if err != nil {
		return fmt.Errorf("find who signs as an author: %w", err)
	}
	for _, r := range rows {
		for i := range list {
			if list[i].ID == r.ID {
				list[i].Staff = r.Name
			}
		}
	}
	return nil
}

// NamedFields are what a person writes of a tag or an author. A tag has no
// more than the first three.
type NamedFields struct {
	Name, Slug, Text string // Text is a tag's description or an author's bio
	URL, Staff       string
	Avatar           string // id of a picture
}

// SaveNamed adds a tag or an author (id "") or changes one. What can't be is a
// validation.Errors; the text of both kinds is named "text" there.
func SaveNamed(app core.App, by By, collection, id string, f NamedFields) (*core.Record, error) {
	var record *core.Record
	err := app.RunInTransaction(func(tx core.App) error {
		var err error
		act := "edit"
		if id == "" {
			act = "add"
			c, err := tx.FindCachedCollectionByNameOrId(collection)
			if err != nil {
				return err
			}
			record = core.NewRecord(c)
		} else if record, err = find(tx, collection, id); err != nil {
			return err
		}
		record.Set("name", f.Name)
		record.Set("slug", f.Slug)
		if collection == schema.Tags {
			record.Set("description", f.Text)
		} else {
			record.Set("bio", f.Text)
			record.Set("url", f.URL)
			record.Set("staff", f.Staff)
			record.Set("avatar", f.Avatar)
		}
		if err := tx.Save(record); err != nil {
			return err
		}
		return told(tx, by, kindOf(collection)+"."+act, record, map[string]string{"name": record.GetString("name")})
	})
	if err != nil {
		return nil, fmt.Errorf("save in %s: %w", collection, err)
	}
	return record, nil
}

// kindOf is the singular of a collection, for the audit.
func kindOf(collection string) string { return strings.TrimSuffix(collection, "s") }

// FindNamed gives a tag or an author by name or slug, or ErrMissing.
func FindNamed(app core.App, collection, name string) (*core.Record, error) {
	var list []*core.Record
	err := app.RecordQuery(collection).AndWhere(dbx.Or(dbx.HashExp{"slug": name}, dbx.HashExp{"name": name})).OrderBy("created").Limit(1).All(&list)
	if err != nil {
		return nil, fmt.Errorf("find in %s: %w", collection, err)
	}
	if len(list) == 0 {
		return nil, ErrMissing
	}
	return list[0], nil
}

// Merge moves all that a tag or an author has to another one, which the old
// address then leads to. undoAt is "" where too many posts were moved to take
// it back. Errors are ErrMissing and content.ErrSame.
func Merge(app core.App, by By, collection, from, into string) (moved int, undoAt string, err error) {
	err = app.RunInTransaction(func(tx core.App) error {
		source, err := find(tx, collection, from)
		if err != nil {
			return err
		}
		target, err := find(tx, collection, into)
		if err != nil {
			return err
		}
		u := undo{Back: "/desk/" + collection + "/", Restore: []former{formerly(source)}}
		if staff := source.GetString("staff"); collection == schema.Authors && staff != "" && target.GetString("staff") == "" {
			target.Set("staff", staff)
			if err := tx.Save(target); err != nil {
				return err
			}
			u.Set = append(u.Set, setting{collection, target.Id, "staff", "", staff})
		}
		if err := u.remember(tx, source); err != nil {
			return err
		}
		changed, err := content.MergeNamed(tx, source, target)
		if err != nil {
			return err
		}
		moved = len(changed)
		if err := u.made(tx, source); err != nil {
			return err
		}
		if undoAt, err = u.keep(tx, by, changed); err != nil {
			return err
		}
		detail := map[string]any{"name": source.GetString("name"), "into": target.GetString("name"), "posts": moved}
		return told(tx, by, kindOf(collection)+".merge", source, detail)
	})
	if err != nil {
		return 0, "", fmt.Errorf("merge in %s: %w", collection, err)
	}
	cache.Of(app).BumpAll() // posts were changed without their hooks
	return moved, undoAt, nil
}

// Drop deletes a tag or an author and takes it off its posts.
func Drop(app core.App, by By, collection, id string) (undoAt string, err error) {
	err = app.RunInTransaction(func(tx core.App) error {
		record, err := find(tx, collection, id)
		if err != nil {
			return err
		}
		u := undo{Back: "/desk/" + collection + "/", Restore: []former{formerly(record)}}
		changed, err := content.DropNamed(tx, record)
		if err != nil {
			return err
		}
		if undoAt, err = u.keep(tx, by, changed); err != nil {
			return err
		}
		return told(tx, by, kindOf(collection)+".delete", record, map[string]any{"name": record.GetString("name"), "posts": len(changed)})
	})
	if err != nil {
		return "", fmt.Errorf("delete from %s: %w", collection, err)
	}
	cache.Of(app).BumpAll()
	return undoAt, nil
}

// remember notes the redirects that lead to something's address, because a
// merge leads them on.
func (u *undo) remember(tx core.App, record *core.Record) error {
	site, err := settings.LoadSite(tx)
	if err != nil {
		return err
	}
	for _, locale := range site.AllLocales() {
		leading, err := tx.FindAllRecords(schema.Redirects, dbx.HashExp{"to": content.NamedAddress(site, locale, record)})
		if err != nil {
			return fmt.Errorf("find redirects: %w", err)
		}
		for _, r := range leading {
			u.Restore = append(u.Restore, formerly(r)) // where it was dropped because it would circle
			u.Set = append(u.Set, setting{schema.Redirects, r.Id, "to", r.GetString("to"), nil})
		}
	}
	return nil
}

// made notes the redirects that a merge left at something's address, and where
// those that led there lead now.
func (u *undo) made(tx core.App, record *core.Record) error {
	site, err := settings.LoadSite(tx)
	if err != nil {
		return err
	}
	for _, locale := range site.AllLocales() {
		left, err := redirectFrom(tx, strings.TrimSuffix(content.NamedAddress(site, locale, record), "/"), false)
		if err != nil {
			return err
		}
		if left != nil {
			u.Delete = append(u.Delete, place{schema.Redirects, left.Id})
		}
	}
	for i, s := range u.Set {
		if s.Collection != schema.Redirects {
			continue
		}
		r, err := find(tx, s.Collection, s.ID)
		if errors.Is(err, ErrMissing) {
			continue
		}
		if err != nil {
			return err
		}
		u.Set[i].After = r.GetString("to")
	}
	return nil
}

// keep writes down how to take it back, unless too many lists were changed.
func (u *undo) keep(tx core.App, by By, changed []content.Relisted) (string, error) {
	if len(changed) > maxTakeBack {
		return "", nil
	}
	for _, c := range changed {
		after := c.After
		if after == nil {
			after = []string{}
		}
		u.Set = append(u.Set, setting{c.Collection, c.ID, c.Field, c.Before, after})
	}
	return keepUndo(tx, by, *u)
}
