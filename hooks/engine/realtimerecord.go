package engine

import (
	"fmt"

	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/subscriptions"
)

// recordOf is the record that a model stands for, nil where it is none. A
// model of somebody's own is read from the database, as PocketBase does.
func recordOf(app core.App, model core.Model) *core.Record {
	switch m := model.(type) {
	case *core.Record:
		return m
	case core.RecordProxy:
		if record := m.ProxyRecord(); record != nil {
			return record
		}
	}
	table := model.TableName()
	if table == core.LogsTableName {
		return nil
	}
	id, ok := model.PK().(string)
	if !ok {
		return nil
	}
	collection, err := app.FindCachedCollectionByNameOrId(table)
	if err != nil || collection == nil {
		return nil
	}
	record, _ := app.FindRecordById(collection, id)
	return record
}

// collectionOf is the collection of a model, which may be gone already.
func collectionOf(app core.App, model core.Model) *core.Collection {
	switch m := model.(type) {
	case *core.Record:
		return m.Collection()
	case core.RecordProxy:
		return m.ProxyRecord().Collection()
	}
	collection, err := app.FindCachedCollectionByNameOrId(model.TableName())
	if err != nil {
		return nil
	}
	return collection
}

// dryKey is where PocketBase keeps a client's messages about a delete that is
// under way; it also clears them there when the delete fails.
func dryKey(model core.Model) string {
	return fmt.Sprintf("delete/%s/%v", model.TableName(), model.PK())
}

func authOf(c subscriptions.Client) *core.Record {
	auth, _ := c.Get(apis.RealtimeClientAuthKey).(*core.Record)
	return auth
}

func sameAccount(a, b *core.Record) bool {
	return a != nil && b != nil && a.Id == b.Id && a.Collection().Id == b.Collection().Id
}
