package people

import (
	"fmt"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// errLastOwner is an ApiError, so that PocketBase's API and dashboard show it.
var errLastOwner = router.NewBadRequestError("This is the last owner. Make somebody else an owner first.", nil)

// bindGuards holds what is true of every account of staff, whoever changes it
// and by whatever way.
func bindGuards(app core.App) {
	app.OnRecordAuthRequest(schema.Staff, core.CollectionNameSuperusers).BindFunc(guardTokens)
	app.OnRecordUpdate(schema.Staff).BindFunc(func(e *core.RecordEvent) error {
		return within(e, func() error {
			was, err := stored(e)
			if err != nil {
				return err
			}
			owned, active := isOwner(was), was.GetBool("active")
			email, hash := was.Email(), passwordHash(was)
			if active && !e.Record.GetBool("active") {
				e.Record.RefreshTokenKey() // every token and session dies
			}
			if err := e.Next(); err != nil {
				return err
			}
			if owned && !isOwner(e.Record) {
				return unseat(e.App, email)
			}
			if owned && (email != e.Record.Email() || hash != passwordHash(e.Record)) {
				twin, err := byEmail(e.App, core.CollectionNameSuperusers, email)
				if err != nil || twin == nil {
					return err
				}
				return copyTo(e.App, e.Record, twin)
			}
			return nil
		})
	})
	app.OnRecordDelete(schema.Staff).BindFunc(func(e *core.RecordEvent) error {
		return within(e, func() error {
			was, err := stored(e)
			if err != nil {
				return err
			}
			owned, id, email := isOwner(was), was.Id, was.Email()
			if err := e.Next(); err != nil {
				return err
			}
			if err := forget(e.App, id); err != nil {
				return err
			}
			if owned {
				return unseat(e.App, email)
			}
			return nil
		})
	})
}

// unseat takes from who is no owner any more the superuser too. The site keeps
// an owner, and PocketBase a superuser.
func unseat(tx core.App, email string) error {
	left, err := owners(tx)
	if err != nil {
		return fmt.Errorf("count the owners: %w", err)
	}
	if left == 0 {
		return errLastOwner
	}
	twin, err := byEmail(tx, core.CollectionNameSuperusers, email)
	if err != nil || twin == nil {
		return err
	}
	all, err := tx.CountRecords(core.CollectionNameSuperusers)
	if err != nil {
		return fmt.Errorf("count the superusers: %w", err)
	}
	if all == 1 { // PocketBase keeps its last one: another owner gets one first
		other, err := tx.FindFirstRecordByFilter(schema.Staff, "role = 'owner' && active = true")
		if err != nil {
			return fmt.Errorf("find another owner: %w", err)
		}
		if _, err := EnsureSuperuser(tx, other); err != nil {
			return err
		}
	}
	if err := tx.Delete(twin); err != nil {
		return fmt.Errorf("remove the superuser of a former owner: %w", err)
	}
	return nil
}

// forget drops what hangs on an account and is no record.
func forget(tx core.App, id string) error {
	for _, table := range []string{"_links", "_factors", "_recovery_codes", "_passkeys"} {
		if _, err := tx.DB().NewQuery("DELETE FROM " + table + " WHERE person = {:id}").Bind(map[string]any{"id": id}).Execute(); err != nil {
			return fmt.Errorf("forget what hung on an account: %w", err)
		}
	}
	return nil
}
