package desk

import (
	"time"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/people"
)

// protection is what the account page shows of second factors and passkeys.
type protection struct {
	Factor  bool
	Codes   int // recovery codes that are left
	Keys    []ownKey
	KeysCan bool // the browser may offer passkeys at this address
}

type ownKey struct {
	people.Passkey
	Began, Last time.Time // Last is zero for never
}

func protectionOf(e *desk.Event) (p protection, err error) {
	p.KeysCan = passkeysWork(e)
	if p.Factor, err = people.HasFactor(e.App, e.Auth.Id); err != nil {
		return p, err
	}
	if p.Codes, err = people.RecoveryCodesLeft(e.App, e.Auth.Id); err != nil {
		return p, err
	}
	keys, err := people.Passkeys(e.App, e.Auth.Id)
	for _, k := range keys {
		own := ownKey{Passkey: k, Began: e.Local(time.Unix(k.Created, 0))}
		if k.Used > 0 {
			own.Last = e.Local(time.Unix(k.Used, 0))
		}
		p.Keys = append(p.Keys, own)
	}
	return p, err
}
