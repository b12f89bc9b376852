package inbox

import (
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// staffID is the id of the actor's staff record, "" for a superuser.
func staffID(by audit.Actor) string {
	if by.Collection == schema.Staff {
		return by.ID
	}
	return ""
}

// note writes a line of the audit.
func note(app core.App, by audit.Actor, action string, conversation *core.Record, detail any) error {
	id := ""
	if conversation != nil {
		id = conversation.Id
	}
	return audit.Write(app, by, action, schema.Conversations, id, detail)
}
