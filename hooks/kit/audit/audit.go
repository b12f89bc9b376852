// Package audit keeps the record of what staff did: who, what, to which
// record, when and from where.
//
// It promises that a line commits or vanishes together with what it tells of,
// because it is written with the app of the same transaction. It never changes
// or deletes a line, and neither does anybody else: the collection's rules and
// a hook refuse that even to superusers.
package audit

import (
	"encoding/json"
	"fmt"
	"sync/atomic"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// Actor is who did something, as it was at that moment: a name that is changed
// later does not change what was written.
type Actor struct {
	Collection string // staff or _superusers; "" for the program itself
	ID         string
	Name       string // name and address, for people to read
	Address    string // the remote IP address, "" where there is none
}

// System is the program acting by itself: a job, a command, a clock.
func System(name string) Actor { return Actor{Name: name} }

// Of makes an Actor of a signed-in record. The address may be "".
func Of(person *core.Record, address string) Actor {
	if person == nil {
		return System("somebody")
	}
	name := person.GetString("name")
	if name == "" {
		name = person.Email()
	} else {
		name += " <" + person.Email() + ">"
	}
	return Actor{Collection: person.Collection().Name, ID: person.Id, Name: name, Address: address}
}

// Write adds a line. The action is feature.verb, such as "post.publish"; detail
// is any small value that can be written as JSON, or nil, and holds no secret.
// Call it with the app of the transaction that does what is told.
func Write(app core.App, by Actor, action, collection, record string, detail any) error {
	c, err := app.FindCachedCollectionByNameOrId(schema.Audit)
	if err != nil {
		return fmt.Errorf("write the audit line %s: %w", action, err)
	}
	line := core.NewRecord(c)
	line.Set("actor", by.Name)
	line.Set("actor_record", by.ID)
	line.Set("action", action)
	line.Set("collection", collection)
	line.Set("record", record)
	line.Set("address", by.Address)
	if detail != nil {
		raw, err := json.Marshal(detail)
		if err != nil {
			return fmt.Errorf("write the audit line %s: %w", action, err)
		}
		line.Set("detail", raw)
	}
	if err := app.Save(line); err != nil {
		return fmt.Errorf("write the audit line %s: %w", action, err)
	}
	counter(app).Add(1)
	return nil
}

// Lines is how many lines this process has written, for tests that look whether
// an act left one.
func Lines(app core.App) int64 { return counter(app).Load() }

func counter(app core.App) *atomic.Int64 {
	return app.Store().GetOrSet("bungalow.audit.lines", func() any { return new(atomic.Int64) }).(*atomic.Int64)
}

// Bind refuses every change and deletion of a line, by whatever way.
func Bind(app core.App) {
	app.OnRecordUpdate(schema.Audit).BindFunc(func(*core.RecordEvent) error { return errAppendOnly })
	app.OnRecordDelete(schema.Audit).BindFunc(func(*core.RecordEvent) error { return errAppendOnly })
}
