package pb_migrations

import (
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

func init() {
	add(&Content, "1764001300_content_drafts.go", func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(schema.Revisions)
		if err != nil {
			return err
		}
		if c.Fields.GetByName("actor") != nil {
			return nil
		}
		c.Fields.Add(
			// actor is the account's id, of staff or of a superuser; name is its
			// name at that time, which outlives the account.
			&core.TextField{Name: "actor", Max: 100},
			&core.TextField{Name: "name", Max: 300},
			&core.TextField{Name: "title", Max: maxTitle},
			// base says which state of the record the writer began with.
			&core.TextField{Name: "base", Max: 100},
			// authors are those of the text, so that lists need not read it.
			&core.JSONField{Name: "authors", MaxSize: 2000},
			&core.DateField{Name: "at"},  // when this was written
			&core.DateField{Name: "due"}, // when it is to be published
		)
		states := c.Fields.GetByName("state").(*core.SelectField)
		states.Values = []string{schema.RevisionDraft, schema.RevisionScheduled, schema.RevisionKept, schema.RevisionPublished, schema.RevisionBinned}
		c.AddIndex("idx_revisions_working", true, "collection, record, actor", "state IN ('draft', 'scheduled')")
		c.AddIndex("idx_revisions_state", false, "state, at", "")
		return app.Save(c)
	}, func(app core.App) error {
		c, err := app.FindCollectionByNameOrId(schema.Revisions)
		if err != nil {
			return nil //nolint:nilerr // it is gone, and its columns with it
		}
		c.RemoveIndex("idx_revisions_working")
		c.RemoveIndex("idx_revisions_state")
		for _, name := range []string{"actor", "name", "title", "base", "authors", "at", "due"} {
			c.Fields.RemoveByName(name)
		}
		return app.Save(c)
	})
}
