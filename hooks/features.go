package hooks

import (
	"bungalow/hooks/content"
	"bungalow/hooks/content/media"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// This file joins features that must not know each other: what one asks for
// as an interface, another's functions answer here.

func registerContent(app core.App, _ Config) error {
	if err := content.Register(app); err != nil {
		return err
	}
	return media.Register(app)
}

func contentRoutes(app core.App) []web.Route {
	return append(content.Routes(app), media.Routes()...)
}
