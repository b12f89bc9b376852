package hooks

import (
	"fmt"
	"sync"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/theme"
	"bungalow/hooks/site"
	"bungalow/pb_public"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// early is before every feature's own OnServe.
const early = -1000

// bindTheme loads the theme when the server starts; a broken template stops
// the start. It also watches for what changes behind the server's back.
func bindTheme(app core.App, cfg Config) {
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Id:       "bungalowTheme",
		Priority: early,
		Func: func(e *core.ServeEvent) error {
			disk := cfg.publicDir(e.App)
			icon, err := site.Icons(theme.Overlay(disk, pb_public.Files), "_theme/icons")
			if err != nil {
				return fmt.Errorf("load the theme: %w", err)
			}
			t, err := theme.Load(disk, pb_public.Files, theme.Options{
				Dev:   e.App.IsDev(),
				Funcs: map[string]any{"icon": icon},
			})
			if err != nil {
				return fmt.Errorf("the theme can't be used: %w", err)
			}
			if err := mail.Check(t.FS()); err != nil {
				return fmt.Errorf("the theme can't be used: %w", err)
			}
			theme.Set(e.App, t)
			c := cache.Of(e.App)
			t.OnChange(c.BumpAll)
			if e.Server != nil { // a running server, not a test's router
				stop := untilTerminate(e.App)
				t.Watch(stop)
				cache.Watch(e.App, c, stop)
			}
			return e.Next()
		},
	})
}

// untilTerminate is closed when the app is told to stop. A restart replaces the
// process; where it fails, the app goes on and is told to stop again later.
func untilTerminate(app core.App) <-chan struct{} {
	stop := make(chan struct{})
	var once sync.Once
	app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		if !e.IsRestart {
			once.Do(func() { close(stop) })
		}
		return e.Next()
	})
	return stop
}
