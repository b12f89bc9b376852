package queue

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// Outcomes that are no fault of the job: it is given back with its attempt.
var (
	errUnbegun     = errors.New("not begun")
	errInterrupted = errors.New("interrupted by the stop of the process")
)

type noRetry struct{ error }

func (e noRetry) Unwrap() error { return e.error }

// NoRetry marks an error of a handler as final: the job is dead at once.
func NoRetry(err error) error {
	if err == nil {
		return nil
	}
	return noRetry{err}
}

type attemptKey struct{}

type attempt struct{ n, of int }

// Attempt returns which attempt a handler's context belongs to, from 1, and
// how many there are.
func Attempt(ctx context.Context) (n, of int) {
	a, _ := ctx.Value(attemptKey{}).(attempt)
	return a.n, a.of
}

// result is what became of a job; a nil err means done.
type result struct {
	job job
	err error
}

// work runs jobs of a pool until it has none.
func (r *run) work(p *pool) {
	defer r.workers.Done()
	var took time.Duration
	for {
		j, ok, hungry := p.next(took)
		if hungry {
			r.q.wake()
		}
		if !ok {
			return
		}
		began := time.Now()
		err := r.attempt(p.kind, j)
		took = max(1, time.Since(began))
		r.finished <- result{job: j, err: err}
	}
}

// attempt runs the handler once and gives up on it when it outlives its
// context: a goroutine cannot be stopped, but the rest of the kind goes on.
func (r *run) attempt(k Kind, j job) error {
	ctx, cancel := context.WithTimeout(r.ctx, k.Timeout)
	defer cancel()
	ctx = context.WithValue(ctx, attemptKey{}, attempt{j.Attempts, k.Attempts})
	answer := make(chan error, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				r.app.Logger().Error("a job panicked", "kind", k.Name, "job", j.ID,
					"panic", fmt.Sprint(p), "stack", string(debug.Stack()))
				answer <- fmt.Errorf("panic: %v", p)
			}
		}()
		answer <- k.Do(ctx, r.app, j.Payload)
	}()
	var err error
	select {
	case err = <-answer:
	case <-ctx.Done():
		patience := time.NewTimer(abandonTTL)
		defer patience.Stop()
		select {
		case err = <-answer:
		case <-patience.C:
			r.app.Logger().Error("a job ignores the end of its time and was abandoned", "kind", k.Name, "job", j.ID)
			err = fmt.Errorf("the job did not stop within its %s: %w", k.Timeout, ctx.Err())
		}
	}
	if err != nil && r.ctx.Err() != nil {
		return errInterrupted
	}
	return err
}

// writeLoop stores results, all that have gathered in one transaction.
func (r *run) writeLoop() {
	defer close(r.written)
	const most = 256
	for first := range r.finished {
		batch := append(make([]result, 0, most), first)
	gather:
		for len(batch) < most {
			select {
			case res, ok := <-r.finished:
				if !ok {
					break gather
				}
				batch = append(batch, res)
			default:
				break gather
			}
		}
		r.store(batch)
	}
}

// store writes a batch. While the database refuses (a full disk, a lock) it
// tries again, because work that is done and not recorded would run again;
// once stopping it gives up after one more try and leaves that to the lease.
func (r *run) store(batch []result) {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, pollEvery) {
		err := r.app.RunInTransaction(func(tx core.App) error {
			w := writer{db: tx.NonconcurrentDB(), now: r.q.now()}
			for _, res := range batch {
				if err := r.settle(tx, w, r.lease, res); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			return
		}
		r.app.Logger().Error("the job queue cannot store results", "jobs", len(batch), "error", err)
		select {
		case <-r.ctx.Done():
			if wait > 100*time.Millisecond {
				return
			}
		case <-time.After(wait):
		}
	}
}

// settle writes what became of one job.
func (r *run) settle(tx core.App, w writer, lease int64, res result) error {
	j, err := res.job, res.err
	var held bool
	var dbErr error
	k, known := r.q.kind(j.Kind)
	switch {
	case err == nil:
		held, dbErr = w.done(j.ID, lease)
	case errors.Is(err, errUnbegun), errors.Is(err, errInterrupted):
		held, dbErr = w.release(j.ID, lease)
	case !known: // only an expired lease: its feature is switched off by now
		held, dbErr = w.retry(j.ID, lease, w.now, errorText(err))
	case j.Attempts >= k.Attempts || isFinal(err):
		if held, dbErr = w.bury(j.ID, lease, errorText(err)); held {
			tx.Logger().Error("a job is dead", "kind", j.Kind, "job", j.ID, "attempts", j.Attempts, "error", errorText(err))
			r.mourn(tx, k, j, err)
		}
	default:
		at := w.now.Add(max(0, k.Backoff(j.Attempts)))
		held, dbErr = w.retry(j.ID, lease, at, errorText(err))
		tx.Logger().Warn("a job failed and will be tried again", "kind", j.Kind, "job", j.ID,
			"attempt", j.Attempts, "error", errorText(err))
		wakeAfterCommit(tx, r.q) // the timer does not know the new time yet
	}
	if dbErr == nil && !held {
		tx.Logger().Warn("a job's lease was lost before its result was stored", "kind", j.Kind, "job", j.ID)
	}
	return dbErr
}

// mourn calls the kind's Dead.
func (r *run) mourn(tx core.App, k Kind, j job, cause error) {
	if k.Dead == nil {
		return
	}
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = fmt.Errorf("panic: %v", p)
			}
		}()
		return k.Dead(tx, j.Payload, cause)
	}()
	if err != nil {
		tx.Logger().Error("a dead job's kind could not take note", "kind", j.Kind, "job", j.ID, "error", err)
	}
}

func isFinal(err error) bool {
	var final noRetry
	return errors.As(err, &final)
}
