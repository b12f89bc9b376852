package desk

import (
	"errors"
	"fmt"
	"net/http"
	"net/mail"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

const (
	welcomePurpose = "welcome"
	welcomeLife    = 30 * time.Minute
	welcomePage    = "desk/door/welcome.html"
	doorScript     = "/assets/js/desk-door.js"
	peopleStyles   = "/assets/css/desk-people.css"
)

// WelcomeLink makes the path at which the owner of a new site makes the account,
// and ends the one before. It is "" where the site has an owner.
func WelcomeLink(app core.App, now time.Time) (string, error) {
	owned, err := people.HasOwner(app)
	if err != nil || owned {
		return "", err
	}
	if err := people.Revoke(app, welcomePurpose, ""); err != nil {
		return "", err
	}
	token, err := people.Issue(app, people.Link{Purpose: welcomePurpose}, welcomeLife, now)
	if err != nil {
		return "", err
	}
	return desk.Href("welcome") + "?token=" + token, nil
}

// newOwner is what the owner of a new site writes.
type newOwner struct {
	Token, Title, Name, Email string
	Errors                    map[string]string
}

// checkWelcome finds out whether the link still opens anything.
func checkWelcome(app core.App, token string) error {
	owned, err := people.HasOwner(app)
	if err != nil {
		return err
	}
	if owned {
		return people.ErrLink
	}
	_, err = people.Peek(app, welcomePurpose, token, time.Now())
	return err
}

func showWelcome(e *desk.Event) error {
	token := e.Request.URL.Query().Get("token")
	if err := checkWelcome(e.App, token); err != nil {
		return deadLink(e, err, "Start Bungalow again: it prints a new link as long as the site has no owner.")
	}
	return renderWelcome(e, http.StatusOK, newOwner{Token: token})
}

func renderWelcome(e *desk.Event, status int, form newOwner) error {
	e.Response.Header().Set("Referrer-Policy", "no-referrer") // the address holds the token
	return e.RenderStatus(status, welcomePage, e.T("Welcome"), form, peopleStyles, doorScript)
}

// deadLink answers a link that opens nothing any more; what is English and
// says what to do. Another error is given back.
func deadLink(e *desk.Event, err error, what string) error {
	if !errors.Is(err, people.ErrLink) {
		return err
	}
	return e.RenderStatus(http.StatusNotFound, "desk/door/dead.html", e.T("This link does not work any more"), e.T(what))
}

func welcome(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	form := newOwner{
		Token: values.Get("token"), Title: strings.TrimSpace(values.Get("title")),
		Name: strings.TrimSpace(values.Get("name")), Email: strings.TrimSpace(values.Get("email")),
	}
	if err := checkWelcome(e.App, form.Token); err != nil {
		return deadLink(e, err, "Start Bungalow again: it prints a new link as long as the site has no owner.")
	}
	form.Errors = form.faults(e, values.Get("password"))
	if len(form.Errors) > 0 {
		return renderWelcome(e, http.StatusUnprocessableEntity, form)
	}
	person, err := form.create(e, values.Get("password"))
	if err != nil {
		return deadLink(e, err, "Somebody was quicker: the site has an owner now.")
	}
	return finish(e, person, proof{Method: "welcome"}, desk.Root)
}

func (form *newOwner) faults(e *desk.Event, password string) map[string]string {
	faults := map[string]string{}
	if form.Title == "" {
		faults["title"] = e.T("Give your site a title. You can change it later.")
	} else if len(form.Title) > maxName {
		faults["title"] = e.T("Take at most 100 characters.")
	}
	nameFault(e, faults, form.Name)
	if !isAddress(form.Email) {
		faults["email"] = e.T("Write an e-mail address, such as ada@example.com.")
	}
	if fault := people.PasswordFault(password, form.Email, form.Name); fault != "" {
		faults["password"] = e.T(fault)
	}
	return faults
}

const maxName = 100 // characters

func nameFault(e *desk.Event, faults map[string]string, name string) {
	switch {
	case name == "":
		faults["name"] = e.T("Write the name that others here know you by.")
	case len(name) > maxName:
		faults["name"] = e.T("Take at most 100 characters.")
	}
}

// isAddress reports whether mail can be sent to the address.
func isAddress(email string) bool {
	a, err := mail.ParseAddress(email)
	return err == nil && a.Name == "" && a.Address == email && len(email) <= 200 && strings.Contains(email, ".")
}

// create makes both accounts of the owner and names the site, or does nothing.
func (form *newOwner) create(e *desk.Event, password string) (*core.Record, error) {
	var person *core.Record
	err := e.App.RunInTransaction(func(tx core.App) error {
		if _, err := people.Redeem(tx, welcomePurpose, form.Token, time.Now()); err != nil {
			return err
		}
		owned, err := people.HasOwner(tx)
		if err != nil {
			return err
		}
		if owned {
			return people.ErrLink
		}
		if person, err = people.MakeOwner(tx, form.Name, form.Email, password); err != nil {
			return err
		}
		if err := nameSite(tx, form.Title, form.Email, origin(e)); err != nil {
			return err
		}
		return audit.Write(tx, audit.Of(person, e.RealIP()), "site.welcome", schema.Staff, person.Id, map[string]string{"title": form.Title})
	})
	if err != nil {
		return nil, fmt.Errorf("make the owner: %w", err)
	}
	return person, nil
}

// nameSite gives the site its title, and PocketBase where it is reached.
func nameSite(tx core.App, title, email, origin string) error {
	site, err := settings.LoadSite(tx)
	if err != nil {
		return err
	}
	site.Title = title
	if err := settings.Save(tx, settings.SiteFeature, site); err != nil {
		return err
	}
	s := tx.Settings()
	s.Meta.AppName, s.Meta.SenderName, s.Meta.AppURL = title, title, origin
	if !s.SMTP.Enabled && strings.HasSuffix(s.Meta.SenderAddress, "@example.com") {
		s.Meta.SenderAddress = email
	}
	return tx.Save(s)
}

// origin is how the browser reaches the site.
func origin(e *desk.Event) string {
	if web.Secure(e.RequestEvent) {
		return "https://" + e.Request.Host
	}
	return "http://" + e.Request.Host
}
