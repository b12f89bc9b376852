package pb_migrations

import (
	"fmt"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

func init() {
	add(&Comments, "1764001010_comments_extend.go", extendComments, func(app core.App) error {
		return dropTables(app, "_comment_threads", "_comment_reactions", "_comment_mail", "_comment_blocked")
	})
}

// commentTables are no collections: neither the API nor the dashboard sees them.
var commentTables = []string{
	// What a moderator decided for one thread.
	`CREATE TABLE IF NOT EXISTS _comment_threads (
		thread TEXT    NOT NULL PRIMARY KEY,
		policy TEXT    NOT NULL DEFAULT '',
		title  TEXT    NOT NULL DEFAULT ''
	) STRICT, WITHOUT ROWID`,
	// person is a keyed hash, or the id of a signed-in user.
	`CREATE TABLE IF NOT EXISTS _comment_reactions (
		comment TEXT    NOT NULL,
		person  TEXT    NOT NULL,
		kind    TEXT    NOT NULL,
		at      INTEGER NOT NULL,
		PRIMARY KEY (comment, person)
	) STRICT, WITHOUT ROWID`,
	// Who may be written to: an address is asked once whether it wants that.
	`CREATE TABLE IF NOT EXISTS _comment_mail (
		email TEXT    NOT NULL PRIMARY KEY,
		state TEXT    NOT NULL CHECK (state IN ('asked', 'confirmed', 'refused')),
		at    INTEGER NOT NULL
	) STRICT, WITHOUT ROWID`,
	// value is "mail:…" or "address:…", the latter a keyed hash.
	`CREATE TABLE IF NOT EXISTS _comment_blocked (
		value TEXT    NOT NULL PRIMARY KEY,
		at    INTEGER NOT NULL
	) STRICT, WITHOUT ROWID`,
}

func extendComments(app core.App) error {
	for _, sql := range commentTables {
		if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			return fmt.Errorf("create the tables of comments: %w", err)
		}
	}
	c, err := app.FindCollectionByNameOrId(schema.Comments)
	if err != nil || c.Fields.GetByName("root") != nil {
		return err
	}
	// What a person typed is for moderators; strangers read html.
	c.Fields.GetByName("body").SetHidden(true)
	c.Fields.Add(
		// root is the comment at the top of the branch, itself for one at the top.
		&core.TextField{Name: "root", Max: 15},
		&core.NumberField{Name: "depth", OnlyInt: true},
		&core.JSONField{Name: "reactions", MaxSize: 2000},
		&core.NumberField{Name: "votes", OnlyInt: true},
		&core.TextField{Name: "badge", Max: 20},
		&core.DateField{Name: "edited"},
		// removed is what its author took back while there were replies.
		&core.BoolField{Name: "removed"},
		&core.BoolField{Name: "notify", Hidden: true},
		&core.TextField{Name: "locale", Max: 10, Hidden: true},
		&core.TextField{Name: "staff", Max: 100, Hidden: true},
		// address is a keyed hash whose key is thrown away.
		&core.TextField{Name: "address", Max: 60, Hidden: true},
		&core.TextField{Name: "agent", Max: 300, Hidden: true},
		&core.NumberField{Name: "score", OnlyInt: true, Hidden: true},
		&core.JSONField{Name: "verdict", MaxSize: 20_000, Hidden: true},
	)
	c.AddIndex("idx_comments_tree", false, "thread, status, root, created", "")
	c.AddIndex("idx_comments_root", false, "root, status, created", "")
	c.AddIndex("idx_comments_email", false, "email, status", "email != ''")
	c.AddIndex("idx_comments_address", false, "address, status", "address != ''")
	c.RemoveIndex("idx_comments_thread") // idx_comments_tree begins with the same
	if err := app.Save(c); err != nil {
		return fmt.Errorf("extend comments: %w", err)
	}
	return rootComments(app)
}

// rootComments gives the comments that stand already their root and depth,
// level by level.
func rootComments(app core.App) error {
	run := func(sql string) (int64, error) {
		res, err := app.NonconcurrentDB().NewQuery(sql).Execute()
		if err != nil {
			return 0, fmt.Errorf("find the roots of comments: %w", err)
		}
		return res.RowsAffected()
	}
	_, err := run(`UPDATE comments SET root = id, depth = 0 WHERE parent = '' OR parent NOT IN (SELECT id FROM comments)`)
	for n := int64(1); err == nil && n > 0; {
		n, err = run(`UPDATE comments SET (root, depth) = (SELECT p.root, p.depth + 1 FROM comments p WHERE p.id = comments.parent)
			WHERE root = '' AND parent IN (SELECT id FROM comments WHERE root != '')`)
	}
	return err
}

func dropTables(app core.App, names ...string) error {
	for _, name := range names {
		if _, err := app.NonconcurrentDB().NewQuery("DROP TABLE IF EXISTS " + name).Execute(); err != nil {
			return fmt.Errorf("drop %s: %w", name, err)
		}
	}
	return nil
}
