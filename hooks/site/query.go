package site

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// row is a post as lists need it: everything but its text.
type row struct {
	ID          string                  `db:"id"`
	Title       string                  `db:"title"`
	Slug        string                  `db:"slug"`
	Locale      string                  `db:"locale"`
	PublishedAt types.DateTime          `db:"published_at"`
	Updated     types.DateTime          `db:"updated"`
	Excerpt     string                  `db:"excerpt"`
	Summary     string                  `db:"summary"`
	Cover       string                  `db:"cover"`
	Tags        types.JSONArray[string] `db:"tags"`
	Authors     types.JSONArray[string] `db:"authors"`
	Minutes     int                     `db:"reading_minutes"`
	Featured    bool                    `db:"featured"`
}

var rowColumns = []string{"posts.id", "posts.title", "posts.slug", "posts.locale", "posts.published_at", "posts.updated",
	"posts.excerpt", "posts.summary", "posts.cover", "posts.tags", "posts.authors", "posts.reading_minutes", "posts.featured"}

// public is what a visitor may see of posts or pages, in one locale.
func (b *build) public(collection string) dbx.Expression {
	return dbx.NewExp(collection+".status = 'published' AND "+collection+".published_at <= {:now} AND "+collection+".locale = {:locale}",
		dbx.Params{"now": now(), "locale": b.locale})
}

// now is the present as PocketBase stores times.
func now() string { return time.Now().UTC().Format(types.DefaultDateLayout) }

// newest selects posts, the newest first.
func (b *build) newest() *dbx.SelectQuery {
	b.uses(schema.Posts)
	return b.App.DB().Select(rowColumns...).From(schema.Posts).Where(b.public(schema.Posts)).
		OrderBy("posts.published_at DESC", "posts.id DESC")
}

// posts reads one page of a selection and how many there are in all.
func (b *build) posts(where dbx.Expression, page int) (rows []row, total int, err error) {
	perPage := b.site.PostsPerPage
	count := b.App.DB().Select("count(*)").From(schema.Posts).Where(b.public(schema.Posts))
	query := b.newest()
	if where != nil {
		count.AndWhere(where)
		query.AndWhere(where)
	}
	if err := count.WithContext(b.ctx).Row(&total); err != nil {
		return nil, 0, fmt.Errorf("count posts: %w", err)
	}
	if page > 1 && (page-1)*perPage >= total {
		return nil, 0, errNotFound
	}
	err = query.Limit(int64(perPage)).Offset(int64((page - 1) * perPage)).WithContext(b.ctx).All(&rows)
	if err != nil {
		return nil, 0, fmt.Errorf("list posts: %w", err)
	}
	return rows, total, nil
}

// having selects the posts whose multiple relation holds the id.
func having(field, id string) dbx.Expression {
	return dbx.NewExp("EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(posts."+field+") THEN posts."+field+" ELSE '[]' END) j WHERE j.value = {:having})",
		dbx.Params{"having": id})
}

// one finds a public record by a field, errNotFound where there is none.
func (b *build) one(collection string, where dbx.Expression) (*core.Record, error) {
	b.uses(collection)
	record := &core.Record{}
	err := b.App.RecordQuery(collection).AndWhere(b.public(collection)).AndWhere(where).
		WithContext(b.ctx).Limit(1).One(record)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("find in %s: %w", collection, err)
	}
	return record, nil
}

// named finds a tag or an author by its slug.
func (b *build) named(collection, slug string) (*core.Record, error) {
	b.uses(collection)
	record, err := b.App.FindFirstRecordByData(collection, "slug", slug)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("find in %s: %w", collection, err)
	}
	return record, nil
}

// records reads records by their ids into a map; each collection once a page.
func (b *build) records(collection string, ids map[string]bool) (map[string]*core.Record, error) {
	out := map[string]*core.Record{}
	if len(ids) == 0 {
		return out, nil
	}
	list := make([]string, 0, len(ids))
	for id := range ids {
		list = append(list, id)
	}
	b.uses(collection, list...)
	found, err := b.App.FindRecordsByIds(collection, list)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", collection, err)
	}
	for _, r := range found {
		out[r.Id] = r
	}
	return out, nil
}

// neighbours are the next older and the next newer post.
func (b *build) neighbours(post *core.Record) (older, newer []row, err error) {
	at := post.GetDateTime("published_at").String()
	params := dbx.Params{"at": at, "id": post.Id}
	err = b.newest().AndWhere(dbx.NewExp("(posts.published_at, posts.id) < ({:at}, {:id})", params)).
		Limit(1).WithContext(b.ctx).All(&older)
	if err != nil {
		return nil, nil, fmt.Errorf("find the older post: %w", err)
	}
	err = b.newest().AndWhere(dbx.NewExp("(posts.published_at, posts.id) > ({:at}, {:id})", params)).
		OrderBy("posts.published_at ASC", "posts.id ASC").Limit(1).WithContext(b.ctx).All(&newer)
	if err != nil {
		return nil, nil, fmt.Errorf("find the newer post: %w", err)
	}
	return older, newer, nil
}

// related are the posts that share most tags with this one.
func (b *build) related(post *core.Record) ([]row, error) {
	tags := post.GetStringSlice("tags")
	if len(tags) == 0 {
		return nil, nil
	}
	values := make([]any, len(tags))
	for i, t := range tags {
		values[i] = t
	}
	b.uses(schema.Posts)
	var rows []row
	err := b.App.DB().Select(rowColumns...).From(schema.Posts).
		InnerJoin("json_each(CASE WHEN json_valid(posts.tags) THEN posts.tags ELSE '[]' END) j", dbx.In("j.value", values...)).
		Where(b.public(schema.Posts)).AndWhere(dbx.Not(dbx.HashExp{"posts.id": post.Id})).
		GroupBy("posts.id").OrderBy("count(*) DESC", "posts.published_at DESC", "posts.id").
		Limit(relatedPosts).WithContext(b.ctx).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("find related posts: %w", err)
	}
	return rows, nil
}

// relatedPosts is how many related posts stand below a post.
const relatedPosts = 3
