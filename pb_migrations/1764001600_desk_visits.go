package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

// When somebody was last at the overview, so that it can say what happened
// since: a plain table, which no API shows.
func init() {
	add(&Desk, "1764001600_desk_visits.go", func(app core.App) error {
		_, err := app.DB().NewQuery(`CREATE TABLE IF NOT EXISTS _visits (
			person TEXT PRIMARY KEY NOT NULL,
			seen   INTEGER NOT NULL,
			before INTEGER NOT NULL
		) STRICT, WITHOUT ROWID`).Execute()
		if err != nil {
			return fmt.Errorf("create the table of visits: %w", err)
		}
		return nil
	}, func(app core.App) error {
		_, err := app.DB().NewQuery(`DROP TABLE IF EXISTS _visits`).Execute()
		return err
	})
}
