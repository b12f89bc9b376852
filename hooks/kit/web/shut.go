package web

import (
	"net/http"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

const shutKey = "bungalow.shut"

// MarkShut notes that the site has not opened for whoever sent the request.
func MarkShut(e *core.RequestEvent) { e.Set(shutKey, true) }

// Shut reports whether the site has not opened for whoever sent the request:
// then nothing of its content is told.
func Shut(e *core.RequestEvent) bool {
	shut, _ := e.Get(shutKey).(bool)
	return shut
}

// NotOpen is the refusal of a site that has not opened: 503.
func NotOpen(e *core.RequestEvent) error {
	e.Response.Header().Set("Retry-After", "3600")
	return router.NewApiError(http.StatusServiceUnavailable, "This site has not opened yet.", nil)
}
