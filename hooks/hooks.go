// Package hooks puts the product together: an ordered list of features, each
// with its tables, its hooks and its routes. Read this file, then one feature.
package hooks

import (
	"fmt"
	"slices"
	"strings"

	"bungalow/hooks/comments"
	staffdesk "bungalow/hooks/desk"
	"bungalow/hooks/forms"
	"bungalow/hooks/inbox"
	"bungalow/hooks/inbox/pages"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/metrics"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/secret"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/spam"
	"bungalow/hooks/kit/sqlite"
	"bungalow/hooks/kit/theme"
	"bungalow/hooks/kit/web"
	"bungalow/pb_migrations"
	"bungalow/pb_public"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// coreFeature can't be switched off: staff, settings, audit, jobs and mail.
const coreFeature = "core"

// feature is one line of the list below.
type feature struct {
	name       string
	uses       []string // features that it does without, and says so, when they are off
	migrations *core.MigrationsList
	owns       []string // its collections
	register   func(app core.App, cfg Config) error
	routes     func(app core.App) []web.Route
	desk       func(app core.App) desk.Part // its pages for the staff
}

// features lists what is built, in the order in which it is registered.
func features() []feature {
	return []feature{
		{
			name: coreFeature, migrations: &pb_migrations.Core,
			owns:     []string{schema.Staff, schema.Settings, schema.Audit},
			register: registerCore, routes: coreRoutes,
		},
		{
			name: "content", migrations: &pb_migrations.Content,
			owns: []string{schema.Posts, schema.Pages, schema.Tags, schema.Authors,
				schema.Media, schema.Menus, schema.Redirects, schema.Revisions},
			register: registerContent, routes: contentRoutes, desk: contentDesk,
		},
		{
			name: "comments", uses: []string{"content"}, migrations: &pb_migrations.Comments,
			owns:     []string{schema.Comments},
			register: registerComments, routes: comments.Routes, desk: comments.Desk,
		},
		{
			name: "forms", migrations: &pb_migrations.Forms,
			owns:     []string{schema.Forms, schema.Submissions},
			register: registerForms, routes: forms.Routes, desk: forms.Desk,
		},
		{
			name: inbox.Feature, migrations: &pb_migrations.Inbox,
			owns:     []string{schema.Conversations, schema.Messages},
			register: registerInbox, routes: inbox.Routes, desk: pages.Part,
		},
		{
			name: "site", uses: []string{"content"}, migrations: &core.MigrationsList{},
			register: registerSite,
		},
		{
			name: "desk", migrations: &pb_migrations.Desk,
			register: registerDesk, routes: staffdesk.Routes,
		},
		{
			name: engineFeature, migrations: &core.MigrationsList{},
			register: registerEngine,
		},
	}
}

// enabled is the list without the features that the operator left out.
func enabled(cfg Config) []feature {
	return slices.DeleteFunc(features(), func(f feature) bool {
		return slices.Contains(cfg.Without, f.name)
	})
}

// Routes lists every route of the switched-on features.
func Routes(app core.App, cfg Config) []web.Route {
	var routes []web.Route
	for _, f := range enabled(cfg) {
		if f.routes != nil {
			routes = append(routes, f.routes(app)...)
		}
	}
	return routes
}

// Register binds the product to a PocketBase app. cmd is the root command that
// gets our commands; nil for tests and other programs. Nothing is written
// before the app bootstraps, and nothing at all where our tables are missing.
func Register(app core.App, cmd *cobra.Command, cfg Config) error {
	if err := cfg.check(); err != nil {
		return err
	}
	on := enabled(cfg)
	sqlite.Bind(app, cfg.database())
	bindInstall(app, on)
	for _, f := range on {
		if f.register == nil {
			continue
		}
		if err := f.register(app, cfg); err != nil {
			return fmt.Errorf("register %s: %w", f.name, err)
		}
	}
	bindAbsent(app, cfg)
	bindServe(app, cfg, on)
	if cmd != nil {
		addCommands(app, cmd, cfg)
	}
	return nil
}

// MustRegister is Register for a program that can't go on without.
func MustRegister(app core.App, cmd *cobra.Command, cfg Config) {
	if err := Register(app, cmd, cfg); err != nil {
		panic(err)
	}
}

// registerCore binds what every feature stands on.
func registerCore(app core.App, cfg Config) error {
	secret.Use(app, cfg.KeyFile)
	cache.Bind(app, cache.Of(app))
	audit.Bind(app)
	bindBackup(app, cfg)
	metrics.Register(app)
	people.Register(app)
	bindTheme(app, cfg)
	spam.Register(app)
	bindClosed(app)
	return mail.Register(app, mail.Config{
		Templates: theme.Overlay(cfg.publicDir(app), pb_public.Files),
		Site: func() mail.Site {
			s, err := settings.LoadSite(app)
			if err != nil {
				app.Logger().Error("the site's settings can't be read", "error", err)
			}
			return mail.Site{Name: s.Title, URL: strings.TrimRight(app.Settings().Meta.AppURL, "/"), Accent: s.Accent}
		},
		Options: func() mail.Options {
			o, err := settings.Load(app, "mail", mail.Options{})
			if err != nil {
				app.Logger().Error("the settings of mail can't be read", "error", err)
			}
			return o
		},
	})
}
