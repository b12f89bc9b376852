package desk

import (
	"fmt"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// proof is how somebody proved who it is.
type proof struct {
	Method string // see events.SignInEvent
	Factor string
}

// begin gives the browser a session, once it is certain who sits before it.
func begin(e *desk.Event, person *core.Record, p proof) error {
	event := &events.SignInEvent{App: e.App, Person: person, Method: p.Method, Factor: p.Factor, Address: e.RealIP()}
	return events.OnSignIn(e.App).Trigger(event, func(*events.SignInEvent) error {
		var token string
		err := e.App.RunInTransaction(func(tx core.App) (err error) {
			if token, err = StartSession(tx, person, device(e.Request.UserAgent()), e.RealIP(), time.Now()); err != nil {
				return err
			}
			if err := noteSignIn(tx, person); err != nil {
				return err
			}
			detail := map[string]string{"method": p.Method}
			if p.Factor != "" {
				detail["factor"] = p.Factor
			}
			return audit.Write(tx, audit.Of(person, e.RealIP()), "staff.sign_in", person.Collection().Name, person.Id, detail)
		})
		if err != nil {
			return err
		}
		cache.Of(e.App).Bump(schema.Staff, schema.Staff+"/"+person.Id)
		setCookie(e.RequestEvent, token)
		return setMark(e, person.Email())
	})
}

// noteSignIn writes the time of the last sign-in. It is no change that a hook
// of anybody should see.
func noteSignIn(tx core.App, person *core.Record) error {
	if person.Collection().Name != schema.Staff {
		return nil
	}
	if _, err := tx.DB().Update(schema.Staff, dbx.Params{"last_sign_in": types.NowDateTime().String()}, dbx.HashExp{"id": person.Id}).Execute(); err != nil {
		return fmt.Errorf("note the sign-in: %w", err)
	}
	return nil
}
