package queue

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// job is a claimed row.
type job struct {
	ID       int64  `db:"id"`
	Kind     string `db:"kind"`
	Payload  []byte `db:"payload"`
	Attempts int    `db:"attempts"`
	RunAt    int64  `db:"run_at"`
}

const (
	// One index lookup per kind: a GROUP BY would walk every waiting job.
	dueSQL = `SELECT k.value AS kind,
		(SELECT min(run_at) FROM _jobs WHERE state = 'waiting' AND kind = k.value) AS run_at
		FROM json_each({:kinds}) AS k`

	claimSQL = `UPDATE _jobs
		SET state = 'running', attempts = attempts + 1, lease = {:lease}, lease_until = {:until}, updated = {:now}
		WHERE id IN (SELECT id FROM _jobs WHERE state = 'waiting' AND kind = {:kind} AND run_at <= {:now}
			ORDER BY run_at, id LIMIT {:limit})
		RETURNING id, kind, payload, attempts, run_at`

	renewSQL = `UPDATE _jobs SET lease_until = {:until} WHERE state = 'running' AND lease = {:lease}`

	expiredSQL = `SELECT id, kind, payload, attempts, run_at, lease FROM _jobs
		WHERE state = 'running' AND lease_until < {:now} AND lease <> {:lease}
		ORDER BY lease_until LIMIT 256`
)

// nextDue returns for each kind the time of its first waiting job.
func nextDue(app core.App, kinds []string) (map[string]int64, error) {
	names, err := json.Marshal(kinds)
	if err != nil {
		return nil, err
	}
	var rows []struct {
		Kind  string `db:"kind"`
		RunAt *int64 `db:"run_at"`
	}
	err = app.ConcurrentDB().NewQuery(dueSQL).Bind(dbx.Params{"kinds": string(names)}).All(&rows)
	if err != nil {
		return nil, err
	}
	due := make(map[string]int64, len(rows))
	for _, row := range rows {
		if row.RunAt != nil {
			due[row.Kind] = *row.RunAt
		}
	}
	return due, nil
}

// claim leases up to limit due jobs of the kind, in the order of their time.
func claim(app core.App, kind string, lease int64, now time.Time, limit int) ([]job, error) {
	var jobs []job
	err := app.NonconcurrentDB().NewQuery(claimSQL).Bind(dbx.Params{
		"lease": lease, "until": now.Add(leaseTime).UnixMilli(), "now": now.UnixMilli(),
		"kind": kind, "limit": limit,
	}).All(&jobs)
	if err != nil {
		return nil, err
	}
	// SQLite returns the rows in no particular order.
	slices.SortFunc(jobs, func(a, b job) int {
		return cmp.Or(cmp.Compare(a.RunAt, b.RunAt), cmp.Compare(a.ID, b.ID))
	})
	return jobs, nil
}

// renew extends every lease of the run.
func renew(app core.App, lease int64, now time.Time) error {
	_, err := app.NonconcurrentDB().NewQuery(renewSQL).Bind(dbx.Params{
		"until": now.Add(leaseTime).UnixMilli(), "lease": lease,
	}).Execute()
	return err
}

// expired returns jobs whose lease ran out, except those of the given run,
// which is alive and merely could not renew in time.
func expired(app core.App, lease int64, now time.Time) ([]expiredJob, error) {
	var jobs []expiredJob
	err := app.ConcurrentDB().NewQuery(expiredSQL).Bind(dbx.Params{
		"now": now.UnixMilli(), "lease": lease,
	}).All(&jobs)
	return jobs, err
}

type expiredJob struct {
	job
	Lease int64 `db:"lease"`
}

// writer changes claimed rows inside one transaction. Each change holds only
// while the job still has the lease, so a worker that was given up on cannot
// touch what another took over.
type writer struct {
	db  dbx.Builder
	now time.Time
}

func (w writer) exec(sql string, id, lease int64, more dbx.Params) (held bool, err error) {
	params := dbx.Params{"id": id, "lease": lease}
	for k, v := range more {
		params[k] = v
	}
	res, err := w.db.NewQuery(sql + ` WHERE id = {:id} AND state = 'running' AND lease = {:lease}`).
		Bind(params).Execute()
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

func (w writer) done(id, lease int64) (bool, error) {
	return w.exec(`DELETE FROM _jobs`, id, lease, nil)
}

// freeKey gives up a job's key where another waiting job has it by now: both
// must run, and only one can hold the key.
const freeKey = `unique_key = CASE WHEN EXISTS (SELECT 1 FROM _jobs AS other
	WHERE other.state = 'waiting' AND other.kind = _jobs.kind AND other.unique_key = _jobs.unique_key)
	THEN NULL ELSE unique_key END`

func (w writer) retry(id, lease int64, at time.Time, cause string) (bool, error) {
	return w.exec(`UPDATE _jobs SET state = 'waiting', run_at = {:at}, lease = 0, lease_until = 0,
		error = {:error}, updated = {:now}, `+freeKey, id, lease,
		dbx.Params{"at": at.UnixMilli(), "error": cause, "now": w.now.UnixMilli()})
}

// release undoes a claim as if it had never been.
func (w writer) release(id, lease int64) (bool, error) {
	return w.exec(`UPDATE _jobs SET state = 'waiting', attempts = attempts - 1, lease = 0, lease_until = 0,
		updated = {:now}, `+freeKey, id, lease, dbx.Params{"now": w.now.UnixMilli()})
}

func (w writer) bury(id, lease int64, cause string) (bool, error) {
	return w.exec(`UPDATE _jobs SET state = 'dead', lease = 0, lease_until = 0,
		error = {:error}, updated = {:now}`, id, lease,
		dbx.Params{"error": cause, "now": w.now.UnixMilli()})
}

// errorText keeps the first two kilobytes of an error, as valid UTF-8.
func errorText(err error) string {
	text := fmt.Sprint(err)
	const most = 2048
	if len(text) <= most {
		return text
	}
	cut := most
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}
