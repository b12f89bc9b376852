// Bungalow is everything a website needs behind the page, in one executable.
package main

import (
	"fmt"
	"os"

	"bungalow/hooks"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/plugins/jsvm"
	"github.com/pocketbase/pocketbase/plugins/migratecmd"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "Error:", hooks.Explain(err))
		os.Exit(1)
	}
}

func run() error {
	base, cfg, err := hooks.Boot(os.Args[1:], os.Environ())
	if err != nil {
		return err
	}
	app := pocketbase.NewWithConfig(base)
	// PocketBase's own plugins: JavaScript hooks, and migrations of your own.
	if !cfg.Standalone {
		if err := jsvm.Register(app, jsvm.Config{
			HooksDir:      cfg.HooksDir,
			HooksWatch:    cfg.HooksWatch,
			HooksPoolSize: cfg.HooksPool,
			MigrationsDir: cfg.MigrationsDir,
		}); err != nil {
			return fmt.Errorf("start the JavaScript hooks: %w", err)
		}
	}
	if err := migratecmd.Register(app, app.RootCmd, migratecmd.Config{
		TemplateLang: migratecmd.TemplateLangJS,
		Automigrate:  cfg.Automigrate,
		Dir:          cfg.MigrationsDir,
	}); err != nil {
		return fmt.Errorf("start the migrate command: %w", err)
	}
	if err := hooks.Register(app, app.RootCmd, cfg); err != nil {
		return err
	}
	return hooks.Execute(app, cfg)
}
