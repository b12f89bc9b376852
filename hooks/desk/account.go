package desk

import (
	"errors"
	"net/http"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// accountPages are everybody's own.
func accountPages() []desk.Page {
	post := http.MethodPost
	return []desk.Page{
		{Path: "account", Access: web.Staff, Do: showAccount},
		{Method: post, Path: "account/profile", Access: web.Staff, Body: maxAvatar + 1<<16, Do: saveProfile},
		{Method: post, Path: "account/password", Access: web.Staff, Do: savePassword},
		{Method: post, Path: "account/email", Access: web.Staff, Do: askEmail, Quiet: "the change itself leaves one, once the link is followed"},
		{Method: post, Path: "account/sessions/{id}/end", Access: web.Staff, Do: endOne},
		{Method: post, Path: "account/sessions/end", Access: web.Staff, Do: endAll},
	}
}

// account is the page of one's own account.
type account struct {
	desk.Person
	Staff    bool // a member of staff, and no superuser alone
	Locale   string
	Locales  []choice
	Themes   []choice
	Sessions []ownSession
	Form     map[string]string // what was typed and is shown again
	Errors   map[string]string
	Waiting  string // a new address that is not confirmed yet
	Guard    protection
}

type choice struct{ Value, Label string }

type ownSession struct {
	Session
	This        bool
	Began, Last time.Time
}

const accountPage = "desk/account/account.html"

func showAccount(e *desk.Event) error { return renderAccount(e, http.StatusOK, nil, nil) }

func renderAccount(e *desk.Event, status int, form, faults map[string]string) error {
	page := account{
		Person: desk.PersonOf(e.Auth), Staff: !e.Auth.IsSuperuser(), Locale: e.Auth.GetString("locale"), Form: form, Errors: faults,
		Locales: []choice{{"", e.T("As the browser asks for")}, {"en", "English"}, {"de", "Deutsch"}},
		Themes:  []choice{{"", e.T("As the system")}, {"light", e.T("Light")}, {"dark", e.T("Dark")}},
	}
	sessions, err := Sessions(e.App, e.Auth, time.Now())
	if err != nil {
		return err
	}
	current, _, err := FindSession(e.App, cookieOf(e.RequestEvent), time.Now())
	if err != nil && !errors.Is(err, errNoSession) {
		return err
	}
	for _, s := range sessions {
		page.Sessions = append(page.Sessions, ownSession{s, current != nil && s.ID == current.ID, e.Local(time.Unix(s.Created, 0)), e.Local(time.Unix(s.Seen, 0))})
	}
	if page.Guard, err = protectionOf(e); err != nil {
		return err
	}
	return e.RenderStatus(status, accountPage, e.T("Your account"), page, peopleStyles, doorScript, "/assets/js/desk-people.js", "/assets/js/desk-passkey.js")
}

// self gives who is signed in as a member of staff; a superuser alone has no
// account here to change.
func self(e *desk.Event) (*core.Record, error) {
	if e.Auth.IsSuperuser() {
		return nil, e.BadRequestError("Your account is one of PocketBase's superusers. Change it in the dashboard.", nil)
	}
	return e.App.FindRecordById(schema.Staff, e.Auth.Id)
}

func saveProfile(e *desk.Event) error {
	person, err := self(e)
	if err != nil {
		return err
	}
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	form := map[string]string{"name": strings.TrimSpace(values.Get("name")), "locale": values.Get("locale"), "theme": values.Get("theme")}
	faults := map[string]string{}
	nameFault(e, faults, form["name"])
	if l := form["locale"]; l != "" && l != "en" && l != "de" {
		faults["locale"] = e.T("Choose one of the languages.")
	}
	if t := form["theme"]; t != "" && t != "light" && t != "dark" {
		faults["theme"] = e.T("Choose one of the colours.")
	}
	picture, fault := avatar(e)
	if fault != "" {
		faults["avatar"] = fault
	}
	if len(faults) > 0 {
		return renderAccount(e, http.StatusUnprocessableEntity, form, faults)
	}
	for field, value := range form {
		person.Set(field, value)
	}
	switch {
	case picture != nil:
		person.Set("avatar", picture)
	case values.Get("no_avatar") == "true":
		person.Set("avatar", nil)
	}
	err = e.App.RunInTransaction(func(tx core.App) error {
		if err := tx.Save(person); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "account.change", schema.Staff, person.Id, nil)
	})
	return done(e, err, desk.Href("account"), "Saved.")
}

// confirmed checks the password of who is signed in, before something that
// whoever finds the screen unlocked should not do.
func confirmed(e *desk.Event, password string) error {
	try, err := people.ThrottleOf(e.App).Take(e.App, e.Auth.Email(), e.RealIP(), markOf(e))
	if err != nil {
		return people.Answer(e.RequestEvent, err)
	}
	if _, err := people.CheckPassword(e.Request.Context(), e.App, e.Auth.Email(), password); err != nil {
		return err
	}
	try.Good()
	return nil
}

func savePassword(e *desk.Event) error {
	person, err := self(e)
	if err != nil {
		return err
	}
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	faults := map[string]string{}
	if err := confirmed(e, values.Get("current")); errors.Is(err, people.ErrWrong) {
		faults["current"] = e.T("This is not your password.")
	} else if err != nil {
		return err
	}
	if fault := people.PasswordFault(values.Get("password"), person.Email(), person.GetString("name")); fault != "" {
		faults["password"] = e.T(fault)
	}
	if len(faults) > 0 {
		return renderAccount(e, http.StatusUnprocessableEntity, nil, faults)
	}
	person.SetPassword(values.Get("password"))
	err = e.App.RunInTransaction(func(tx core.App) error {
		if err := tx.Save(person); err != nil {
			return err
		}
		if err := keepSession(tx, cookieOf(e.RequestEvent), person); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "account.password", schema.Staff, person.Id, nil)
	})
	return done(e, err, desk.Href("account"), "Your password is changed, and every other session has ended.")
}

func askEmail(e *desk.Event) error {
	person, err := self(e)
	if err != nil {
		return err
	}
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	email, faults := strings.TrimSpace(values.Get("email")), map[string]string{}
	if !isAddress(email) {
		faults["email"] = e.T("Write an e-mail address, such as ada@example.com.")
	}
	if err := confirmed(e, values.Get("confirm")); errors.Is(err, people.ErrWrong) {
		faults["confirm"] = e.T("This is not your password.")
	} else if err != nil {
		return err
	}
	if len(faults) > 0 {
		return renderAccount(e, http.StatusUnprocessableEntity, map[string]string{"email": email}, faults)
	}
	if err := people.AskEmail(e.App, person, email, time.Now()); err != nil {
		return err
	}
	return e.Done(desk.Href("account"), "A link is on its way to %s. Your address changes when you follow it.", email)
}

func endOne(e *desk.Event) error {
	found, err := RevokeSession(e.App, e.Auth, e.Request.PathValue("id"))
	if err != nil {
		return err
	}
	if !found {
		return e.NotFoundError("", nil)
	}
	if err := audit.Write(e.App, e.Actor(), "account.session_end", e.Auth.Collection().Name, e.Auth.Id, nil); err != nil {
		return err
	}
	return e.Done(desk.Href("account"), "The session has ended.")
}

// endAll signs out everywhere, here too, and ends the tokens of the API.
func endAll(e *desk.Event) error {
	err := e.App.RunInTransaction(func(tx core.App) error {
		person, err := tx.FindRecordById(e.Auth.Collection().Name, e.Auth.Id)
		if err != nil {
			return err
		}
		if err := people.EndEverywhere(tx, person); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "account.sign_out_everywhere", e.Auth.Collection().Name, e.Auth.Id, nil)
	})
	if err != nil {
		return err
	}
	setCookie(e.RequestEvent, "")
	return e.Done(desk.Href("sign-in"), "You are signed out everywhere.")
}
