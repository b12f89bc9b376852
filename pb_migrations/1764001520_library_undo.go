package pb_migrations

import (
	"fmt"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// What was deleted or merged in the library can be taken back for a while; and
// its lists count and sort by indexes.
func init() {
	indexes := []struct{ collection, name, columns string }{
		{schema.Redirects, "idx_redirects_created", "created"},
		{schema.Redirects, "idx_redirects_hits", "hits"},
		{schema.Posts, "idx_posts_tags", "tags"},
		{schema.Posts, "idx_posts_authors", "authors"},
		{schema.Pages, "idx_pages_authors", "authors"},
		{schema.Tags, "idx_tags_name", "name"},
		{schema.Authors, "idx_authors_name", "name"},
		{schema.Authors, "idx_authors_staff", "staff"},
	}
	add(&Content, "1764001520_library_undo.go", func(app core.App) error {
		for _, query := range []string{
			`CREATE TABLE IF NOT EXISTS _library_undo (
				id TEXT PRIMARY KEY NOT NULL,
				actor TEXT NOT NULL,
				data TEXT NOT NULL,
				created INTEGER NOT NULL
			)`,
			`CREATE INDEX IF NOT EXISTS idx_library_undo_created ON _library_undo (created)`,
		} {
			if _, err := app.DB().NewQuery(query).Execute(); err != nil {
				return fmt.Errorf("create the table of what can be taken back: %w", err)
			}
		}
		for _, index := range indexes {
			c, err := app.FindCollectionByNameOrId(index.collection)
			if err != nil {
				return fmt.Errorf("find collection %s: %w", index.collection, err)
			}
			c.AddIndex(index.name, false, index.columns, "")
			if err := app.Save(c); err != nil {
				return err
			}
		}
		return nil
	}, func(app core.App) error {
		for _, index := range indexes {
			if c, err := app.FindCollectionByNameOrId(index.collection); err == nil {
				c.RemoveIndex(index.name)
				if err := app.Save(c); err != nil {
					return err
				}
			}
		}
		_, err := app.DB().NewQuery(`DROP TABLE IF EXISTS _library_undo`).Execute()
		return err
	})
}
