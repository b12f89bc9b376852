package pb_migrations

import (
	"fmt"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// What a member of staff chooses in the own account, and when the last sign-in
// was.
func init() {
	add(&Core, "1764001400_core_people.go", func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(schema.Staff)
		if err != nil {
			return fmt.Errorf("find collection %s: %w", schema.Staff, err)
		}
		for _, f := range []core.Field{
			&core.FileField{Name: "avatar", MaxSize: 1 << 20, MaxSelect: 1, MimeTypes: []string{"image/jpeg", "image/png", "image/webp"}},
			&core.TextField{Name: "locale", Max: 20},
			&core.SelectField{Name: "theme", Values: []string{"light", "dark"}, MaxSelect: 1},
			&core.DateField{Name: "last_sign_in"},
		} {
			if c.Fields.GetByName(f.GetName()) == nil {
				c.Fields.Add(f)
			}
		}
		return app.Save(c)
	}, func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(schema.Staff)
		if err != nil {
			return nil
		}
		for _, name := range []string{"avatar", "locale", "theme", "last_sign_in"} {
			c.Fields.RemoveByName(name)
		}
		return app.Save(c)
	})
}
