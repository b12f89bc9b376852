// Package health answers whether the process is alive and whether it is ready
// to serve: migrated, a write works, the disk is not nearly full. It never
// tells a stranger more than that.
package health

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

const (
	// minFree is how much disk must be left, in bytes.
	minFree = 64 << 20
	// remember bounds how often a stranger makes us write.
	remember = time.Second
	// patience is how long the write may take.
	patience = 2 * time.Second
)

// Routes are /healthz and /readyz.
func Routes(app core.App) []web.Route {
	p := &probe{app: app}
	return []web.Route{
		{Method: http.MethodGet, Path: "/healthz", Access: web.Public, Do: func(e *core.RequestEvent) error {
			e.Response.Header().Set("Cache-Control", "no-store")
			return e.String(http.StatusOK, "ok\n")
		}},
		{Method: http.MethodGet, Path: "/readyz", Access: web.Public, Do: func(e *core.RequestEvent) error {
			e.Response.Header().Set("Cache-Control", "no-store")
			if err := p.ready(); err != nil {
				e.App.Logger().Error("not ready", "error", err)
				return e.String(http.StatusServiceUnavailable, "not ready\n")
			}
			return e.String(http.StatusOK, "ready\n")
		}},
	}
}

type probe struct {
	app core.App

	mu   sync.Mutex
	at   time.Time
	last error
}

func (p *probe) ready() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.at) < remember {
		return p.last
	}
	p.last = Check(p.app)
	p.at = time.Now()
	return p.last
}

// Check tries what a site needs to serve and names the first thing missing.
func Check(app core.App) error {
	if !app.HasTable(schema.Settings) {
		return fmt.Errorf("the tables are not there yet")
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, err := app.NonconcurrentDB().
		NewQuery("INSERT INTO readiness (id, at) VALUES (1, unixepoch()) ON CONFLICT (id) DO UPDATE SET at = excluded.at").
		WithContext(ctx).Execute()
	if err != nil {
		return fmt.Errorf("a write failed: %w", err)
	}
	free, known := diskFree(app.DataDir())
	if known && free < minFree {
		return fmt.Errorf("the disk is nearly full: %d MiB left", free>>20)
	}
	return nil
}
