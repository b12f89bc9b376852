package forms

import (
	"cmp"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/forms/body"
	"bungalow/hooks/forms/field"
	"bungalow/hooks/kit/spam"
	"bungalow/hooks/kit/web"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Routes are the doors of visitors; the desk's are in Desk.
func Routes(core.App) []web.Route {
	return []web.Route{
		{Method: http.MethodGet, Path: "/f/{slug}", Access: web.Public, Do: get},
		{Method: http.MethodPost, Path: "/f/{slug}", Access: web.Public, Body: body.MaxBytes, Do: post},
	}
}

func get(e *core.RequestEvent) error {
	s, err := of(e.App)
	if err != nil {
		return web.Refuse(e, err)
	}
	f, _, err := s.find(e.App, e.Request.PathValue("slug"))
	if err == nil {
		err = s.showForm(e, f)
	}
	return s.refuse(e, nil, nil, err)
}

func post(e *core.RequestEvent) error {
	s, err := of(e.App)
	if err != nil {
		return web.Refuse(e, err)
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	_ = apis.SkipSuccessActivityLog().Func(e) // only marks the event: what is stored needs no line in the log beside it
	form, record, err := s.find(e.App, e.Request.PathValue("slug"))
	if err != nil {
		return s.refuse(e, nil, nil, err)
	}
	if err := s.admit(e, form); err != nil {
		return s.refuse(e, form, nil, err)
	}
	sent, err := body.Read(e.Response, e.Request, filepath.Join(e.App.DataDir(), core.LocalTempDirName), form.TakesFiles(), form.fileSpec)
	if err != nil {
		return s.refuse(e, form, nil, err)
	}
	defer sent.Close()
	receipt, err := s.submit(e.App, form, record, Sent{Values: sent.Values, Files: sent.Files,
		Key: e.Request.Header.Get("Idempotency-Key"), IP: e.RealIP(), Locale: form.Locale})
	if err != nil {
		return s.refuse(e, form, sent.Values, err)
	}
	return s.thank(e, form, sent.Values, receipt)
}

// errOrigin says that a page of a site that is not listed sent the post.
var errOrigin = errors.New("This form takes nothing from the site that you are on. Its owner can list the site as an allowed origin.") //nolint:staticcheck // a sentence for the visitor

// maxKey is the longest Idempotency-Key.
const maxKey = 200

// admit says whether a post may be read at all.
func (s *service) admit(e *core.RequestEvent, f *Form) error {
	from := e.Request.Header.Get("Origin")
	if from != "" && !ownOrigin(e, from) {
		if !slices.Contains(f.Origins, origin(from)) || from == "null" {
			return errOrigin
		}
		e.Response.Header().Set("Access-Control-Allow-Origin", from)
		e.Response.Header().Add("Vary", "Origin")
	}
	if len(e.Request.Header.Get("Idempotency-Key")) > maxKey {
		return router.NewBadRequestError("An Idempotency-Key may have at most "+strconv.Itoa(maxKey)+" bytes.", nil)
	}
	if !f.Open {
		return ErrClosed
	}
	return spam.Of(e.App).Allow(e.RealIP(), spamKey(f))
}

// ownOrigin reports whether a page of this site sent the post.
func ownOrigin(e *core.RequestEvent, from string) bool {
	if e.Request.Header.Get("Sec-Fetch-Site") == "same-origin" {
		return true // no page can set this header, and it stands where Origin is null
	}
	o := origin(from)
	if o == "" {
		return false
	}
	_, host, _ := strings.Cut(o, "://")
	return strings.EqualFold(host, e.Request.Host) || origin("http://"+e.Request.Host) == "http://"+host ||
		origin("https://"+e.Request.Host) == o || origin(e.App.Settings().Meta.AppURL) == o
}

// wantsPage reports whether a browser waits for a page.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// thank answers what was stored: a page to go to, or its id.
func (s *service) thank(e *core.RequestEvent, f *Form, values map[string][]string, receipt Receipt) error {
	next := s.next(e, f, values)
	if wantsPage(e.Request) {
		return e.Redirect(http.StatusSeeOther, next)
	}
	return e.JSON(http.StatusCreated, map[string]string{"id": receipt.ID, "next": next})
}

// next is where a visitor goes afterwards: the form's own address, or one that
// the sending page asked for in _next and that lies on a site of the owner's.
func (s *service) next(e *core.RequestEvent, f *Form, values map[string][]string) string {
	if asked := (Sent{Values: values}).first("_next"); asked != "" && safeTarget(asked) {
		o := origin(asked)
		if o == "" || slices.Contains(f.Origins, o) || ownOrigin(e, o) {
			return asked
		}
	}
	return cmp.Or(f.SuccessURL, action(f)+"?notice=sent")
}

// refuse is the end of every error path. f is nil where there is no form.
func (s *service) refuse(e *core.RequestEvent, f *Form, values map[string][]string, err error) error {
	if err == nil {
		return nil
	}
	if f == nil && errors.Is(err, ErrNoForm) && wantsPage(e.Request) && s.cfg.Site != nil {
		return web.Refuse(e, s.cfg.Site.Missing(e))
	}
	lang, langErr := language(e.App, f)
	if langErr != nil {
		return web.Refuse(e, langErr)
	}
	status, message, problems := s.outcome(e, lang, err)
	if status == 0 {
		return web.Refuse(e, err)
	}
	if f == nil || !wantsPage(e.Request) {
		return router.NewApiError(status, message, apiErrors(e.App, lang, problems))
	}
	if values == nil {
		values = map[string][]string{}
	}
	v := view(e.App, f, lang, values, problems)
	if len(problems) == 0 {
		v.Alert = message
	}
	return web.Refuse(e, s.show(e, f, status, v))
}

// outcome is the status and the sentence of an error that a visitor is told of;
// 0 for the others.
func (s *service) outcome(e *core.RequestEvent, lang string, err error) (int, string, map[string]field.Problem) {
	t := func(english string, args ...any) string { return text(e.App, lang, english, args...) }
	var invalid *Invalid
	var many *spam.TooManyError
	var api *router.ApiError
	switch {
	case errors.As(err, &invalid):
		return http.StatusUnprocessableEntity, t("Some answers need a change."), invalid.Problems
	case errors.As(err, &many):
		e.Response.Header().Set("Retry-After", strconv.Itoa(many.Seconds()))
		return http.StatusTooManyRequests, t("You are sending a lot at once. Please try again in %d seconds.", many.Seconds()), nil
	case errors.Is(err, ErrFull):
		e.Response.Header().Set("Retry-After", strconv.Itoa(int(untilTomorrow(s.now())/time.Second)+1))
		return http.StatusTooManyRequests, t("This form has taken all that it takes in one day. Please come back tomorrow."), nil
	case errors.Is(err, ErrClosed):
		return http.StatusConflict, t("This form is closed."), nil
	case errors.Is(err, ErrKeyUsed):
		return http.StatusUnprocessableEntity, t("This Idempotency-Key was used for something else. Use a new one for each message."), nil
	case errors.Is(err, errOrigin):
		return http.StatusForbidden, t(errOrigin.Error()), nil
	case errors.Is(err, ErrNoForm):
		return http.StatusNotFound, t("There is no such form."), nil
	case errors.As(err, &api) && api.Status < http.StatusInternalServerError:
		return api.Status, api.Message, nil
	}
	return 0, "", nil
}

// apiErrors is PocketBase's form of errors by field.
func apiErrors(app core.App, lang string, problems map[string]field.Problem) validation.Errors {
	out := validation.Errors{}
	for name, p := range problems {
		out[name] = validation.NewError("validation_"+p.Code, say(app, lang, p))
	}
	return out
}
