package desk

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/tools/router"
)

// signInForm is what the sign-in page shows.
type signInForm struct {
	Email, Next, Error string
	Passkeys           bool // the browser may offer them at this address
	Providers          []provider
}

// renderSignIn shows the door with every way that is open.
func renderSignIn(e *desk.Event, status int, form signInForm) error {
	form.Passkeys, form.Providers = passkeysWork(e), providers(e.App)
	return e.RenderStatus(status, signInPage, e.T("Sign in"), form, peopleStyles, "/assets/js/desk-passkey.js")
}

const signInPage = "desk/door/sign-in.html"

func showSignIn(e *desk.Event) error {
	next := safeNext(e.Request.URL.Query().Get("next"))
	if e.Auth != nil {
		return e.Redirect(http.StatusSeeOther, next)
	}
	return renderSignIn(e, http.StatusOK, signInForm{Next: next})
}

func signIn(e *desk.Event) error {
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	next, email := safeNext(form.Get("next")), form.Get("email")
	try, err := people.ThrottleOf(e.App).Take(e.App, email, e.RealIP(), markOf(e))
	if err != nil {
		return showTooMany(e, err, signInForm{Email: email, Next: next})
	}
	person, err := people.CheckPassword(e.Request.Context(), e.App, email, form.Get("password"))
	if errors.Is(err, people.ErrWrong) {
		return renderSignIn(e, http.StatusUnprocessableEntity, signInForm{
			Email: email, Next: next, Error: e.T("This address and password don't fit together."),
		})
	}
	if err != nil {
		return err
	}
	try.Good()
	return finish(e, person, proof{Method: "password"}, next)
}

// showTooMany shows the form again to who tried too often.
func showTooMany(e *desk.Event, err error, form signInForm) error {
	answer := people.Answer(e.RequestEvent, err)
	if api, ok := errors.AsType[*router.ApiError](answer); ok && wantsHTML(e.Request) {
		form.Error = e.T("These were too many tries. Wait a minute and try again.")
		return renderSignIn(e, api.Status, form)
	}
	return answer
}

const (
	markCookie = "desk_browser"
	markLife   = 365 * 24 * time.Hour
)

// markOf is the mark that an earlier sign-in left in this browser.
func markOf(e *desk.Event) string {
	if cookie, err := e.Request.Cookie(markCookie); err == nil {
		return cookie.Value
	}
	return ""
}

func setMark(e *desk.Event, email string) error {
	mark, err := people.Mark(e.App, email)
	if err != nil {
		return err
	}
	http.SetCookie(e.Response, &http.Cookie{
		Name: markCookie, Value: mark, Path: desk.Root, MaxAge: int(markLife.Seconds()),
		HttpOnly: true, Secure: web.Secure(e.RequestEvent), SameSite: http.SameSiteStrictMode,
	})
	return nil
}

func signOut(e *desk.Event) error {
	if err := EndSession(e.App, cookieOf(e.RequestEvent)); err != nil {
		return err
	}
	setCookie(e.RequestEvent, "")
	return e.Done(desk.Href("sign-in"), "You are signed out.")
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
