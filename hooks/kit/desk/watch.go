package desk

import (
	"bungalow/hooks/kit/audit"
	"github.com/pocketbase/pocketbase/core"
)

const (
	watchKey   = "bungalow.desk.watch"
	refusedKey = "bungalowDeskRefused" // on a request that left with an error: what it changed was rolled back
)

// Watch has silent told of every page that changed the database and left no
// line in the audit, though it names no reason to be Quiet. It is for tests.
func Watch(app core.App, silent func(page Page)) {
	app.Store().Set(watchKey, silent)
}

// watched runs a page, under the eyes of a test where there is one.
func (d *Desk) watched(page Page, e *Event) error {
	silent, on := d.app.Store().Get(watchKey).(func(Page))
	if !on || page.Quiet != "" || page.Method == "" || page.Method == "GET" {
		return page.Do(e)
	}
	lines, before := audit.Lines(e.App), changes(e.App)
	err := page.Do(e)
	if err == nil && e.Get(refusedKey) == nil && audit.Lines(e.App) == lines && changes(e.App) != before {
		silent(page)
	}
	return err
}

// changes is how many rows the one connection that writes has changed.
func changes(app core.App) (n int64) {
	_ = app.NonconcurrentDB().NewQuery("SELECT total_changes()").Row(&n)
	return n
}
