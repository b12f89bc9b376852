package operate

import (
	"fmt"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/pocketbase/core"
)

// todo is something to do on a new site. Whether it is done is seen from the
// site itself.
type todo struct {
	Label, Text, Href string
	Done              bool
}

// deskFeature is the settings record of the desk itself.
const deskFeature = "desk"

// deskOptions is that record.
type deskOptions struct {
	TodoHidden bool `json:"todo_hidden"`
}

// defaultAppURL is PocketBase's, which nobody meant.
const defaultAppURL = "http://localhost:8090"

// todos lists what to do next; nothing where all is done or the owner has put
// the list away.
func todos(app core.App) (list []todo, done int, err error) {
	o, err := settings.Load(app, deskFeature, deskOptions{})
	if err != nil || o.TodoHidden {
		return nil, 0, err
	}
	site, err := settings.LoadSite(app)
	if err != nil {
		return nil, 0, err
	}
	d := settings.SiteDefaults()
	list = []todo{
		{"Name the site", "A title and a line under it.", "/desk/settings/site/", site.Title != d.Title && site.Tagline != d.Tagline},
		{"Choose a colour or a logo", "The preview shows the site with it.", "/desk/settings/appearance/", site.Accent != d.Accent || site.Logo != ""},
		{"Say where the site lives", "Links in mails and feeds begin with its address.", "/desk/settings/site/", app.Settings().Meta.AppURL != "" && app.Settings().Meta.AppURL != defaultAppURL},
		{"Set up mail", "Until then messages become files, and nobody gets them.", "/desk/settings/mail/", mail.Way(app) != "outbox"},
		{"Back up on a schedule", "Every night, and the last ones kept.", "/desk/settings/backups/", app.Settings().Backups.Cron != ""},
	}
	if app.HasTable(schema.Posts) {
		n, err := written(app)
		if err != nil {
			return nil, 0, err
		}
		list = append([]todo{{"Write your first post", "It stays a draft until you publish it.", "/desk/posts/", n}}, list...)
	}
	for _, t := range list {
		if t.Done {
			done++
		}
	}
	if done == len(list) {
		return nil, done, nil
	}
	return list, done, nil
}

// starterPost is where the post comes from that every new site has (hooks/content/demo).
const starterPost = "demo:starter hello"

// written reports whether there is a post besides the starter's: one that was
// written here, moved in, or came with a sample.
func written(app core.App) (bool, error) {
	var n int
	err := app.DB().NewQuery(`SELECT EXISTS (SELECT 1 FROM posts WHERE source_key <> '` + starterPost + `')`).Row(&n)
	if err != nil {
		return false, fmt.Errorf("look for a post: %w", err)
	}
	return n == 1, nil
}

// hideTodo puts the list away for good.
func hideTodo(e *desk.Event) error {
	err := e.App.RunInTransaction(func(tx core.App) error {
		if err := settings.Save(tx, deskFeature, deskOptions{TodoHidden: true}); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "desk.hide_todo", "", "", nil)
	})
	if err != nil {
		return err
	}
	return e.Done(desk.Root, "The list is put away.")
}
