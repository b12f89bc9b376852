package desk

import (
	"errors"
	"image/png"
	"net/http"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pquerna/otp"
)

const (
	totpPurpose = "totp"
	totpSetup   = 20 * time.Minute
	qrSize      = 320 // pixels
)

// factorPages switch the second step of one's own account on and off.
func factorPages() []desk.Page {
	post := http.MethodPost
	return []desk.Page{
		{Method: post, Path: "account/factor/start", Access: web.Staff, Do: startFactor, Quiet: "nothing is switched on before a first code was right"},
		{Path: "account/factor.png", Access: web.Staff, Do: showQR},
		{Method: post, Path: "account/factor", Access: web.Staff, Do: switchOn},
		{Method: post, Path: "account/factor/off", Access: web.Staff, Do: switchOff},
		{Method: post, Path: "account/factor/codes", Access: web.Staff, Do: newCodes},
	}
}

// setup is the page that shows the secret.
type setup struct {
	Token, Secret, Error string
}

const setupPage = "desk/account/factor.html"

// asked reads a form that carries the person's password. A wrong one is shown
// beside its field; then person is nil and the answer is written.
func asked(e *desk.Event, field string) (person *core.Record, values web.Values, err error) {
	if person, err = self(e); err != nil {
		return nil, nil, err
	}
	if values, err = web.Read(e.RequestEvent); err != nil {
		return nil, nil, err
	}
	err = confirmed(e, values.Get(field))
	if errors.Is(err, people.ErrWrong) {
		return nil, nil, renderAccount(e, http.StatusUnprocessableEntity, nil, map[string]string{field: e.T("This is not your password.")})
	}
	return person, values, err
}

func startFactor(e *desk.Event) error {
	person, _, err := asked(e, "factor_password")
	if err != nil || person == nil {
		return err
	}
	site := e.View("", nil).Site
	key, err := people.NewKey(site.Title, person.Email())
	if err != nil {
		return err
	}
	if err := people.Revoke(e.App, totpPurpose, person.Id); err != nil {
		return err
	}
	sealed, err := people.Seal(e.App, key.URL())
	if err != nil {
		return err
	}
	token, err := people.Issue(e.App, people.Link{Purpose: totpPurpose, Person: person.Id, Data: sealed}, totpSetup, time.Now())
	if err != nil {
		return err
	}
	return renderSetup(e, http.StatusOK, setup{Token: token, Secret: key.Secret()})
}

func renderSetup(e *desk.Event, status int, s setup) error {
	return e.RenderStatus(status, setupPage, e.T("Switch the second step on"), s, peopleStyles)
}

// keyOf is the secret that the person is setting up.
func keyOf(e *desk.Event, token string) (*otp.Key, error) {
	l, err := people.Peek(e.App, totpPurpose, token, time.Now())
	if err != nil {
		return nil, err
	}
	if l.Person != e.Auth.Id {
		return nil, people.ErrLink
	}
	plain, err := people.Unseal(e.App, l.Data)
	if err != nil {
		return nil, err
	}
	return otp.NewKeyFromURL(plain)
}

func showQR(e *desk.Event) error {
	key, err := keyOf(e, e.Request.URL.Query().Get("token"))
	if errors.Is(err, people.ErrLink) {
		return e.NotFoundError("", err)
	}
	if err != nil {
		return err
	}
	picture, err := key.Image(qrSize, qrSize)
	if err != nil {
		return err
	}
	e.Response.Header().Set("Content-Type", "image/png")
	return png.Encode(e.Response, picture)
}

func switchOn(e *desk.Event) error {
	person, err := self(e)
	if err != nil {
		return err
	}
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	token := values.Get("token")
	key, err := keyOf(e, token)
	if errors.Is(err, people.ErrLink) {
		return e.Leave(desk.Href("account"), desk.Notice{Kind: "warning", Text: e.T("This took too long. Begin again.")})
	}
	if err != nil {
		return err
	}
	var codes []string
	err = e.App.RunInTransaction(func(tx core.App) (err error) {
		if codes, err = people.SwitchOn(tx, person, key.Secret(), values.Get("code"), time.Now()); err != nil {
			return err
		}
		if err := people.Revoke(tx, totpPurpose, person.Id); err != nil {
			return err
		}
		if err := keepSession(tx, cookieOf(e.RequestEvent), person); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "account.factor_on", schema.Staff, person.Id, nil)
	})
	if errors.Is(err, people.ErrWrong) {
		return renderSetup(e, http.StatusUnprocessableEntity, setup{Token: token, Secret: key.Secret(), Error: e.T("This code is not right. Look whether the clock of your phone is.")})
	}
	if err != nil {
		return err
	}
	return showCodes(e, codes)
}

func showCodes(e *desk.Event, codes []string) error {
	return e.Render("desk/account/codes.html", e.T("Recovery codes"), codes, peopleStyles, "/assets/js/desk-people.js")
}

func switchOff(e *desk.Event) error {
	person, _, err := asked(e, "factor_password")
	if err != nil || person == nil {
		return err
	}
	err = e.App.RunInTransaction(func(tx core.App) error {
		if err := people.SwitchOff(tx, person.Id); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "account.factor_off", schema.Staff, person.Id, nil)
	})
	return done(e, err, desk.Href("account"), "The second step is switched off.")
}

func newCodes(e *desk.Event) error {
	person, _, err := asked(e, "factor_password")
	if err != nil || person == nil {
		return err
	}
	if on, err := people.HasFactor(e.App, person.Id); err != nil || !on {
		return done(e, err, desk.Href("account"), "Switch the second step on first.")
	}
	var codes []string
	err = e.App.RunInTransaction(func(tx core.App) (err error) {
		if codes, err = people.NewRecoveryCodes(tx, person); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "account.recovery_codes", schema.Staff, person.Id, nil)
	})
	if err != nil {
		return err
	}
	return showCodes(e, codes)
}
