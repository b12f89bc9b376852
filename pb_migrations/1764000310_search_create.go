package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

func init() {
	add(&Content, "1764000310_search_create.go", func(app core.App) error {
		for _, q := range []string{
			// One row for each post or page that a visitor may see; its id is
			// the rowid of the full-text row.
			`CREATE TABLE IF NOT EXISTS content_search_docs (
				id INTEGER PRIMARY KEY, collection TEXT NOT NULL, record TEXT NOT NULL,
				locale TEXT NOT NULL, UNIQUE (collection, record)) STRICT`,
			`CREATE VIRTUAL TABLE IF NOT EXISTS content_search USING fts5(
				title, tags, body, prefix='2 3', tokenize="unicode61 remove_diacritics 2")`,
		} {
			if _, err := app.DB().NewQuery(q).Execute(); err != nil {
				return fmt.Errorf("create the search index: %w", err)
			}
		}
		return nil
	}, func(app core.App) error {
		for _, q := range []string{"DROP TABLE IF EXISTS content_search", "DROP TABLE IF EXISTS content_search_docs"} {
			if _, err := app.DB().NewQuery(q).Execute(); err != nil {
				return fmt.Errorf("drop the search index: %w", err)
			}
		}
		return nil
	})
}
