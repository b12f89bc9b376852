package people

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/crypto/bcrypt"
)

// ErrWrong is all that a failed sign-in says.
var ErrWrong = errors.New("wrong address or password")

// MayEnter reports whether an account opens the desk: active staff, or a
// superuser of PocketBase.
func MayEnter(person *core.Record) bool {
	return person != nil && (person.IsSuperuser() && person.Email() != core.DefaultInstallerEmail || roles.IsActiveStaff(person))
}

// Find gives the account that an address signs in to: the member of staff, or
// else the superuser; active or not. It is nil where there is none.
func Find(app core.App, email string) (*core.Record, error) {
	email = Identity(email)
	if email == "" {
		return nil, nil
	}
	var last *core.Record
	for _, collection := range []string{schema.Staff, core.CollectionNameSuperusers} {
		person, err := app.FindAuthRecordByEmail(collection, email)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find the account: %w", err)
		}
		if MayEnter(person) {
			return person, nil
		}
		last = person
	}
	return last, nil
}

// CheckPassword gives the person with the address and password. A wrong
// password, an unknown and an inactive account are all ErrWrong after the same
// work: one comparison of one hash.
func CheckPassword(ctx context.Context, app core.App, email, password string) (*core.Record, error) {
	person, err := Find(app, email)
	if err != nil {
		return nil, err
	}
	hash, err := hashOf(app, person)
	if err != nil {
		return nil, err
	}
	turns := turnsOf(app)
	select {
	case turns <- struct{}{}:
		defer func() { <-turns }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if bcrypt.CompareHashAndPassword(hash, []byte(password)) != nil || !MayEnter(person) {
		return nil, ErrWrong
	}
	return person, nil
}

// hashOf is the hash to compare with; where there is no account, one of a
// password that nobody knows.
func hashOf(app core.App, person *core.Record) ([]byte, error) {
	nobody, err := nobodysHash(app) // made in any case, so that the first of them takes no longer
	if err != nil || person == nil {
		return nobody, err
	}
	if pv, ok := person.GetRaw(core.FieldNamePassword).(*core.PasswordFieldValue); ok && pv.Hash != "" {
		return []byte(pv.Hash), nil
	}
	return nobody, nil
}

func nobodysHash(app core.App) ([]byte, error) {
	cost := bcrypt.DefaultCost
	if c, err := app.FindCachedCollectionByNameOrId(schema.Staff); err == nil {
		if f, ok := c.Fields.GetByName(core.FieldNamePassword).(*core.PasswordField); ok && f.Cost != 0 {
			cost = f.Cost
		}
	}
	key := fmt.Sprintf("bungalow.people.dummy.%d", cost)
	if hash, ok := app.Store().Get(key).([]byte); ok {
		return hash, nil
	}
	hash, err := bcrypt.GenerateFromPassword([]byte(core.GenerateDefaultRandomId()), cost)
	if err != nil {
		return nil, fmt.Errorf("prepare a comparison: %w", err)
	}
	app.Store().Set(key, hash)
	return hash, nil
}

// turnsOf lets half of the processors compare passwords at once, so that
// sign-ins leave room for the site.
func turnsOf(app core.App) chan struct{} {
	return app.Store().GetOrSet("bungalow.people.turns", func() any {
		return make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))
	}).(chan struct{})
}
