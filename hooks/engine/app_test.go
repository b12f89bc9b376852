package engine

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/sqlite"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"
)

// site is a PocketBase app, with or without parts of the engine.
type site struct {
	core.App
	handler http.Handler
}

// emptyDir is a migrated data folder without records, made once per process.
var emptyDir = sync.OnceValues(func() (string, error) {
	root, err := os.MkdirTemp("", "bungalow-engine-")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "pb_data")
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if err := app.Bootstrap(); err != nil {
		return "", err
	}
	if err := app.RunAllMigrations(); err != nil {
		return "", err
	}
	return dir, app.ClearBootstrap()
})

// serve starts an app with the parts of o on a copy of dir, an empty database
// where that is "". The functions bind before the router is built.
func serve(t testing.TB, dir string, o Options, bind ...func(core.App, *core.ServeEvent)) *site {
	t.Helper()
	return serveOn(t, nil, dir, o, bind...)
}

// serveOn is serve with connections of another kind.
func serveOn(t testing.TB, connections *sqlite.Options, dir string, o Options, bind ...func(core.App, *core.ServeEvent)) *site {
	t.Helper()
	app := boot(t, connections, dir, o)
	router, err := apis.NewRouter(app)
	if err != nil {
		t.Fatal(err)
	}
	s := &site{App: app}
	event := &core.ServeEvent{App: app, Router: router, Server: &http.Server{}}
	for _, b := range bind {
		b(app, event)
	}
	err = app.OnServe().Trigger(event, func(e *core.ServeEvent) error {
		e.Server.Handler, err = e.Router.BuildMux()
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	s.handler = event.Server.Handler
	return s
}

// boot starts an app with the parts of o that serves nothing yet.
func boot(t testing.TB, connections *sqlite.Options, dir string, o Options) core.App {
	t.Helper()
	if dir == "" {
		empty, err := emptyDir()
		if err != nil {
			t.Fatal(err)
		}
		dir = empty
	}
	if connections == nil && (o.Responses || o.Tokens) {
		connections = &sqlite.Options{} // PocketBase's own don't tell what is written
	}
	home := filepath.Join(t.TempDir(), "pb_data")
	if err := os.CopyFS(home, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	cfg := core.BaseAppConfig{DataDir: home}
	if connections != nil {
		cfg.DBConnect = sqlite.Connect(*connections)
	}
	app := core.NewBaseApp(cfg)
	if connections != nil {
		sqlite.Bind(app, *connections)
	}
	cache.Bind(app, cache.Of(app))
	if err := Register(app, o); err != nil {
		t.Fatal(err)
	}
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	if !o.ActivityLog { // PocketBase's own writes rows after the app has ended
		app.Settings().Logs.MaxDays = 0
	}
	t.Cleanup(func() {
		event := &core.TerminateEvent{App: app}
		_ = app.OnTerminate().Trigger(event, func(*core.TerminateEvent) error { return app.ClearBootstrap() })
	})
	return app
}

// do sends a request; header is a list of names and values in turn.
func (s *site) do(method, path, body string, header ...string) (int, http.Header, string) {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	s.handler.ServeHTTP(rec, req)
	res := rec.Result()
	defer res.Body.Close()
	text, _ := io.ReadAll(res.Body)
	return res.StatusCode, res.Header, string(text)
}

// get asks as the bearer of token, a stranger where it is "".
func (s *site) get(path, token string) (int, http.Header, string) {
	if token == "" {
		return s.do(http.MethodGet, path, "")
	}
	return s.do(http.MethodGet, path, "", "Authorization", token)
}

// save stores a new record of a collection.
func (s *site) save(t testing.TB, collection string, fields map[string]any) *core.Record {
	t.Helper()
	c, err := s.FindCollectionByNameOrId(collection)
	if err != nil {
		t.Fatal(err)
	}
	record := core.NewRecord(c)
	record.Load(fields)
	if err := s.Save(record); err != nil {
		t.Fatalf("save a record of %s: %v", collection, err)
	}
	return record
}

const password = "correct-horse-battery"

// user makes an account of the users collection and a token for it.
func (s *site) user(t testing.TB, email string) (*core.Record, string) {
	t.Helper()
	record := s.save(t, "users", map[string]any{"id": id(email), "email": email, "password": password, "verified": true})
	token, err := record.NewAuthToken()
	if err != nil {
		t.Fatal(err)
	}
	return record, token
}

// id makes the same record id of a name in every app.
func id(name string) string {
	return fmt.Sprintf("%015x", sha256.Sum256([]byte(name)))[:15]
}

// uncached is the same app behind a router of PocketBase's own, without the
// engine's middlewares.
func (s *site) uncached(t testing.TB) *site {
	t.Helper()
	router, err := apis.NewRouter(s.App)
	must(t, err)
	mux, err := router.BuildMux()
	must(t, err)
	return &site{App: s.App, handler: mux}
}
