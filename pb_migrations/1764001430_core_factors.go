package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

// Second factors and passkeys of the staff lie in plain tables that no API
// rule can open: secrets sealed, codes as hashes, passkeys as public keys.
func init() {
	add(&Core, "1764001430_core_factors.go", func(app core.App) error {
		for _, query := range []string{
			`CREATE TABLE IF NOT EXISTS _factors (
				person TEXT PRIMARY KEY NOT NULL,
				secret TEXT NOT NULL,
				step INTEGER NOT NULL,
				created INTEGER NOT NULL
			) WITHOUT ROWID`,
			`CREATE TABLE IF NOT EXISTS _recovery_codes (
				person TEXT NOT NULL,
				hash TEXT NOT NULL,
				PRIMARY KEY (person, hash)
			) WITHOUT ROWID`,
			`CREATE TABLE IF NOT EXISTS _passkeys (
				id TEXT PRIMARY KEY NOT NULL,
				person TEXT NOT NULL,
				name TEXT NOT NULL,
				credential TEXT NOT NULL,
				created INTEGER NOT NULL,
				used INTEGER NOT NULL
			) WITHOUT ROWID`,
			`CREATE INDEX IF NOT EXISTS idx_passkeys_person ON _passkeys (person, created)`,
		} {
			if _, err := app.DB().NewQuery(query).Execute(); err != nil {
				return fmt.Errorf("create the tables of second factors: %w", err)
			}
		}
		return nil
	}, func(app core.App) error {
		for _, table := range []string{"_factors", "_recovery_codes", "_passkeys"} {
			if _, err := app.DB().NewQuery(`DROP TABLE IF EXISTS ` + table).Execute(); err != nil {
				return err
			}
		}
		return nil
	})
}
