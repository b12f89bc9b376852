package desk

import (
	"net/http"
	"strings"
	"time"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/web"
)

// The pages behind the links that come by mail. They open with a token alone,
// change nothing before their button is pressed, and tell no other site where
// they are.

func joinPages() []desk.Page {
	post := http.MethodPost
	return []desk.Page{
		{Path: "invitation", Access: web.Public, Do: showJoin},
		{Method: post, Path: "invitation", Access: web.Public, Do: join},
		{Path: "forgotten", Access: web.Public, Do: showForgotten},
		{Method: post, Path: "forgotten", Access: web.Public, Do: forgotten, Quiet: "nobody is known yet"},
		{Path: "reset", Access: web.Public, Do: showReset},
		{Method: post, Path: "reset", Access: web.Public, Do: reset},
		{Path: "account/email/confirm", Access: web.Public, Do: showNewEmail},
		{Method: post, Path: "account/email/confirm", Access: web.Public, Do: confirmEmail},
	}
}

// tokenForm is a form behind a link.
type tokenForm struct {
	Token, Name, Email, Role string
	Errors                   map[string]string
	Sent                     bool
}

const (
	deadInvitation = "Ask the owner of the site for a new invitation."
	deadReset      = "Ask for a new one at the sign-in, with “Forgotten your password?”."
	deadEmail      = "Sign in and change the address once more."
)

// renderToken shows a form behind a link.
func renderToken(e *desk.Event, status int, page, title string, form tokenForm) error {
	e.Response.Header().Set("Referrer-Policy", "no-referrer") // the address holds the token
	return e.RenderStatus(status, "desk/door/"+page+".html", title, form, peopleStyles, doorScript)
}

func showJoin(e *desk.Event) error {
	token := e.Request.URL.Query().Get("token")
	person, err := people.Invitee(e.App, token, time.Now())
	if err != nil {
		return deadLink(e, err, deadInvitation)
	}
	return renderToken(e, http.StatusOK, "invitation", e.T("Invitation"), tokenForm{
		Token: token, Name: person.GetString("name"), Email: person.Email(), Role: desk.RoleName(person.GetString("role")),
	})
}

func join(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	person, err := people.Invitee(e.App, values.Get("token"), time.Now())
	if err != nil {
		return deadLink(e, err, deadInvitation)
	}
	form := tokenForm{
		Token: values.Get("token"), Name: strings.TrimSpace(values.Get("name")), Email: person.Email(),
		Role: desk.RoleName(person.GetString("role")), Errors: map[string]string{},
	}
	nameFault(e, form.Errors, form.Name)
	if fault := people.PasswordFault(values.Get("password"), form.Email, form.Name); fault != "" {
		form.Errors["password"] = e.T(fault)
	}
	if len(form.Errors) > 0 {
		return renderToken(e, http.StatusUnprocessableEntity, "invitation", e.T("Invitation"), form)
	}
	person, err = people.Join(e.App, form.Token, form.Name, values.Get("password"), e.RealIP(), time.Now())
	if err != nil {
		return deadLink(e, err, deadInvitation)
	}
	return finish(e, person, proof{Method: "invitation"}, desk.Root)
}

func showForgotten(e *desk.Event) error {
	return renderToken(e, http.StatusOK, "forgotten", e.T("Forgotten your password?"), tokenForm{})
}

// forgotten answers everybody alike.
func forgotten(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	email := strings.TrimSpace(values.Get("email"))
	if _, err := people.ThrottleOf(e.App).Take(e.App, "forgotten "+email, e.RealIP(), ""); err != nil {
		return people.Answer(e.RequestEvent, err)
	}
	if !isAddress(email) {
		return renderToken(e, http.StatusUnprocessableEntity, "forgotten", e.T("Forgotten your password?"), tokenForm{
			Email: email, Errors: map[string]string{"email": e.T("Write an e-mail address, such as ada@example.com.")},
		})
	}
	if err := people.AskReset(e.App, email); err != nil {
		return err
	}
	return renderToken(e, http.StatusOK, "forgotten", e.T("Look into your mail"), tokenForm{Email: email, Sent: true})
}

func showReset(e *desk.Event) error {
	token := e.Request.URL.Query().Get("token")
	person, err := people.Resetting(e.App, token, time.Now())
	if err != nil {
		return deadLink(e, err, deadReset)
	}
	return renderToken(e, http.StatusOK, "reset", e.T("A new password"), tokenForm{Token: token, Email: person.Email()})
}

func reset(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	token, password := values.Get("token"), values.Get("password")
	person, err := people.Resetting(e.App, token, time.Now())
	if err != nil {
		return deadLink(e, err, deadReset)
	}
	if fault := people.PasswordFault(password, person.Email(), person.GetString("name")); fault != "" {
		return renderToken(e, http.StatusUnprocessableEntity, "reset", e.T("A new password"), tokenForm{
			Token: token, Email: person.Email(), Errors: map[string]string{"password": e.T(fault)},
		})
	}
	if err := people.Reset(e.App, token, password, e.RealIP(), time.Now()); err != nil {
		return deadLink(e, err, deadReset)
	}
	return e.Done(desk.Href("sign-in"), "Your password is changed. Sign in with it.")
}

func showNewEmail(e *desk.Event) error {
	token := e.Request.URL.Query().Get("token")
	_, email, err := people.NewEmail(e.App, token, time.Now())
	if err != nil {
		return deadLink(e, err, deadEmail)
	}
	return renderToken(e, http.StatusOK, "email", e.T("Your new address"), tokenForm{Token: token, Email: email})
}

func confirmEmail(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	if _, err := people.ChangeEmail(e.App, values.Get("token"), e.RealIP(), time.Now()); err != nil {
		return deadLink(e, err, deadEmail)
	}
	return e.Done(desk.Href("sign-in"), "Your address is changed. Sign in with it.")
}
