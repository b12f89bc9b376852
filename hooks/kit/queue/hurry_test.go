package queue_test

import (
	"errors"
	"testing"
	"time"

	"bungalow/hooks/kit/queue"
)

func TestAWaitingJobIsHurried(t *testing.T) {
	t.Parallel()
	app := newApp(t)
	got := make(chan string, 1)
	queue.Register(app, queue.Kind{Name: "later", Do: tell(got)})
	must(t, queue.Start(app))
	must(t, queue.Enqueue(app, "later", "now", queue.RunAt(time.Now().Add(24*time.Hour))))
	jobs, err := queue.List(app, queue.Filter{})
	must(t, err)
	must(t, queue.Hurry(app, jobs[0].ID))
	if s := receive(t, got); s != "now" {
		t.Fatalf("it ran with %q", s)
	}
	eventually(t, app, queue.Counts{})
	if err := queue.Hurry(app, jobs[0].ID); !errors.Is(err, queue.ErrNoJob) {
		t.Fatalf("hurrying nothing: %v", err)
	}
}
