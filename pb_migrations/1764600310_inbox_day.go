package pb_migrations

import (
	"fmt"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// What a day may bring by mail is counted without what came by forms: of those
// there may be many more, and they must not keep mail out.
func init() {
	add(&Inbox, "1764600310_inbox_day.go", func(app core.App) error {
		return dayIndex(app, func(c *core.Collection) {
			c.RemoveIndex("idx_messages_day")
			c.AddIndex("idx_messages_day_mail", false, "created, size", "direction = 'in' AND dedupe != ''")
		})
	}, func(app core.App) error {
		return dayIndex(app, func(c *core.Collection) {
			c.RemoveIndex("idx_messages_day_mail")
			c.AddIndex("idx_messages_day", false, "direction, created, size", "")
		})
	})
}

func dayIndex(app core.App, change func(c *core.Collection)) error {
	c, err := app.FindCollectionByNameOrId(schema.Messages)
	if err != nil {
		return fmt.Errorf("index the mails of a day: %w", err)
	}
	change(c)
	if err := app.Save(c); err != nil {
		return fmt.Errorf("index the mails of a day: %w", err)
	}
	return nil
}
