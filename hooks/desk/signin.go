package desk

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// signInForm is what the sign-in page shows.
type signInForm struct {
	Email, Next, Error string
}

// errWrong is all that a failed sign-in says.
var errWrong = errors.New("wrong address or password")

func showSignIn(e *desk.Event) error {
	next := safeNext(e.Request.URL.Query().Get("next"))
	if e.Auth != nil {
		return e.Redirect(http.StatusSeeOther, next)
	}
	return e.Render("desk/door/sign-in.html", e.T("Sign in"), signInForm{Next: next})
}

func signIn(e *desk.Event) error {
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	next := safeNext(form.Get("next"))
	person, err := CheckPassword(e.App, form.Get("email"), form.Get("password"))
	if errors.Is(err, errWrong) {
		return e.RenderStatus(http.StatusUnprocessableEntity, "desk/door/sign-in.html", e.T("Sign in"), signInForm{
			Email: form.Get("email"), Next: next, Error: e.T("This address and password don't fit together."),
		})
	}
	if err != nil {
		return err
	}
	token, err := StartSession(e.App, person, device(e.Request.UserAgent()), e.RealIP(), time.Now())
	if err != nil {
		return err
	}
	setCookie(e.RequestEvent, token)
	return e.Redirect(http.StatusSeeOther, next)
}

func signOut(e *desk.Event) error {
	if err := EndSession(e.App, cookieOf(e.RequestEvent)); err != nil {
		return err
	}
	setCookie(e.RequestEvent, "")
	return e.Done(desk.Href("sign-in"), "You are signed out.")
}

// CheckPassword finds the active member of staff, or the superuser, with the
// address and password. Any failure is errWrong.
func CheckPassword(app core.App, email, password string) (*core.Record, error) {
	email = strings.TrimSpace(email)
	for _, collection := range []string{schema.Staff, core.CollectionNameSuperusers} {
		person, err := app.FindAuthRecordByEmail(collection, email)
		if err == nil && mayEnter(person) && person.ValidatePassword(password) {
			return person, nil
		}
	}
	return nil, errWrong
}

// safeNext is where a sign-in leads: a page of the desk and nowhere else.
func safeNext(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Host != "" || u.Scheme != "" || !strings.HasPrefix(u.Path, desk.Root) || strings.HasPrefix(u.Path, desk.Href("sign-in")) {
		return desk.Root
	}
	return u.RequestURI()
}

// device names a browser and its system roughly, for the list of sessions.
func device(userAgent string) string {
	browser, system := "A browser", ""
	for _, b := range [][2]string{{"Edg/", "Edge"}, {"OPR/", "Opera"}, {"Firefox/", "Firefox"}, {"Chrome/", "Chrome"}, {"Safari/", "Safari"}} {
		if strings.Contains(userAgent, b[0]) {
			browser = b[1]
			break
		}
	}
	for _, s := range [][2]string{{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}} {
		if strings.Contains(userAgent, s[0]) {
			system = " · " + s[1]
			break
		}
	}
	return browser + system
}
