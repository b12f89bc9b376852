package site_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"bungalow/hooks"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// counting has the router count what reaches it, with CORS as in the running
// server.
func counting(reached *atomic.Int64, bind ...func(*core.ServeEvent)) func(core.App) {
	return func(app core.App) {
		app.OnServe().BindFunc(func(e *core.ServeEvent) error {
			e.Router.Bind(apis.CORS(apis.CORSConfig{}))
			e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "bungalowCounts", Func: func(e *core.RequestEvent) error {
				reached.Add(1)
				return e.Next()
			}})
			for _, b := range bind {
				b(e)
			}
			return e.Next()
		})
	}
}

func writeFile(t testing.TB, dir, name, text string, age time.Duration) {
	t.Helper()
	file, at := filepath.Join(dir, name), time.Now().Add(-age)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, at, at); err != nil {
		t.Fatal(err)
	}
}

func TestFilesAreServedBeforeTheRouterAsBehindIt(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"notes.txt", "a b/ü.css", "page.html", "sub/index.html"} {
		writeFile(t, dir, name, strings.Repeat(name+" ", 300), time.Hour)
	}
	var reached atomic.Int64
	app := sitetest.NewWith(t, hooks.Config{PublicDir: dir}, counting(&reached))
	for _, path := range []string{"/notes.txt", "/a%20b/%C3%BC.css", "/page.html", "/sub/", "/assets/css/site.css", "/notes.txt?v=1234", "/sub"} {
		for _, c := range []struct {
			header []string
			method string
			first  bool
		}{
			{nil, http.MethodGet, true}, {[]string{"Accept-Encoding", "br"}, http.MethodGet, true}, {[]string{"Range", "bytes=1-9"}, http.MethodGet, true},
			{[]string{"If-None-Match", "*"}, http.MethodGet, true}, {[]string{"Cookie", "consent=yes"}, http.MethodGet, true}, {nil, http.MethodHead, true},
			{[]string{"Origin", "https://a.test"}, http.MethodGet, false}, {[]string{"Authorization", "x"}, http.MethodGet, false},
			{[]string{"Cookie", "session=x"}, http.MethodGet, false}, {nil, http.MethodPost, false},
		} {
			app.Do(c.method, path, "", c.header...) // now the way is known, if it ever is
			app.Get(path)
			// The router's answer: a header that the way before it does not take.
			behind, wantBody := app.Do(c.method, path, "", append([]string{"Authorization", "x"}, c.header...)...)
			before := reached.Load()
			res, body := app.Do(c.method, path, "", c.header...)
			if res.StatusCode != behind.StatusCode || body != wantBody || fmt.Sprint(res.Header) != fmt.Sprint(behind.Header) {
				t.Errorf("%s %s %v: %d %v\nbehind the router: %d %v", c.method, path, c.header, res.StatusCode, res.Header, behind.StatusCode, behind.Header)
			}
			if first := reached.Load() == before; first != (c.first && path != "/sub") {
				t.Errorf("%s %s %v is served before the router: %v", c.method, path, c.header, first)
			}
		}
	}
}

func TestFilesBeforeTheRouterFollowTheFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, dir, "notes.txt", "one", time.Hour)
	var reached atomic.Int64
	app := sitetest.NewWith(t, hooks.Config{PublicDir: dir}, counting(&reached))
	want := func(status int, text string) {
		t.Helper()
		if res, body := app.Get("/notes.txt"); res.StatusCode != status || status == http.StatusOK && body != text {
			t.Errorf("%d %q, want %d %q", res.StatusCode, body, status, text)
		}
	}
	want(200, "one")
	want(200, "one")
	writeFile(t, dir, "notes.txt", "two", time.Minute)
	want(200, "two")
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("now"), 0o644); err != nil { // just written: not kept
		t.Fatal(err)
	}
	want(200, "now")
	if n := reached.Load(); n != 1 {
		t.Errorf("%d requests reached the router", n)
	}
	if err := os.Remove(filepath.Join(dir, "notes.txt")); err != nil {
		t.Fatal(err)
	}
	want(404, "")
	writeFile(t, dir, "notes.txt", "back", time.Hour)
	want(200, "back")
	comingSoon(t, app, true, "")
	if res, _ := app.Get("/notes.txt"); res.StatusCode == http.StatusOK {
		t.Error("a site that has not opened shows its text files")
	}
	comingSoon(t, app, false, "")
	want(200, "back")
}

func TestARouteOfSomebodysIsNotPassedOver(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeFile(t, dir, "taken.txt", "file", time.Hour)
	writeFile(t, dir, "hosted.txt", "file", time.Hour)
	var reached atomic.Int64
	app := sitetest.NewWith(t, hooks.Config{PublicDir: dir}, counting(&reached, func(e *core.ServeEvent) {
		e.Router.GET("/taken.txt", func(e *core.RequestEvent) error { return e.String(http.StatusOK, "route") })
	}))
	for range 3 {
		if _, body := app.Get("/taken.txt"); body != "route" {
			t.Errorf("the file is served: %q", body)
		}
	}
	guarded := sitetest.NewWith(t, hooks.Config{PublicDir: dir}, counting(&reached, func(e *core.ServeEvent) {
		e.Router.BindFunc(func(e *core.RequestEvent) error {
			if e.Request.Header.Get("X-Door") != "open" {
				return e.ForbiddenError("", nil)
			}
			return e.Next()
		})
	}))
	for range 3 {
		if res, _ := guarded.Get("/hosted.txt", "X-Door", "open"); res.StatusCode != http.StatusOK {
			t.Errorf("%d with the door open", res.StatusCode)
		}
		if res, _ := guarded.Get("/hosted.txt"); res.StatusCode != http.StatusForbidden {
			t.Errorf("%d with the door shut", res.StatusCode)
		}
	}
}
