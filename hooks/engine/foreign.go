package engine

import (
	"fmt"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// plain is PocketBase without anybody's hooks: how many handlers it binds
// itself is what an app is measured against.
func plain() (core.App, error) {
	app := core.NewBaseApp(core.BaseAppConfig{})
	if _, err := apis.NewRouter(app); err != nil {
		return nil, fmt.Errorf("make a router to compare with: %w", err)
	}
	return app, nil
}

// logHooks counts the handlers that a saved log row would call.
func logHooks(app core.App) int {
	return app.OnModelValidate().Length() +
		app.OnModelCreate().Length() +
		app.OnModelCreateExecute().Length() +
		app.OnModelAfterCreateSuccess().Length() - Of(app).realtime.bound() +
		app.OnModelAfterCreateError().Length()
}
