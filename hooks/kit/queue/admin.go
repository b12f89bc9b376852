package queue

import (
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// States of a job. One that is done has no row.
const (
	Waiting = "waiting"
	Running = "running"
	Dead    = "dead"
)

// ErrNoJob says that no job has this id and the state that the act needs.
var ErrNoJob = errors.New("there is no such job, or it is not in a state that allows this")

// Job is a row of the table as the desk shows it. Times are UTC.
type Job struct {
	ID       int64
	Kind     string
	Key      string
	State    string
	Payload  []byte // JSON
	Attempts int
	Error    string // of the last failed attempt
	RunAt    time.Time
	Created  time.Time
	Updated  time.Time
}

// Filter narrows List. The zero value means every job.
type Filter struct {
	State  string
	Kind   string
	Before int64 // ids below this one, for the next page
	Limit  int   // at most 500; 0 is 100
}

// Counts is the number of jobs in each state.
type Counts struct {
	Waiting int // due now or later
	Running int
	Dead    int
}

// Status counts the jobs of app in each state.
func Status(app core.App) (Counts, error) {
	var c Counts
	// Each count walks a partial index, not the rows with their payloads.
	err := app.ConcurrentDB().NewQuery(`SELECT
		(SELECT count(*) FROM _jobs WHERE state = 'waiting') AS waiting,
		(SELECT count(*) FROM _jobs WHERE state = 'running') AS running,
		(SELECT count(*) FROM _jobs WHERE state = 'dead') AS dead`).One(&c)
	if err != nil {
		return c, fmt.Errorf("count jobs: %w", err)
	}
	return c, nil
}

// List returns the jobs that match f, the newest first.
func List(app core.App, f Filter) ([]Job, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	query := app.ConcurrentDB().
		Select("id", "kind", "coalesce(unique_key, '') AS unique_key", "state", "payload", "attempts",
			"error", "run_at", "created", "updated").
		From(Table).OrderBy("id DESC").Limit(int64(min(f.Limit, 500)))
	switch f.State {
	case "":
	case Waiting, Running, Dead:
		// A literal, because a partial index does not serve a parameter.
		query.AndWhere(dbx.NewExp("state = '" + f.State + "'"))
	default:
		return nil, fmt.Errorf("list jobs: no state is called %q", f.State)
	}
	if f.Kind != "" {
		query.AndWhere(dbx.HashExp{"kind": f.Kind})
	}
	if f.Before > 0 {
		query.AndWhere(dbx.NewExp("id < {:before}", dbx.Params{"before": f.Before}))
	}
	var rows []struct {
		job
		Key     string `db:"unique_key"`
		State   string `db:"state"`
		Error   string `db:"error"`
		Created int64  `db:"created"`
		Updated int64  `db:"updated"`
	}
	if err := query.All(&rows); err != nil {
		return nil, fmt.Errorf("list jobs: %w", err)
	}
	jobs := make([]Job, len(rows))
	for i, r := range rows {
		jobs[i] = Job{
			ID: r.ID, Kind: r.Kind, Key: r.Key, State: r.State, Payload: r.Payload, Attempts: r.Attempts, Error: r.Error,
			RunAt: fromMilli(r.RunAt), Created: fromMilli(r.Created), Updated: fromMilli(r.Updated),
		}
	}
	return jobs, nil
}

// Retry makes a dead job wait again, due now, with all its attempts. It
// returns ErrNoJob where none is dead under this id.
func Retry(app core.App, id int64) error {
	q := Of(app)
	err := change(app, "retry", `UPDATE _jobs SET state = 'waiting', attempts = 0, run_at = {:now}, updated = {:now}, `+
		freeKey+` WHERE id = {:id} AND state = 'dead'`, dbx.Params{"id": id, "now": q.now().UnixMilli()})
	if err != nil {
		return err
	}
	wakeAfterCommit(app, q)
	return nil
}

// Hurry makes a waiting job due now. It returns ErrNoJob where none waits under
// this id.
func Hurry(app core.App, id int64) error {
	q := Of(app)
	err := change(app, "hurry", `UPDATE _jobs SET run_at = {:now}, updated = {:now} WHERE id = {:id} AND state = 'waiting'`,
		dbx.Params{"id": id, "now": q.now().UnixMilli()})
	if err != nil {
		return err
	}
	wakeAfterCommit(app, q)
	return nil
}

// Drop deletes a waiting or dead job. It returns ErrNoJob where there is none
// or where it is running.
func Drop(app core.App, id int64) error {
	return change(app, "drop", `DELETE FROM _jobs WHERE id = {:id} AND state <> 'running'`, dbx.Params{"id": id})
}

func change(app core.App, act, sql string, params dbx.Params) error {
	res, err := app.NonconcurrentDB().NewQuery(sql).Bind(params).Execute()
	if err != nil {
		return fmt.Errorf("%s job: %w", act, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(fmt.Errorf("%s job: %w", act, ErrNoJob), err)
	}
	return nil
}

func fromMilli(ms int64) time.Time { return time.UnixMilli(ms).UTC() }
