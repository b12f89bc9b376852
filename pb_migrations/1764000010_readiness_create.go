package pb_migrations

import "github.com/pocketbase/pocketbase/core"

func init() {
	add(&Core, "1764000010_readiness_create.go", func(app core.App) error {
		_, err := app.DB().NewQuery("CREATE TABLE IF NOT EXISTS readiness (id INTEGER PRIMARY KEY, at INTEGER NOT NULL) STRICT").Execute()
		return err
	}, func(app core.App) error {
		_, err := app.DB().NewQuery("DROP TABLE IF EXISTS readiness").Execute()
		return err
	})
}
