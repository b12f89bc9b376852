package content

import (
	"fmt"
	"time"

	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

const (
	// lookEvery is how often the scheduler looks; nothing is later than this.
	lookEvery = 5 * time.Second
	// atOnce bounds how many records one look publishes.
	atOnce = 100
)

// announce fires content.OnPublish when a record is first published. The mark
// is saved with the record, so that a crash or a restart can't repeat it.
func announce(app core.App, r *core.Record) error {
	if r.GetString("status") != schema.StatusPublished || !r.GetDateTime("announced_at").IsZero() {
		return nil
	}
	r.Set("announced_at", types.NowDateTime())
	if r.GetString("source_key") != "" && r.IsNew() {
		return nil // moved in from elsewhere, where it was news once
	}
	return events.OnPublish(app).Trigger(&events.PublishEvent{App: app, Record: r})
}

// bindScheduler publishes what is due, from the start of the server on.
func bindScheduler(app core.App) {
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if err := e.Next(); err != nil || e.Server == nil || !e.App.HasTable(schema.Posts) {
			return err
		}
		go func() {
			ctx := background(e.App)
			tick := time.NewTicker(lookEvery)
			defer tick.Stop()
			for {
				if err := PublishDue(e.App, time.Now()); err != nil {
					e.App.Logger().Error("publish what is due", "error", err)
				}
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		}()
		return nil
	})
}

// PublishDue publishes the posts and pages whose time has come. One that is
// refused stays scheduled, is logged, and holds up no other.
func PublishDue(app core.App, now time.Time) error {
	for _, collection := range []string{schema.Posts, schema.Pages} {
		due, err := app.FindAllRecords(collection,
			dbx.HashExp{"status": schema.StatusScheduled},
			dbx.NewExp("published_at <= {:now}", dbx.Params{"now": now.UTC().Format(types.DefaultDateLayout)}))
		if err != nil {
			return fmt.Errorf("find what is due in %s: %w", collection, err)
		}
		for _, r := range due[:min(len(due), atOnce)] {
			r.Set("status", schema.StatusPublished)
			if err := app.Save(r); err != nil {
				app.Logger().Error("a scheduled record was not published", "collection", collection, "id", r.Id, "error", err)
			}
		}
	}
	return nil
}
