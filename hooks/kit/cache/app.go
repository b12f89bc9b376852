package cache

import (
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// Of returns the app's cache, of DefaultBytes, made on the first call. A
// transaction's app has the same one.
func Of(app core.App) *Cache {
	return app.Store().GetOrSet("bungalow.cache", func() any { return New(DefaultBytes) }).(*Cache)
}

// first lets the bump go before every other hook of the same event, so that
// none of them finds an old entry.
const first = -9999

// Bind has c follow what the app writes through its records, collections and
// settings. PocketBase runs these hooks after the commit and before the answer
// is written, for writes within a transaction too. Writes by raw SQL or
// without hooks are not seen: whoever makes them bumps.
func Bind(app core.App, c *Cache) {
	record := &hook.Handler[*core.RecordEvent]{Priority: first, Func: func(e *core.RecordEvent) error {
		name := e.Record.Collection().Name
		c.Bump(name, name+"/"+e.Record.Id)
		return e.Next()
	}}
	app.OnRecordAfterCreateSuccess().Bind(record)
	app.OnRecordAfterUpdateSuccess().Bind(record)
	app.OnRecordAfterDeleteSuccess().Bind(record)

	collection := &hook.Handler[*core.CollectionEvent]{Priority: first, Func: func(e *core.CollectionEvent) error {
		c.BumpAll()
		return e.Next()
	}}
	app.OnCollectionAfterCreateSuccess().Bind(collection)
	app.OnCollectionAfterUpdateSuccess().Bind(collection)
	app.OnCollectionAfterDeleteSuccess().Bind(collection)

	app.OnSettingsReload().Bind(&hook.Handler[*core.SettingsReloadEvent]{
		Priority: first,
		Func: func(e *core.SettingsReloadEvent) error {
			err := e.Next() // the app has its new settings only after this
			c.BumpAll()
			return err
		},
	})
}
