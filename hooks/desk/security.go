package desk

import (
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/people"
)

// security is what the account page shows of second factors.
type security struct {
	Factor bool
	Codes  int // recovery codes that are left
}

func securityOf(e *desk.Event) (s security, err error) {
	if s.Factor, err = people.HasFactor(e.App, e.Auth.Id); err != nil {
		return s, err
	}
	s.Codes, err = people.RecoveryCodesLeft(e.App, e.Auth.Id)
	return s, err
}
