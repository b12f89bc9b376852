package queue_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bungalow/hooks/kit/queue"

	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv("BUNGALOW_QUEUE_CHILD"); dir != "" {
		child(dir)
		return
	}
	os.Exit(m.Run())
}

func openApp(tb testing.TB, dir string) core.App {
	tb.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := queue.Stop(context.Background(), app); err != nil {
			tb.Error(err)
		}
		_ = app.ResetBootstrapState()
	})
	must(tb, queue.Migrate(app))
	return app
}

func newApp(tb testing.TB) core.App { return openApp(tb, tb.TempDir()) }

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// receive waits for a value, and fails the test instead of hanging it.
func receive[T any](tb testing.TB, c <-chan T) T {
	tb.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		tb.Fatal("nothing came within 20 s")
		panic("unreachable")
	}
}

// until waits for the condition, and fails the test instead of hanging it.
func until(tb testing.TB, ok func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatal("the condition did not come true within 20 s")
		}
	}
}

// eventually waits until the counts are as wanted.
func eventually(tb testing.TB, app core.App, want queue.Counts) {
	tb.Helper()
	until(tb, func() bool {
		got, err := queue.Status(app)
		must(tb, err)
		return got == want
	})
}

// waitForJob waits for a job that is as wanted.
func waitForJob(tb testing.TB, app core.App, wanted func(queue.Job) bool) (found queue.Job) {
	tb.Helper()
	until(tb, func() bool {
		jobs, err := queue.List(app, queue.Filter{})
		must(tb, err)
		for _, found = range jobs {
			if wanted(found) {
				return true
			}
		}
		return false
	})
	return found
}

// clock is a time source that a test moves.
type clock struct {
	mu  sync.Mutex
	now time.Time
	app core.App
}

func newClock(app core.App) *clock {
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), app: app}
	queue.SetClock(app, c.Now)
	return c
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.mu.Unlock()
	queue.SetClock(c.app, c.Now)
}

// tell returns a handler that sends each payload, decoded, and succeeds.
func tell(c chan<- string) func(context.Context, core.App, []byte) error {
	return func(_ context.Context, _ core.App, payload []byte) error {
		var s string
		if err := json.Unmarshal(payload, &s); err != nil {
			return err
		}
		c <- s
		return nil
	}
}

func TestRunsAJobAndForgetsIt(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	got := make(chan string, 1)
	queue.Register(app, queue.Kind{Name: "greet", Do: tell(got)})
	must(t, queue.Start(app))
	must(t, queue.Start(app)) // a second start changes nothing
	must(t, queue.Enqueue(app, "greet", "hello"))
	if s := receive(t, got); s != "hello" {
		t.Fatalf("payload %q", s)
	}
	eventually(t, app, queue.Counts{})
}

func TestEnqueueIsPartOfTheTransaction(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	got := make(chan string, 2)
	queue.Register(app, queue.Kind{Name: "greet", Do: tell(got)})
	must(t, queue.Start(app))

	undo := errors.New("undo")
	err := app.RunInTransaction(func(tx core.App) error {
		must(t, queue.Enqueue(tx, "greet", "rolled back"))
		return undo
	})
	if !errors.Is(err, undo) {
		t.Fatal(err)
	}
	eventually(t, app, queue.Counts{})

	must(t, app.RunInTransaction(func(tx core.App) error {
		must(t, queue.Enqueue(tx, "greet", "committed"))
		if c, err := queue.Status(app); err != nil || c.Waiting != 0 {
			t.Errorf("seen before the commit: %+v, %v", c, err)
		}
		return nil
	}))
	if s := receive(t, got); s != "committed" {
		t.Fatalf("ran %q", s)
	}
}

func TestEnqueueRefuses(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	if err := queue.Enqueue(app, "", nil); err == nil {
		t.Error("an empty kind was taken")
	}
	if err := queue.Enqueue(app, "x", func() {}); err == nil {
		t.Error("a function was taken as payload")
	}
	if err := queue.Enqueue(app, "x", strings.Repeat("x", queue.MaxPayload)); !errors.Is(err, queue.ErrPayload) {
		t.Errorf("too large: %v", err)
	}
}

func TestUnique(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	c := newClock(app)
	later := c.Now().Add(time.Hour)
	must(t, queue.Enqueue(app, "index", "first", queue.Unique("a"), queue.RunAt(later)))
	must(t, queue.Enqueue(app, "index", "second", queue.Unique("a")))
	must(t, queue.Enqueue(app, "index", "other key", queue.Unique("b")))
	must(t, queue.Enqueue(app, "mail", "other kind", queue.Unique("a")))
	must(t, queue.Enqueue(app, "index", "no key"))
	must(t, queue.Enqueue(app, "index", "no key"))

	jobs, err := queue.List(app, queue.Filter{Kind: "index"})
	must(t, err)
	if len(jobs) != 4 {
		t.Fatalf("%d index jobs, want 4", len(jobs))
	}
	first := jobs[len(jobs)-1]
	if string(first.Payload) != `"first"` || !first.RunAt.Equal(later) {
		t.Fatalf("the second enqueue changed the first: %+v", first)
	}

	must(t, queue.Enqueue(app, "index", "third", queue.Unique("a"), queue.Replace()))
	jobs, err = queue.List(app, queue.Filter{Kind: "index"})
	must(t, err)
	first = jobs[len(jobs)-1]
	if len(jobs) != 4 || string(first.Payload) != `"third"` || !first.RunAt.Equal(c.Now()) {
		t.Fatalf("replace gave %d jobs, %+v", len(jobs), first)
	}
}

// A change made while its job runs must run again, and when both then wait,
// neither is lost though only one can hold the key.
func TestUniqueWhileRunning(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	c := newClock(app)
	begun, proceed := make(chan string), make(chan error)
	queue.Register(app, queue.Kind{
		Name: "index", Concurrency: 1,
		Do: func(_ context.Context, _ core.App, payload []byte) error {
			begun <- string(payload)
			return <-proceed
		},
	})
	must(t, queue.Start(app))
	must(t, queue.Enqueue(app, "index", 1, queue.Unique("a")))
	receive(t, begun)
	must(t, queue.Enqueue(app, "index", 2, queue.Unique("a")))
	must(t, queue.Enqueue(app, "index", 3, queue.Unique("a")))
	proceed <- errors.New("try later")
	if s := receive(t, begun); s != "2" {
		t.Fatalf("ran %s, want 2", s)
	}
	proceed <- nil
	eventually(t, app, queue.Counts{Waiting: 1})
	c.add(time.Minute)
	if s := receive(t, begun); s != "1" {
		t.Fatalf("ran %s, want 1 again", s)
	}
	proceed <- nil
	eventually(t, app, queue.Counts{})
}

func TestRunsInOrderOfTime(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	c := newClock(app)
	for _, s := range []string{"c", "a", "d", "b"} {
		at := c.Now().Add(time.Duration(s[0]) * time.Second)
		must(t, queue.Enqueue(app, "say", s, queue.RunAt(at)))
	}
	must(t, queue.Enqueue(app, "say", "now"))
	got := make(chan string)
	queue.Register(app, queue.Kind{Name: "say", Concurrency: 1, Do: tell(got)})
	must(t, queue.Start(app))
	if s := receive(t, got); s != "now" {
		t.Fatalf("first came %q", s)
	}
	eventually(t, app, queue.Counts{Waiting: 4})
	c.add(time.Hour)
	var order string
	for range 4 {
		order += receive(t, got)
	}
	if order != "abcd" {
		t.Fatalf("order %q", order)
	}
}

func TestFailsThenSucceeds(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	c := newClock(app)
	var tries atomic.Int32
	done := make(chan int, 1)
	queue.Register(app, queue.Kind{
		Name:    "flaky",
		Backoff: func(n int) time.Duration { return time.Duration(n) * time.Minute },
		Do: func(ctx context.Context, _ core.App, _ []byte) error {
			switch tries.Add(1) {
			case 1:
				return errors.New("not yet")
			case 2:
				panic("oh")
			}
			n, _ := queue.Attempt(ctx)
			done <- n
			return nil
		},
	})
	must(t, queue.Start(app))
	must(t, queue.Enqueue(app, "flaky", nil))
	for n, text := range []string{"not yet", "panic: oh"} {
		wait := time.Duration(n+1) * time.Minute
		job := waitForJob(t, app, func(j queue.Job) bool { return j.State == queue.Waiting && j.Attempts == n+1 })
		if at := c.Now().Add(wait); job.Error != text || !job.RunAt.Equal(at) {
			t.Fatalf("after failure %d: %q at %s, want %q at %s", n+1, job.Error, job.RunAt, text, at)
		}
		c.add(wait)
	}
	if n := receive(t, done); n != 3 {
		t.Fatalf("attempt %d, want 3", n)
	}
	eventually(t, app, queue.Counts{})
}

func TestUnknownKindWaits(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	must(t, queue.Start(app))
	got := make(chan string, 2)
	must(t, queue.Enqueue(app, "later", "patience"))
	queue.Register(app, queue.Kind{Name: "now", Do: tell(got)})
	must(t, queue.Enqueue(app, "now", "x"))
	receive(t, got)
	eventually(t, app, queue.Counts{Waiting: 1})
	queue.Register(app, queue.Kind{Name: "later", Do: tell(got)})
	if s := receive(t, got); s != "patience" {
		t.Fatalf("ran %q", s)
	}
}

func TestRegisterMistakes(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	do := func(context.Context, core.App, []byte) error { return nil }
	queue.Register(app, queue.Kind{Name: "taken", Do: do})
	for name, k := range map[string]queue.Kind{"no name": {Do: do}, "no do": {Name: "x"}, "twice": {Name: "taken", Do: do}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			queue.Register(app, k)
		}()
	}
}

func TestWithoutTheTable(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	must(t, queue.Unmigrate(app))
	must(t, queue.Start(app))
	must(t, queue.Stop(t.Context(), app))
	if err := queue.Enqueue(app, "x", nil); err == nil {
		t.Fatal("enqueued into nothing")
	}
	must(t, queue.Migrate(app))
	must(t, queue.Migrate(app))
	must(t, queue.Enqueue(app, "x", nil))
}

func TestExponential(t *testing.T) {
	t.Parallel()
	backoff := queue.Exponential(time.Second, time.Minute)
	for n, seconds := range map[int]time.Duration{1: 1, 2: 2, 3: 4, 6: 32, 7: 60, 100: 60} {
		want := seconds * time.Second
		for range 50 {
			if d := backoff(n); d < want*3/4 || d > want*5/4 {
				t.Fatalf("attempt %d waits %s, want about %s", n, d, want)
			}
		}
	}
}
