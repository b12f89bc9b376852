package pb_migrations

import (
	"fmt"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// The page of the audit is filtered by action.
func init() {
	add(&Core, "1764001420_core_audit_action.go", func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(schema.Audit)
		if err != nil {
			return fmt.Errorf("find collection %s: %w", schema.Audit, err)
		}
		c.AddIndex("idx_audit_action", false, "action, at", "")
		return app.Save(c)
	}, func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(schema.Audit)
		if err != nil {
			return nil
		}
		c.RemoveIndex("idx_audit_action")
		return app.Save(c)
	})
}
