package sqlite_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bungalow/hooks/kit/sqlite"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"
)

// BenchmarkCreates saves records from 1, 16 and 64 goroutines on PocketBase's
// own connection and on ours.
func BenchmarkCreates(b *testing.B) {
	plain := sqlite.Options{NoQueue: true, Statements: -1}
	for _, kind := range []struct {
		name    string
		connect core.DBConnectFunc
		o       sqlite.Options
	}{
		{"pocketbase-normal", core.DefaultDBConnect, plain},
		{"plain-full", sqlite.Connect(plain), plain},
		{"queue-full", sqlite.Connect(sqlite.Options{}), sqlite.Options{}},
		{"queue-normal", sqlite.Connect(sqlite.Options{Durability: sqlite.Normal}), sqlite.Options{Durability: sqlite.Normal}},
	} {
		for _, writers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/%d", kind.name, writers), func(b *testing.B) {
				app, err := tests.NewTestAppWithConfig(core.BaseAppConfig{EncryptionEnv: "pb_test_env", DBConnect: kind.connect})
				if err != nil {
					b.Fatal(err)
				}
				defer app.Cleanup()
				sqlite.Bind(app, kind.o)
				c := core.NewBaseCollection("made")
				c.Fields.Add(&core.TextField{Name: "title"}, &core.TextField{Name: "body"}, &core.NumberField{Name: "n"})
				if err := app.Save(c); err != nil {
					b.Fatal(err)
				}
				var left atomic.Int64
				left.Store(int64(b.N))
				var longest atomic.Int64
				var all sync.WaitGroup
				b.ResetTimer()
				for range writers {
					all.Go(func() {
						for left.Add(-1) >= 0 {
							r := core.NewRecord(c)
							r.Set("title", "a title of some words")
							begun := time.Now()
							if err := app.Save(r); err != nil {
								b.Error(err)
								return
							}
							took := int64(time.Since(begun))
							for old := longest.Load(); took > old && !longest.CompareAndSwap(old, took); old = longest.Load() {
							}
						}
					})
				}
				all.Wait()
				b.StopTimer()
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "creates/s")
				b.ReportMetric(float64(longest.Load())/1e6, "longest-ms")
				if st, ok := sqlite.StatsOf(app); ok && st.Syncs > 0 {
					b.ReportMetric(float64(b.N)/float64(st.Syncs), "creates/sync")
				}
			})
		}
	}
}
