package desk

import (
	"embed"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

const (
	ticketPurpose = "dashboard"
	ticketLife    = time.Minute
)

// dashboardPages are the ways between the desk and PocketBase's dashboard.
func dashboardPages() []desk.Page {
	post := http.MethodPost
	return []desk.Page{
		{Method: post, Path: "dashboard", Access: web.Owner, Do: openDashboard},
		{Method: post, Path: "dashboard/open", Access: web.Owner, Do: redeemTicket, Quiet: "the ticket left one"},
		{Method: post, Path: "enter", Access: web.Public, Do: enterFromDashboard},
	}
}

// openDashboard shows a page whose script takes a ticket to redeemTicket. The
// ticket lives for a minute and works once, for this person alone.
func openDashboard(e *desk.Event) error {
	var ticket string
	err := e.App.RunInTransaction(func(tx core.App) error {
		super, err := people.EnsureSuperuser(tx, e.Auth)
		if err != nil {
			return err
		}
		if ticket, err = people.Issue(tx, people.Link{Purpose: ticketPurpose, Person: e.Auth.Id}, ticketLife, time.Now()); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "account.dashboard", core.CollectionNameSuperusers, super.Id, nil)
	})
	if err != nil {
		return err
	}
	return e.Render("desk/account/dashboard.html", e.T("Opening the dashboard"), ticket, peopleStyles, "/assets/js/desk-dashboard.js")
}

// redeemTicket gives what the dashboard keeps in the browser's storage.
func redeemTicket(e *desk.Event) error {
	var in struct {
		Ticket string `json:"ticket"`
	}
	if err := e.BindBody(&in); err != nil {
		return e.BadRequestError("The ticket could not be read.", err)
	}
	l, err := people.Redeem(e.App, ticketPurpose, in.Ticket, time.Now())
	if errors.Is(err, people.ErrLink) || err == nil && l.Person != e.Auth.Id {
		return e.BadRequestError("This took too long. Go back and open the dashboard once more.", err)
	}
	if err != nil {
		return err
	}
	super, err := people.EnsureSuperuser(e.App, e.Auth)
	if err != nil {
		return err
	}
	token, err := super.NewAuthToken()
	if err != nil {
		return err
	}
	super.IgnoreEmailVisibility(true)
	return e.JSON(http.StatusOK, map[string]any{"token": token, "record": super.PublicExport()})
}

// enterFromDashboard gives a session of the desk to who holds the token of a
// superuser. Only the site's own pages can send it there.
func enterFromDashboard(e *desk.Event) error {
	token := strings.TrimPrefix(e.Request.Header.Get("Authorization"), "Bearer ")
	super, err := e.App.FindAuthRecordByToken(token, core.TokenTypeAuth)
	if err != nil || !super.IsSuperuser() || !people.MayEnter(super) {
		if err := people.ThrottleOf(e.App).TakeAddress(e.RealIP()); err != nil {
			return people.Answer(e.RequestEvent, err)
		}
		return e.UnauthorizedError("Sign in at the dashboard first.", nil)
	}
	person := super
	if member, err := people.Member(e.App, super); err != nil {
		return err
	} else if people.MayEnter(member) {
		person = member
	}
	if person.Collection().Name == schema.Staff && e.Auth != nil && e.Auth.Id == person.Id {
		return e.JSON(http.StatusOK, map[string]string{"next": desk.Root}) // there is a session already
	}
	if err := begin(e, person, proof{Method: "dashboard"}); err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]string{"next": desk.Root})
}

//go:embed dashboard/main.js
var extension embed.FS

// bindDashboard adds the link to the desk to the dashboard's head.
func bindDashboard(app core.App) {
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		files, err := fs.Sub(extension, "dashboard")
		if err != nil {
			return err
		}
		e.UIExtensions = append(e.UIExtensions, core.UIExtension{Name: "bungalow", FS: files})
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{
			Id: "bungalowExtensions",
			Func: func(e *core.RequestEvent) error {
				if e.Request.URL.Path == "/_/extensions.js" { // PocketBase lets browsers keep it for two weeks
					e.Response.Header().Set("Cache-Control", "no-cache")
				}
				return e.Next()
			},
		})
		return e.Next()
	})
}
