package queue

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"
)

func leaseApp(t *testing.T) core.App {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ResetBootstrapState() })
	if err := Migrate(app); err != nil {
		t.Fatal(err)
	}
	Register(app, Kind{
		Name: "work", Attempts: 2,
		Do:      func(context.Context, core.App, []byte) error { return nil },
		Backoff: func(int) time.Duration { return 0 },
	})
	return app
}

func only(t *testing.T, app core.App) Job {
	t.Helper()
	jobs, err := List(app, Filter{})
	if err != nil || len(jobs) != 1 {
		t.Fatalf("%d jobs, %v", len(jobs), err)
	}
	return jobs[0]
}

func TestLease(t *testing.T) {
	t.Parallel()
	app := leaseApp(t)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	SetClock(app, func() time.Time { return now })
	if err := Enqueue(app, "work", nil); err != nil {
		t.Fatal(err)
	}
	const mine, theirs = 1, 2
	take := func(lease int64, want int) []job {
		t.Helper()
		jobs, err := claim(app, "work", lease, now, 10)
		if err != nil || len(jobs) != want {
			t.Fatalf("claimed %d jobs, want %d (%v)", len(jobs), want, err)
		}
		return jobs
	}
	lapsed := func(lease int64, want int) {
		t.Helper()
		jobs, err := expired(app, lease, now)
		if err != nil || len(jobs) != want {
			t.Fatalf("%d leases have run out, want %d (%v)", len(jobs), want, err)
		}
	}
	j := take(mine, 1)[0]
	take(theirs, 0)

	now = now.Add(leaseTime - time.Second)
	if err := renew(app, mine, now); err != nil {
		t.Fatal(err)
	}
	now = now.Add(leaseTime - time.Second)
	lapsed(theirs, 0) // renewed
	now = now.Add(2 * time.Second)
	lapsed(mine, 0) // alive, only late
	lapsed(theirs, 1)

	r := newRun(app, Of(app))
	if err := r.sweep(); err != nil {
		t.Fatal(err)
	}
	if got := only(t, app); got.State != Waiting || got.Attempts != 1 || got.Error == "" {
		t.Fatalf("after the sweep %+v", got)
	}
	take(theirs, 1)

	// The first holder comes back late; its word no longer counts.
	w := writer{db: app.NonconcurrentDB(), now: now}
	for name, act := range map[string]func() (bool, error){
		"done":    func() (bool, error) { return w.done(j.ID, mine) },
		"retry":   func() (bool, error) { return w.retry(j.ID, mine, now, "late") },
		"release": func() (bool, error) { return w.release(j.ID, mine) },
		"bury":    func() (bool, error) { return w.bury(j.ID, mine, "late") },
	} {
		if held, err := act(); held || err != nil {
			t.Errorf("%s by a lost lease: %v, %v", name, held, err)
		}
	}
	if got := only(t, app); got.State != Running || got.Attempts != 2 {
		t.Fatalf("after the late words %+v", got)
	}

	// A job that takes its process down every time ends as a dead letter.
	now = now.Add(leaseTime + time.Second)
	if err := r.sweep(); err != nil {
		t.Fatal(err)
	}
	if got := only(t, app); got.State != Dead {
		t.Fatalf("after the last attempt %+v", got)
	}
}

func TestExpiredUnknownKindWaits(t *testing.T) {
	t.Parallel()
	app := leaseApp(t)
	now := time.Now()
	if err := Enqueue(app, "gone", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := claim(app, "gone", 7, now, 1); err != nil {
		t.Fatal(err)
	}
	SetClock(app, func() time.Time { return now.Add(time.Hour) })
	if err := newRun(app, Of(app)).sweep(); err != nil {
		t.Fatal(err)
	}
	if got := only(t, app); got.State != Waiting {
		t.Fatalf("%+v", got)
	}
}

func TestPool(t *testing.T) {
	t.Parallel()
	p := &pool{kind: Kind{Concurrency: 2}}
	if n := p.room(); n != 2 {
		t.Fatalf("room of an unknown kind %d, want its concurrency", n)
	}
	if n := p.add(make([]job, 2)); n != 2 {
		t.Fatalf("%d workers", n)
	}
	for range 2 {
		if _, ok, _ := p.next(0); !ok {
			t.Fatal("no job for a worker")
		}
	}
	if n := p.room(); n != 0 {
		t.Fatalf("room %d while all workers are busy with unknown work", n)
	}
	if _, ok, hungry := p.next(10 * time.Millisecond); ok || !hungry {
		t.Fatalf("a worker with nothing left: ok %v, hungry %v", ok, hungry)
	}
	if n := p.room(); n != 2+2*10-1 {
		t.Fatalf("room %d after a job of 10 ms", n)
	}
	p.add(make([]job, 21))
	if n := p.room(); n != 0 {
		t.Fatalf("room %d with enough ahead", n)
	}
	if left := p.close(); len(left) != 21 || p.room() != 0 {
		t.Fatalf("%d left after the close", len(left))
	}
}

func TestDrainWaitsForWhatRunsAndGivesBackTheRest(t *testing.T) {
	t.Parallel()
	app := leaseApp(t)
	begun, proceed := make(chan int, 1), make(chan int)
	Register(app, Kind{Name: "held", Concurrency: 1, Do: func(context.Context, core.App, []byte) error {
		begun <- 1
		<-proceed
		return nil
	}})
	if err := errors.Join(Enqueue(app, "held", 1), Enqueue(app, "held", 2)); err != nil {
		t.Fatal(err)
	}
	r := newRun(app, Of(app)) // without a dispatcher: the test claims
	close(r.dispatched)
	go r.renewLoop()
	go r.writeLoop()
	jobs, err := claim(app, "held", r.lease, time.Now(), 2)
	if err != nil || len(jobs) != 2 {
		t.Fatal(jobs, err)
	}
	p := r.pool("held")
	r.workers.Add(p.add(jobs))
	go r.work(p)
	<-begun

	stopped := make(chan error, 1)
	go func() { stopped <- r.drain(context.Background()) }()
	for closed := false; !closed; runtime.Gosched() {
		p.mu.Lock()
		closed = p.closed
		p.mu.Unlock()
	}
	select {
	case <-stopped:
		t.Fatal("stopped while a job ran")
	default:
	}
	proceed <- 1
	if err := <-stopped; err != nil {
		t.Fatal(err)
	}
	if j := only(t, app); j.State != Waiting || j.Attempts != 0 || string(j.Payload) != "2" {
		t.Fatalf("the job that never began is %+v", j)
	}
}

func TestErrorText(t *testing.T) {
	t.Parallel()
	if s := errorText(NoRetry(errors.New("why"))); s != "why" {
		t.Fatalf("%q", s)
	}
}
