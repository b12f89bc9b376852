package queue

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// MaxPayload is the most bytes of JSON that a job may carry. Larger things are
// stored elsewhere and named by the job.
const MaxPayload = 1 << 20

// ErrPayload says that a payload is larger than MaxPayload.
var ErrPayload = fmt.Errorf("a job's payload may hold %d bytes at most", MaxPayload)

type options struct {
	key     *string
	replace bool
	runAt   time.Time
}

// Option changes how a job is enqueued.
type Option func(*options)

// Unique makes the enqueue a no-op while a job of the same kind and key is
// waiting. A job that already runs does not count, so a change made meanwhile
// is never missed.
func Unique(key string) Option { return func(o *options) { o.key = &key } }

// Replace goes with Unique: the waiting job takes the new payload and time
// and its attempts start again.
func Replace() Option { return func(o *options) { o.replace = true } }

// RunAt delays the job until t.
func RunAt(t time.Time) Option { return func(o *options) { o.runAt = t } }

const (
	insertSQL = `INSERT INTO _jobs (kind, payload, unique_key, run_at, created, updated)
		VALUES ({:kind}, {:payload}, {:key}, {:run_at}, {:now}, {:now})`
	onConflict = ` ON CONFLICT (kind, unique_key) WHERE state = 'waiting' AND unique_key IS NOT NULL `
	keepSQL    = insertSQL + onConflict + `DO NOTHING`
	replaceSQL = insertSQL + onConflict + `DO UPDATE SET payload = excluded.payload,
		run_at = excluded.run_at, attempts = 0, error = '', updated = excluded.updated`
)

// Enqueue stores a job of the kind with payload as JSON. Given a transaction's
// app it becomes part of that transaction. The kind need not be registered in
// this process. Errors: a payload that is no JSON value, ErrPayload, or the
// database's.
func Enqueue(app core.App, kind string, payload any, opts ...Option) error {
	if kind == "" {
		return errors.New("enqueue: the kind is empty")
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	if len(body) > MaxPayload {
		return fmt.Errorf("enqueue %s: %w", kind, ErrPayload)
	}
	q := Of(app)
	now := q.now()
	o := options{runAt: now}
	for _, opt := range opts {
		opt(&o)
	}
	sql := keepSQL
	if o.replace {
		sql = replaceSQL
	}
	_, err = app.NonconcurrentDB().NewQuery(sql).Bind(dbx.Params{
		"kind": kind, "payload": string(body), "key": o.key,
		"run_at": o.runAt.UnixMilli(), "now": now.UnixMilli(),
	}).Execute()
	if err != nil {
		return fmt.Errorf("enqueue %s: %w", kind, err)
	}
	wakeAfterCommit(app, q)
	return nil
}

// wakeAfterCommit wakes the workers once a reader can see the change. A
// rollback costs them one idle look.
func wakeAfterCommit(app core.App, q *Queue) {
	if tx := app.TxInfo(); tx != nil {
		tx.OnComplete(func(error) error { q.wake(); return nil })
		return
	}
	q.wake()
}
