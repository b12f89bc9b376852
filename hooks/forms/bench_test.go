package forms_test

import (
	"fmt"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/spam"
)

// BenchmarkPost is what one stored submission costs, from the request to the
// answer, with every feature on.
func BenchmarkPost(b *testing.B) {
	for _, without := range [][]string{nil, {"inbox"}} {
		b.Run("without="+strings.Join(without, ","), func(b *testing.B) {
			app := contact(b, without...)
			sitetest.Make(b, app, schema.Settings, map[string]any{"feature": spam.Feature, "value": spam.Options{NoLimits: true}})
			var n atomic.Int64
			b.ReportAllocs()
			b.SetParallelism(32) // 64 at once on two cores, as the side-by-side benchmark
			cpu := processorTime(b)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					i := n.Add(1)
					body := fmt.Sprintf("name=Visitor+%d&email=v%d@example.com&message=Hello+from+number+%d.+Are+you+open+on+day+%d?", i, i, i, i)
					req := httptest.NewRequest("POST", "/f/contact", strings.NewReader(body))
					req.Header.Set("Content-Type", encoded)
					rec := httptest.NewRecorder()
					app.Handler.ServeHTTP(rec, req)
					if rec.Code != 201 {
						b.Errorf("%d %s", rec.Code, rec.Body)
						return
					}
				}
			})
			b.ReportMetric(float64((processorTime(b)-cpu).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
}

// processorTime is what the process has used so far, in all its threads.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
