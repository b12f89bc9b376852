package spam

import (
	"net/http"

	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// Routes is GET /api/site/challenge.
func Routes(core.App) []web.Route {
	return []web.Route{{Method: http.MethodGet, Path: "/api/site/challenge", Access: web.Public, Do: challenge}}
}

func challenge(e *core.RequestEvent) error {
	c, err := Of(e.App).Challenge()
	if err != nil {
		return web.Refuse(e, err)
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	return e.JSON(http.StatusOK, c)
}
