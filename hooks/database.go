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
// config that the app is made with; nil, PocketBase's own way, where the
// engine is left out.
func Connect(cfg Config) core.DBConnectFunc {
	if slices.Contains(cfg.Without, engineFeature) {
		return nil
	}
	return sqlite.Connect(cfg.database())
}

func (c *Config) database() sqlite.Options {
	return sqlite.Options{Durability: sqlite.Durability(c.Durability)}
}

func registerEngine(app core.App, cfg Config) error {
	parts, err := engine.All().Without(cfg.EngineWithout...)
	if err != nil {
		return err
	}
	sqlite.Bind(app, cfg.database())
	return engine.Register(app, parts)
}
