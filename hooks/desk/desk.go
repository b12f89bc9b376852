// Package desk is the staff's own web app at /desk/: who may enter it, and the
// overview that greets them. What the other pages do is their feature's
// (hooks/kit/desk).
//
// It promises that a session ends when its person is deactivated, deleted or
// gets another password, that every write from another site is refused, and
// that a stranger learns nothing from how a sign-in fails. It never keeps a
// password, a code or a session's token in readable form.
package desk

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"bungalow/hooks/desk/operate"
	"bungalow/hooks/desk/options"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Config is what the desk shows.
type Config struct {
	// Parts gives what the features have for the desk. It is asked when the
	// routes are made, after all features are registered.
	Parts func() []desk.Part
}

const configKey = "bungalow.desk.config"

// Register binds the desk to the app.
func Register(app core.App, cfg Config) error {
	app.Store().Set(configKey, cfg)
	bindDashboard(app)
	operate.Register(app)
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(entrance())
		return e.Next()
	})
	return nil
}

// Routes is the table of all pages of the desk.
func Routes(app core.App) []web.Route {
	cfg, _ := app.Store().Get(configKey).(Config)
	parts := []desk.Part{own(), options.Part(app), operate.Part(app)}
	if cfg.Parts != nil {
		parts = append(parts, cfg.Parts()...)
	}
	return append(desk.New(app, parts).Routes(),
		web.Route{Method: http.MethodGet, Path: desk.Root + "{path...}", Access: web.Public, Do: elsewhere},
		web.Route{Method: http.MethodGet, Path: "/desk", Access: web.Public, Do: elsewhere},
	)
}

// own is what the desk itself has: the door.
func own() desk.Part {
	return desk.Part{Pages: slices.Concat(doorPages(), stepPages(), passkeyPages(), factorPages(), providerPages(), dashboardPages(), joinPages(), accountPages(), staffPages(), auditPages())}
}

func doorPages() []desk.Page {
	return []desk.Page{
		{Path: "sign-in", Access: web.Public, Do: showSignIn},
		{Method: http.MethodPost, Path: "sign-in", Access: web.Public, Do: signIn, Quiet: halfWay},
		{Method: http.MethodPost, Path: "sign-out", Access: web.Staff, Do: signOut, Quiet: "the end of a session changes nothing for others"},
		{Path: "welcome", Access: web.Public, Do: showWelcome},
		{Method: http.MethodPost, Path: "welcome", Access: web.Public, Do: welcome},
	}
}

// elsewhere answers what no page answers: with the slash that is missing at
// the end, or 404.
func elsewhere(e *core.RequestEvent) error {
	path := e.Request.URL.Path
	if !strings.HasSuffix(path, "/") && !strings.Contains(path[strings.LastIndexByte(path, '/')+1:], ".") {
		to := url.URL{Path: path + "/", RawQuery: e.Request.URL.RawQuery}
		return e.Redirect(http.StatusPermanentRedirect, to.String())
	}
	return e.NotFoundError("There is no such page in the desk.", nil)
}

// entrance knows who comes, lets nobody write from another site, and turns an
// error into a page. It looks at addresses of the desk alone.
func entrance() *hook.Handler[*core.RequestEvent] {
	sameSite := http.NewCrossOriginProtection()
	return &hook.Handler[*core.RequestEvent]{
		Id: "bungalowDesk",
		Func: func(e *core.RequestEvent) error {
			if !strings.HasPrefix(e.Request.URL.Path, desk.Root) {
				return e.Next()
			}
			e.Auth = nil // only a session opens the desk, never a token
			if err := sameSite.Check(e.Request); err != nil {
				return refuse(e, e.ForbiddenError("This was sent from another site, so nothing was done.", err))
			}
			session, person, err := enter(e)
			if err == nil {
				err = stay(e, session)
			}
			if err != nil {
				return refuse(e, err)
			}
			e.Auth = person
			return refuse(e, e.Next())
		},
	}
}

// refuse turns an error into a page, or into JSON for a script.
func refuse(e *core.RequestEvent, err error) error {
	if err == nil || e.Written() {
		return err
	}
	api := router.ToApiError(err)
	if api.Status >= http.StatusInternalServerError {
		e.App.Logger().Error("a page of the desk failed", "path", e.Request.URL.Path, "error", err, "cause", errors.Unwrap(err))
	}
	if !wantsHTML(e.Request) {
		return err
	}
	if api.Status == http.StatusUnauthorized {
		return e.Redirect(http.StatusSeeOther, signInPath(e.Request))
	}
	e.Response.Header().Set("Cache-Control", "no-store")
	web.Harden(e.Response.Header(), web.Secure(e))
	page := desk.NewEvent(e)
	return page.RenderStatus(api.Status, "desk/shell/error.html", page.T("Something is in the way"), api)
}

// wantsHTML reports whether a person looks at the answer.
func wantsHTML(r *http.Request) bool {
	return strings.Contains(r.Header.Get("Accept"), "text/html") && r.Header.Get("HX-Request") == ""
}

// signInPath leads to the sign-in and from there back to the page.
func signInPath(r *http.Request) string {
	back := r.URL.RequestURI()
	if r.Method != http.MethodGet {
		back = desk.Root
		if from, err := url.Parse(r.Referer()); err == nil && from.Host == r.Host && strings.HasPrefix(from.Path, desk.Root) {
			back = from.RequestURI()
		}
	}
	if back == desk.Root {
		return desk.Href("sign-in")
	}
	return desk.Href("sign-in") + "?next=" + url.QueryEscape(back)
}
