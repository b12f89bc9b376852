package engine

import (
	"fmt"
	"sync"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// bare is what PocketBase binds itself, without anybody's hooks: what an app
// is measured against.
type bare struct {
	listHooks, logHooks int
	// middlewares are the places of their code, by id.
	middlewares map[string]uintptr
}

// plain looks at a PocketBase of its own, once per process.
var plain = sync.OnceValues(func() (bare, error) {
	app := core.NewBaseApp(core.BaseAppConfig{})
	router, err := apis.NewRouter(app)
	if err != nil {
		return bare{}, fmt.Errorf("make a router to compare with: %w", err)
	}
	b := bare{listHooks: listHooks(app), logHooks: logHooks(app), middlewares: map[string]uintptr{}}
	for _, m := range append(router.Middlewares, apis.CORS(apis.CORSConfig{})) {
		b.middlewares[m.Id] = code(m)
	}
	return b, nil
})

// logHooks counts the handlers that a saved log row would call.
func logHooks(app core.App) int {
	return app.OnModelValidate().Length() +
		app.OnModelCreate().Length() +
		app.OnModelCreateExecute().Length() +
		app.OnModelAfterCreateSuccess().Length() - Of(app).realtime.bound() +
		app.OnModelAfterCreateError().Length()
}
