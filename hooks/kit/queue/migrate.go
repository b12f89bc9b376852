package queue

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

// Table is the plain table that holds the jobs. It is no collection: neither
// the API nor the dashboard sees it.
const Table = "_jobs"

// Times are Unix milliseconds. A job that is done has no row. The lease column
// names the run (one Start to Stop of one process) that holds the job.
var tableSQL = []string{
	`CREATE TABLE IF NOT EXISTS _jobs (
		id          INTEGER PRIMARY KEY AUTOINCREMENT,
		kind        TEXT    NOT NULL,
		payload     TEXT    NOT NULL,
		unique_key  TEXT,
		state       TEXT    NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'running', 'dead')),
		run_at      INTEGER NOT NULL,
		attempts    INTEGER NOT NULL DEFAULT 0,
		lease       INTEGER NOT NULL DEFAULT 0,
		lease_until INTEGER NOT NULL DEFAULT 0,
		error       TEXT    NOT NULL DEFAULT '',
		created     INTEGER NOT NULL,
		updated     INTEGER NOT NULL
	) STRICT`,
	`CREATE INDEX IF NOT EXISTS _jobs_due ON _jobs (kind, run_at, id) WHERE state = 'waiting'`,
	`CREATE UNIQUE INDEX IF NOT EXISTS _jobs_unique ON _jobs (kind, unique_key)
		WHERE state = 'waiting' AND unique_key IS NOT NULL`,
	`CREATE INDEX IF NOT EXISTS _jobs_running ON _jobs (lease_until) WHERE state = 'running'`,
	`CREATE INDEX IF NOT EXISTS _jobs_dead ON _jobs (id) WHERE state = 'dead'`,
}

// Migrate creates the table where it is missing and changes nothing else.
func Migrate(app core.App) error {
	for _, sql := range tableSQL {
		if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
			return fmt.Errorf("create the job table: %w", err)
		}
	}
	return nil
}

// Unmigrate drops the table with every job in it.
func Unmigrate(app core.App) error {
	if _, err := app.NonconcurrentDB().NewQuery(`DROP TABLE IF EXISTS _jobs`).Execute(); err != nil {
		return fmt.Errorf("drop the job table: %w", err)
	}
	return nil
}
