package hooks

import (
	"bungalow/hooks/comments/moving"
	"bungalow/hooks/content/exports"
	"bungalow/hooks/content/imports"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// importCommand joins what the features move in.
func importCommand(app core.App, cfg Config) *cobra.Command {
	c := imports.Command(app, commentImporter(cfg))
	c.AddCommand(moving.Imports(app)...)
	return c
}

// exportCommand joins what the features let out.
func exportCommand(app core.App) *cobra.Command {
	c := exports.Command(app)
	c.AddCommand(moving.Exports(app))
	return c
}
