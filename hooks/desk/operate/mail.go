package operate

import (
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/mail"
	"github.com/pocketbase/pocketbase/core"
)

// mailStates are the tabs of the log: what is under way first.
var mailStates = []struct{ state, label string }{
	{"", "All"}, {mail.Queued, "Queued"}, {mail.Deferred, "Tried again later"}, {mail.Failed, "Failed"}, {mail.Bounced, "Came back"}, {mail.Sent, "Sent"},
}

// mailRow is a message as the list shows it.
type mailRow struct {
	mail.Record
	At, Again time.Time
	Label     string // of its state
	Kind      string // of the badge
}

// mailPage is what the template gets.
type mailPage struct {
	Tabs   []desk.Tab
	Way    string
	Rows   []mailRow
	Older  string
	Moving bool // something is under way: the list is asked for again
}

func mailLabel(state string) (label, kind string) {
	for _, s := range mailStates {
		if s.state == state {
			label = s.label
		}
	}
	return label, map[string]string{mail.Sent: "good", mail.Deferred: "warn", mail.Failed: "bad", mail.Bounced: "bad"}[state]
}

func mailTabs(e *desk.Event, at string) ([]desk.Tab, map[string]int, error) {
	counts, err := mail.Counts(e.App)
	if err != nil {
		return nil, nil, err
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	var tabs []desk.Tab
	for _, s := range mailStates {
		n := counts[s.state]
		if s.state == "" {
			n = total
		}
		if n == 0 && s.state != "" && s.state != at {
			continue
		}
		tabs = append(tabs, desk.Tab{Label: e.T(s.label), Href: filtered("mail", s.state), Count: n, Current: s.state == at})
	}
	files, err := mail.Outbox(e.App)
	if err != nil {
		return nil, nil, err
	}
	if len(files) > 0 || mail.Way(e.App) == "outbox" {
		tabs = append(tabs, desk.Tab{Label: e.T("Outbox"), Href: desk.Href("mail/outbox"), Count: len(files), Current: at == "outbox"})
	}
	return tabs, counts, nil
}

func listMail(e *desk.Event) error {
	state := e.Request.URL.Query().Get("state")
	if !slices.ContainsFunc(mailStates, func(s struct{ state, label string }) bool { return s.state == state }) {
		return e.NotFoundError("", nil)
	}
	tabs, counts, err := mailTabs(e, state)
	if err != nil {
		return err
	}
	page := mailPage{Tabs: tabs, Way: mail.Way(e.App), Moving: counts[mail.Queued] > 0}
	before, _ := strconv.ParseInt(e.Request.URL.Query().Get("before"), 10, 64)
	list, err := mail.List(e.App, mail.Filter{State: state, Before: before, Limit: perPage + 1})
	if err != nil {
		return err
	}
	if len(list) > perPage {
		list = list[:perPage]
		page.Older = older("mail", state, list[perPage-1].ID)
	}
	for _, m := range list {
		row := mailRow{Record: m, At: m.Created, Again: m.Next}
		row.Label, row.Kind = mailLabel(m.State)
		page.Rows = append(page.Rows, row)
	}
	if e.IsHTMX() {
		return e.Fragment("desk/operate/mail.html", "mails", page)
	}
	return e.Render("desk/operate/mail.html", e.T("Mail"), page, assets)
}

// messagePage is one message.
type messagePage struct {
	mail.Body
	At, Changed, Again time.Time
	Label, Kind        string
	MayAgain           bool
}

func showMail(e *desk.Event) error {
	m, err := foundMail(e)
	if err != nil {
		return err
	}
	page := messagePage{Body: m, At: m.Created, Changed: m.Updated, Again: m.Next}
	page.Label, page.Kind = mailLabel(m.State)
	page.MayAgain = m.State == mail.Sent || m.State == mail.Failed || m.State == mail.Bounced
	return e.Render("desk/operate/message.html", m.Subject, page, assets)
}

func foundMail(e *desk.Event) (mail.Body, error) {
	id, err := strconv.ParseInt(e.Request.PathValue("id"), 10, 64)
	if err != nil {
		return mail.Body{}, e.NotFoundError("", err)
	}
	m, err := mail.Find(e.App, id)
	if errors.Is(err, mail.ErrNoMail) {
		return m, e.NotFoundError("", err)
	}
	return m, err
}

// mailAgain sends a message once more.
func mailAgain(e *desk.Event) error {
	m, err := foundMail(e)
	if err != nil {
		return err
	}
	err = e.App.RunInTransaction(func(tx core.App) error {
		if err := mail.Again(tx, m.ID); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "mail.again", "", strconv.FormatInt(m.ID, 10), nil)
	})
	if errors.Is(err, mail.ErrNoMail) {
		return e.Leave(desk.Href("mail"), desk.Notice{Kind: "warning", Text: e.T("This message is still under way, so it was not sent twice.")})
	}
	if err != nil {
		return err
	}
	return e.Done(desk.Href("mail"), "The message is sent once more.")
}

// outboxRow is a file of the outbox.
type outboxRow struct {
	Name, Size string
	At         time.Time
}

func listOutbox(e *desk.Event) error {
	tabs, _, err := mailTabs(e, "outbox")
	if err != nil {
		return err
	}
	files, err := mail.Outbox(e.App)
	if err != nil {
		return err
	}
	rows := make([]outboxRow, 0, min(len(files), 200))
	for _, f := range files[:min(len(files), 200)] {
		rows = append(rows, outboxRow{f.Name, size(f.Size), f.At})
	}
	return e.Render("desk/operate/outbox.html", e.T("Mail"), struct {
		Tabs  []desk.Tab
		Rows  []outboxRow
		Total int
	}{tabs, rows, len(files)}, assets)
}

// fetchOutbox gives a mail as a file, which any mail program opens.
func fetchOutbox(e *desk.Event) error {
	raw, err := mail.ReadOutbox(e.App, e.Request.PathValue("name"))
	if err != nil {
		return err
	}
	h := e.Response.Header()
	h.Set("Content-Disposition", `attachment; filename="`+e.Request.PathValue("name")+`"`)
	return e.Blob(http.StatusOK, "message/rfc822", raw)
}

// failedMail is the number beside "Mail".
func failedMail(app core.App, _ *core.Record) (int, error) {
	var n int
	err := app.ConcurrentDB().NewQuery(`SELECT count(*) FROM _mails WHERE state = 'failed'`).Row(&n)
	return n, err
}
