package spam

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

// The tables are no collections: neither the API nor the dashboard sees them.
var tableSQL = []string{
	`CREATE TABLE IF NOT EXISTS _spam_words (
		purpose TEXT    NOT NULL,
		word    TEXT    NOT NULL,
		spam    INTEGER NOT NULL DEFAULT 0,
		good    INTEGER NOT NULL DEFAULT 0,
		seen    INTEGER NOT NULL DEFAULT 0,
		PRIMARY KEY (purpose, word)
	) STRICT, WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS _spam_totals (
		purpose TEXT    NOT NULL PRIMARY KEY,
		spam    INTEGER NOT NULL DEFAULT 0,
		good    INTEGER NOT NULL DEFAULT 0
	) STRICT, WITHOUT ROWID`,
	`CREATE TABLE IF NOT EXISTS _spam_learned (
		purpose TEXT    NOT NULL,
		ref     TEXT    NOT NULL,
		label   TEXT    NOT NULL,
		tokens  TEXT    NOT NULL,
		at      INTEGER NOT NULL,
		PRIMARY KEY (purpose, ref)
	) STRICT, WITHOUT ROWID`,
	`CREATE INDEX IF NOT EXISTS _spam_learned_at ON _spam_learned (purpose, at)`,
	`CREATE TABLE IF NOT EXISTS _spam_salts (
		period INTEGER NOT NULL PRIMARY KEY,
		salt   BLOB    NOT NULL
	) STRICT`,
}

// Migrate creates the tables where they are missing and changes nothing else.
func Migrate(app core.App) error {
	for _, sql := range tableSQL {
		if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			return fmt.Errorf("create the tables of the spam filter: %w", err)
		}
	}
	return nil
}

// Unmigrate drops the tables with everything learned.
func Unmigrate(app core.App) error {
	for _, name := range []string{"_spam_words", "_spam_totals", "_spam_learned", "_spam_salts"} {
		if _, err := app.NonconcurrentDB().NewQuery("DROP TABLE IF EXISTS " + name).Execute(); err != nil {
			return fmt.Errorf("drop the tables of the spam filter: %w", err)
		}
	}
	return nil
}
