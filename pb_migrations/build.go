package pb_migrations

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

// add appends a migration. Each Up passes over what already stands, so that
// a lost history row does no harm.
func add(list *core.MigrationsList, file string, up, down func(app core.App) error) {
	list.Add(&core.Migration{File: file, Up: up, Down: down})
}

// create saves new collections in order, leaving those that stand as they are.
func create(app core.App, collections ...*core.Collection) error {
	for _, c := range collections {
		if _, err := app.FindCollectionByNameOrId(c.Name); err == nil {
			continue
		}
		if err := app.Save(c); err != nil {
			return fmt.Errorf("create collection %s: %w", c.Name, err)
		}
	}
	return nil
}

// drop deletes collections in the order given, passing over missing ones.
func drop(app core.App, names ...string) error {
	for _, name := range names {
		c, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			continue
		}
		if err := app.Delete(c); err != nil {
			return fmt.Errorf("drop collection %s: %w", name, err)
		}
	}
	return nil
}

// rules states the five API rules of a collection. A nil rule is for
// superusers alone, an empty one for everybody.
type rules struct{ list, view, create, update, delete *string }

func (r rules) set(c *core.Collection) {
	c.ListRule, c.ViewRule = r.list, r.view
	c.CreateRule, c.UpdateRule, c.DeleteRule = r.create, r.update, r.delete
}

// staffOnly lets those with the rule do everything and nobody else anything.
func staffOnly(rule string) rules {
	return rules{&rule, &rule, &rule, &rule, &rule}
}

// readBy lets those who match read see records and those who match write change them.
func readBy(read, write string) rules {
	return rules{&read, &read, &write, &write, &write}
}

// stamps are the two times that every collection keeps.
func stamps(c *core.Collection) {
	c.Fields.Add(
		&core.AutodateField{Name: "created", OnCreate: true},
		&core.AutodateField{Name: "updated", OnCreate: true, OnUpdate: true},
	)
}

// sourceKey adds the importers' key: where a record came from, once.
func sourceKey(c *core.Collection) {
	c.Fields.Add(&core.TextField{Name: "source_key", Max: 300, Hidden: true})
	c.AddIndex("idx_"+c.Name+"_source_key", true, "source_key", "source_key != ''")
}

// id returns the id of a collection that an earlier migration made.
func id(app core.App, name string) (string, error) {
	c, err := app.FindCollectionByNameOrId(name)
	if err != nil {
		return "", fmt.Errorf("find collection %s: %w", name, err)
	}
	return c.Id, nil
}
