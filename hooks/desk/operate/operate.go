// Package operate is how the site is kept running from the desk: the overview,
// jobs, mail, backups, search, and what changes while one looks at a page.
//
// It promises that each page asks the database for what it shows and no more,
// so that it opens quickly however long the lists are, and that whatever the
// owner sets off here leaves a line in the audit. It sends nothing and makes
// no backup within a request; those are jobs.
package operate

import (
	"fmt"
	"net/http"
	"time"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// Register binds what runs without anybody looking.
func Register(app core.App) {
	registerBackups(app)
	registerLive(app)
}

// Part is what this package has for the desk.
func Part(core.App) desk.Part {
	pages := []desk.Page{
		{Path: "", Access: web.Staff, Do: overview, Menu: &desk.Menu{Label: "Overview", Icon: "layout-dashboard"}},
		{Method: http.MethodPost, Path: "todo", Access: web.Owner, Do: hideTodo},
		{Path: "search", Access: web.Staff, Do: search},
		{Path: "shortcuts", Access: web.Staff, Do: shortcuts},
		{Path: "live", Access: web.Staff, Do: live},

		{Path: "jobs", Access: web.Owner, Do: listJobs, Menu: &desk.Menu{Group: desk.GroupSite, Label: "Jobs", Icon: "list-checks", Order: 60, Count: deadJobs}},
		{Method: http.MethodPost, Path: "jobs/{id}", Access: web.Owner, Do: changeJob},

		{Path: "mail", Access: web.Owner, Do: listMail, Menu: &desk.Menu{Group: desk.GroupSite, Label: "Mail", Icon: "mail", Order: 50, Count: failedMail}},
		{Path: "mail/{id}", Access: web.Owner, Do: showMail},
		{Method: http.MethodPost, Path: "mail/{id}", Access: web.Owner, Do: mailAgain},
		{Path: "mail/outbox", Access: web.Owner, Do: listOutbox},
		{Path: "mail/outbox/{name}", Access: web.Owner, Do: fetchOutbox},
	}
	return desk.Part{
		Pages:    append(pages, backupPages()...),
		Settings: append(backupSettings(), metricsSetting()),
		Searches: []desk.Search{{Name: "Pages of the desk", Access: web.Staff, Find: findPages}, peopleSearch()},
	}
}

// assets are the styles of every page here.
const assets = "/assets/css/desk-running.css"

// clock writes times as the site's people read them.
type clock struct {
	zone *time.Location
	now  time.Time
}

func clockOf(app core.App) clock {
	s, err := settings.LoadSite(app)
	if err != nil {
		return clock{time.UTC, time.Now()}
	}
	return clock{s.Location(), time.Now()}
}

// Moment is a time for a template: for people and for machines.
type Moment struct{ Text, ISO string }

// at writes a time; the year is left out where it is this one.
func (c clock) at(t time.Time) Moment {
	if t.IsZero() {
		return Moment{}
	}
	local := t.In(c.zone)
	layout := "2 Jan 2006, 15:04"
	if local.Year() == c.now.In(c.zone).Year() {
		layout = "2 Jan, 15:04"
	}
	return Moment{local.Format(layout), t.UTC().Format(time.RFC3339)}
}

// size writes a number of bytes.
func size(n int64) string {
	switch {
	case n < 1000:
		return fmt.Sprintf("%d B", n)
	case n < 1_000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	case n < 1_000_000_000:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	}
	return fmt.Sprintf("%.1f GB", float64(n)/1e9)
}
