package pb_migrations

import (
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// The desk's lists read this index alone and never a row, in which a text of
// megabytes may stand before the column that is wanted.
func init() {
	columns := map[string]string{
		schema.Posts: "updated, id, status, locale, published_at, title, slug, authors, tags",
		schema.Pages: "updated, id, status, locale, published_at, title, path, authors, parent",
	}
	add(&Content, "1764001310_content_lists.go", func(app core.App) error {
		for name, of := range columns {
			c, err := app.FindCollectionByNameOrId(name)
			if err != nil {
				return err
			}
			c.AddIndex("idx_"+name+"_desk", false, of, "")
			if err := app.Save(c); err != nil {
				return err
			}
		}
		return nil
	}, func(app core.App) error {
		for name := range columns {
			c, err := app.FindCollectionByNameOrId(name)
			if err != nil {
				continue
			}
			c.RemoveIndex("idx_" + name + "_desk")
			if err := app.Save(c); err != nil {
				return err
			}
		}
		return nil
	})
}
