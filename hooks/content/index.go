package content

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// index keeps the search in step with a saved post or page: a published one
// is found, every other is not.
func index(app core.App, r *core.Record) error {
	if err := unindex(app, r); err != nil {
		return err
	}
	if r.GetString("status") != schema.StatusPublished {
		return nil
	}
	tags, err := tagNames(app, r.GetStringSlice("tags"))
	if err != nil {
		return err
	}
	params := dbx.Params{"collection": r.Collection().Name, "record": r.Id, "locale": r.GetString("locale")}
	_, err = app.NonconcurrentDB().NewQuery("INSERT INTO content_search_docs (collection, record, locale) VALUES ({:collection}, {:record}, {:locale})").Bind(params).Execute()
	if err != nil {
		return fmt.Errorf("put into the search: %w", err)
	}
	_, err = app.NonconcurrentDB().NewQuery("INSERT INTO content_search (rowid, title, tags, body) VALUES ((SELECT id FROM content_search_docs WHERE collection = {:collection} AND record = {:record}), {:title}, {:tags}, {:body})").
		Bind(params).Bind(dbx.Params{
		"collection": r.Collection().Name, "record": r.Id,
		"title": r.GetString("title"), "tags": tags, "body": text.Plain(r.GetString("html")),
	}).Execute()
	if err != nil {
		return fmt.Errorf("put into the search: %w", err)
	}
	return nil
}

// unindex takes a post or page out of the search.
func unindex(app core.App, r *core.Record) error {
	var id int64
	err := app.NonconcurrentDB().Select("id").From("content_search_docs").
		Where(dbx.HashExp{"collection": r.Collection().Name, "record": r.Id}).Row(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("take out of the search: %w", err)
	}
	for _, q := range []string{"DELETE FROM content_search WHERE rowid = {:id}", "DELETE FROM content_search_docs WHERE id = {:id}"} {
		if _, err := app.NonconcurrentDB().NewQuery(q).Bind(dbx.Params{"id": id}).Execute(); err != nil {
			return fmt.Errorf("take out of the search: %w", err)
		}
	}
	return nil
}

func tagNames(app core.App, ids []string) (string, error) {
	if len(ids) == 0 {
		return "", nil
	}
	tags, err := app.FindRecordsByIds(schema.Tags, ids)
	if err != nil {
		return "", fmt.Errorf("find the tags: %w", err)
	}
	names := make([]string, len(tags))
	for i, t := range tags {
		names[i] = t.GetString("name")
	}
	return strings.Join(names, " "), nil
}

// reindexTag brings a renamed tag into the search entries of its posts.
func reindexTag(app core.App, id string) error {
	ids, err := postsWithTag(app, id)
	if err != nil {
		return err
	}
	return reindexPosts(app, ids)
}

func postsWithTag(app core.App, id string) ([]string, error) {
	var ids []string
	err := app.DB().NewQuery("SELECT p.id FROM {{posts}} p, json_each(CASE WHEN json_valid(p.tags) THEN p.tags ELSE '[]' END) t WHERE t.value = {:id}").
		Bind(dbx.Params{"id": id}).Column(&ids)
	if err != nil {
		return nil, fmt.Errorf("find the posts of a tag: %w", err)
	}
	return ids, nil
}

func reindexPosts(app core.App, ids []string) error {
	for _, id := range ids {
		r, err := app.FindRecordById(schema.Posts, id)
		if err != nil {
			return fmt.Errorf("find a post of the tag: %w", err)
		}
		if err := index(app, r); err != nil {
			return err
		}
	}
	return nil
}
