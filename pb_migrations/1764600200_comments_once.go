package pb_migrations

import (
	"fmt"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

func init() {
	add(&Comments, "1764600200_comments_once.go", onceOfComments, func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(schema.Comments)
		if err != nil {
			return nil // the collection goes with its own migration
		}
		c.RemoveIndex("idx_comments_once")
		c.Fields.RemoveByName("once")
		c.Fields.RemoveByName("digest")
		return app.Save(c)
	})
}

// onceOfComments lets a comment that is sent twice be known again.
func onceOfComments(app core.App) error {
	c, err := app.FindCollectionByNameOrId(schema.Comments)
	if err != nil || c.Fields.GetByName("once") != nil {
		return err
	}
	c.Fields.Add(
		// once is a keyed hash of who sent what, or of the Idempotency-Key; it is
		// cleared after a day. digest is one of the content.
		&core.TextField{Name: "once", Max: 64, Hidden: true},
		&core.TextField{Name: "digest", Max: 64, Hidden: true},
	)
	c.AddIndex("idx_comments_once", false, "once", "once != ''")
	if err := app.Save(c); err != nil {
		return fmt.Errorf("extend comments: %w", err)
	}
	return nil
}
