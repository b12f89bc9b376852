package web

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/pocketbase/core"
)

var hexColour = regexp.MustCompile(`^[0-9a-fA-F]{6}$`)

// AccentHref is the address of the style sheet that sets the owner's colour
// (#rrggbb), "" for the theme's own. The colour stands in the address, so that
// the file may be kept for good.
func AccentHref(colour string) string {
	if colour == settings.SiteDefaults().Accent {
		return ""
	}
	return "/assets/accent.css?c=" + url.QueryEscape(strings.TrimPrefix(colour, "#"))
}

// AccentRoute answers that style sheet. No page has an inline style, so the
// colour needs a file of its own.
func AccentRoute() Route {
	return Route{Method: http.MethodGet, Path: "/assets/accent.css", Access: Public, Do: func(e *core.RequestEvent) error {
		colour := e.Request.URL.Query().Get("c")
		if !hexColour.MatchString(colour) {
			return e.NotFoundError("", nil)
		}
		h := e.Response.Header()
		h.Set("Content-Type", "text/css; charset=utf-8")
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
		return e.String(http.StatusOK, ":root { --accent: #"+colour+"; }\n")
	}}
}
