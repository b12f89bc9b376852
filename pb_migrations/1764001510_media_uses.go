package pb_migrations

import (
	"fmt"
	"regexp"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// inText finds the ids of files in the addresses that a text shows.
var inText = regexp.MustCompile(`/media/([a-z0-9]{15})/`)

// Which record shows which file is kept in a plain table, so that the library
// need not search every text for it.
func init() {
	add(&Content, "1764001510_media_uses.go", func(app core.App) error {
		for _, query := range []string{
			`CREATE TABLE IF NOT EXISTS _media_uses (
				media TEXT NOT NULL,
				collection TEXT NOT NULL,
				record TEXT NOT NULL,
				place TEXT NOT NULL,
				PRIMARY KEY (media, collection, record, place)
			) WITHOUT ROWID`,
			`CREATE INDEX IF NOT EXISTS idx_media_uses_record ON _media_uses (collection, record)`,
			`INSERT OR IGNORE INTO _media_uses SELECT cover, 'posts', id, 'cover' FROM posts WHERE cover != ''`,
			`INSERT OR IGNORE INTO _media_uses SELECT cover, 'pages', id, 'cover' FROM pages WHERE cover != ''`,
			`INSERT OR IGNORE INTO _media_uses SELECT avatar, 'authors', id, 'photo' FROM authors WHERE avatar != ''`,
			`INSERT OR IGNORE INTO _media_uses SELECT json_extract(value, '$.logo'), 'settings', id, 'logo' FROM settings
				WHERE feature = 'site' AND json_extract(value, '$.logo') != ''`,
		} {
			if _, err := app.DB().NewQuery(query).Execute(); err != nil {
				return fmt.Errorf("create the table of uses: %w", err)
			}
		}
		for _, collection := range []string{schema.Posts, schema.Pages} {
			if err := usesInTexts(app, collection); err != nil {
				return err
			}
		}
		return nil
	}, func(app core.App) error {
		_, err := app.DB().NewQuery(`DROP TABLE IF EXISTS _media_uses`).Execute()
		return err
	})
}

// usesInTexts notes what the texts of a collection show, some at a time.
func usesInTexts(app core.App, collection string) error {
	after := ""
	for {
		var rows []struct {
			ID   string `db:"id"`
			HTML string `db:"html"`
		}
		err := app.DB().Select("id", "html").From(collection).Where(dbx.NewExp("id > {:after}", dbx.Params{"after": after})).
			OrderBy("id").Limit(100).All(&rows)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			after = row.ID
			for _, found := range inText.FindAllStringSubmatch(row.HTML, -1) {
				_, err := app.DB().NewQuery(`INSERT OR IGNORE INTO _media_uses VALUES ({:m}, {:c}, {:r}, 'body')`).
					Bind(dbx.Params{"m": found[1], "c": collection, "r": row.ID}).Execute()
				if err != nil {
					return err
				}
			}
		}
	}
}
