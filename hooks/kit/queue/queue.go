// Package queue runs durable jobs that live in a plain table of data.db.
//
// It promises:
//   - Enqueue joins the caller's transaction: a job exists exactly when the
//     change that asked for it was committed.
//   - A job runs at least once. A worker holds a lease and renews it; when its
//     process dies the lease runs out and the job is taken again.
//   - A job that keeps failing is not lost: it becomes a dead letter with its
//     payload and last error, and can be listed, retried and dropped.
//   - A kind that nobody registered (its feature is switched off) waits.
//   - Work starts when it is committed, not at the next tick. A slow poll only
//     finds what another process enqueued.
//
// It never promises exactly once, so handlers are idempotent, and it never
// calls app.Save, so no record hook of anybody fires because of a job.
package queue

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// Defaults of a Kind, and the pace of the queue itself.
const (
	DefaultTimeout     = time.Minute
	DefaultAttempts    = 10
	DefaultConcurrency = 4

	leaseTime  = 30 * time.Second // a killed process's jobs come back after this
	pollEvery  = 5 * time.Second  // finds jobs that another process enqueued
	abandonTTL = 2 * time.Second  // patience with a handler whose context has ended
)

// Kind describes one sort of job. The zero value of every field but Name and
// Do has a default.
type Kind struct {
	// Name identifies the kind in the table; it must stay the same for as
	// long as jobs of it may be waiting.
	Name string

	// Do does the work. It must be idempotent and return soon after ctx ends.
	// An error or a panic is a failed attempt; see NoRetry.
	Do func(ctx context.Context, app core.App, payload []byte) error

	// Timeout ends the context of one attempt (default one minute).
	Timeout time.Duration

	// Attempts is how often the job is tried before it is dead (default 10).
	Attempts int

	// Concurrency is how many jobs of this kind run at once in this process
	// (default 4).
	Concurrency int

	// Backoff is the wait after the given failed attempt, the first being 1
	// (default Exponential from 10 s to 1 h).
	Backoff func(attempt int) time.Duration

	// Dead, if set, is told inside the transaction that buries a job. Its
	// error is logged and changes nothing.
	Dead func(txApp core.App, payload []byte, cause error) error
}

func (k *Kind) setDefaults() {
	if k.Timeout <= 0 {
		k.Timeout = DefaultTimeout
	}
	if k.Attempts <= 0 {
		k.Attempts = DefaultAttempts
	}
	if k.Concurrency <= 0 {
		k.Concurrency = DefaultConcurrency
	}
	if k.Backoff == nil {
		k.Backoff = Exponential(10*time.Second, time.Hour)
	}
}

// Exponential returns a backoff that starts at first, doubles with every
// attempt up to limit, and is spread by a quarter either way so that jobs that
// failed together do not return together.
func Exponential(first, limit time.Duration) func(attempt int) time.Duration {
	return func(attempt int) time.Duration {
		d := first
		for i := 1; i < attempt && d < limit; i++ {
			d *= 2
		}
		d = min(d, limit)
		return time.Duration(float64(d) * (0.75 + rand.Float64()/2))
	}
}

// Queue is the state of one app: its kinds, its clock and its workers.
type Queue struct {
	wakeUp chan struct{}

	mu    sync.RWMutex
	kinds map[string]Kind
	clock func() time.Time
	run   *run
}

// Of returns the queue of app, which is the same for its transactions.
func Of(app core.App) *Queue {
	return app.Store().GetOrSet("bungalow.queue", func() any {
		return &Queue{
			wakeUp: make(chan struct{}, 1),
			kinds:  map[string]Kind{},
			clock:  time.Now,
		}
	}).(*Queue)
}

// Register makes k known to app, before or after Start. It panics when k has
// no name or no Do, or when the name is taken: these are mistakes in the code.
func Register(app core.App, k Kind) {
	if k.Name == "" || k.Do == nil {
		panic("queue: a kind needs a Name and a Do")
	}
	k.setDefaults()
	q := Of(app)
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, taken := q.kinds[k.Name]; taken {
		panic("queue: kind registered twice: " + k.Name)
	}
	q.kinds[k.Name] = k
	q.wake()
}

// SetClock replaces the time source of app's queue. It is for tests: call it
// again with a later time and jobs that are due by then run.
func SetClock(app core.App, now func() time.Time) {
	q := Of(app)
	q.mu.Lock()
	q.clock = now
	q.mu.Unlock()
	q.wake()
}

// Start begins to run jobs of app. It does nothing when they already run or
// when the table is missing (see Migrate). Whoever closes the app's database
// without a Stop stops them too, giving what runs two seconds.
func Start(app core.App) error {
	if !app.IsBootstrapped() || !app.HasTable(Table) {
		return nil
	}
	app.OnBootstrapClear().Bind(&hook.Handler[*core.BootstrapEvent]{
		Id: "bungalowQueueStop",
		Func: func(e *core.BootstrapEvent) error {
			ctx, cancel := context.WithTimeout(context.Background(), abandonTTL)
			defer cancel()
			if err := Stop(ctx, e.App); err != nil {
				e.App.Logger().Warn("jobs were cut off because the database closes", "error", err)
			}
			return e.Next()
		},
	})
	q := Of(app)
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.run == nil {
		q.run = newRun(app, q)
		q.run.start()
	}
	return nil
}

// Stop takes no more jobs, waits for those that run, and gives back those that
// were claimed but not begun. When ctx ends first the running ones are
// cancelled and will run again at the next start; the error is then ctx's.
func Stop(ctx context.Context, app core.App) error {
	q := Of(app)
	q.mu.Lock()
	r := q.run
	q.run = nil
	q.mu.Unlock()
	if r == nil {
		return nil
	}
	if err := r.drain(ctx); err != nil {
		return fmt.Errorf("stop the job queue: %w", err)
	}
	return nil
}

// wake makes the dispatcher look at the table; it never blocks.
func (q *Queue) wake() {
	select {
	case q.wakeUp <- struct{}{}:
	default:
	}
}

func (q *Queue) now() time.Time {
	q.mu.RLock()
	defer q.mu.RUnlock()
	return q.clock()
}

func (q *Queue) kind(name string) (Kind, bool) {
	q.mu.RLock()
	defer q.mu.RUnlock()
	k, ok := q.kinds[name]
	return k, ok
}

func (q *Queue) names() []string {
	q.mu.RLock()
	defer q.mu.RUnlock()
	names := make([]string, 0, len(q.kinds))
	for name := range q.kinds {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
