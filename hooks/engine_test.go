package hooks_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"bungalow/hooks"
	"bungalow/hooks/engine"
	"bungalow/hooks/kit/sitetest"
)

// TestTheEngineRunsInTheWholeSite holds that no feature of ours binds a hook
// that sends the engine back to PocketBase's longer way.
func TestTheEngineRunsInTheWholeSite(t *testing.T) {
	t.Parallel()
	for _, without := range [][]string{nil, {"engine"}} {
		app, handler := sitetest.Running(t, hooks.Config{Without: without})
		handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/api/health", nil))
		if shortcut := engine.Of(app).Shortcut(); shortcut != (without == nil) {
			t.Errorf("without %v, answers in memory are given before the router: %v", without, shortcut)
		}
		if direct := engine.Of(app).Direct(app); direct != (without == nil) {
			t.Errorf("without %v, lists are written directly: %v", without, direct)
		}
		deadline := time.Now().Add(10 * time.Second)
		for without == nil {
			if written, _ := engine.Of(app).LogStats(); written == 1 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatal("the request log is not written in batches")
			}
			time.Sleep(time.Millisecond)
		}
		if written, _ := engine.Of(app).LogStats(); without != nil && written != 0 {
			t.Error("the engine runs although it is left out")
		}
	}
}

func TestTheEngineKeepsFewConnections(t *testing.T) {
	t.Parallel()
	base, _, err := hooks.Boot([]string{"serve"}, nil)
	if err != nil || base.DataMaxOpenConns < 8 || base.DataMaxOpenConns != base.DataMaxIdleConns || base.AuxMaxOpenConns != 8 || base.AuxMaxIdleConns != 8 {
		t.Errorf("%+v, %v", base, err)
	}
	base, _, err = hooks.Boot([]string{"serve", "--without", "engine"}, nil)
	if err != nil || base.DataMaxOpenConns != 0 || base.AuxMaxIdleConns != 0 {
		t.Errorf("without the engine: %+v, %v", base, err)
	}
}
