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

	"bungalow/hooks/kit/desk"
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
