package pb_migrations

import (
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

func init() {
	add(&Comments, "1764000500_comments_create.go", func(app core.App) error {
		c := comments(app)
		if err := create(app, c); err != nil {
			return err
		}
		return parentOfComments(app)
	}, func(app core.App) error {
		return drop(app, schema.Comments)
	})
}

// comments can be read once they are approved. Nobody creates one through the
// REST API: a visitor's comment passes the checks of its own route first.
func comments(app core.App) *core.Collection {
	c := core.NewBaseCollection(schema.Comments)
	moderate := roles.Rule(roles.CommentsModerate)
	read := `status = "` + schema.CommentApproved + `" || ` + moderate
	rules{list: &read, view: &read, create: nil, update: &moderate, delete: &moderate}.set(c)
	c.Fields.Add(
		// thread is the canonical path of what is talked about, or an absolute address.
		&core.TextField{Name: "thread", Required: true, Max: 2000, Presentable: true},
		&core.TextField{Name: "author", Max: 200},
		&core.TextField{Name: "email", Max: 320, Hidden: true},
		&core.URLField{Name: "url"},
		&core.TextField{Name: "body", Max: 100_000},
		&core.TextField{Name: "html", Max: 200_000},
		&core.SelectField{Name: "status", MaxSelect: 1, Required: true, Values: []string{
			schema.CommentPending, schema.CommentApproved, schema.CommentSpam, schema.CommentTrash}},
		&core.BoolField{Name: "pinned"},
	)
	if users, err := app.FindCollectionByNameOrId("users"); err == nil {
		c.Fields.Add(&core.RelationField{Name: "user", CollectionId: users.Id, MaxSelect: 1})
	} else {
		c.Fields.Add(&core.TextField{Name: "user", Max: 100})
	}
	sourceKey(c)
	stamps(c)
	c.AddIndex("idx_comments_thread", false, "thread, status, created", "")
	c.AddIndex("idx_comments_status", false, "status, created", "")
	return c
}

// parentOfComments adds the relation to itself, which needs the saved collection.
func parentOfComments(app core.App) error {
	c, err := app.FindCollectionByNameOrId(schema.Comments)
	if err != nil || c.Fields.GetByName("parent") != nil {
		return err
	}
	c.Fields.Add(&core.RelationField{Name: "parent", CollectionId: c.Id, MaxSelect: 1})
	c.AddIndex("idx_comments_parent", false, "parent", "parent != ''")
	return app.Save(c)
}
