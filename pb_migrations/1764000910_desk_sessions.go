package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

// Sessions of the desk lie in a plain table: no rule of PocketBase's API can
// open it, and a token is kept as its hash alone.
func init() {
	add(&Desk, "1764000910_desk_sessions.go", func(app core.App) error {
		for _, query := range []string{
			`CREATE TABLE IF NOT EXISTS _sessions (
				id TEXT PRIMARY KEY NOT NULL,
				hash TEXT NOT NULL UNIQUE,
				collection TEXT NOT NULL,
				record TEXT NOT NULL,
				token_key TEXT NOT NULL,
				device TEXT NOT NULL,
				address TEXT NOT NULL,
				created INTEGER NOT NULL,
				seen INTEGER NOT NULL
			)`,
			`CREATE INDEX IF NOT EXISTS idx_sessions_person ON _sessions (collection, record, seen)`,
		} {
			if _, err := app.DB().NewQuery(query).Execute(); err != nil {
				return fmt.Errorf("create the table of sessions: %w", err)
			}
		}
		return nil
	}, func(app core.App) error {
		_, err := app.DB().NewQuery(`DROP TABLE IF EXISTS _sessions`).Execute()
		return err
	})
}
