package queue_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bungalow/hooks/kit/queue"

	"github.com/pocketbase/pocketbase/core"
)

func TestDeadLetter(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	var broken atomic.Bool
	broken.Store(true)
	got, buried := make(chan string, 1), make(chan string, 1)
	queue.Register(app, queue.Kind{
		Name: "fragile", Attempts: 2, Backoff: func(int) time.Duration { return 0 },
		Do: func(ctx context.Context, app core.App, payload []byte) error {
			if broken.Load() {
				return errors.New(strings.Repeat("ä", 4000))
			}
			return tell(got)(ctx, app, payload)
		},
		Dead: func(tx core.App, payload []byte, _ error) error {
			if tx.TxInfo() == nil {
				t.Error("Dead ran outside the transaction")
			}
			buried <- string(payload)
			panic("in Dead")
		},
	})
	must(t, queue.Start(app))
	must(t, queue.Enqueue(app, "fragile", "precious"))
	eventually(t, app, queue.Counts{Dead: 1})
	if s := receive(t, buried); s != `"precious"` {
		t.Fatalf("Dead was told %s", s)
	}
	jobs, err := queue.List(app, queue.Filter{State: queue.Dead})
	must(t, err)
	j := jobs[0]
	if string(j.Payload) != `"precious"` || j.Attempts != 2 || len(j.Error) > 2100 || !strings.HasSuffix(j.Error, "ä…") {
		t.Fatalf("dead letter %+v", j)
	}

	broken.Store(false)
	must(t, queue.Retry(app, j.ID))
	if s := receive(t, got); s != "precious" {
		t.Fatalf("retried with %q", s)
	}
	eventually(t, app, queue.Counts{})
	if err := queue.Retry(app, j.ID); !errors.Is(err, queue.ErrNoJob) {
		t.Fatalf("retry of nothing: %v", err)
	}
}

func TestNoRetry(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	if queue.NoRetry(nil) != nil {
		t.Error("NoRetry made an error of nil")
	}
	queue.Register(app, queue.Kind{Name: "never", Do: func(context.Context, core.App, []byte) error {
		return queue.NoRetry(errors.New("no such place"))
	}})
	must(t, queue.Start(app))
	must(t, queue.Enqueue(app, "never", nil))
	j := waitForJob(t, app, func(j queue.Job) bool { return j.State == queue.Dead })
	if j.Attempts != 1 || j.Error != "no such place" {
		t.Fatalf("%+v", j)
	}
	must(t, queue.Drop(app, j.ID))
	if err := queue.Drop(app, j.ID); !errors.Is(err, queue.ErrNoJob) {
		t.Fatalf("second drop: %v", err)
	}
}

func TestRetryBesideAJobOfTheSameKey(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	queue.Register(app, queue.Kind{Name: "index", Do: func(context.Context, core.App, []byte) error {
		return queue.NoRetry(errors.New("no"))
	}})
	must(t, queue.Start(app))
	must(t, queue.Enqueue(app, "index", 1, queue.Unique("a")))
	eventually(t, app, queue.Counts{Dead: 1})
	must(t, queue.Stop(t.Context(), app))
	must(t, queue.Enqueue(app, "index", 2, queue.Unique("a")))
	dead, err := queue.List(app, queue.Filter{State: queue.Dead})
	must(t, err)
	must(t, queue.Retry(app, dead[0].ID))
	eventually(t, app, queue.Counts{Waiting: 2})
}

func TestListPages(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	for i := range 5 {
		must(t, queue.Enqueue(app, "x", i))
	}
	var seen string
	var before int64
	for {
		jobs, err := queue.List(app, queue.Filter{State: queue.Waiting, Before: before, Limit: 2})
		must(t, err)
		if len(jobs) == 0 {
			break
		}
		for _, j := range jobs {
			seen += string(j.Payload)
			before = j.ID
		}
	}
	if seen != "43210" {
		t.Fatalf("pages gave %s", seen)
	}
	if _, err := queue.List(app, queue.Filter{State: "odd"}); err == nil {
		t.Fatal("an unknown state was taken")
	}
}
