package writing

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/content"
	"bungalow/hooks/content/drafts"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// perPage is how many texts a list shows.
const perPage = 50

// binTab is the tab that is no status.
const binTab = "bin"

// listView is what the list's template gets.
type listView struct {
	Posts   bool
	Root    string
	Tabs    []desk.Tab
	Status  string
	Query   string
	Filters []filterView
	Columns []columnView
	Lines   []lineView
	Bin     []binView
	Pager   desk.Pager
	Tags    []choice
	Any     bool // a filter is set
}

type choice struct{ Value, Label string }

type filterView struct {
	Name, Label, Value string
	Options            []choice
}

type columnView struct{ Label, Href, Sort string }

type lineView struct {
	drafts.Line
	Names   string
	Href    string
	Site    string // its address on the site
	Badge   badge
	When    time.Time
	Changed time.Time
}

type badge struct{ Class, Label string }

type binView struct {
	drafts.Revision
	Until time.Time
}

func (k kind) list(e *desk.Event) error {
	site, err := settings.LoadSite(e.App)
	if err != nil {
		return err
	}
	q := e.Request.URL.Query()
	page, _ := strconv.Atoi(q.Get("page"))
	view := listView{Posts: k.isPosts(), Root: k.href(), Status: q.Get("status"), Query: q.Get("q")}
	if view.Status == binTab {
		return k.listBin(e, site, &view, page)
	}
	filter := drafts.Filter{
		Status: view.Status, Query: view.Query, Tag: q.Get("tag"), Author: q.Get("author"), Locale: q.Get("locale"),
		Sort: q.Get("sort"), Page: page, PerPage: perPage,
	}
	found, err := filter.Find(e.App, e.Auth, k.collection)
	if err != nil {
		return err
	}
	if view.Filters, err = k.filters(e.App, site, filter); err != nil {
		return err
	}
	for _, f := range view.Filters {
		view.Any = view.Any || f.Value != ""
		if f.Name == "tag" {
			view.Tags = f.Options
		}
	}
	view.Any = view.Any || view.Query != ""
	view.Pager = desk.Pages(e.Request.URL, page, perPage, found.Total)
	view.Columns = columns(e.Request.URL, filter.Sort)
	if view.Tabs, err = k.tabs(e, found.Counts, view.Status); err != nil {
		return err
	}
	if view.Lines, err = k.lines(e.App, site, found.Lines); err != nil {
		return err
	}
	return e.Render("desk/writing/list.html", e.T(k.menu.Label), view, "/assets/css/desk-writing.css")
}

func (k kind) listBin(e *desk.Event, site settings.Site, view *listView, page int) error {
	rows, total, err := drafts.Binned(e.App, e.Auth, k.collection, max(page, 1), perPage)
	if err != nil {
		return err
	}
	found, err := drafts.Filter{PerPage: 1}.Find(e.App, e.Auth, k.collection)
	if err != nil {
		return err
	}
	if view.Tabs, err = k.tabs(e, found.Counts, binTab); err != nil {
		return err
	}
	view.Pager = desk.Pages(e.Request.URL, page, perPage, total)
	for _, r := range rows {
		until := r.At.Time().AddDate(0, 0, drafts.BinDays).In(site.Location())
		view.Bin = append(view.Bin, binView{r, until})
	}
	return e.Render("desk/writing/list.html", e.T(k.menu.Label), view, "/assets/css/desk-writing.css")
}

// statuses are the tabs in their order; those that hold nothing are left out,
// but for the first four.
var statuses = []choice{
	{"", "All"}, {schema.StatusPublished, "Published"}, {schema.StatusDraft, "Drafts"}, {schema.StatusScheduled, "Scheduled"}, {schema.StatusArchived, "Archived"},
}

func (k kind) tabs(e *desk.Event, counts map[string]int, current string) ([]desk.Tab, error) {
	var tabs []desk.Tab
	for _, s := range statuses {
		if s.Value == schema.StatusArchived && counts[s.Value] == 0 && current != s.Value {
			continue
		}
		href := k.href()
		if s.Value != "" {
			href += "?status=" + s.Value
		}
		tabs = append(tabs, desk.Tab{Label: e.T(s.Label), Href: href, Count: counts[s.Value], Current: s.Value == current})
	}
	_, n, err := drafts.Binned(e.App, e.Auth, k.collection, 1, 0)
	if err != nil {
		return nil, err
	}
	if n > 0 || current == binTab {
		tabs = append(tabs, desk.Tab{Label: e.T("Bin"), Href: k.href() + "?status=" + binTab, Count: n, Current: current == binTab})
	}
	return tabs, nil
}

// columns are the heads that sort, with the way each click turns the order.
func columns(u *url.URL, now string) []columnView {
	var heads []columnView
	for _, c := range []choice{{drafts.SortTitle, "Title"}, {drafts.SortPublished, "Published"}, {drafts.SortUpdated, "Changed"}} {
		head := columnView{Label: c.Label}
		next := c.Value
		switch {
		case now == c.Value || now == "" && c.Value == drafts.SortUpdated:
			head.Sort, next = "down", "-"+c.Value
			if c.Value == drafts.SortTitle {
				head.Sort = "up"
			}
		case now == "-"+c.Value:
			head.Sort = "up"
			if c.Value == drafts.SortTitle {
				head.Sort = "down"
			}
		}
		q := u.Query()
		q.Set("sort", next)
		q.Del("page")
		head.Href = u.Path + "?" + q.Encode()
		heads = append(heads, head)
	}
	return heads
}

func (k kind) filters(app core.App, site settings.Site, f drafts.Filter) ([]filterView, error) {
	var list []filterView
	for _, c := range []struct{ name, label, collection, value string }{
		{"tag", "Tag", schema.Tags, f.Tag}, {"author", "Author", schema.Authors, f.Author},
	} {
		if c.collection == schema.Tags && !k.isPosts() {
			continue
		}
		options, err := named(app, c.collection)
		if err != nil {
			return nil, err
		}
		if len(options) > 0 {
			list = append(list, filterView{c.name, c.label, c.value, options})
		}
	}
	if all := site.AllLocales(); len(all) > 1 {
		locale := filterView{Name: "locale", Label: "Language", Value: f.Locale}
		for _, l := range all {
			locale.Options = append(locale.Options, choice{l, language(l)})
		}
		list = append(list, locale)
	}
	return list, nil
}

// maxNamed is how many tags or authors a choice offers.
const maxNamed = 500

// named lists tags or authors by name.
func named(app core.App, collection string) ([]choice, error) {
	var rows []struct {
		ID   string `db:"id"`
		Name string `db:"name"`
	}
	err := app.DB().Select("id", "name").From(collection).OrderBy("lower(name)", "id").Limit(maxNamed).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", collection, err)
	}
	options := make([]choice, len(rows))
	for i, r := range rows {
		options[i] = choice{r.ID, r.Name}
	}
	return options, nil
}

func (k kind) lines(app core.App, site settings.Site, found []drafts.Line) ([]lineView, error) {
	names, err := authorNames(app, found)
	if err != nil {
		return nil, err
	}
	c, err := app.FindCachedCollectionByNameOrId(k.collection)
	if err != nil {
		return nil, fmt.Errorf("list texts: %w", err)
	}
	lines := make([]lineView, len(found))
	for i, l := range found {
		line := lineView{Line: l, Href: k.href(l.ID), Badge: badgeOf(l.Status)}
		var signed []string
		for _, id := range l.Authors {
			if names[id] != "" {
				signed = append(signed, names[id])
			}
		}
		line.Names = strings.Join(signed, ", ")
		if !l.Published.IsZero() {
			line.When = l.Published.Time().In(site.Location())
		}
		line.Changed = l.Updated.Time().In(site.Location())
		if l.Status == schema.StatusPublished {
			r := core.NewRecord(c)
			r.Load(map[string]any{"slug": l.Slug, "path": l.Slug, "locale": l.Locale})
			line.Site = content.Address(site, r)
		}
		lines[i] = line
	}
	return lines, nil
}

func authorNames(app core.App, lines []drafts.Line) (map[string]string, error) {
	var ids []string
	seen := map[string]bool{}
	for _, l := range lines {
		for _, id := range l.Authors {
			if !seen[id] {
				seen[id] = true
				ids = append(ids, id)
			}
		}
	}
	names := map[string]string{}
	if len(ids) == 0 {
		return names, nil
	}
	found, err := app.FindRecordsByIds(schema.Authors, ids)
	if err != nil {
		return nil, fmt.Errorf("read the authors of a list: %w", err)
	}
	for _, r := range found {
		names[r.Id] = r.GetString("name")
	}
	return names, nil
}

func badgeOf(status string) badge {
	switch status {
	case schema.StatusPublished:
		return badge{"good", "Published"}
	case schema.StatusScheduled:
		return badge{"note", "Scheduled"}
	case schema.StatusArchived:
		return badge{"", "Archived"}
	}
	return badge{"warn", "Draft"}
}

// waiting is the card of drafts on the overview.
func waiting() desk.Card {
	return desk.Card{
		Title: "Writing", Icon: "square-pen", Order: 10, Access: of(schema.Posts).access,
		Do: func(app core.App, person *core.Record) (*desk.Figure, error) {
			found, err := drafts.Filter{Status: schema.StatusDraft, PerPage: 3}.Find(app, person, schema.Posts)
			if err != nil || found.Total == 0 {
				return nil, err
			}
			figure := &desk.Figure{Value: strconv.Itoa(found.Total), Label: "drafts of posts", Href: of(schema.Posts).href() + "?status=draft"}
			for _, l := range found.Lines {
				figure.Lines = append(figure.Lines, l.Title)
			}
			return figure, nil
		},
	}
}

// search is the kind's source for the desk's search.
func (k kind) search() desk.Search {
	return desk.Search{Name: k.menu.Label, Access: k.access, Find: func(app core.App, person *core.Record, query string, limit int) ([]desk.Hit, error) {
		if strings.TrimSpace(query) == "" || !web.Allowed(person, k.access) {
			return nil, nil
		}
		found, err := drafts.Filter{Query: query, PerPage: limit}.Find(app, person, k.collection)
		if err != nil {
			return nil, err
		}
		hits := make([]desk.Hit, len(found.Lines))
		for i, l := range found.Lines {
			hits[i] = desk.Hit{Title: l.Title, Note: badgeOf(l.Status).Label, Href: k.href(l.ID)}
		}
		return hits, nil
	}}
}
