package desk

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/go-webauthn/webauthn/protocol"
	"github.com/go-webauthn/webauthn/webauthn"
	"github.com/pocketbase/pocketbase/core"
)

const (
	passkeyPurpose  = "passkey"     // signing in
	ceremonyPurpose = "passkey-new" // making one
	ceremonyLife    = 5 * time.Minute
	maxCeremony     = 64 << 10 // bytes
)

// passkeyPages are for scripts: a browser speaks of passkeys in no other way.
func passkeyPages() []desk.Page {
	post := http.MethodPost
	return []desk.Page{
		{Method: post, Path: "sign-in/passkey/start", Access: web.Public, Body: maxCeremony, Do: startPasskey, Quiet: halfWay},
		{Method: post, Path: "sign-in/passkey", Access: web.Public, Body: maxCeremony, Do: signInByPasskey},
		{Method: post, Path: "account/passkeys/start", Access: web.Staff, Body: maxCeremony, Do: startNewPasskey, Quiet: "nothing is there before the browser made the key"},
		{Method: post, Path: "account/passkeys", Access: web.Staff, Body: maxCeremony, Do: addPasskey},
		{Method: post, Path: "account/passkeys/{id}/remove", Access: web.Staff, Do: removePasskey},
	}
}

// ceremony is what scripts exchange with us.
type ceremony struct {
	Token      string          `json:"token"`
	Options    any             `json:"options,omitempty"`
	Credential json.RawMessage `json:"credential,omitempty"`
	Name       string          `json:"name,omitempty"`
	Password   string          `json:"password,omitempty"`
	Next       string          `json:"next,omitempty"`
}

// passkeysWork reports whether a browser offers passkeys at this address: a
// name, over TLS or on the machine itself.
func passkeysWork(e *desk.Event) bool {
	host := hostname(e)
	return net.ParseIP(host) == nil && host != "" && (web.Secure(e.RequestEvent) || host == "localhost")
}

func hostname(e *desk.Event) string {
	host := e.Request.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return strings.Trim(host, "[]")
}

// relyingParty is this site at the address at which the browser sees it.
func relyingParty(e *desk.Event) (*webauthn.WebAuthn, error) {
	if !passkeysWork(e) {
		return nil, e.BadRequestError("Passkeys need a name and an encrypted connection.", nil)
	}
	return webauthn.New(&webauthn.Config{RPID: hostname(e), RPDisplayName: e.View("", nil).Site.Title, RPOrigins: []string{origin(e)}})
}

// keep stores what a ceremony needs until the browser comes back.
func keep(e *desk.Event, purpose, person string, session *webauthn.SessionData) (token string, err error) {
	raw, err := json.Marshal(session)
	if err != nil {
		return "", err
	}
	return people.Issue(e.App, people.Link{Purpose: purpose, Person: person, Data: string(raw)}, ceremonyLife, time.Now())
}

// take gives back what keep stored, once.
func take(e *desk.Event, purpose string) (in ceremony, l *people.Link, session webauthn.SessionData, err error) {
	if err = e.BindBody(&in); err != nil {
		return in, nil, session, e.BadRequestError("The answer of the browser could not be read.", err)
	}
	if l, err = people.Redeem(e.App, purpose, in.Token, time.Now()); errors.Is(err, people.ErrLink) {
		return in, nil, session, e.BadRequestError("This took too long. Try again.", err)
	} else if err != nil {
		return in, nil, session, err
	}
	return in, l, session, json.Unmarshal([]byte(l.Data), &session)
}

func startPasskey(e *desk.Event) error {
	if err := people.ThrottleOf(e.App).TakeAddress(e.RealIP()); err != nil {
		return people.Answer(e.RequestEvent, err)
	}
	party, err := relyingParty(e)
	if err != nil {
		return err
	}
	options, session, err := party.BeginDiscoverableLogin(webauthn.WithUserVerification(protocol.VerificationRequired))
	if err != nil {
		return fmt.Errorf("start a sign-in by passkey: %w", err)
	}
	token, err := keep(e, passkeyPurpose, "", session)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, ceremony{Token: token, Options: options})
}

func signInByPasskey(e *desk.Event) error {
	in, _, session, err := take(e, passkeyPurpose)
	if err != nil {
		return err
	}
	party, err := relyingParty(e)
	if err != nil {
		return err
	}
	answer, err := protocol.ParseCredentialRequestResponseBytes(in.Credential)
	if err != nil {
		return e.BadRequestError("The answer of the browser could not be read.", err)
	}
	find := func(_, handle []byte) (webauthn.User, error) { return people.HolderByHandle(e.App, handle) }
	user, credential, err := party.ValidatePasskeyLogin(find, session, answer)
	if err != nil || credential.Authenticator.CloneWarning {
		return e.ForbiddenError("This passkey opens nothing here.", err)
	}
	if err := people.UsedPasskey(e.App, credential, time.Now()); err != nil {
		return err
	}
	// A passkey asked for the finger, the face or the PIN: that is two factors.
	if err := begin(e, user.(*people.Holder).Record, proof{Method: "passkey"}); err != nil {
		return err
	}
	return e.JSON(http.StatusOK, ceremony{Next: safeNext(in.Next)})
}

func startNewPasskey(e *desk.Event) error {
	person, err := self(e)
	if err != nil {
		return err
	}
	var in ceremony
	if err := e.BindBody(&in); err != nil {
		return e.BadRequestError("The answer of the browser could not be read.", err)
	}
	if err := confirmed(e, in.Password); errors.Is(err, people.ErrWrong) {
		return e.BadRequestError(e.T("This is not your password."), err)
	} else if err != nil {
		return err
	}
	party, err := relyingParty(e)
	if err != nil {
		return err
	}
	holder, err := people.HolderOf(e.App, person)
	if err != nil {
		return err
	}
	options, session, err := party.BeginRegistration(holder,
		webauthn.WithAuthenticatorSelection(protocol.AuthenticatorSelection{
			ResidentKey: protocol.ResidentKeyRequirementRequired, RequireResidentKey: protocol.ResidentKeyRequired(), UserVerification: protocol.VerificationRequired,
		}),
		webauthn.WithConveyancePreference(protocol.PreferNoAttestation),
		webauthn.WithExclusions(webauthn.Credentials(holder.WebAuthnCredentials()).CredentialDescriptors()))
	if err != nil {
		return fmt.Errorf("start a passkey: %w", err)
	}
	token, err := keep(e, ceremonyPurpose, person.Id, session)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, ceremony{Token: token, Options: options})
}

func addPasskey(e *desk.Event) error {
	person, err := self(e)
	if err != nil {
		return err
	}
	in, l, session, err := take(e, ceremonyPurpose)
	if err != nil {
		return err
	}
	if l.Person != person.Id {
		return e.ForbiddenError("Somebody else began this.", nil)
	}
	party, err := relyingParty(e)
	if err != nil {
		return err
	}
	holder, err := people.HolderOf(e.App, person)
	if err != nil {
		return err
	}
	answer, err := protocol.ParseCredentialCreationResponseBytes(in.Credential)
	if err != nil {
		return e.BadRequestError("The answer of the browser could not be read.", err)
	}
	credential, err := party.CreateCredential(holder, session, answer)
	if err != nil {
		return e.BadRequestError("The browser's passkey could not be checked. Try again.", err)
	}
	name := strings.TrimSpace(in.Name)
	if name == "" || len(name) > maxName {
		name = device(e.Request.UserAgent())
	}
	err = e.App.RunInTransaction(func(tx core.App) error {
		if err := people.AddPasskey(tx, person, name, credential, time.Now()); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "account.passkey_add", schema.Staff, person.Id, map[string]string{"name": name})
	})
	if errors.Is(err, people.ErrPasskeys) {
		return e.BadRequestError("An account has at most 20 passkeys. Remove one first.", err)
	}
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, ceremony{Next: desk.Href("account")})
}

func removePasskey(e *desk.Event) error {
	person, err := self(e)
	if err != nil {
		return err
	}
	var found bool
	err = e.App.RunInTransaction(func(tx core.App) (err error) {
		if found, err = people.RemovePasskey(tx, person.Id, e.Request.PathValue("id")); err != nil || !found {
			return err
		}
		return audit.Write(tx, e.Actor(), "account.passkey_remove", schema.Staff, person.Id, nil)
	})
	if err == nil && !found {
		return e.NotFoundError("", nil)
	}
	return done(e, err, desk.Href("account"), "The passkey opens nothing any more.")
}
