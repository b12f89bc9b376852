package media

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"bungalow/pb_migrations"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tests"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// site is an app with this package alone and its addresses.
type site struct {
	*tests.TestApp
	http.Handler
	t *testing.T
}

func newSite(t *testing.T) *site {
	t.Helper()
	app, err := tests.NewTestApp(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	for _, list := range []core.MigrationsList{pb_migrations.Core, pb_migrations.Content} {
		if _, err := core.NewMigrationsRunner(app, list).Up(); err != nil {
			t.Fatal(err)
		}
	}
	if err := Register(app); err != nil {
		t.Fatal(err)
	}
	r, err := apis.NewRouter(app)
	if err != nil {
		t.Fatal(err)
	}
	web.Mount(r, Routes())
	mux, err := r.BuildMux()
	if err != nil {
		t.Fatal(err)
	}
	return &site{app, mux, t}
}

// startQueue runs jobs until the test ends.
func (s *site) startQueue() {
	s.t.Helper()
	if err := queue.Start(s.TestApp); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() {
		if err := queue.Stop(context.Background(), s.TestApp); err != nil {
			s.t.Error(err)
		}
	})
}

func (s *site) upload(name string, data []byte) (*core.Record, error) {
	c, err := s.FindCollectionByNameOrId(schema.Media)
	if err != nil {
		s.t.Fatal(err)
	}
	r := core.NewRecord(c)
	f, err := filesystem.NewFileFromBytes(data, name)
	if err != nil {
		s.t.Fatal(err)
	}
	r.Set("file", f)
	return r, s.Save(r)
}

func (s *site) mustUpload(name string, data []byte) *core.Record {
	s.t.Helper()
	r, err := s.upload(name, data)
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

func (s *site) reload(r *core.Record) *core.Record {
	s.t.Helper()
	fresh, err := s.FindRecordById(schema.Media, r.Id)
	if err != nil {
		s.t.Fatal(err)
	}
	return fresh
}

// waitFor looks again until the record's state satisfies the condition.
func (s *site) waitFor(r *core.Record, what string, ok func(state) bool) *core.Record {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if r = s.reload(r); ok(stateOf(r)) {
			return r
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			s.t.Fatalf("%s never came; state %+v", what, stateOf(r))
		}
	}
}

func (s *site) made(r *core.Record) *core.Record {
	s.t.Helper()
	return s.waitFor(r, "sizes", func(st state) bool { return len(st.Made) > 0 })
}

func (s *site) get(address string, header ...string) *http.Response {
	s.t.Helper()
	req := httptest.NewRequest(http.MethodGet, address, nil)
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	rec := httptest.NewRecorder()
	s.ServeHTTP(rec, req)
	return rec.Result()
}

func body(t *testing.T, r *http.Response) []byte {
	t.Helper()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r.Body); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
