package people

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	kitmail "bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

const (
	invitePurpose = "invite"
	inviteLife    = 7 * 24 * time.Hour
	resetPurpose  = "reset"
	resetLife     = time.Hour
	emailPurpose  = "email"
	emailLife     = 24 * time.Hour
	resetKind     = "people.reset"

	maxStaff = 500 // accounts, invited ones too
)

// ErrMember says that an account is in no state for what was asked.
var ErrMember = errors.New("this account is not there, or joined already")

// Invite makes an account that becomes active when its person follows the link
// of the token, within seven days. Faults of the fields are validation.Errors.
func Invite(app core.App, by audit.Actor, name, email string, role roles.Role, now time.Time) (person *core.Record, token string, err error) {
	if !slices.Contains(roles.All, role) {
		return nil, "", validation.Errors{"role": validation.NewError("validation_role", "Choose one of the roles.")}
	}
	err = app.RunInTransaction(func(tx core.App) error {
		if n, err := tx.CountRecords(schema.Staff); err != nil || n >= maxStaff {
			return cmp.Or(err, error(validation.Errors{"email": validation.NewError("validation_limit", "A site has at most 500 members of staff.")}))
		}
		if known, err := byEmail(tx, schema.Staff, Identity(email)); err != nil || known != nil {
			return cmp.Or(err, error(validation.Errors{"email": validation.NewError("validation_not_unique", "Somebody with this address is here already.")}))
		}
		c, err := tx.FindCollectionByNameOrId(schema.Staff)
		if err != nil {
			return err
		}
		person = core.NewRecord(c)
		person.SetEmail(Identity(email))
		person.SetRandomPassword()
		person.Set("name", strings.TrimSpace(name))
		person.Set("role", string(role))
		if err := tx.Save(person); err != nil {
			return err
		}
		if token, err = InviteAgain(tx, person, now); err != nil {
			return err
		}
		return audit.Write(tx, by, "staff.invite", schema.Staff, person.Id, map[string]string{"email": person.Email(), "role": string(role)})
	})
	return person, token, err
}

// Invited reports whether the person was invited and has not joined yet.
func Invited(person *core.Record) bool {
	return !person.GetBool("active") && !person.Verified()
}

// InviteAgain makes a new link for who was invited; the one before dies.
func InviteAgain(tx core.App, person *core.Record, now time.Time) (token string, err error) {
	if !Invited(person) {
		return "", ErrMember
	}
	if err := Revoke(tx, invitePurpose, person.Id); err != nil {
		return "", err
	}
	return Issue(tx, Link{Purpose: invitePurpose, Person: person.Id}, inviteLife, now)
}

// Invitee gives who an invitation is for.
func Invitee(app core.App, token string, now time.Time) (*core.Record, error) {
	return whose(app, invitePurpose, token, now)
}

// Join makes an invited account active, with the name and password that its
// person chose.
func Join(app core.App, token, name, password, address string, now time.Time) (*core.Record, error) {
	var person *core.Record
	err := app.RunInTransaction(func(tx core.App) (err error) {
		if person, err = Invitee(tx, token, now); err != nil {
			return err
		}
		if _, err := Redeem(tx, invitePurpose, token, now); err != nil {
			return err
		}
		if !Invited(person) {
			return ErrLink
		}
		person.Set("name", name)
		person.Set("active", true)
		person.SetVerified(true)
		person.SetPassword(password)
		if err := tx.Save(person); err != nil {
			return err
		}
		return audit.Write(tx, audit.Of(person, address), "staff.join", schema.Staff, person.Id, nil)
	})
	return person, err
}

// whose gives the account that a link is for.
func whose(app core.App, purpose, token string, now time.Time) (*core.Record, error) {
	l, err := Peek(app, purpose, token, now)
	if err != nil {
		return nil, err
	}
	for _, collection := range []string{schema.Staff, core.CollectionNameSuperusers} {
		if person, err := app.FindRecordById(collection, l.Person); err == nil {
			return person, nil
		}
	}
	return nil, ErrLink
}

// link leads to the site's address, wherever the request came from: whoever
// sends a made-up Host must not get links into somebody's mail.
func link(app core.App, page, token string) string {
	return strings.TrimRight(app.Settings().Meta.AppURL, "/") + "/desk/" + page + "/?token=" + token
}

// Send sends somebody a message with a link that works once.
func Send(app core.App, to *core.Record, template, page, token string, more map[string]any) error {
	data := map[string]any{"Name": to.GetString("name"), "Link": link(app, page, token)}
	for k, v := range more {
		data[k] = v
	}
	return kitmail.Send(app, kitmail.Message{
		To: mail.Address{Name: to.GetString("name"), Address: to.Email()}, Template: template, Locale: to.GetString("locale"), Data: data,
	})
}

// AskReset has a link sent to who forgot the password, if there is such an
// account. It does the same work in any case: the account is looked for later,
// by a job.
func AskReset(app core.App, email string) error {
	return queue.Enqueue(app, resetKind, resetJob{Email: Identity(email)}, queue.Unique(resetKind+"/"+Identity(email)))
}

type resetJob struct {
	Email string `json:"email"`
}

func sendReset(_ context.Context, app core.App, payload []byte) error {
	var j resetJob
	if err := json.Unmarshal(payload, &j); err != nil {
		return queue.NoRetry(err)
	}
	person, err := Find(app, j.Email)
	if err != nil || !MayEnter(person) || !ThrottleOf(app).mailAllowed(person) {
		return err
	}
	return app.RunInTransaction(func(tx core.App) error {
		if err := Revoke(tx, resetPurpose, person.Id); err != nil {
			return err
		}
		token, err := Issue(tx, Link{Purpose: resetPurpose, Person: person.Id, Data: hashed(person.TokenKey())}, resetLife, time.Now())
		if err != nil {
			return err
		}
		return Send(tx, person, "desk-reset", "reset", token, nil)
	})
}

// Resetting gives whose password a link sets anew. A link from before the last
// change of the password is dead.
func Resetting(app core.App, token string, now time.Time) (*core.Record, error) {
	person, err := whose(app, resetPurpose, token, now)
	if err != nil {
		return nil, err
	}
	l, err := Peek(app, resetPurpose, token, now)
	if err != nil || !MayEnter(person) || l.Data != hashed(person.TokenKey()) {
		return nil, cmp.Or(err, ErrLink)
	}
	return person, nil
}

// Reset sets the password of whom the link is for. Every session and token of
// the account ends; its second factor stays.
func Reset(app core.App, token, password, address string, now time.Time) error {
	return app.RunInTransaction(func(tx core.App) error {
		person, err := Resetting(tx, token, now)
		if err != nil {
			return err
		}
		if _, err := Redeem(tx, resetPurpose, token, now); err != nil {
			return err
		}
		person.SetPassword(password)
		if err := tx.Save(person); err != nil {
			return err
		}
		return audit.Write(tx, audit.Of(person, address), "account.reset", person.Collection().Name, person.Id, nil)
	})
}

// AskEmail sends a link to a new address; following it makes the change.
func AskEmail(app core.App, person *core.Record, email string, now time.Time) error {
	email = Identity(email)
	return app.RunInTransaction(func(tx core.App) error {
		if err := Revoke(tx, emailPurpose, person.Id); err != nil {
			return err
		}
		raw, err := json.Marshal(newEmail{email, hashed(person.TokenKey())})
		if err != nil {
			return err
		}
		token, err := Issue(tx, Link{Purpose: emailPurpose, Person: person.Id, Data: string(raw)}, emailLife, now)
		if err != nil {
			return err
		}
		return kitmail.Send(tx, kitmail.Message{
			To: mail.Address{Name: person.GetString("name"), Address: email}, Template: "desk-email", Locale: person.GetString("locale"),
			Data: map[string]any{"Name": person.GetString("name"), "Link": link(tx, "account/email/confirm", token)},
		})
	})
}

type newEmail struct {
	Email string `json:"email"`
	Key   string `json:"key"` // of the account when it was asked for
}

// NewEmail gives the account that a link changes, and the address.
func NewEmail(app core.App, token string, now time.Time) (person *core.Record, email string, err error) {
	if person, err = whose(app, emailPurpose, token, now); err != nil {
		return nil, "", err
	}
	l, err := Peek(app, emailPurpose, token, now)
	if err != nil {
		return nil, "", err
	}
	var n newEmail
	if err := json.Unmarshal([]byte(l.Data), &n); err != nil || !MayEnter(person) || n.Key != hashed(person.TokenKey()) {
		return nil, "", ErrLink
	}
	return person, n.Email, nil
}

// ChangeEmail makes the change that a link is for.
func ChangeEmail(app core.App, token, address string, now time.Time) (*core.Record, error) {
	var person *core.Record
	err := app.RunInTransaction(func(tx core.App) error {
		p, email, err := NewEmail(tx, token, now)
		if err != nil {
			return err
		}
		if _, err := Redeem(tx, emailPurpose, token, now); err != nil {
			return err
		}
		if taken, err := byEmail(tx, p.Collection().Name, email); err != nil || taken != nil {
			return cmp.Or(err, ErrLink)
		}
		before := p.Email()
		p.SetEmail(email)
		p.SetVerified(true)
		if err := tx.Save(p); err != nil {
			return err
		}
		person = p
		return audit.Write(tx, audit.Of(p, address), "account.email", p.Collection().Name, p.Id, map[string]string{"from": before, "to": email})
	})
	if err != nil {
		return nil, fmt.Errorf("change the address: %w", err)
	}
	return person, nil
}
