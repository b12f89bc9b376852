package site

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"bungalow/hooks/kit/cache"
)

var builtInFiles = fstest.MapFS{
	"_theme/layouts/base.html": {Data: []byte("secret template")},
	"assets/css/site.css":      {Data: []byte("built in css")},
	"assets/big.js":            {Data: bytes.Repeat([]byte("big "), inMemory/3)},
	"public.go":                {Data: []byte("package secret")},
	"help/index.html":          {Data: []byte("built-in help")},
}

// calm is long enough ago that a file is kept in memory.
var calm = time.Now().Add(-time.Hour).Truncate(time.Second)

func put(t testing.TB, dir, name, content string) {
	t.Helper()
	putAt(t, dir, name, content, calm)
}

func putAt(t testing.TB, dir, name, content string, modified time.Time) {
	t.Helper()
	file := filepath.Join(dir, filepath.FromSlash(name))
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(content), 0o644),
		os.Chtimes(file, modified, modified)); err != nil {
		t.Fatal(err)
	}
}

func newStatic(t testing.TB) (s *Static, dir string) {
	t.Helper()
	dir = t.TempDir()
	return NewStatic(dir, builtInFiles, cache.New(16<<20)), dir
}

// fetch asks as a router would; a file that is not found is 404.
func fetch(t testing.TB, s *Static, method, target string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, target, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	w.Header().Set("Content-Security-Policy", "default-src 'none'")
	file, ok := s.Find(r.URL.Path)
	if !ok {
		w.WriteHeader(http.StatusNotFound)
		return w
	}
	if err := s.Serve(w, r, file); err != nil {
		t.Fatalf("%s %s: %v", method, target, err)
	}
	return w
}

func TestStaticAddresses(t *testing.T) {
	t.Parallel()
	s, dir := newStatic(t)
	outside := t.TempDir()
	put(t, outside, "secret.txt", "secret outside")
	for _, name := range []string{"index.html", "about/index.html", "a b/ü.txt", "_astro/app.js", "_theme/pages/x.html", ".env", ".git/config",
		".well-known/security.txt", ".well-known/.hidden", "x/.well-known/y", "main.go", "x/main.GO", "assets/css/site.css", "empty/sub/file.txt", "%2e%2e", "_themes/ok.txt", "x/_theme/ok.txt"} {
		put(t, dir, name, "disk "+name)
	}
	for link, to := range map[string]string{"out": outside, "out.txt": filepath.Join(outside, "secret.txt"), "in.txt": "a b/ü.txt",
		"templates": "_theme", "tpl.html": "_theme/pages/x.html", "env.txt": ".env", "dangling": "nowhere", "loop": "loop", "code.txt": "main.go"} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip("no symlinks here:", err)
		}
	}
	for _, tt := range []struct {
		target string
		want   string // "" 404, "/…" redirect, otherwise the body
	}{
		{"/", "disk index.html"},
		{"/about/", "disk about/index.html"},
		{"/about", "/about/"},
		{"/about?a=b&c", "/about/?a=b&c"},
		{"/index.html", "/"},
		{"/about/index.html?q=1", "/about/?q=1"},
		{"/help/", "built-in help"},
		{"/help", "/help/"},
		{"/a%20b/%C3%BC.txt", "disk a b/ü.txt"},
		{"/_astro/app.js", "disk _astro/app.js"},
		{"/_themes/ok.txt", "disk _themes/ok.txt"},
		{"/x/_theme/ok.txt", "disk x/_theme/ok.txt"},
		{"/assets/css/site.css", "disk assets/css/site.css"},
		{"/.well-known/security.txt", "disk .well-known/security.txt"},
		{"/%252e%252e", "disk %2e%2e"},
		{"/in.txt", "disk a b/ü.txt"},

		{"/assets/css/site.css/", ""},
		{"/none.txt", ""},
		{"/empty/", ""},
		{"/empty", ""},
		{"/empty/sub", ""},
		{"/assets", ""},
		{"/_theme/pages/x.html", ""},
		{"/_theme/layouts/base.html", ""},
		{"/_THEME/pages/x.html", ""},
		{"/_theme./pages/x.html", ""},
		{"/_theme%20/pages/x.html", ""},
		{"/_the%E2%80%8Cme/pages/x.html", ""},
		{"/%5ftheme/pages/x.html", ""},
		{"/_theme%2fpages%2fx.html", ""},
		{"/_theme%5cpages%5cx.html", ""},
		{"/x/..%2f_theme/pages/x.html", ""},
		{"/./_theme/pages/x.html", ""},
		{"//_theme/pages/x.html", ""},
		{"/about/%2e%2e/_theme/pages/x.html", ""},
		{"/about//", ""},
		{"/./", ""},
		{"/about/../", ""},
		{"//example.com", ""},
		{"//example.com/..", ""},
		{"/.env", ""},
		{"/%2eenv", ""},
		{"/.git/config", ""},
		{"/.well-known/.hidden", ""},
		{"/.WELL-KNOWN/security.txt", ""},
		{"/x/.well-known/y", ""},
		{"/main.go", ""},
		{"/x/main.GO", ""},
		{"/main.go.", ""},
		{"/public.go", ""},
		{"/main.go%00.txt", ""},
		{"/index.html%00", ""},
		{"/..%2f..%2fetc/passwd", ""},
		{"/%ff", ""},
		{"/" + strings.Repeat("a/", 2000), ""},
		{"/out/secret.txt", ""},
		{"/out.txt", ""},
		{"/out", ""},
		{"/templates/pages/x.html", ""},
		{"/tpl.html", ""},
		{"/env.txt", ""},
		{"/code.txt", ""},
		{"/dangling", ""},
		{"/loop", ""},
	} {
		w := fetch(t, s, "GET", tt.target)
		switch got := w.Header().Get("Location"); {
		case tt.want == "" && w.Code != 404, strings.HasPrefix(tt.want, "/") && (w.Code != 308 || got != tt.want),
			tt.want != "" && tt.want[0] != '/' && (w.Code != 200 || w.Body.String() != tt.want):
			t.Errorf("%s: %d %q %.40q, want %q", tt.target, w.Code, got, w.Body.String(), tt.want)
		}
	}
}

func TestStaticHeaders(t *testing.T) {
	t.Parallel()
	s, dir := newStatic(t)
	put(t, dir, "page.html", "<script>1</script>")
	put(t, dir, "data.json", "{}")
	put(t, dir, "noname", "<html>")
	put(t, dir, "font.woff2", "x")
	for target, want := range map[string]string{"/page.html": "text/html; charset=utf-8", "/data.json": "application/json",
		"/font.woff2": "font/woff2", "/assets/css/site.css": "text/css; charset=utf-8", "/noname": "text/html; charset=utf-8"} {
		w := fetch(t, s, "GET", target)
		h := w.Header()
		if h.Get("Content-Type") != want || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Etag") == "" || h.Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: %v", target, h)
		}
		if html := strings.HasPrefix(want, "text/html"); html == (h.Get("Content-Security-Policy") != "") || html != (h.Get("Referrer-Policy") != "") {
			t.Errorf("%s: policies %v", target, h)
		}
		if disk := target != "/assets/css/site.css"; disk != (h.Get("Last-Modified") == calm.UTC().Format(http.TimeFormat)) {
			t.Errorf("%s: Last-Modified %q", target, h.Get("Last-Modified"))
		}
	}
	if w := fetch(t, s, "POST", "/page.html"); w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("POST: %d %v", w.Code, w.Header())
	}
	if w := fetch(t, s, "HEAD", "/page.html"); w.Code != 200 || w.Body.Len() != 0 || w.Header().Get("Content-Length") != "18" {
		t.Errorf("HEAD: %d %v", w.Code, w.Header())
	}
}

func TestStaticConditionsAndRanges(t *testing.T) {
	t.Parallel()
	s, dir := newStatic(t)
	put(t, dir, "small.txt", "0123456789")
	put(t, dir, "large.txt", strings.Repeat("0123456789", inMemory/9))
	for _, target := range []string{"/small.txt", "/large.txt", "/assets/big.js"} {
		first := fetch(t, s, "GET", target)
		etag := first.Header().Get("Etag")
		for _, tt := range []struct {
			name   string
			header []string
			code   int
			body   string
		}{
			{"same tag", []string{"If-None-Match", etag}, 304, ""},
			{"other tag", []string{"If-None-Match", `"x"`}, 200, first.Body.String()},
			{"range", []string{"Range", "bytes=2-4"}, 206, first.Body.String()[2:5]},
			{"end", []string{"Range", "bytes=-3"}, 206, first.Body.String()[first.Body.Len()-3:]},
			{"past the end", []string{"Range", "bytes=99999999-"}, 416, ""},
			{"if range", []string{"Range", "bytes=0-0", "If-Range", etag}, 206, first.Body.String()[:1]},
			{"if other range", []string{"Range", "bytes=0-0", "If-Range", `"x"`}, 200, first.Body.String()},
			{"unreadable range", []string{"Range", "lines=1"}, 416, ""},
		} {
			w := fetch(t, s, "GET", target, tt.header...)
			if w.Code != tt.code || tt.body != "" && w.Body.String() != tt.body {
				t.Errorf("%s %s: %d, %d bytes", target, tt.name, w.Code, w.Body.Len())
			}
		}
		if since := first.Header().Get("Last-Modified"); since != "" {
			if w := fetch(t, s, "GET", target, "If-Modified-Since", since); w.Code != 304 {
				t.Errorf("%s If-Modified-Since: %d", target, w.Code)
			}
		}
	}
}

func TestStaticForeverOnlyWithItsHash(t *testing.T) {
	t.Parallel()
	s, dir := newStatic(t)
	put(t, dir, "a.css", "body{}")
	put(t, dir, "large.js", strings.Repeat("x", inMemory+1))
	for name, content := range map[string]string{"/a.css": "body{}", "/large.js": strings.Repeat("x", inMemory+1), "/assets/css/site.css": "built in css"} {
		sum := sha256.Sum256([]byte(content))
		hash := hex.EncodeToString(sum[:])
		for query, want := range map[string]string{"": "no-cache", "?v=" + hash[:10]: forever, "?v=" + hash[:9]: "no-cache",
			"?v=": "no-cache", "?v=0000000000": "no-cache", "?w=" + hash[:10]: "no-cache"} {
			if got := fetch(t, s, "GET", name+query).Header().Get("Cache-Control"); got != want {
				t.Errorf("%s%s: %q, want %q", name, query, got, want)
			}
		}
	}
}

func TestStaticShowsAChangeAtOnce(t *testing.T) {
	t.Parallel()
	s, dir := newStatic(t)
	get := func() string { return fetch(t, s, "GET", "/assets/css/site.css").Body.String() }
	if s.OnDisk("/assets/css/site.css") || s.OnDisk("/help/") || s.OnDisk("/") {
		t.Error("built-in files are not on disk")
	}
	for i, step := range []struct {
		do   func()
		want string
	}{
		{func() {}, "built in css"},
		{func() { put(t, dir, "assets/css/site.css", "one") }, "one"},
		{func() { putAt(t, dir, "assets/css/site.css", "two", calm.Add(1)) }, "two"},
		{func() { putAt(t, dir, "assets/css/site.css", "now", time.Now()) }, "now"},
		{func() { putAt(t, dir, "assets/css/site.css", "NOW", time.Now()) }, "NOW"},
		{func() { _ = os.RemoveAll(dir) }, "built in css"},
		{func() { put(t, dir, "assets/css/site.css", "a new folder") }, "a new folder"},
	} {
		step.do()
		if got := get(); got != step.want {
			t.Fatalf("step %d: got %q, want %q", i, got, step.want)
		}
	}
	put(t, dir, "help/index.html", "mine")
	if !s.OnDisk("/assets/css/site.css") || !s.OnDisk("/help/") || !s.OnDisk("/help") || s.OnDisk("/none") {
		t.Error("what is on disk is not found there")
	}
	file, _ := s.Find("/assets/css/site.css")
	_ = os.RemoveAll(dir)
	s.cache.BumpAll()
	file.entry = nil
	if err := s.Serve(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil), file); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that went away: %v", err)
	}
}

func TestStaticWhileFilesAreReplaced(t *testing.T) {
	t.Parallel()
	s, dir := newStatic(t)
	version := func(i int) string { return strings.Repeat(fmt.Sprintf("version %06d ", i), 200) }
	put(t, dir, "a.txt", version(0))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				r := httptest.NewRequest("GET", "/a.txt", nil)
				w := httptest.NewRecorder()
				file, ok := s.Find("/a.txt")
				if !ok {
					t.Error("the file was gone for a moment")
					return
				}
				if err := s.Serve(w, r, file); err != nil {
					t.Error(err)
					return
				}
				if got := w.Body.String(); got != strings.Repeat(got[:15], 200) {
					t.Error("a mix of two versions was served")
					return
				}
			}
		})
	}
	for i := 1; i <= 150; i++ {
		put(t, dir, "next", version(i))
		if err := os.Rename(filepath.Join(dir, "next"), filepath.Join(dir, "a.txt")); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	wg.Wait()
}

func FuzzStaticPath(f *testing.F) {
	dir := f.TempDir()
	put(f, dir, "_theme/pages/x.html", "SECRET")
	put(f, dir, ".env", "SECRET")
	put(f, dir, "a.go", "SECRET")
	put(f, dir, "index.html", "fine")
	put(f, dir, "a/index.html", "fine")
	s := NewStatic(dir, fstest.MapFS{"_theme/base.html": {Data: []byte("SECRET")}, "assets/a.css": {Data: []byte("fine")}}, cache.New(1<<20))
	for _, p := range []string{"/", "/a", "/a/index.html", "/_theme/pages/x.html", "/../a.go", "/a/..\\.env", "//", "/.env/", "/\x00", "/_theme\u200d/pages/x.html"} {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, p string) {
		file, ok := s.Find(p)
		if !ok {
			return
		}
		r := httptest.NewRequest("GET", "/", nil)
		w := httptest.NewRecorder()
		if err := s.Serve(w, r, file); err != nil {
			t.Fatalf("%q: %v", p, err)
		}
		if strings.Contains(w.Body.String(), "SECRET") {
			t.Fatalf("%q was served", p)
		}
		if to := w.Header().Get("Location"); w.Code == 308 && (strings.HasPrefix(to, "//") || !strings.HasPrefix(to, "/")) {
			t.Fatalf("%q leads to %q", p, to)
		}
	})
}
