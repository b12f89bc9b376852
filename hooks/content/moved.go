package content

import (
	"errors"
	"fmt"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// Address is the canonical path of a post or page.
func Address(site settings.Site, r *core.Record) string {
	if r.Collection().Name == schema.Pages {
		return address.Page(site, r.GetString("locale"), r.GetString("path"))
	}
	return address.Post(site, r.GetString("locale"), r.GetString("slug"))
}

// moved leaves a redirect at the old address of what a visitor could see, and
// takes the pages below along.
func moved(app core.App, before, after *core.Record) error {
	site, err := settings.LoadSite(app)
	if err != nil {
		return err
	}
	from, to := Address(site, before), Address(site, after)
	if from == to {
		return nil
	}
	if before.GetString("status") == schema.StatusPublished {
		if err := leave(app, from, to); err != nil {
			return err
		}
	}
	if after.Collection().Name != schema.Pages {
		return nil
	}
	children, err := app.FindAllRecords(schema.Pages, dbx.HashExp{"parent": after.Id})
	if err != nil {
		return fmt.Errorf("find the pages below: %w", err)
	}
	for _, child := range children {
		child.Set("path", "") // prepare writes it anew, and its own children follow
		if err := app.Save(child); err != nil {
			return fmt.Errorf("move the page below: %w", err)
		}
	}
	return nil
}

// leave makes the old address lead to the new one. A redirect that stands at
// the new address goes, because something lives there again; those that led to
// the old address lead on to the new one, so that no chain grows, or go where
// they would circle then.
func leave(app core.App, from, to string) error {
	old, fresh := address.Normal(from), address.Normal(to)
	if old == fresh {
		return nil
	}
	standing, err := app.FindAllRecords(schema.Redirects, dbx.HashExp{"from": fresh, "prefix": false})
	if err != nil {
		return fmt.Errorf("find redirects: %w", err)
	}
	for _, r := range standing {
		if err := app.Delete(r); err != nil {
			return fmt.Errorf("drop the redirect of an address in use: %w", err)
		}
	}
	leading, err := app.FindAllRecords(schema.Redirects, dbx.In("to", from, old))
	if err != nil {
		return fmt.Errorf("find redirects: %w", err)
	}
	for _, r := range leading {
		r.Set("to", to)
		err := app.Save(r)
		if circles := (validation.Errors)(nil); errors.As(err, &circles) {
			err = app.Delete(r)
		}
		if err != nil {
			return fmt.Errorf("lead a redirect on: %w", err)
		}
	}
	return AddRedirect(app, from, to, "")
}

// AddRedirect leads from one address to another for good (301), replacing an
// exact redirect that stands there. source is an importer's key or "".
func AddRedirect(app core.App, from, to, source string) error {
	from = address.Normal(from)
	existing, err := app.FindAllRecords(schema.Redirects, dbx.HashExp{"from": from, "prefix": false})
	if err != nil {
		return fmt.Errorf("find redirects: %w", err)
	}
	var r *core.Record
	if len(existing) > 0 {
		r = existing[0]
	} else {
		c, err := app.FindCachedCollectionByNameOrId(schema.Redirects)
		if err != nil {
			return fmt.Errorf("add redirect: %w", err)
		}
		r = core.NewRecord(c)
		r.Set("from", from)
		r.Set("source_key", source)
	}
	r.Set("to", to)
	r.Set("status", "301")
	if err := app.Save(r); err != nil {
		return fmt.Errorf("add redirect: %w", err)
	}
	return nil
}

func hasNoChildren(app core.App, page *core.Record) error {
	n, err := app.CountRecords(schema.Pages, dbx.HashExp{"parent": page.Id})
	if err != nil {
		return fmt.Errorf("count the pages below: %w", err)
	}
	if n > 0 {
		return invalid("id", "validation_children", fmt.Sprintf("%d pages lie below this one. Move or delete them first.", n))
	}
	return nil
}
