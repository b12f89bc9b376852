package people

import (
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"bungalow/hooks/kit/schema"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// maxPasskeys is how many an account has.
const maxPasskeys = 20

// ErrPasskeys says that an account has as many passkeys as it may have.
var ErrPasskeys = errors.New("an account has at most 20 passkeys")

// Passkey is a way to sign in without a password, as a list shows it.
type Passkey struct {
	ID      string `db:"id"`
	Name    string `db:"name"`
	Created int64  `db:"created"` // Unix seconds
	Used    int64  `db:"used"`    // Unix seconds, 0 for never
}

// Holder is an account as the protocol of passkeys sees it.
type Holder struct {
	*core.Record
	credentials []webauthn.Credential
}

// WebAuthnID is the account's id.
func (h *Holder) WebAuthnID() []byte { return []byte(h.Id) }

// WebAuthnName is what the browser lists.
func (h *Holder) WebAuthnName() string { return h.Email() }

// WebAuthnDisplayName is what the browser shows.
func (h *Holder) WebAuthnDisplayName() string {
	if name := h.GetString("name"); name != "" {
		return name
	}
	return h.Email()
}

// WebAuthnCredentials are the passkeys of the account.
func (h *Holder) WebAuthnCredentials() []webauthn.Credential { return h.credentials }

// HolderOf gives the account with its passkeys.
func HolderOf(app core.App, person *core.Record) (*Holder, error) {
	var rows []string
	if err := app.DB().NewQuery(`SELECT credential FROM _passkeys WHERE person = {:p} ORDER BY created`).Bind(dbx.Params{"p": person.Id}).Column(&rows); err != nil {
		return nil, fmt.Errorf("read the passkeys: %w", err)
	}
	h := &Holder{Record: person}
	for _, row := range rows {
		var c webauthn.Credential
		if err := json.Unmarshal([]byte(row), &c); err != nil {
			return nil, fmt.Errorf("read a passkey: %w", err)
		}
		h.credentials = append(h.credentials, c)
	}
	return h, nil
}

// HolderByHandle gives the active member of staff of the handle that a passkey
// carries. It is ErrWrong where there is none.
func HolderByHandle(app core.App, handle []byte) (*Holder, error) {
	person, err := app.FindRecordById(schema.Staff, string(handle))
	if errors.Is(err, sql.ErrNoRows) || err == nil && !MayEnter(person) {
		return nil, ErrWrong
	}
	if err != nil {
		return nil, err
	}
	return HolderOf(app, person)
}

func keyID(c *webauthn.Credential) string { return base64.RawURLEncoding.EncodeToString(c.ID) }

// AddPasskey keeps a passkey, which is a public key.
func AddPasskey(tx core.App, person *core.Record, name string, c *webauthn.Credential, now time.Time) error {
	var n int
	if err := tx.DB().NewQuery(`SELECT count(*) FROM _passkeys WHERE person = {:p}`).Bind(dbx.Params{"p": person.Id}).Row(&n); err != nil {
		return fmt.Errorf("count the passkeys: %w", err)
	}
	if n >= maxPasskeys {
		return ErrPasskeys
	}
	raw, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("keep the passkey: %w", err)
	}
	_, err = tx.DB().Insert("_passkeys", dbx.Params{
		"id": keyID(c), "person": person.Id, "name": name, "credential": string(raw), "created": now.Unix(), "used": 0,
	}).Execute()
	if err != nil {
		return fmt.Errorf("keep the passkey: %w", err)
	}
	return nil
}

// UsedPasskey notes the use of a passkey, and the counter by which a copy of it
// would be noticed.
func UsedPasskey(tx core.App, c *webauthn.Credential, now time.Time) error {
	raw, err := json.Marshal(c)
	if err != nil {
		return fmt.Errorf("note the use of a passkey: %w", err)
	}
	if _, err := tx.DB().Update("_passkeys", dbx.Params{"credential": string(raw), "used": now.Unix()}, dbx.HashExp{"id": keyID(c)}).Execute(); err != nil {
		return fmt.Errorf("note the use of a passkey: %w", err)
	}
	return nil
}

// Passkeys lists those of an account, the oldest first.
func Passkeys(app core.App, id string) ([]Passkey, error) {
	keys := []Passkey{}
	if err := app.DB().NewQuery(`SELECT id, name, created, used FROM _passkeys WHERE person = {:p} ORDER BY created`).Bind(dbx.Params{"p": id}).All(&keys); err != nil {
		return nil, fmt.Errorf("list the passkeys: %w", err)
	}
	return keys, nil
}

// RemovePasskey forgets a passkey of an account; found is false where the
// account has no such one.
func RemovePasskey(tx core.App, person, id string) (found bool, err error) {
	res, err := tx.DB().Delete("_passkeys", dbx.HashExp{"id": id, "person": person}).Execute()
	if err != nil {
		return false, fmt.Errorf("forget the passkey: %w", err)
	}
	n, err := res.RowsAffected()
	return n > 0, err
}
