package health_test

import (
	"net/http"
	"path/filepath"
	"testing"

	"bungalow/hooks/kit/health"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

func TestReadinessRestsOnAWrite(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	if err := health.Check(app); err != nil {
		t.Fatal(err)
	}
	if _, err := app.NonconcurrentDB().NewQuery("DROP TABLE readiness").Execute(); err != nil {
		t.Fatal(err)
	}
	if err := health.Check(app); err == nil {
		t.Error("ready without a write")
	}
	if res, body := app.Get("/readyz"); res.StatusCode != http.StatusServiceUnavailable || body != "not ready\n" {
		t.Errorf("%d %q", res.StatusCode, body)
	}
	if res, _ := app.Get("/healthz"); res.StatusCode != http.StatusOK {
		t.Errorf("alive, it answers %d", res.StatusCode)
	}
}

func TestADatabaseWithoutOurTablesIsNotReady(t *testing.T) {
	t.Parallel()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: filepath.Join(t.TempDir(), "pb_data")})
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	if err := health.Check(app); err == nil {
		t.Error("ready without tables")
	}
}
