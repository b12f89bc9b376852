//go:build unix

package site

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"syscall"
	"testing"

	"bungalow/hooks/kit/cache"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// BenchmarkStatic serves one file of 10 KB over loopback and without a network:
// through PocketBase's router what apis.Static costs and what ours costs, and
// with neither, from memory, what net/http alone costs.
func BenchmarkStatic(b *testing.B) {
	dir, s := benchFolder(b)
	ours := mounted(b, func(e *core.RequestEvent) error {
		file, ok := s.Find(e.Request.URL.Path)
		if !ok {
			return e.NotFoundError("", nil)
		}
		return s.Serve(e.Response, e.Request, file)
	})
	theirs := mounted(b, apis.Static(os.DirFS(dir), false))
	body := []byte(strings.Repeat("0123456789", 1024))
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		w.Header().Set("Content-Length", "10240")
		_, _ = w.Write(body)
	})
	b.Run("network/bare", func(b *testing.B) { overLoopback(b, bare) })
	b.Run("network/ours", func(b *testing.B) { overLoopback(b, ours) })
	b.Run("network/pocketbase", func(b *testing.B) { overLoopback(b, theirs) })
	b.Run("handler/ours", func(b *testing.B) { inProcess(b, ours) })
	b.Run("handler/pocketbase", func(b *testing.B) { inProcess(b, theirs) })
}

func benchFolder(b *testing.B) (string, *Static) {
	dir := b.TempDir()
	put(b, dir, "assets/css/site.css", strings.Repeat("0123456789", 1024))
	return dir, NewStatic(dir, builtInFiles, cache.New(1<<20))
}

func mounted(b *testing.B, do func(*core.RequestEvent) error) http.Handler {
	r := router.NewRouter(func(w http.ResponseWriter, r *http.Request) (*core.RequestEvent, router.EventCleanupFunc) {
		return &core.RequestEvent{Event: router.Event{Response: w, Request: r}}, nil
	})
	r.GET("/{path...}", do)
	mux, err := r.BuildMux()
	if err != nil {
		b.Fatal(err)
	}
	return mux
}

// overLoopback asks on 16 kept connections with a client that does next to
// nothing, because it shares the processors with the server.
func overLoopback(b *testing.B, h http.Handler) {
	srv := httptest.NewServer(h)
	defer srv.Close()
	const ask = "GET /assets/css/site.css HTTP/1.1\r\nHost: localhost\r\n\r\n"
	b.SetParallelism(8)
	before := processorTime()
	defer func() { b.ReportMetric(float64(processorTime()-before)/float64(b.N), "cpu-ns/op") }()
	b.RunParallel(func(pb *testing.PB) {
		conn, err := net.Dial("tcp", srv.Listener.Addr().String())
		if err != nil {
			b.Error(err)
			return
		}
		defer conn.Close()
		in := bufio.NewReaderSize(conn, 32<<10)
		for pb.Next() {
			if _, err := io.WriteString(conn, ask); err != nil {
				b.Error(err)
				return
			}
			for { // the header, then the body
				line, err := in.ReadSlice('\n')
				if err != nil {
					b.Error(err)
					return
				}
				if len(line) == 2 {
					break
				}
			}
			if n, err := in.Discard(10240); n != 10240 {
				b.Error(err)
				return
			}
		}
	})
}

// processorTime is what this process has used, in nanoseconds: unlike the time
// on the clock it does not depend on what else the machine does.
func processorTime() int64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return u.Utime.Nano() + u.Stime.Nano()
}

type discard struct{ h http.Header }

func (d *discard) Header() http.Header         { return d.h }
func (d *discard) Write(p []byte) (int, error) { return len(p), nil }
func (d *discard) WriteHeader(int)             {}

func inProcess(b *testing.B, h http.Handler) {
	r := httptest.NewRequest("GET", "/assets/css/site.css", nil)
	b.ReportAllocs()
	for b.Loop() {
		one := *r // the router wraps the body of the one it gets
		h.ServeHTTP(&discard{http.Header{}}, &one)
	}
}
