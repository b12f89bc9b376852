package operate

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// card is a card with its figure, as the template draws it.
type card struct {
	desk.Card
	*desk.Figure
}

// event is something that somebody did.
type event struct {
	Who, What string
	Which     string // the title or name of what it was done to, where the audit has it
	N         int
	At        time.Time
}

// overviewPage is what the template gets.
type overviewPage struct {
	Cards  []card
	Away   []event // what others did since the last visit
	Since  time.Time
	Todo   []todo
	Done   int // of the list
	Health []Sign
	Events []event
}

// overview greets with what waits, what happened, and how the site is.
func overview(e *desk.Event) error {
	page := overviewPage{}
	for _, c := range desk.Of(e.App).Cards(e.Auth) {
		figure, err := c.Do(e.App, e.Auth)
		if err != nil {
			e.App.Logger().Error("a card of the overview can't be made", "card", c.Title, "error", err)
			continue
		}
		if figure != nil {
			page.Cards = append(page.Cards, card{c, figure})
		}
	}
	since, err := visit(e.App, e.Auth, time.Now())
	if err != nil {
		return err
	}
	if web.Allowed(e.Auth, web.Owner) {
		if err := page.forOwner(e, since); err != nil {
			return err
		}
	}
	return e.Render("desk/shell/overview.html", e.T("Overview"), page, assets, "/assets/vendor/uplot/uPlot.min.css", "/assets/vendor/uplot/uPlot.iife.min.js", "/assets/js/desk-charts.js")
}

func (p *overviewPage) forOwner(e *desk.Event, since time.Time) (err error) {
	if p.Events, err = latest(e.App, shownEvents); err != nil {
		return err
	}
	if !since.IsZero() {
		p.Since = since
		if p.Away, err = away(e.App, e.Auth, since); err != nil {
			return err
		}
	}
	if p.Todo, p.Done, err = todos(e.App); err != nil {
		return err
	}
	p.Health, err = Health(e.Request.Context(), e.App, e.T)
	return err
}

const (
	// shownEvents is how many of the latest events the overview shows.
	shownEvents = 8
	// pause is how long somebody is gone before coming back is a new visit.
	pause = 30 * time.Minute
	// longAway bounds how far back is looked.
	longAway = 30 * 24 * time.Hour
)

// visit notes that somebody is at the overview, and tells when the visit before
// this one ended. The zero time means there was none.
func visit(app core.App, person *core.Record, now time.Time) (since time.Time, err error) {
	key := person.Collection().Name + "/" + person.Id
	var row struct{ Seen, Before int64 }
	err = app.DB().NewQuery(`SELECT seen, before FROM _visits WHERE person = {:p}`).Bind(dbx.Params{"p": key}).One(&row)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return since, fmt.Errorf("find the last visit: %w", err)
	}
	seen := time.Unix(row.Seen, 0)
	if now.Sub(seen) > pause {
		row.Before = row.Seen
	}
	if now.Sub(seen) > time.Minute {
		_, err = app.NonconcurrentDB().NewQuery(`INSERT INTO _visits (person, seen, before) VALUES ({:p}, {:now}, {:before})
			ON CONFLICT (person) DO UPDATE SET seen = excluded.seen, before = excluded.before`).
			Bind(dbx.Params{"p": key, "now": now.Unix(), "before": row.Before}).Execute()
		if err != nil {
			return since, fmt.Errorf("note the visit: %w", err)
		}
	}
	if row.Before == 0 {
		return since, nil
	}
	return time.Unix(max(row.Before, now.Add(-longAway).Unix()), 0), nil
}

// away counts what others did since a time.
func away(app core.App, person *core.Record, since time.Time) ([]event, error) {
	var rows []struct {
		Action string
		N      int
	}
	err := app.DB().NewQuery(`SELECT action, count(*) AS n FROM audit WHERE at > {:since} AND actor_record <> {:me}
		GROUP BY action ORDER BY n DESC, action LIMIT 8`).
		Bind(dbx.Params{"since": since.UTC().Format("2006-01-02 15:04:05.000Z"), "me": person.Id}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("count what happened: %w", err)
	}
	events := make([]event, len(rows))
	for i, r := range rows {
		events[i] = event{What: audit.Words(r.Action), N: r.N}
	}
	return events, nil
}

// latest lists the newest lines of the audit that are no sign-ins, which would
// push everything else out.
func latest(app core.App, most int) ([]event, error) {
	lines, err := audit.Find(app, audit.Filter{}, 5*most, 0)
	if err != nil {
		return nil, fmt.Errorf("list the latest events: %w", err)
	}
	var events []event
	for _, r := range lines {
		if r.GetString("action") == "staff.sign_in" || len(events) == most {
			continue
		}
		who, _, _ := strings.Cut(r.GetString("actor"), " <")
		var detail struct{ Title, Name, From string }
		_ = r.UnmarshalJSONField("detail", &detail) // other details name nothing
		events = append(events, event{
			Who: who, What: audit.Words(r.GetString("action")), Which: cmp.Or(detail.Title, detail.Name, detail.From),
			At: r.GetDateTime("at").Time(),
		})
	}
	return events, nil
}
