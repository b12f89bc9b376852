package pages

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const listPage = "desk/inbox/list.html"

var viewLabels = map[string]string{
	inbox.ViewOpen: "Open", inbox.ViewMine: "Mine", inbox.ViewUnassigned: "Unassigned", inbox.ViewWaiting: "Waiting",
	inbox.ViewSnoozed: "Put off", inbox.ViewClosed: "Closed", inbox.ViewSpam: "Spam", inbox.ViewAll: "All",
}

// row is one conversation of the list.
type row struct {
	ID, Path, Who, Subject, Preview string
	Number                          int
	Status, Assignee                string
	Tags                            []string
	Unread, Mine                    bool
	At, Until                       time.Time
	Ago                             string
}

type choice struct{ Value, Label string }

type listData struct {
	Tabs         []desk.Tab
	Saved        []savedTab
	Rows         []row
	Pager        desk.Pager
	Filter       inbox.Filter
	Forms        []choice
	Tags         []string
	Team         []choice
	Narrow       bool // something besides the view is chosen
	Address      string
	CanSave      bool
	Back, Person string
}

type savedTab struct {
	Name, Href string
	Current    bool
}

func filterOf(e *desk.Event) inbox.Filter {
	q := e.Request.URL.Query()
	f := inbox.Filter{
		View: q.Get("view"), Person: e.Auth.Id, Form: q.Get("form"), Tag: q.Get("tag"),
		Email: q.Get("contact"), Query: strings.TrimSpace(q.Get("q")),
	}
	if !slices.Contains(inbox.Views, f.View) {
		f.View = inbox.ViewOpen
	}
	return f
}

func list(e *desk.Event) error {
	f := filterOf(e)
	page, _ := strconv.Atoi(e.Request.URL.Query().Get("page"))
	records, total, err := inbox.List(e.App, f, page)
	if err != nil {
		return refuse(e, err)
	}
	data := listData{
		Filter: f, Pager: desk.Pages(e.Request.URL, page, inbox.PerPage, total), Person: e.Auth.Id,
		Narrow: f.Form != "" || f.Tag != "" || f.Query != "" || f.Email != "", Back: e.Request.URL.RequestURI(),
		Address: inbox.Address(e.App).Address,
	}
	if err := fillList(e, &data, records); err != nil {
		return refuse(e, err)
	}
	if e.IsHTMX() {
		return e.Fragment(listPage, "rows", data)
	}
	return e.Render(listPage, e.T("Inbox"), data, "/assets/css/desk-inbox.css", "/assets/js/desk-inbox.js")
}

// fillList adds what the page shows around its rows.
func fillList(e *desk.Event, data *listData, records []*core.Record) error {
	team, names, err := people(e.App)
	if err != nil {
		return err
	}
	data.Team = team
	for _, c := range records {
		data.Rows = append(data.Rows, rowOf(c, names, e.Auth.Id))
	}
	for _, view := range inbox.Views {
		tab := desk.Tab{Label: e.T(viewLabels[view]), Href: root + "?view=" + view, Count: -1, Current: view == data.Filter.View && !data.Narrow}
		if view == inbox.ViewOpen || view == inbox.ViewMine || view == inbox.ViewUnassigned {
			if tab.Count, err = inbox.Count(e.App, inbox.Filter{View: view, Person: e.Auth.Id}); err != nil {
				return err
			}
		}
		data.Tabs = append(data.Tabs, tab)
	}
	saved, err := inbox.SavedViews(e.App, e.Auth.Id)
	if err != nil {
		return err
	}
	for _, s := range saved {
		data.Saved = append(data.Saved, savedTab{Name: s.Name, Href: root + "?" + s.Query, Current: s.Query == e.Request.URL.RawQuery})
	}
	if data.Tags, err = inbox.Tags(e.App); err != nil {
		return err
	}
	data.Forms, err = formChoices(e.App)
	return err
}

func rowOf(c *core.Record, names map[string]string, me string) row {
	var tags []string
	_ = c.UnmarshalJSONField("tags", &tags) // none
	return row{
		ID: c.Id, Path: inbox.Path(c.Id), Who: who(c), Subject: c.GetString("subject"), Preview: c.GetString("preview"), Number: c.GetInt("number"),
		Status: c.GetString("status"), Assignee: names[c.GetString("assignee")], Tags: tags, Unread: c.GetBool("unread"),
		Mine: c.GetString("assignee") == me, At: c.GetDateTime("last_at").Time(), Until: c.GetDateTime("snoozed_until").Time(),
		Ago: ago(c.GetDateTime("last_at").Time(), time.Now()),
	}
}

// ago writes how long something is past, short: 5 min, 3 h, 2 d, 4 Jan 2026.
func ago(at, now time.Time) string {
	d := now.Sub(at)
	switch {
	case at.IsZero():
		return ""
	case d < time.Minute:
		return "now"
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	case d < 7*24*time.Hour:
		return fmt.Sprintf("%d d", int(d.Hours()/24))
	}
	return at.Format("2 Jan 2006")
}

// people gives those who may answer, as choices and as names by id.
func people(app core.App) ([]choice, map[string]string, error) {
	team, err := inbox.Team(app)
	if err != nil {
		return nil, nil, err
	}
	names := map[string]string{}
	var choices []choice
	for _, p := range team {
		name := desk.PersonOf(p).Name
		names[p.Id] = name
		choices = append(choices, choice{p.Id, name})
	}
	return choices, names, nil
}

// formChoices lists the forms by title, where the feature forms is on.
func formChoices(app core.App) ([]choice, error) {
	if !app.HasTable(schema.Forms) {
		return nil, nil
	}
	var rows []struct {
		ID    string `db:"id"`
		Title string `db:"title"`
	}
	err := app.DB().Select("id", "title").From(schema.Forms).OrderBy("title").Limit(200).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("list the forms: %w", err)
	}
	var choices []choice
	for _, r := range rows {
		choices = append(choices, choice{r.ID, r.Title})
	}
	return choices, nil
}

// formTitle is the title of the form with this id, or "".
func formTitle(app core.App, id string) string {
	var title string
	if id == "" || !app.HasTable(schema.Forms) {
		return ""
	}
	if err := app.DB().Select("title").From(schema.Forms).Where(dbx.HashExp{"id": id}).Row(&title); err != nil {
		return "" // deleted since
	}
	return title
}

// back is the list's address to return to: one of ours, or the list.
func back(values web.Values) string {
	to, err := url.Parse(values.Get("back"))
	if err != nil || to.Host != "" || to.Scheme != "" || !strings.HasPrefix(to.Path, root) {
		return root
	}
	return to.RequestURI()
}

func saveView(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return refuse(e, err)
	}
	_, query, _ := strings.Cut(values.Get("query"), "?")
	v := inbox.SavedView{Name: values.Get("name"), Query: query}
	said := "This filter is kept."
	if values.Get("forget") != "" {
		v.Query, said = "", "The filter is forgotten."
	}
	if err := inbox.SaveView(e.App, e.Auth.Id, v); err != nil {
		return refuse(e, err)
	}
	return e.Done(back(values), said)
}
