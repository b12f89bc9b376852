package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

// Imports on the desk lie in a plain table; their files lie in the data folder.
func init() {
	add(&Content, "1764001530_library_imports.go", func(app core.App) error {
		_, err := app.DB().NewQuery(`CREATE TABLE IF NOT EXISTS _library_imports (
			id TEXT PRIMARY KEY NOT NULL,
			kind TEXT NOT NULL,
			name TEXT NOT NULL,
			state TEXT NOT NULL,
			media INTEGER NOT NULL,
			actor TEXT NOT NULL,
			report TEXT NOT NULL,
			fault TEXT NOT NULL,
			created INTEGER NOT NULL
		)`).Execute()
		if err != nil {
			return fmt.Errorf("create the table of imports: %w", err)
		}
		return nil
	}, func(app core.App) error {
		_, err := app.DB().NewQuery(`DROP TABLE IF EXISTS _library_imports`).Execute()
		return err
	})
}
