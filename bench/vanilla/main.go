// Command vanilla is plain PocketBase, of the version in go.mod: the executable
// of its own examples/base without the self-update. The benchmark compares
// Bungalow with it. It holds nothing of Bungalow.
package main

import (
	"log"
	"os"
	"path/filepath"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/plugins/jsvm"
	"github.com/pocketbase/pocketbase/plugins/migratecmd"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// synchronousEnv names the variable that sets SQLite's synchronous pragma of
// data.db; unset is PocketBase's own, NORMAL.
const synchronousEnv = "VANILLA_SYNCHRONOUS"

func main() {
	app := pocketbase.NewWithConfig(config(os.Getenv(synchronousEnv)))
	beside := func(name string) string { return filepath.Join(app.DataDir(), "..", name) }
	jsvm.MustRegister(app, jsvm.Config{HooksDir: beside("pb_hooks"), MigrationsDir: beside("pb_migrations"), HooksPoolSize: 15})
	migratecmd.MustRegister(app, app.RootCmd, migratecmd.Config{TemplateLang: migratecmd.TemplateLangJS, Dir: beside("pb_migrations")})
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Func: func(e *core.ServeEvent) error {
			e.Router.GET("/{path...}", apis.Static(os.DirFS(beside("pb_public")), false))
			return e.Next()
		},
		Priority: 999,
	})
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}

// config is PocketBase's default, but for the synchronous pragma of data.db.
func config(synchronous string) pocketbase.Config {
	cfg := pocketbase.Config{}
	if synchronous != "" {
		cfg.DBConnect = func(path string) (*dbx.DB, error) {
			if filepath.Base(path) != "data.db" {
				return core.DefaultDBConnect(path)
			}
			return dbx.Open("sqlite", source(path, synchronous))
		}
	}
	return cfg
}

// source is what core.DefaultDBConnect opens, with another synchronous pragma.
func source(path, synchronous string) string {
	return path + "?" + strings.Join([]string{
		"_pragma=busy_timeout(10000)", "_pragma=journal_mode(WAL)", "_pragma=journal_size_limit(200000000)",
		"_pragma=synchronous(" + synchronous + ")", "_pragma=foreign_keys(ON)", "_pragma=temp_store(MEMORY)",
		"_pragma=cache_size(-32000)", "_defensive=1",
	}, "&")
}
