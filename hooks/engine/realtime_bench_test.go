package engine

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkRealtimeCreates is how many creates are answered with a thousand
// subscribers who hear of each, and how long until all have heard of the last.
func BenchmarkRealtimeCreates(b *testing.B) {
	for _, run := range []struct {
		name string
		o    Options
	}{{"plain", Options{}}, {"hub", Options{Realtime: true}}} {
		b.Run(run.name, func(b *testing.B) { benchmarkCreates(b, run.o, 1000) })
	}
}

func benchmarkCreates(b *testing.B, o Options, subscribers int) {
	s := serve(b, "", o)
	open := s.collection(b, "open", rule(""))
	open.CreateRule = rule("")
	if err := s.Save(open); err != nil {
		b.Fatal(err)
	}
	url := online(b, s)
	var got atomic.Int64
	want, allHeard := int64(b.N*subscribers), make(chan struct{})
	for range subscribers {
		res, err := http.Get(url + "/api/realtime")
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { _ = res.Body.Close() })
		lines := bufio.NewReader(res.Body)
		line, err := lines.ReadString('\n')
		if err != nil {
			b.Fatal(err)
		}
		l := &listener{id: strings.TrimSpace(strings.TrimPrefix(line, "id:"))}
		l.subscribe(b, url, "", "open/*")
		go func() {
			for {
				line, err := lines.ReadSlice('\n')
				if err != nil {
					return
				}
				if bytes.HasPrefix(line, []byte("event:open/*")) && got.Add(1) == want {
					close(allHeard)
				}
			}
		}()
	}
	b.ResetTimer()
	began := time.Now()
	for i := range b.N {
		body := fmt.Sprintf(`{"title":"event %d","n":%d}`, i, i)
		if status, _, answer := s.do(http.MethodPost, "/api/collections/open/records", body, "Content-Type", "application/json"); status != 200 {
			b.Fatal(status, answer)
		}
	}
	answered := time.Since(began)
	<-allHeard
	b.StopTimer()
	b.ReportMetric(float64(b.N)/answered.Seconds(), "creates/s")
	b.ReportMetric(float64(b.N)/time.Since(began).Seconds(), "heard/s")
}
