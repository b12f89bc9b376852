package queue_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bungalow/hooks/kit/queue"

	"github.com/pocketbase/pocketbase/core"
)

func TestConcurrencyLimit(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	const limit, jobs = 3, 60
	var now, most atomic.Int32
	full := make(chan struct{})
	queue.Register(app, queue.Kind{
		Name: "work", Concurrency: limit,
		Do: func(context.Context, core.App, []byte) error {
			n := now.Add(1)
			defer now.Add(-1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			if n == limit {
				select {
				case <-full:
				default:
					close(full)
				}
			}
			select {
			case <-full: // the first ones wait for each other
			case <-time.After(20 * time.Second):
				return errors.New("never ran side by side")
			}
			return nil
		},
	})
	must(t, app.RunInTransaction(func(tx core.App) error {
		for i := range jobs {
			must(t, queue.Enqueue(tx, "work", i))
		}
		return nil
	}))
	must(t, queue.Start(app))
	eventually(t, app, queue.Counts{})
	if most.Load() != limit {
		t.Fatalf("%d ran at once, want %d", most.Load(), limit)
	}
}

// Small jobs are claimed ahead; none may be run twice or left behind.
func TestEveryJobRunsOnce(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	const jobs = 1000
	ran := make([]atomic.Int32, jobs)
	queue.Register(app, queue.Kind{
		Name: "count",
		Do: func(_ context.Context, _ core.App, payload []byte) error {
			var i int
			for _, c := range payload {
				i = i*10 + int(c-'0')
			}
			ran[i].Add(1)
			return nil
		},
	})
	must(t, queue.Start(app))
	for i := range jobs {
		must(t, queue.Enqueue(app, "count", i))
	}
	eventually(t, app, queue.Counts{})
	for i := range ran {
		if n := ran[i].Load(); n != 1 {
			t.Fatalf("job %d ran %d times", i, n)
		}
	}
}

func TestTimeoutEndsTheContext(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	queue.Register(app, queue.Kind{
		Name: "slow", Attempts: 1, Timeout: time.Millisecond,
		Do: func(ctx context.Context, _ core.App, _ []byte) error {
			<-ctx.Done()
			return ctx.Err()
		},
	})
	must(t, queue.Start(app))
	must(t, queue.Enqueue(app, "slow", nil))
	j := waitForJob(t, app, func(j queue.Job) bool { return j.State == queue.Dead })
	if !strings.Contains(j.Error, context.DeadlineExceeded.Error()) {
		t.Fatalf("error %q", j.Error)
	}
}

func TestDeafHandlerIsAbandoned(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	queue.Register(app, queue.Kind{
		Name: "deaf", Attempts: 1, Concurrency: 1, Timeout: time.Millisecond,
		Do: func(_ context.Context, _ core.App, payload []byte) error {
			if string(payload) == "1" {
				<-release
			}
			return nil
		},
	})
	must(t, queue.Start(app))
	must(t, queue.Enqueue(app, "deaf", 1))
	must(t, queue.Enqueue(app, "deaf", 2)) // runs although the first never ends
	eventually(t, app, queue.Counts{Dead: 1})
}

func TestStopOutOfTimeGivesTheJobBack(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	begun := make(chan int, 1)
	queue.Register(app, queue.Kind{
		Name: "work", Attempts: 1,
		Do: func(ctx context.Context, _ core.App, _ []byte) error {
			begun <- 1
			<-ctx.Done()
			return ctx.Err()
		},
	})
	must(t, queue.Start(app))
	must(t, queue.Enqueue(app, "work", nil))
	receive(t, begun)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := queue.Stop(ctx, app); !errors.Is(err, context.Canceled) {
		t.Fatalf("stop: %v", err)
	}
	j := waitForJob(t, app, func(queue.Job) bool { return true })
	if j.State != queue.Waiting || j.Attempts != 0 {
		t.Fatalf("interrupted job is %+v", j)
	}
}

func TestClosingTheDatabaseStops(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	got := make(chan string, 1)
	queue.Register(app, queue.Kind{Name: "greet", Do: tell(got)})
	must(t, queue.Start(app))
	must(t, queue.Enqueue(app, "greet", "before"))
	receive(t, got)
	must(t, app.ClearBootstrap())
	must(t, queue.Start(app)) // without a database: nothing
	must(t, app.Bootstrap())
	must(t, queue.Start(app))
	must(t, queue.Enqueue(app, "greet", "after"))
	if s := receive(t, got); s != "after" {
		t.Fatalf("ran %q", s)
	}
	eventually(t, app, queue.Counts{})
}

// child is the process that TestSurvivesSIGKILL kills in the middle of a job.
func child(dir string) {
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		panic(err)
	}
	queue.Register(app, queue.Kind{
		Name: "work",
		Do: func(context.Context, core.App, []byte) error {
			if err := os.WriteFile(filepath.Join(dir, "begun"), nil, 0o600); err != nil {
				panic(err)
			}
			select {}
		},
	})
	if err := queue.Start(app); err != nil {
		panic(err)
	}
	_, _ = os.Stdin.Read(make([]byte, 1)) // ends should the parent end first
}

func TestSurvivesSIGKILL(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	app := openApp(t, dir)
	must(t, queue.Enqueue(app, "work", "precious"))

	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "BUNGALOW_QUEUE_CHILD="+dir)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	must(t, err)
	defer stdin.Close()
	must(t, cmd.Start())
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(dir, "begun")); err == nil {
			break
		} else if time.Now().After(deadline) {
			t.Fatal("the child never began the job")
		}
	}
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	eventually(t, app, queue.Counts{Running: 1})

	var skew atomic.Int64
	queue.SetClock(app, func() time.Time { return time.Now().Add(time.Duration(skew.Load())) })
	got := make(chan string, 1)
	queue.Register(app, queue.Kind{Name: "work", Do: tell(got), Backoff: func(int) time.Duration { return 0 }})
	must(t, queue.Start(app))
	eventually(t, app, queue.Counts{Running: 1}) // the lease still stands
	skew.Store(int64(time.Minute))
	queue.SetClock(app, func() time.Time { return time.Now().Add(time.Minute) })
	if s := receive(t, got); s != "precious" {
		t.Fatalf("ran with %q", s)
	}
	eventually(t, app, queue.Counts{})
}
