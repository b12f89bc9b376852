package people

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/secret"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/pocketbase/pocketbase/tools/security"
	"github.com/pquerna/otp"
	"github.com/pquerna/otp/totp"
)

const (
	totpPeriod    = 30 // seconds (RFC 6238)
	recoveryCodes = 10
	codeAlphabet  = "abcdefghjkmnpqrstuvwxyz23456789" // nothing that looks like something else
	codeLength    = 10                                // near 50 bits
)

// NewKey makes a secret for an authenticator app, which is nowhere stored yet.
func NewKey(issuer, account string) (*otp.Key, error) {
	key, err := totp.Generate(totp.GenerateOpts{Issuer: issuer, AccountName: account, Period: totpPeriod, SecretSize: 20})
	if err != nil {
		return nil, fmt.Errorf("make a secret for codes: %w", err)
	}
	return key, nil
}

// HasFactor reports whether an account asks for a second factor.
func HasFactor(app core.App, id string) (bool, error) {
	var n int
	if err := app.DB().NewQuery(`SELECT count(*) FROM _factors WHERE person = {:id}`).Bind(dbx.Params{"id": id}).Row(&n); err != nil {
		return false, fmt.Errorf("look for a second factor: %w", err)
	}
	return n > 0, nil
}

// Secured lists the ids of the accounts that ask for a second factor.
func Secured(app core.App) (ids []string, err error) {
	if err := app.DB().NewQuery(`SELECT person FROM _factors`).Column(&ids); err != nil {
		return nil, fmt.Errorf("list who has a second factor: %w", err)
	}
	return ids, nil
}

// SwitchOn makes the account ask for codes of the secret, once the person typed
// a right one, and gives ten recovery codes. Every token and session of the
// account ends, its superuser's too: none of them went through the factor.
func SwitchOn(tx core.App, person *core.Record, totpSecret, code string, now time.Time) (codes []string, err error) {
	step, ok := matches(totpSecret, code, 0, now)
	if !ok {
		return nil, ErrWrong
	}
	sealed, err := Seal(tx, totpSecret)
	if err != nil {
		return nil, err
	}
	if _, err := tx.DB().NewQuery(`INSERT OR REPLACE INTO _factors (person, secret, step, created) VALUES ({:p}, {:s}, {:step}, {:now})`).
		Bind(dbx.Params{"p": person.Id, "s": sealed, "step": step, "now": now.Unix()}).Execute(); err != nil {
		return nil, fmt.Errorf("keep the second factor: %w", err)
	}
	if codes, err = NewRecoveryCodes(tx, person); err != nil {
		return nil, err
	}
	return codes, endTokens(tx, person)
}

// endTokens ends every token and session of a person, of both accounts.
func endTokens(tx core.App, person *core.Record) error {
	all := []*core.Record{person}
	if person.Collection().Name == schema.Staff && isOwner(person) {
		twin, err := Superuser(tx, person)
		if err != nil {
			return err
		}
		if twin != nil {
			all = append(all, twin)
		}
	}
	for _, one := range all {
		one.RefreshTokenKey()
		if err := tx.Save(one); err != nil {
			return fmt.Errorf("end the sessions: %w", err)
		}
	}
	return nil
}

// EndEverywhere ends every token and session of a person.
func EndEverywhere(tx core.App, person *core.Record) error { return endTokens(tx, person) }

// SwitchOff takes the second factor and its recovery codes away.
func SwitchOff(tx core.App, id string) error {
	for _, table := range []string{"_factors", "_recovery_codes"} {
		if _, err := tx.DB().Delete(table, dbx.HashExp{"person": id}).Execute(); err != nil {
			return fmt.Errorf("take the second factor away: %w", err)
		}
	}
	return nil
}

// NewRecoveryCodes gives ten codes that work once each; those from before die.
// They are kept as hashes.
func NewRecoveryCodes(tx core.App, person *core.Record) ([]string, error) {
	if _, err := tx.DB().Delete("_recovery_codes", dbx.HashExp{"person": person.Id}).Execute(); err != nil {
		return nil, fmt.Errorf("drop the old recovery codes: %w", err)
	}
	codes := make([]string, recoveryCodes)
	for i := range codes {
		code := security.RandomStringWithAlphabet(codeLength, codeAlphabet)
		hash, err := codeHash(tx, person.Id, code)
		if err != nil {
			return nil, err
		}
		if _, err := tx.DB().Insert("_recovery_codes", dbx.Params{"person": person.Id, "hash": hash}).Execute(); err != nil {
			return nil, fmt.Errorf("keep a recovery code: %w", err)
		}
		codes[i] = code[:codeLength/2] + "-" + code[codeLength/2:]
	}
	return codes, nil
}

// RecoveryCodesLeft is how many an account has.
func RecoveryCodesLeft(app core.App, id string) (n int, err error) {
	if err := app.DB().NewQuery(`SELECT count(*) FROM _recovery_codes WHERE person = {:id}`).Bind(dbx.Params{"id": id}).Row(&n); err != nil {
		return 0, fmt.Errorf("count the recovery codes: %w", err)
	}
	return n, nil
}

// CheckFactor compares what somebody typed with the account's authenticator,
// or with its recovery codes, and uses the code up: the same one never works
// twice. It gives "totp" or "recovery", or ErrWrong.
func CheckFactor(app core.App, id, code string, now time.Time) (kind string, err error) {
	code = strings.ToLower(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -\u00a0", r) {
			return -1
		}
		return r
	}, code))
	err = app.RunInTransaction(func(tx core.App) error {
		var row struct {
			Secret string `db:"secret"`
			Step   int64  `db:"step"`
		}
		if err := tx.DB().NewQuery(`SELECT secret, step FROM _factors WHERE person = {:id}`).Bind(dbx.Params{"id": id}).One(&row); err != nil {
			return fmt.Errorf("read the second factor: %w", err)
		}
		plain, err := Unseal(tx, row.Secret)
		if err != nil {
			return err
		}
		if step, ok := matches(plain, code, row.Step, now); ok {
			kind = "totp"
			_, err := tx.DB().Update("_factors", dbx.Params{"step": step}, dbx.HashExp{"person": id}).Execute()
			return err
		}
		hash, err := codeHash(tx, id, code)
		if err != nil {
			return err
		}
		res, err := tx.DB().Delete("_recovery_codes", dbx.HashExp{"person": id, "hash": hash}).Execute()
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(ErrWrong, err)
		}
		kind = "recovery"
		return nil
	})
	return kind, err
}

// matches looks whether a code is that of now, or of the step before or after
// it, and later than the last one that was used (RFC 6238, 5.2).
func matches(totpSecret, code string, last int64, now time.Time) (step int64, ok bool) {
	if len(code) != 6 {
		return 0, false
	}
	current := now.Unix() / totpPeriod
	for _, step := range []int64{current, current - 1, current + 1} {
		want, err := totp.GenerateCodeCustom(totpSecret, time.Unix(step*totpPeriod, 0), totp.ValidateOpts{Period: totpPeriod, Digits: otp.DigitsSix})
		if err == nil && step > last && hmac.Equal([]byte(want), []byte(code)) {
			return step, true
		}
	}
	return 0, false
}

func codeHash(app core.App, id, code string) (string, error) {
	key, err := secret.Derive(app, "recovery codes")
	if err != nil {
		return "", err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "\x00" + code))
	return hex.EncodeToString(mac.Sum(nil)), nil
}

// Seal and Unseal keep secrets unreadable in a leaked copy of the database.
func Seal(app core.App, plain string) (string, error) {
	key, err := secret.Derive(app, "second factors")
	if err != nil {
		return "", err
	}
	return security.Encrypt([]byte(plain), string(key))
}

func Unseal(app core.App, sealed string) (string, error) {
	key, err := secret.Derive(app, "second factors")
	if err != nil {
		return "", err
	}
	plain, err := security.Decrypt(sealed, string(key))
	if err != nil {
		return "", fmt.Errorf("open the second factor: %w; the site's key is another one than when it was switched on", err)
	}
	return string(plain), nil
}

// MailCode makes a code of eight digits for somebody who reads it in a mail.
func MailCode() string { return security.RandomStringWithAlphabet(8, "0123456789") }

// errFactor is what PocketBase's API answers an account with a second factor.
var errFactor = router.NewForbiddenError("This account asks for a second factor, which this address does not know. Sign in at /desk/.", nil)

// guardTokens gives no token at PocketBase's API to an account with a second
// factor, by whatever method. The dashboard of an owner with one is opened from
// the desk.
func guardTokens(e *core.RecordAuthRequestEvent) error {
	if !staffed(e.App) {
		return e.Next()
	}
	if e.Record.IsSuperuser() && e.AuthMethod == "" {
		return e.Next() // a token that was given before, and goes on
	}
	member, err := Member(e.App, e.Record)
	if err != nil {
		return err
	}
	ids := []string{e.Record.Id}
	if member != nil {
		ids = append(ids, member.Id)
	}
	for _, id := range slices.Compact(ids) {
		factor, err := HasFactor(e.App, id)
		if err != nil {
			return err
		}
		if factor {
			return errFactor
		}
	}
	if e.AuthMethod == "" {
		return e.Next()
	}
	event := &events.SignInEvent{App: e.App, Person: e.Record, Method: "api", Address: e.RealIP()}
	return events.OnSignIn(e.App).Trigger(event, func(*events.SignInEvent) error { return e.Next() })
}
