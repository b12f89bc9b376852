package content

import (
	"fmt"
	"slices"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// saveSite keeps every address alive when the languages of the site change.
func saveSite(e *core.RecordEvent) error {
	if e.Record.GetString("feature") != settings.SiteFeature {
		return e.Next()
	}
	return inTransaction(e, func() error {
		before, err := settings.LoadSite(e.App)
		if err != nil {
			before = settings.SiteDefaults() // it is being mended
		}
		if err := e.Next(); err != nil {
			return err
		}
		after, err := settings.LoadSite(e.App)
		if err != nil {
			return err
		}
		if err := freeOfPages(e.App, before, after); err != nil {
			return err
		}
		return changeLocale(e.App, before, after)
	})
}

// freeOfPages refuses a language whose code is the address of a page.
func freeOfPages(app core.App, before, after settings.Site) error {
	for _, l := range after.Locales {
		if slices.Contains(before.AllLocales(), l) {
			continue
		}
		n, err := app.CountRecords(schema.Pages, dbx.HashExp{"slug": l, "parent": ""})
		if err != nil {
			return fmt.Errorf("look for a page at /%s/: %w", l, err)
		}
		if n > 0 {
			return invalid("value", "validation_settings", fmt.Sprintf("locales: a page has the address /%s/ already. Change its slug before you add this language.", l))
		}
	}
	return nil
}

// changeLocale follows a change of the site's own language. Where the old one
// is given up, its texts become texts of the new one, at the same addresses.
// Where both stay, they change places, and redirects lead from the old
// addresses to the new.
func changeLocale(app core.App, before, after settings.Site) error {
	if before.Locale == after.Locale {
		return nil
	}
	kept := slices.Contains(after.Locales, before.Locale)
	for _, collection := range []string{schema.Posts, schema.Pages} {
		records, err := app.FindAllRecords(collection, dbx.In("locale", before.Locale, after.Locale))
		if err != nil {
			return fmt.Errorf("find the texts of %s: %w", before.Locale, err)
		}
		for _, r := range records {
			if !kept {
				if r.GetString("locale") == after.Locale {
					continue
				}
				r.Set("locale", after.Locale)
				if err := app.Save(r); err != nil {
					return invalid("value", "validation_settings", fmt.Sprintf(
						"locale: %q can't become a text in %q (%v). Keep %q among the languages, or change its slug first.", r.GetString("title"), after.Locale, err, before.Locale))
				}
				continue
			}
			if r.GetString("status") != schema.StatusPublished {
				continue
			}
			from, to := Address(before, r), Address(after, r)
			if from == to {
				continue
			}
			// What lives at the old address by now wins over its redirect.
			if err := AddRedirect(app, from, to, ""); err != nil {
				return err
			}
		}
	}
	return nil
}
