package pb_migrations

import (
	"fmt"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// The audit names the account beside the words, so that a page can show what
// one person did.
func init() {
	add(&Core, "1764000900_core_audit_actor.go", func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(schema.Audit)
		if err != nil {
			return fmt.Errorf("find collection %s: %w", schema.Audit, err)
		}
		if c.Fields.GetByName("actor_record") != nil {
			return nil
		}
		c.Fields.Add(&core.TextField{Name: "actor_record", Max: 20})
		c.AddIndex("idx_audit_actor", false, "actor_record, at", "")
		return app.Save(c)
	}, func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(schema.Audit)
		if err != nil {
			return nil
		}
		c.RemoveIndex("idx_audit_actor")
		c.Fields.RemoveByName("actor_record")
		return app.Save(c)
	})
}
