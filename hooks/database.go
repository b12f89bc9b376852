package hooks

import (
	"slices"

	"bungalow/hooks/engine"
	"bungalow/hooks/kit/sqlite"
	"github.com/pocketbase/pocketbase/core"
)

// engineFeature makes PocketBase faster, and durable through a power cut.
const engineFeature = "engine"

// Connect opens the databases of an app with this config. It belongs into the
// config that the app is made with.
func Connect(cfg Config) core.DBConnectFunc { return sqlite.Connect(cfg.database()) }

// database is PocketBase's own way where the engine is left out, but for this:
// a command beside a running server is not refused because the server wrote.
func (c *Config) database() sqlite.Options {
	if slices.Contains(c.Without, engineFeature) {
		return sqlite.Plain()
	}
	return sqlite.Options{Durability: sqlite.Durability(c.Durability)}
}

func registerEngine(app core.App, cfg Config) error {
	parts, err := engine.All().Without(cfg.EngineWithout...)
	if err != nil {
		return err
	}
	return engine.Register(app, parts)
}
