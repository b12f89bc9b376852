package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

// One-time links and codes lie in a plain table that no API rule can open. A
// token is kept as its hash alone.
func init() {
	add(&Core, "1764001410_core_links.go", func(app core.App) error {
		for _, query := range []string{
			`CREATE TABLE IF NOT EXISTS _links (
				hash TEXT PRIMARY KEY NOT NULL,
				purpose TEXT NOT NULL,
				person TEXT NOT NULL,
				data TEXT NOT NULL,
				tries INTEGER NOT NULL,
				created INTEGER NOT NULL,
				expires INTEGER NOT NULL
			) WITHOUT ROWID`,
			`CREATE INDEX IF NOT EXISTS idx_links_purpose ON _links (purpose, created)`,
			`CREATE INDEX IF NOT EXISTS idx_links_person ON _links (person, purpose)`,
		} {
			if _, err := app.DB().NewQuery(query).Execute(); err != nil {
				return fmt.Errorf("create the table of links: %w", err)
			}
		}
		return nil
	}, func(app core.App) error {
		_, err := app.DB().NewQuery(`DROP TABLE IF EXISTS _links`).Execute()
		return err
	})
}
