package hooks

import (
	"fmt"

	"bungalow/hooks/content/demo"
	"bungalow/hooks/forms"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/pocketbase/core"
)

// plantStarter gives a new site its first pages, once, at its first serve. A
// site that has content by then, from an import, keeps just that.
func plantStarter(app core.App) error {
	return takeInstall(app, func(tx core.App) error {
		if !tx.HasTable(schema.Posts) {
			return nil
		}
		for _, collection := range []string{schema.Posts, schema.Pages} {
			n, err := tx.CountRecords(collection)
			if err != nil {
				return fmt.Errorf("look for content: %w", err)
			}
			if n > 0 {
				return nil
			}
		}
		if tx.HasTable(schema.Forms) {
			if err := forms.Starter(tx); err != nil {
				return err
			}
		}
		return demo.Starter(tx)
	})
}

// takeInstall runs do if the site's first content is still to come, and notes
// in the same transaction that it is there.
func takeInstall(app core.App, do func(tx core.App) error) error {
	note, err := settings.Load(app, installFeature, install{})
	if err != nil || !note.StarterPending {
		return err
	}
	err = app.RunInTransaction(func(tx core.App) error {
		if err := do(tx); err != nil {
			return err
		}
		return settings.Save(tx, installFeature, install{})
	})
	if err != nil {
		return fmt.Errorf("make the first pages: %w", err)
	}
	return nil
}
