package hooks

import (
	"fmt"
	"slices"

	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/pocketbase/core"
)

// installFeature is the settings record in which a new site notes what its
// first start has still to do.
const installFeature = "install"

// install is that note.
type install struct {
	// StarterPending is true until the first serve made the starter site.
	StarterPending bool `json:"starter_pending"`
}

// bindInstall makes every command find its tables: right after PocketBase's
// own bootstrap the lists of the switched-on features run.
func bindInstall(app core.App, on []feature) {
	app.OnBootstrap().BindFunc(func(e *core.BootstrapEvent) error {
		fresh, err := beginFirstStart(e.App.DataDir())
		if err != nil {
			return err
		}
		if err := e.Next(); err != nil {
			return err
		}
		for _, f := range on {
			if err := f.clash(e.App); err != nil {
				return err
			}
		}
		for _, f := range on {
			if _, err := core.NewMigrationsRunner(e.App, *f.migrations).Up(); err != nil {
				return fmt.Errorf("prepare the tables of %s: %w", f.name, err)
			}
		}
		if !fresh {
			return nil
		}
		if err := firstStart(e.App); err != nil {
			return err
		}
		return endFirstStart(e.App.DataDir())
	})
}

// clash finds a collection that carries a name of ours but is not ours.
func (f feature) clash(app core.App) error {
	if here, err := f.beenHere(app); err != nil || here {
		return err
	}
	for _, name := range f.owns {
		if _, err := app.FindCollectionByNameOrId(name); err != nil {
			continue
		}
		if f.name == coreFeature {
			return fmt.Errorf("this data folder already has a collection named %q, which Bungalow needs for itself; rename it in PocketBase and start again", name)
		}
		return fmt.Errorf("this data folder already has a collection named %q, which the feature %s needs for itself; rename it in PocketBase, or start with --without %s", name, f.name, f.name)
	}
	return nil
}

// beenHere reports whether the feature's tables in this folder are ours.
func (f feature) beenHere(app core.App) (bool, error) {
	for _, m := range f.migrations.Items() {
		var n int
		err := app.DB().NewQuery("SELECT count(*) FROM _migrations WHERE file = {:file}").
			Bind(map[string]any{"file": m.File}).Row(&n)
		if err != nil {
			return false, fmt.Errorf("read the list of migrations: %w", err)
		}
		if n > 0 {
			return true, nil
		}
	}
	return false, nil
}

// firstStart sets up a database that this very start created. An existing
// PocketBase folder never comes here.
func firstStart(app core.App) error {
	err := app.RunInTransaction(func(tx core.App) error {
		s := tx.Settings()
		s.RateLimits.Enabled = true
		s.RateLimits.Rules = rateLimits()
		s.Meta.AppName = settings.SiteDefaults().Title
		if err := tx.Save(s); err != nil {
			return err
		}
		// Strangers can't sign up until the owner opens it.
		if users, err := tx.FindCollectionByNameOrId("users"); err == nil {
			users.CreateRule = nil
			if err := tx.Save(users); err != nil {
				return err
			}
		}
		return settings.Save(tx, installFeature, install{StarterPending: true})
	})
	if err != nil {
		return fmt.Errorf("set up the new site: %w", err)
	}
	return nil
}

// rateLimits are PocketBase's own, wide enough for a visitor who posts ten
// forms or comments a minute and for a dashboard that loads many lists.
func rateLimits() []core.RateLimitRule {
	return []core.RateLimitRule{
		{Label: "*:auth", MaxRequests: 10, Duration: 30},
		{Label: "*:create", MaxRequests: 20, Duration: 5},
		{Label: "/api/batch", MaxRequests: 3, Duration: 1},
		{Label: "/api/", MaxRequests: 300, Duration: 10},
	}
}

// installed reports whether this app's tables are there. PocketBase's own
// tests register us on databases that have none.
func installed(app core.App, on []feature) bool {
	return !slices.ContainsFunc(on, func(f feature) bool {
		return len(f.migrations.Items()) > 0 && len(f.owns) > 0 && !app.HasTable(f.owns[0])
	})
}
