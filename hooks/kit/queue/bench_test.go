package queue_test

import (
	"context"
	"sync/atomic"
	"testing"

	"bungalow/hooks/kit/queue"

	"github.com/pocketbase/pocketbase/core"
)

// Each enqueue is a transaction of its own.
func BenchmarkEnqueue(b *testing.B) {
	app := newApp(b)
	for b.Loop() {
		must(b, queue.Enqueue(app, "work", b.N))
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "enqueues/s")
}

// The jobs wait already and do nothing.
func BenchmarkRun(b *testing.B) {
	benchmarkRun(b, func(app core.App) {
		must(b, app.RunInTransaction(func(tx core.App) error {
			for i := range b.N {
				must(b, queue.Enqueue(tx, "work", i))
			}
			return nil
		}))
		b.ResetTimer()
	})
}

// The jobs are enqueued one by one while others run.
func BenchmarkEnqueueAndRun(b *testing.B) {
	benchmarkRun(b, func(app core.App) {
		b.ResetTimer()
		go func() {
			for i := range b.N {
				if err := queue.Enqueue(app, "work", i); err != nil {
					b.Error(err)
				}
			}
		}()
	})
}

func benchmarkRun(b *testing.B, fill func(core.App)) {
	app := newApp(b)
	var ran atomic.Int64
	all := make(chan struct{})
	queue.Register(app, queue.Kind{
		Name: "work",
		Do: func(context.Context, core.App, []byte) error {
			if ran.Add(1) == int64(b.N) {
				close(all)
			}
			return nil
		},
	})
	fill(app)
	must(b, queue.Start(app))
	<-all
	must(b, queue.Stop(b.Context(), app)) // the results are stored too
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}
