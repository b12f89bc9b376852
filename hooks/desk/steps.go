package desk

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

const (
	factorPurpose = "factor"
	stepLife      = 10 * time.Minute
	stepCookie    = "desk_step" // what was proved so far, or which code is awaited
	halfWay       = "a sign-in that is half done changes nothing; a whole one leaves a line"
)

// stepPages are what may follow the password, and what may stand in for it.
func stepPages() []desk.Page {
	post := http.MethodPost
	return []desk.Page{
		{Path: "sign-in/factor", Access: web.Public, Do: showFactor},
		{Method: post, Path: "sign-in/factor", Access: web.Public, Do: checkFactor, Quiet: halfWay},
		{Path: "sign-in/code", Access: web.Public, Do: showCode},
		{Method: post, Path: "sign-in/code", Access: web.Public, Do: sendCode, Quiet: halfWay},
		{Method: post, Path: "sign-in/code/check", Access: web.Public, Do: checkCode, Quiet: halfWay},
	}
}

// halfSignIn is kept between the first and the second step.
type halfSignIn struct {
	Collection string `json:"c"`
	Method     string `json:"m"`
	Next       string `json:"n"`
}

// proceed goes on after the first proof: to the second step where the account
// asks for one, else into the desk. It gives the address to go to.
func proceed(e *desk.Event, person *core.Record, p proof, next string) (string, error) {
	factor, err := people.HasFactor(e.App, person.Id)
	if err != nil {
		return "", err
	}
	if !factor {
		return next, begin(e, person, p)
	}
	raw, err := json.Marshal(halfSignIn{person.Collection().Name, p.Method, next})
	if err != nil {
		return "", err
	}
	token, err := people.Issue(e.App, people.Link{Purpose: factorPurpose, Person: person.Id, Data: string(raw)}, stepLife, time.Now())
	if err != nil {
		return "", err
	}
	setDoorCookie(e, stepCookie, token)
	return desk.Href("sign-in/factor"), nil
}

// finish goes on after a proof and sends the browser along.
func finish(e *desk.Event, person *core.Record, p proof, next string) error {
	to, err := proceed(e, person, p, next)
	if err != nil {
		return err
	}
	return e.Redirect(http.StatusSeeOther, to)
}

// setDoorCookie keeps what a sign-in under way needs for stepLife, and only at
// the sign-in page; an empty value removes it.
func setDoorCookie(e *desk.Event, name, value string) {
	c := &http.Cookie{
		Name: name, Value: value, Path: desk.Href("sign-in"), MaxAge: int(stepLife.Seconds()),
		HttpOnly: true, Secure: web.Secure(e.RequestEvent), SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(e.Response, c)
}

func stepOf(e *desk.Event) string {
	if cookie, err := e.Request.Cookie(stepCookie); err == nil {
		return cookie.Value
	}
	return ""
}

const factorPage = "desk/door/factor.html"

func showFactor(e *desk.Event) error {
	if _, err := people.Peek(e.App, factorPurpose, stepOf(e), time.Now()); errors.Is(err, people.ErrLink) {
		return e.Redirect(http.StatusSeeOther, desk.Href("sign-in"))
	} else if err != nil {
		return err
	}
	return e.Render(factorPage, e.T("The second step"), "")
}

func checkFactor(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	token := stepOf(e)
	l, err := people.Guess(e.App, factorPurpose, token, time.Now())
	if errors.Is(err, people.ErrLink) {
		return e.Leave(desk.Href("sign-in"), desk.Notice{Kind: "warning", Text: e.T("This took too long, or too many tries. Begin again.")})
	}
	if err != nil {
		return err
	}
	var half halfSignIn
	if err := json.Unmarshal([]byte(l.Data), &half); err != nil {
		return err
	}
	person, err := e.App.FindRecordById(half.Collection, l.Person)
	if err != nil || !people.MayEnter(person) {
		return e.Redirect(http.StatusSeeOther, desk.Href("sign-in"))
	}
	try, err := people.ThrottleOf(e.App).Take(e.App, "factor "+person.Id, e.RealIP(), "")
	if err != nil {
		return people.Answer(e.RequestEvent, err)
	}
	kind, err := people.CheckFactor(e.App, person.Id, values.Get("code"), time.Now())
	if errors.Is(err, people.ErrWrong) {
		return e.RenderStatus(http.StatusUnprocessableEntity, factorPage, e.T("The second step"), e.T("This code is not right, or was used already. A code of the app lives for half a minute."))
	}
	if err != nil {
		return err
	}
	try.Good()
	if _, err := people.Redeem(e.App, factorPurpose, token, time.Now()); err != nil {
		return deadLink(e, err, "Begin again.")
	}
	setDoorCookie(e, stepCookie, "")
	if err := begin(e, person, proof{Method: half.Method, Factor: kind}); err != nil {
		return err
	}
	return e.Redirect(http.StatusSeeOther, safeNext(half.Next))
}

// codeForm is the sign-in by a code that comes by mail.
type codeForm struct {
	Email, Next, Error string
	Sent               bool
}

const codePage = "desk/door/code.html"

func showCode(e *desk.Event) error {
	return e.Render(codePage, e.T("Sign in with a code"), codeForm{Next: safeNext(e.Request.URL.Query().Get("next"))})
}

// sendCode does the same for every address: whether it is somebody's is looked
// up by a job.
func sendCode(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	form := codeForm{Email: strings.TrimSpace(values.Get("email")), Next: safeNext(values.Get("next"))}
	if _, err := people.ThrottleOf(e.App).Take(e.App, "code "+form.Email, e.RealIP(), ""); err != nil {
		return people.Answer(e.RequestEvent, err)
	}
	if !isAddress(form.Email) {
		form.Error = e.T("Write an e-mail address, such as ada@example.com.")
		return e.RenderStatus(http.StatusUnprocessableEntity, codePage, e.T("Sign in with a code"), form)
	}
	token, err := people.AskCode(e.App, form.Email, form.Next, time.Now())
	if err != nil {
		return err
	}
	setDoorCookie(e, stepCookie, token)
	form.Sent = true
	return e.Render(codePage, e.T("Sign in with a code"), form)
}

func checkCode(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	person, next, err := people.CheckCode(e.App, stepOf(e), values.Get("code"), time.Now())
	if errors.Is(err, people.ErrWrong) {
		form := codeForm{Email: values.Get("email"), Sent: true, Error: e.T("This code is not right, or too old.")}
		return e.RenderStatus(http.StatusUnprocessableEntity, codePage, e.T("Sign in with a code"), form)
	}
	if err != nil {
		return err
	}
	setDoorCookie(e, stepCookie, "")
	return finish(e, person, proof{Method: "code"}, safeNext(next))
}
