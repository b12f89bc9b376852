package site_test

import (
	"testing"

	"bungalow/hooks"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// A page in memory once passed by the middleware with which an owner keeps
// strangers out of the whole site.
func TestMiddlewareOfTheOwnerSeesEveryRequest(t *testing.T) {
	t.Parallel()
	app := sitetest.NewWith(t, hooks.Config{}, func(app core.App) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			e.Router.BindFunc(func(e *core.RequestEvent) error {
				if e.Request.Header.Get("X-Pass") != "yes" {
					return e.ForbiddenError("Members only.", nil)
				}
				return e.Next()
			})
			return e.Next()
		})
	})
	for range 2 { // made, then from memory
		if res, _ := app.Get("/", "X-Pass", "yes"); res.StatusCode != 200 {
			t.Fatalf("a member gets %d", res.StatusCode)
		}
		if res, _ := app.Get("/"); res.StatusCode != 403 {
			t.Fatalf("a stranger gets %d, want 403", res.StatusCode)
		}
	}
}
