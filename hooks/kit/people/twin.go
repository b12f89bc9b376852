package people

import (
	"database/sql"
	"errors"
	"fmt"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/pocketbase/pocketbase/tools/types"
)

// An owner is one person with two accounts: one in staff, for the desk, and
// one among PocketBase's superusers, for the dashboard. They belong together
// by their address. What changes in one changes in the other.

// isOwner reports whether the account is an active owner in staff.
func isOwner(r *core.Record) bool {
	return roles.IsActiveStaff(r) && roles.Role(r.GetString("role")) == roles.Owner
}

// HasOwner reports whether somebody owns the site already: an active owner in
// staff, or a superuser.
func HasOwner(app core.App) (bool, error) {
	n, err := app.CountRecords(core.CollectionNameSuperusers, dbx.Not(dbx.HashExp{"email": core.DefaultInstallerEmail}))
	if err == nil && n == 0 {
		n, err = owners(app)
	}
	if err != nil {
		return false, fmt.Errorf("look for an owner: %w", err)
	}
	return n > 0, nil
}

func owners(app core.App) (int64, error) {
	return app.CountRecords(schema.Staff, dbx.HashExp{"role": string(roles.Owner), "active": true})
}

// Superuser gives the superuser who is the same person as the member of staff,
// nil where there is none. A superuser is its own.
func Superuser(app core.App, person *core.Record) (*core.Record, error) {
	if person.IsSuperuser() {
		return person, nil
	}
	return byEmail(app, core.CollectionNameSuperusers, person.Email())
}

// Member gives the owner in staff who is the same person as the superuser, nil
// where there is none. A member of staff is its own.
func Member(app core.App, person *core.Record) (*core.Record, error) {
	if !person.IsSuperuser() {
		return person, nil
	}
	member, err := byEmail(app, schema.Staff, person.Email())
	if err != nil || member == nil || roles.Role(member.GetString("role")) != roles.Owner {
		return nil, err
	}
	return member, nil
}

func byEmail(app core.App, collection, email string) (*core.Record, error) {
	person, err := app.FindAuthRecordByEmail(collection, email)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return person, err
}

// EnsureSuperuser gives an active owner's superuser and makes one where there is
// none yet, with the same address and password.
func EnsureSuperuser(app core.App, person *core.Record) (*core.Record, error) {
	twin, err := Superuser(app, person)
	if err != nil || twin != nil {
		return twin, err
	}
	if !isOwner(person) {
		return nil, errors.New("only an active owner has a superuser")
	}
	c, err := app.FindCollectionByNameOrId(core.CollectionNameSuperusers)
	if err != nil {
		return nil, err
	}
	twin = core.NewRecord(c)
	twin.SetEmail(person.Email())
	ShareHash(person, twin)
	if err := app.Save(twin); err != nil {
		return nil, fmt.Errorf("make the owner's superuser: %w", err)
	}
	return twin, nil
}

// ShareHash gives an account that is not saved yet another's password.
func ShareHash(from, to *core.Record) {
	to.SetRaw(core.FieldNamePassword, &core.PasswordFieldValue{Hash: passwordHash(from)})
}

// copyTo gives another account the address and the password of from. It goes
// around the record hooks, so that two accounts which follow each other don't
// do so forever.
func copyTo(tx core.App, from, to *core.Record) error {
	_, err := tx.DB().Update(to.Collection().Name, dbx.Params{
		"email": from.Email(), "password": passwordHash(from), "updated": types.NowDateTime().String(),
		"tokenKey": security.RandomString(50),
	}, dbx.HashExp{"id": to.Id}).Execute()
	if err != nil {
		return router.NewBadRequestError("Somebody else has this address already. Choose another one.", err)
	}
	return nil
}

func passwordHash(r *core.Record) string {
	if pv, ok := r.GetRaw(core.FieldNamePassword).(*core.PasswordFieldValue); ok {
		return pv.Hash
	}
	return ""
}

// bindTwins keeps the two accounts of an owner equal.
func bindTwins(app core.App) {
	app.OnRecordUpdate(core.CollectionNameSuperusers).BindFunc(func(e *core.RecordEvent) error {
		return within(e, func() error {
			was, err := stored(e)
			if err != nil {
				return err
			}
			email, hash := was.Email(), passwordHash(was)
			if err := e.Next(); err != nil {
				return err
			}
			if email == e.Record.Email() && hash == passwordHash(e.Record) {
				return nil
			}
			return follow(e.App, e.Record, email)
		})
	})
	app.OnRecordCreate(core.CollectionNameSuperusers).BindFunc(func(e *core.RecordEvent) error {
		return within(e, func() error {
			if err := e.Next(); err != nil {
				return err
			}
			return follow(e.App, e.Record, e.Record.Email())
		})
	})
	bump := func(other string) *hook.Handler[*core.RecordEvent] {
		return &hook.Handler[*core.RecordEvent]{Func: func(e *core.RecordEvent) error {
			if staffed(e.App) {
				cache.Of(e.App).Bump(other)
			}
			return e.Next()
		}}
	}
	app.OnRecordAfterUpdateSuccess(core.CollectionNameSuperusers).Bind(bump(schema.Staff))
	app.OnRecordAfterCreateSuccess(core.CollectionNameSuperusers).Bind(bump(schema.Staff))
	app.OnRecordAfterUpdateSuccess(schema.Staff).Bind(bump(core.CollectionNameSuperusers))
}

// follow has the owner in staff who had this address follow the superuser.
func follow(tx core.App, super *core.Record, email string) error {
	member, err := byEmail(tx, schema.Staff, email)
	if err != nil || member == nil || !isOwner(member) {
		return err
	}
	if member.Email() == super.Email() && passwordHash(member) == passwordHash(super) {
		return nil // they are equal already, and their sessions stay
	}
	return copyTo(tx, super, member)
}

// within runs fn in a transaction in which the event's app is that of the
// transaction. Apps without our tables are left alone.
func within(e *core.RecordEvent, fn func() error) error {
	if !staffed(e.App) {
		return e.Next()
	}
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		return fn()
	})
}

// stored is the record as it lies in the database before the change. What the
// record itself remembers is not enough after a second save.
func stored(e *core.RecordEvent) (*core.Record, error) {
	return e.App.FindRecordById(e.Record.Collection(), e.Record.Id)
}

// staffed reports whether this app has our staff: PocketBase's own tests don't.
func staffed(app core.App) bool {
	_, err := app.FindCachedCollectionByNameOrId(schema.Staff)
	return err == nil
}

// MakeOwner makes both accounts of an owner: in staff, which it gives back, and
// among the superusers.
func MakeOwner(tx core.App, name, email, password string) (*core.Record, error) {
	c, err := tx.FindCollectionByNameOrId(schema.Staff)
	if err != nil {
		return nil, err
	}
	person := core.NewRecord(c)
	person.SetEmail(email)
	person.SetVerified(true)
	person.SetPassword(password)
	person.Set("name", name)
	person.Set("role", string(roles.Owner))
	person.Set("active", true)
	if err := tx.Save(person); err != nil {
		return nil, err
	}
	_, err = EnsureSuperuser(tx, person)
	return person, err
}
