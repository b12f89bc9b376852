package queue

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// run is one life of the workers, from Start to Stop. Its lease is a number of
// its own, by which its rows are told from those of a process that died.
type run struct {
	app   core.App
	q     *Queue
	lease int64

	ctx    context.Context // of every handler; ended when a drain runs out of time
	cancel context.CancelFunc

	stop       chan struct{} // closed: claim no more
	dispatched chan struct{} // closed: the dispatcher has ended
	workers    sync.WaitGroup
	finished   chan result
	written    chan struct{} // closed: the last result is stored
	renewed    chan struct{} // closed: the leases are renewed no more

	// Only the dispatcher uses these until it has ended.
	pools map[string]*pool
	swept time.Time
}

func newRun(app core.App, q *Queue) *run {
	r := &run{
		app: app, q: q, lease: rand.Int64N(1<<62) + 1,
		stop: make(chan struct{}), dispatched: make(chan struct{}),
		finished: make(chan result, 512),
		written:  make(chan struct{}), renewed: make(chan struct{}),
		pools: map[string]*pool{},
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return r
}

func (r *run) start() {
	go r.dispatchLoop()
	go r.renewLoop()
	go r.writeLoop()
}

// dispatchLoop claims work whenever it is woken, when the next job is due, and
// now and then in case another process enqueued something.
func (r *run) dispatchLoop() {
	defer close(r.dispatched)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-r.q.wakeUp:
		case <-timer.C:
		}
		wait := pollEvery
		if err := r.sweep(); err != nil {
			r.app.Logger().Error("the job queue cannot look for expired leases", "error", err)
		}
		next, err := r.dispatch()
		if err != nil {
			r.app.Logger().Error("the job queue cannot claim jobs", "error", err)
		} else if !next.IsZero() {
			wait = min(wait, max(next.Sub(r.q.now()), time.Millisecond))
		}
		timer.Reset(wait)
	}
}

// dispatch hands out everything that is due and returns when the next job is.
func (r *run) dispatch() (next time.Time, err error) {
	for {
		select {
		case <-r.stop:
			return time.Time{}, nil
		default:
		}
		due, err := nextDue(r.app, r.q.names())
		if err != nil {
			return time.Time{}, err
		}
		now, claimed := r.q.now(), false
		next = time.Time{}
		for kind, ms := range due {
			if at := fromMilli(ms); at.After(now) {
				if next.IsZero() || at.Before(next) {
					next = at
				}
				continue
			}
			p := r.pool(kind)
			room := p.room()
			if room == 0 {
				continue // the pool wakes us when it has room again
			}
			jobs, err := claim(r.app, kind, r.lease, now, room)
			if err != nil {
				return time.Time{}, err
			}
			claimed = claimed || len(jobs) > 0
			for range p.add(jobs) {
				r.workers.Add(1)
				go r.work(p)
			}
		}
		if !claimed {
			return next, nil
		}
	}
}

// sweep gives jobs of dead processes another attempt.
func (r *run) sweep() error {
	now := r.q.now()
	if d := now.Sub(r.swept); d >= 0 && d < pollEvery {
		return nil
	}
	r.swept = now
	jobs, err := expired(r.app, r.lease, now)
	if err != nil || len(jobs) == 0 {
		return err
	}
	cause := errors.New("the process stopped while this job was running")
	return r.app.RunInTransaction(func(tx core.App) error {
		w := writer{db: tx.NonconcurrentDB(), now: now}
		for _, j := range jobs {
			if err := r.settle(tx, w, j.Lease, result{job: j.job, err: cause}); err != nil {
				return err
			}
		}
		return nil
	})
}

// renewLoop keeps the leases of this run alive, also while it drains.
func (r *run) renewLoop() {
	defer close(r.renewed)
	ticker := time.NewTicker(leaseTime / 3)
	defer ticker.Stop()
	for {
		select {
		case <-r.written:
			return
		case <-ticker.C:
			if err := renew(r.app, r.lease, r.q.now()); err != nil {
				r.app.Logger().Error("the job queue cannot renew its leases", "error", err)
			}
		}
	}
}

// drain ends the run; see Stop.
func (r *run) drain(ctx context.Context) error {
	close(r.stop)
	<-r.dispatched
	var unbegun []job
	for _, p := range r.pools {
		unbegun = append(unbegun, p.close()...)
	}

	idle := make(chan struct{})
	go func() { r.workers.Wait(); close(idle) }()
	var err error
	select {
	case <-idle:
	case <-ctx.Done():
		err = ctx.Err()
		r.cancel()
		<-idle // soon: a handler that ignores its context is abandoned
	}
	r.cancel()
	for _, j := range unbegun {
		r.finished <- result{job: j, err: errUnbegun}
	}
	close(r.finished)
	<-r.renewed
	return err
}

func (r *run) pool(kind string) *pool {
	p := r.pools[kind]
	if p == nil {
		k, _ := r.q.kind(kind)
		p = &pool{kind: k}
		r.pools[kind] = p
	}
	return p
}
