// Package content keeps posts, pages and what belongs to them. It promises
// that a record's slug, address, HTML, search entry and redirects change in
// the same transaction as the record, and that content.OnPublish fires once.
// It renders no page and answers no visitor except the search and its media.
package content

import (
	"context"
	"fmt"
	"sync"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// Register binds the content hooks. They do nothing on other collections.
func Register(app core.App) error {
	written := []string{schema.Posts, schema.Pages}
	app.OnRecordCreate(written...).BindFunc(saveWriting)
	app.OnRecordUpdate(written...).BindFunc(saveWriting)
	app.OnRecordDelete(written...).BindFunc(deleteWriting)

	named := []string{schema.Tags, schema.Authors}
	app.OnRecordCreate(named...).BindFunc(saveNamed)
	app.OnRecordUpdate(named...).BindFunc(saveNamed)
	app.OnRecordDelete(schema.Tags).BindFunc(deleteTag)

	app.OnRecordValidate(schema.Menus).BindFunc(validateMenu)
	app.OnRecordValidate(schema.Redirects).BindFunc(validateRedirect)
	app.OnRecordValidate(schema.Settings).BindFunc(validateSite)
	app.OnRecordCreate(schema.Settings).BindFunc(saveSite)
	app.OnRecordUpdate(schema.Settings).BindFunc(saveSite)

	bindScheduler(app)
	bindHits(app)
	registerSearch(app)
	return nil
}

// inTransaction runs do with e.App in one transaction. PocketBase saves a
// record alone without one, and what we write beside it must stand or fall
// with it.
func inTransaction(e *core.RecordEvent, do func() error) error {
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		return do()
	})
}

func saveWriting(e *core.RecordEvent) error {
	if err := Render(e.Record); err != nil {
		return err
	}
	return inTransaction(e, func() error {
		before, err := stored(e.App, e.Record)
		if err != nil {
			return err
		}
		if err := prepare(e.App, e.Record); err != nil {
			return err
		}
		if err := announce(e.App, before, e.Record); err != nil {
			return err
		}
		if err := e.Next(); err != nil {
			return err
		}
		if err := index(e.App, e.Record); err != nil {
			return err
		}
		if before == nil {
			return nil
		}
		return moved(e.App, before, e.Record)
	})
}

// stored is the record as the database has it now, nil for a new one. The
// record's own Original is empty after it was created in this process.
func stored(app core.App, r *core.Record) (*core.Record, error) {
	if r.IsNew() {
		return nil, nil
	}
	before, err := app.FindRecordById(r.Collection(), r.Id)
	if err != nil {
		return nil, fmt.Errorf("read what is stored: %w", err)
	}
	return before, nil
}

func deleteWriting(e *core.RecordEvent) error {
	return inTransaction(e, func() error {
		if e.Record.Collection().Name == schema.Pages {
			if err := hasNoChildren(e.App, e.Record); err != nil {
				return err
			}
		}
		if err := e.Next(); err != nil {
			return err
		}
		return unindex(e.App, e.Record)
	})
}

// stopper ends the background work of one app.
type stopper struct {
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// background runs do until the app stops, which waits for its end: what it
// reads is gone after that.
func background(app core.App, do func(ctx context.Context)) {
	s := app.Store().GetOrSet("bungalow.content.background", func() any {
		ctx, cancel := context.WithCancel(context.Background())
		s := &stopper{ctx: ctx, cancel: cancel}
		app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
			if !e.IsRestart { // a restart that fails goes on with this process
				s.cancel()
				s.running.Wait()
			}
			return e.Next()
		})
		return s
	}).(*stopper)
	s.running.Go(func() { do(s.ctx) })
}
