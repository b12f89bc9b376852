// Package sitetest makes apps, people and requests for tests. Only tests
// import it; because it registers all features, a feature's tests that use it
// live in the external package (content_test, not content).
package sitetest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"bungalow/hooks"
	"bungalow/hooks/desk"
	kitdesk "bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/site"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"
)

// Site is a running site without a network: an app and its handler.
type Site struct {
	*tests.TestApp
	Handler http.Handler
	// RemoteAddr is where requests come from (default httptest's 192.0.2.1:1234).
	RemoteAddr string
}

// encryptionEnv is the one of PocketBase's own test apps.
const encryptionEnv = "pb_test_env"

// template is a migrated, empty data folder, made once per process and set of
// left-out features.
var template struct {
	sync.Mutex
	dirs map[string]string
}

// New gives a fresh site with every feature but those left out.
func New(t testing.TB, without ...string) *Site {
	t.Helper()
	return NewWith(t, hooks.Config{Without: without})
}

// NewWith gives a fresh site with its own config, and with what a test binds to
// the app before it serves.
func NewWith(t testing.TB, cfg hooks.Config, bind ...func(app core.App)) *Site {
	t.Helper()
	app := newApp(t, cfg)
	for _, b := range bind {
		b(app)
	}
	kitdesk.Watch(app, func(p kitdesk.Page) {
		t.Errorf("%s /desk/%s/ changed something and left no line in the audit: call audit.Write in its transaction, or say why not in Page.Quiet", p.Method, p.Path)
	})
	return &Site{TestApp: app, Handler: handler(t, app)}
}

// SwitchedOff gives a site on a folder that had every feature until now.
func SwitchedOff(t testing.TB, without ...string) *Site {
	t.Helper()
	app := appOn(t, hooks.Config{}, hooks.Config{Without: without})
	return &Site{TestApp: app, Handler: handler(t, app)}
}

func newApp(t testing.TB, cfg hooks.Config) *tests.TestApp {
	t.Helper()
	return appOn(t, cfg, cfg)
}

// appOn starts an app on a copy of the folder that a site with the config made
// has, as one with the config cfg.
func appOn(t testing.TB, made, cfg hooks.Config) *tests.TestApp {
	t.Helper()
	dir, err := templateDir(made)
	if err != nil {
		t.Fatalf("make the template data folder: %v", err)
	}
	app, err := tests.NewTestAppWithConfig(core.BaseAppConfig{DataDir: dir, EncryptionEnv: encryptionEnv, DBConnect: hooks.Connect(cfg)})
	if err != nil {
		t.Fatalf("start the test app: %v", err)
	}
	t.Cleanup(app.Cleanup)
	if cfg.PublicDir == "" {
		cfg.PublicDir = filepath.Join(app.DataDir(), "pb_public")
	}
	if err := hooks.Register(app, nil, cfg); err != nil {
		t.Fatalf("register the features: %v", err)
	}
	return app
}

func templateDir(cfg hooks.Config) (string, error) {
	key := strings.Join(cfg.Without, ",")
	template.Lock()
	defer template.Unlock()
	if dir, ok := template.dirs[key]; ok {
		return dir, nil
	}
	root, err := os.MkdirTemp("", "bungalow-sitetest-")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(root, "pb_data")
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, EncryptionEnv: encryptionEnv})
	if err := hooks.Register(app, nil, hooks.Config{Without: cfg.Without}); err != nil {
		return "", err
	}
	if err := app.Bootstrap(); err != nil {
		return "", err
	}
	// Tests send many requests from one address.
	app.Settings().RateLimits.Enabled = false
	if err := app.Save(app.Settings()); err != nil {
		return "", err
	}
	if err := app.ClearBootstrap(); err != nil {
		return "", err
	}
	if template.dirs == nil {
		template.dirs = map[string]string{}
	}
	template.dirs[key] = dir
	return dir, nil
}

func handler(t testing.TB, app core.App) http.Handler {
	t.Helper()
	router, err := apis.NewRouter(app)
	if err != nil {
		t.Fatalf("make the router: %v", err)
	}
	event := &core.ServeEvent{App: app, Router: router}
	var mux http.Handler
	err = app.OnServe().Trigger(event, func(e *core.ServeEvent) error {
		mux, err = e.Router.BuildMux()
		return err
	})
	if err != nil {
		t.Fatalf("serve: %v", err)
	}
	if s := site.Of(app); s != nil { // as the running server does
		return s.MemoryFirst(mux)
	}
	return mux
}

// Running gives an app as the serve command runs it, not as a test app, with
// the handler of its server: all that answers before the router included.
func Running(t testing.TB, cfg hooks.Config) (core.App, http.Handler) {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: filepath.Join(t.TempDir(), "pb_data"), DBConnect: hooks.Connect(cfg)})
	if err := hooks.Register(app, nil, cfg); err != nil {
		t.Fatalf("register the features: %v", err)
	}
	if err := app.Bootstrap(); err != nil {
		t.Fatalf("bootstrap: %v", err)
	}
	t.Cleanup(func() {
		_ = app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(*core.TerminateEvent) error { return app.ClearBootstrap() })
	})
	router, err := apis.NewRouter(app)
	if err != nil {
		t.Fatalf("make the router: %v", err)
	}
	event := &core.ServeEvent{App: app, Router: router, Server: &http.Server{}}
	err = app.OnServe().Trigger(event, func(e *core.ServeEvent) (err error) {
		e.Server.Handler, err = e.Router.BuildMux()
		return err
	})
	if err != nil {
		t.Fatalf("serve: %v", err)
	}
	return app, event.Server.Handler
}

// Get asks for a path and returns the answer with its whole body.
func (s *Site) Get(path string, header ...string) (*http.Response, string) {
	return s.Do(http.MethodGet, path, "", header...)
}

// Do sends a request; header is a list of names and values in turn.
func (s *Site) Do(method, path, body string, header ...string) (*http.Response, string) {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if s.RemoteAddr != "" {
		req.RemoteAddr = s.RemoteAddr
	}
	rec := httptest.NewRecorder()
	s.Handler.ServeHTTP(rec, req)
	res := rec.Result()
	text, _ := io.ReadAll(res.Body)
	return res, string(text)
}

// JSON sends a JSON body with a token, "" for a stranger.
func (s *Site) JSON(method, path, token, body string) (*http.Response, string) {
	header := []string{"Content-Type", "application/json"}
	if token != "" {
		header = append(header, "Authorization", token)
	}
	return s.Do(method, path, body, header...)
}

// Make saves a record with the fields given and returns it.
func Make(t testing.TB, app core.App, collection string, fields map[string]any) *core.Record {
	t.Helper()
	record, err := TryMake(app, collection, fields)
	if err != nil {
		t.Fatalf("save a record of %s: %v", collection, err)
	}
	return record
}

// TryMake is Make for a test that wants the error.
func TryMake(app core.App, collection string, fields map[string]any) (*core.Record, error) {
	c, err := app.FindCollectionByNameOrId(collection)
	if err != nil {
		return nil, err
	}
	record := core.NewRecord(c)
	record.Load(fields)
	return record, app.Save(record)
}

// Password is that of every account that this package makes.
const Password = "correct-horse-battery"

// Staff makes an active member of staff and gives the account with a token.
func Staff(t testing.TB, app core.App, role roles.Role) (*core.Record, string) {
	t.Helper()
	record := Make(t, app, schema.Staff, map[string]any{
		"email": string(role) + "-" + core.GenerateDefaultRandomId() + "@example.com", "name": string(role), "role": string(role),
		"active": true, "password": Password, "verified": true,
	})
	return record, token(t, record)
}

// Superuser makes a superuser of PocketBase and gives its token.
func Superuser(t testing.TB, app core.App) string {
	t.Helper()
	return token(t, Make(t, app, core.CollectionNameSuperusers, map[string]any{
		"email": core.GenerateDefaultRandomId() + "@example.com", "password": Password,
	}))
}

func token(t testing.TB, record *core.Record) string {
	t.Helper()
	token, err := record.NewAuthToken()
	if err != nil {
		t.Fatalf("make a token: %v", err)
	}
	return token
}

// Cookie signs an account in at the desk and gives the Cookie header of its
// session, as over plain http.
func Cookie(t testing.TB, app core.App, person *core.Record) string {
	t.Helper()
	// What was done since the record was read may have ended its sessions.
	if now, err := app.FindRecordById(person.Collection().Name, person.Id); err == nil {
		person = now
	}
	token, err := desk.StartSession(app, person, "A test", "127.0.0.1", time.Now())
	if err != nil {
		t.Fatalf("sign in at the desk: %v", err)
	}
	return "session=" + token
}

// Desk asks for a page of the desk with the cookie of a session ("" for a
// stranger). A form is sent as a browser does; "" sends a GET.
func (s *Site) Desk(cookie, path, form string) (*http.Response, string) {
	header := []string{"Accept", "text/html"}
	if cookie != "" {
		header = append(header, "Cookie", cookie)
	}
	if form == "" {
		return s.Get(path, header...)
	}
	header = append(header, "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
	return s.Do(http.MethodPost, path, form, header...)
}
