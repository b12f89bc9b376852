package content

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// lookEvery is how often the scheduler looks; nothing is later than this.
const lookEvery = 5 * time.Second

// announce fires content.OnPublish when a record is first published. The mark
// is saved with the record, so that a crash or a restart can't repeat it, nor
// can a second click on a page that was loaded before the first.
func announce(app core.App, before, r *core.Record) error {
	if before != nil && !before.GetDateTime("announced_at").IsZero() {
		r.Set("announced_at", before.GetDateTime("announced_at"))
	}
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
		background(e.App, func(ctx context.Context) {
			tick := time.NewTicker(lookEvery)
			defer tick.Stop()
			for ctx.Err() == nil {
				if err := PublishDue(e.App, time.Now()); err != nil {
					e.App.Logger().Error("publish what is due", "error", err)
				}
				select {
				case <-ctx.Done():
					return
				case <-tick.C:
				}
			}
		})
		return nil
	})
}

// PublishDue publishes the posts and pages whose time has come. One that is
// refused stays scheduled, is logged, and holds up no other.
func PublishDue(app core.App, now time.Time) error {
	for _, collection := range []string{schema.Posts, schema.Pages} {
		var due []string
		err := app.DB().Select("id").From(collection).
			Where(isDue(now)).OrderBy("published_at").Column(&due)
		if err != nil {
			return fmt.Errorf("find what is due in %s: %w", collection, err)
		}
		for _, id := range due {
			if err := publish(app, collection, id, now); err != nil {
				app.Logger().Error("a scheduled record was not published", "collection", collection, "id", id, "error", err)
			}
		}
	}
	return nil
}

func isDue(now time.Time) dbx.Expression {
	return dbx.And(dbx.HashExp{"status": schema.StatusScheduled},
		dbx.NewExp("published_at <= {:now}", dbx.Params{"now": now.UTC().Format(types.DefaultDateLayout)}))
}

// publish reads the record where nobody else can write, so that what a person
// saved since it was found due is kept.
func publish(app core.App, collection, id string, now time.Time) error {
	return app.RunInTransaction(func(tx core.App) error {
		r := &core.Record{}
		err := tx.RecordQuery(collection).AndWhere(dbx.HashExp{"id": id}).AndWhere(isDue(now)).Limit(1).One(r)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // put off, or deleted
		}
		if err != nil {
			return err
		}
		r.Set("status", schema.StatusPublished)
		return tx.Save(r)
	})
}
