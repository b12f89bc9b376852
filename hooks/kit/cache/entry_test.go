package cache

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
)

var long = strings.Repeat("<p>The quick brown fox jumps over the lazy dog.</p>\n", 200)

func serve(e *Entry, method string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/", nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	e.Serve(w, r)
	return w
}

func unpack(t *testing.T, w *httptest.ResponseRecorder) string {
	t.Helper()
	var r io.Reader = w.Body
	switch w.Header().Get("Content-Encoding") {
	case "br":
		r = brotli.NewReader(r)
	case "gzip":
		g, err := gzip.NewReader(r)
		if err != nil {
			t.Fatal(err)
		}
		r = g
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestServeNegotiates(t *testing.T) {
	t.Parallel()
	e := page(long)
	for accept, want := range map[string]string{
		"":                                "",
		"gzip, deflate, br, zstd":         "br",
		"gzip, deflate":                   "gzip",
		"GZIP":                            "gzip",
		"br;q=0, gzip":                    "gzip",
		"br;q=0,gzip;q=0":                 "",
		"br;q=0.0, *":                     "gzip",
		"*":                               "br",
		"*;q=0":                           "",
		"gzip;q=1.0, br;q=0.5":            "gzip",
		"gzip;q=0.5, identity":            "",
		"gzip ; q=0.5 , br ; q = 0.8":     "br",
		"br;q=1.5, gzip;q=x, identity":    "",
		"brotli, gzipped, deflate":        "",
		"identity;q=0":                    "",
		",,;;q=,br;q=0.001,":              "br",
		"gzip;level=9;q=0.1":              "gzip",
		"br;q=0.12345, gzip;q=0.2;q=0.9;": "gzip",
	} {
		w := serve(e, "GET", "Accept-Encoding", accept)
		if got := w.Header().Get("Content-Encoding"); got != want {
			t.Errorf("Accept-Encoding %q: got %q, want %q", accept, got, want)
		}
		if w.Header().Get("Vary") != "Accept-Encoding" || w.Code != 200 {
			t.Errorf("Accept-Encoding %q: status %d, Vary %q", accept, w.Code, w.Header().Get("Vary"))
		}
		if unpack(t, w) != long {
			t.Errorf("Accept-Encoding %q: another body", accept)
		}
	}
}

func TestServeDoesNotCompress(t *testing.T) {
	t.Parallel()
	for name, e := range map[string]*Entry{
		"small":        page("short"),
		"image":        {Header: http.Header{"Content-Type": {"image/png"}}, Body: []byte(long)},
		"encoded":      {Header: http.Header{"Content-Type": {"text/plain"}, "Content-Encoding": {"deflate"}}, Body: []byte(long)},
		"no-transform": {Header: http.Header{"Content-Type": {"text/plain"}, "Cache-Control": {"no-transform"}}, Body: []byte(long)},
		"event stream": {Header: http.Header{"Content-Type": {"text/event-stream"}}, Body: []byte(long)},
	} {
		w := serve(e, "GET", "Accept-Encoding", "br, gzip")
		if got := w.Header().Get("Content-Encoding"); got == "br" || got == "gzip" || w.Header().Get("Vary") != "" {
			t.Errorf("%s: Content-Encoding %q, Vary %q", name, got, w.Header().Get("Vary"))
		}
	}
}

func TestGivenFormsAreUsed(t *testing.T) {
	t.Parallel()
	e := page("tiny")
	e.Brotli, e.Gzip = packBrotli([]byte("tiny")), packGzip([]byte("tiny"))
	for _, enc := range []string{"br", "gzip"} {
		w := serve(e, "GET", "Accept-Encoding", enc)
		if w.Header().Get("Content-Encoding") != enc || unpack(t, w) != "tiny" {
			t.Errorf("%s was not served from what was given", enc)
		}
	}
}

func TestServeConditional(t *testing.T) {
	t.Parallel()
	changed := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	e := page(long)
	e.Header.Set("Last-Modified", changed.Format(http.TimeFormat))
	e.Header.Set("Cache-Control", "no-cache")
	plain, br := e.ETag(), serve(e, "GET", "Accept-Encoding", "br").Header().Get("Etag")
	if plain == br || !strings.HasPrefix(plain, `"`) {
		t.Fatalf("strong tags of two encodings must differ: %s, %s", plain, br)
	}
	for _, tt := range []struct {
		name   string
		header []string
		want   int
		etag   string
	}{
		{"none", nil, 200, plain},
		{"same", []string{"If-None-Match", plain}, 304, plain},
		{"weak", []string{"If-None-Match", "W/" + plain}, 304, plain},
		{"list", []string{"If-None-Match", `"a", ` + plain}, 304, plain},
		{"two lines", []string{"If-None-Match", `"a"`, "If-None-Match", plain}, 304, plain},
		{"star", []string{"If-None-Match", "*"}, 304, plain},
		{"other encoding", []string{"If-None-Match", br}, 304, br},
		{"other", []string{"If-None-Match", `"abc"`}, 200, plain},
		{"unquoted", []string{"If-None-Match", strings.Trim(plain, `"`)}, 200, plain},
		{"prefix", []string{"If-None-Match", strings.TrimSuffix(plain, `"`) + `-zz"`}, 200, plain},
		{"broken", []string{"If-None-Match", `",W/",`}, 200, plain},
		{"since then", []string{"If-Modified-Since", changed.Format(http.TimeFormat)}, 304, plain},
		{"since before", []string{"If-Modified-Since", changed.Add(-time.Second).Format(http.TimeFormat)}, 200, plain},
		{"since never", []string{"If-Modified-Since", "yesterday"}, 200, plain},
		{"tag beats date", []string{"If-None-Match", `"abc"`, "If-Modified-Since", changed.Format(http.TimeFormat)}, 200, plain},
	} {
		w := serve(e, "GET", tt.header...)
		if w.Code != tt.want || w.Header().Get("Etag") != tt.etag {
			t.Errorf("%s: %d %s, want %d %s", tt.name, w.Code, w.Header().Get("Etag"), tt.want, tt.etag)
		}
		if w.Code == 304 && (w.Body.Len() > 0 || w.Header().Get("Content-Length") != "" || w.Header().Get("Content-Type") != "") {
			t.Errorf("%s: a 304 with a body or its headers: %v", tt.name, w.Header())
		}
		if w.Header().Get("Vary") == "" || w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: headers for caches are missing: %v", tt.name, w.Header())
		}
	}
	if w := serve(e, "POST", "If-None-Match", plain); w.Code != 200 {
		t.Errorf("POST: %d", w.Code)
	}
	lost := page(long)
	lost.Status = 404
	if w := serve(lost, "GET", "If-None-Match", lost.ETag()); w.Code != 404 {
		t.Errorf("a 404 became %d", w.Code)
	}
}

func TestServeHeadAndVary(t *testing.T) {
	t.Parallel()
	e := page(long)
	get, head := serve(e, "GET"), serve(e, "HEAD")
	if head.Body.Len() != 0 || head.Header().Get("Content-Length") != get.Header().Get("Content-Length") {
		t.Fatalf("HEAD: %d bytes, %v", head.Body.Len(), head.Header())
	}
	w := httptest.NewRecorder()
	w.Header().Set("Vary", "Origin")
	e.Serve(w, httptest.NewRequest("GET", "/", nil))
	if got := w.Header().Values("Vary"); len(got) != 2 || got[0] != "Origin" || got[1] != "Accept-Encoding" {
		t.Fatalf("Vary = %q", got)
	}
	w.Header().Add("Vary", "Cookie")
	if again := serve(e, "GET"); again.Header().Get("Vary") != "Accept-Encoding" || len(again.Header().Values("Vary")) != 1 {
		t.Fatalf("one answer's headers leaked into the next: %v", again.Header())
	}
}

func FuzzAcceptEncoding(f *testing.F) {
	for _, s := range []string{"", "br", "gzip;q=0", "*;q=0.3, br;q=0", "identity;q=1.000,gzip;q=0.999", ";;,,==", "br;q=-1"} {
		f.Add(s)
	}
	e := page(long)
	f.Fuzz(func(t *testing.T, accept string) {
		br, gz, id := negotiate([]string{accept})
		for _, q := range []int{br, gz, id} {
			if q < 0 || q > 1000 {
				t.Fatalf("weight %d", q)
			}
		}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["Accept-Encoding"] = []string{accept}
		r.Header["If-None-Match"] = []string{accept}
		w := httptest.NewRecorder()
		e.Serve(w, r)
		switch enc := w.Header().Get("Content-Encoding"); {
		case w.Code == 304:
		case enc != "" && !strings.Contains(strings.ToLower(accept), enc) && !strings.Contains(accept, "*"):
			t.Fatalf("%q was answered with %q", accept, enc)
		case unpack(t, w) != long:
			t.Fatal("another body")
		}
	})
}

// quiet is a ResponseWriter that keeps nothing.
type quiet struct{ h http.Header }

func (q *quiet) Header() http.Header         { return q.h }
func (q *quiet) Write(b []byte) (int, error) { return len(b), nil }
func (q *quiet) WriteHeader(int)             {}

func TestServingAHitAllocatesNothing(t *testing.T) {
	e := page(long)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", "gzip, deflate, br")
	w := &quiet{http.Header{}}
	c := New(1 << 20)
	mustDo(t, c, "k", func(d *Deps) (*Entry, error) { d.Uses("posts", "a", "b"); return e, nil })
	e.Serve(w, r)
	if n := testing.AllocsPerRun(100, func() {
		clear(w.h)
		hit, _ := c.Get("k")
		hit.Serve(w, r)
	}); n > 0 {
		t.Fatalf("%v allocations", n)
	}
}

// The two benchmarks answer the same 30 KB over loopback; their ratio is what
// a hit costs above a bare handler.
func BenchmarkBareHandler(b *testing.B) {
	body := bytes.Repeat([]byte("x"), 30<<10)
	load(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write(body)
	}))
}

func BenchmarkHit(b *testing.B) {
	c := New(1 << 20)
	body := strings.Repeat("x", 30<<10)
	_, _ = c.Do(b.Context(), "/", func(d *Deps) (*Entry, error) {
		d.Uses("posts")
		d.Until(time.Now().Add(time.Hour))
		return page(body), nil
	})
	load(b, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e, ok := c.Get(r.URL.Path)
		if !ok {
			b.Error("miss")
			return
		}
		e.Serve(w, r)
	}))
}

func load(b *testing.B, h http.Handler) {
	srv := httptest.NewServer(h)
	defer srv.Close()
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64, DisableCompression: true}}
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			res, err := client.Get(srv.URL + "/")
			if err != nil {
				b.Error(err)
				return
			}
			_, _ = io.Copy(io.Discard, res.Body)
			_ = res.Body.Close()
		}
	})
}

// BenchmarkServe is the hit alone, without a network.
func BenchmarkServe(b *testing.B) {
	e := page(long)
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Accept-Encoding", "gzip, deflate, br")
	w := &quiet{http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.h)
		e.Serve(w, r)
	}
}
