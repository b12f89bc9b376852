package demo

import (
	"fmt"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	starterAbout = `This is the place to say who you are, what you do and why somebody should stay for a while.

Three sentences are a good beginning. A picture helps. Everything on this page is yours to change.
`
	starterContact = `Say here how people can reach you: an e-mail address, a telephone number, the hours at which somebody answers.
`
	// starterForm shows the form of this name, where there is one.
	starterForm = `
{{ form "contact" }}
`
	starterPost = `Your site is live. This is its first post, and it is yours to change or to delete.

A few things to try:

- Give the site a **name** and an accent colour in the settings.
- Write a second post. A title and one paragraph will do.
- Bring your old site along: posts, pages, pictures and addresses can be imported from WordPress, Ghost and Markdown.

> Everything that you see here lives in one folder. Copy the folder, and you have copied the site.

Have fun.
`
)

// Starter writes the small site of a new installation: its settings, the pages
// about and contact, a first post with comments open, a menu and one author.
// It fails, and changes nothing, where the starter site is already there.
func Starter(app core.App) error {
	err := app.RunInTransaction(func(tx core.App) error {
		s := &seeder{app: tx, addresses: map[string]string{}}
		site, err := settings.LoadSite(tx)
		if err != nil {
			return err
		}
		if err := settings.Save(tx, settings.SiteFeature, site); err != nil {
			return err
		}
		withForm := false
		if tx.HasTable(schema.Forms) {
			n, err := tx.CountRecords(schema.Forms, dbx.HashExp{"slug": "contact"})
			if err != nil {
				return err
			}
			withForm = n > 0
		}
		for _, r := range starter(withForm) {
			if err := s.save(r.collection, r.name, r.fields); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("make the starter site: %w", err)
	}
	return nil
}

// stored is a record to be.
type stored struct {
	collection, name string
	fields           map[string]any
}

func starter(withForm bool) []stored {
	text := func(title, slug, body string) map[string]any {
		return map[string]any{"title": title, "slug": slug, "body": body,
			"format": schema.FormatMarkdown, "status": schema.StatusPublished}
	}
	about, contact, first := text("About", "about", starterAbout), text("Contact", "contact", starterContact), text("Hello", "hello", starterPost)
	if withForm {
		contact["body"] = starterContact + starterForm
	}
	about["position"], contact["position"] = 1, 2
	first["authors"], first["comments_open"] = []string{id(schema.Authors, "starter author")}, true
	return []stored{
		{schema.Authors, "starter author", map[string]any{"name": "The owner", "slug": "owner"}},
		{schema.Pages, "starter about", about},
		{schema.Pages, "starter contact", contact},
		{schema.Posts, "starter hello", first},
		{schema.Menus, "main", map[string]any{"name": "main", "items": []link{
			{Label: "Blog", URL: "/blog/"}, {Label: "About", URL: "/about/"}, {Label: "Contact", URL: "/contact/"},
		}}},
	}
}
