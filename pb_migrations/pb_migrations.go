// Package pb_migrations holds the product's migrations, one list per feature.
// They are kept out of PocketBase's global list: each switched-on feature's
// list runs right after bootstrap, in every command (docs/architecture.md).
// JavaScript migrations that the dashboard writes lie in the folder of the
// same name beside the data folder.
package pb_migrations

import "github.com/pocketbase/pocketbase/core"

// One list per feature; Core is always on.
var (
	Core     core.MigrationsList
	Content  core.MigrationsList
	Comments core.MigrationsList
	Forms    core.MigrationsList
	Desk     core.MigrationsList
	Inbox    core.MigrationsList
)
