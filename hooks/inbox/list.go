package inbox

import (
	"fmt"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Views of the list, as addresses name them.
const (
	ViewOpen       = "open"
	ViewMine       = "mine"
	ViewUnassigned = "unassigned"
	ViewWaiting    = "waiting"
	ViewSnoozed    = "snoozed"
	ViewClosed     = "closed"
	ViewSpam       = "spam"
	ViewAll        = "all"
)

// Views lists them in the order in which the desk shows them.
var Views = []string{ViewOpen, ViewMine, ViewUnassigned, ViewWaiting, ViewSnoozed, ViewClosed, ViewSpam, ViewAll}

// Filter narrows a list. The zero value is the open conversations.
type Filter struct {
	View   string
	Person string // whose ViewMine it is: an id of staff
	Form   string // id of a form
	Tag    string
	Email  string
	Query  string // words, best hits first
}

const (
	// PerPage is how many conversations one page of the list has.
	PerPage   = 30
	maxHits   = 500
	timeStamp = "2006-01-02 15:04:05.000Z"
)

// where is the condition of a view.
func (f Filter) where(app core.App) dbx.Expression {
	params := dbx.Params{"now": now(app).Format(timeStamp), "person": f.Person}
	awake := " AND (snoozed_until = '' OR snoozed_until <= {:now})"
	switch f.View {
	case ViewMine:
		return dbx.NewExp("assignee = {:person} AND assignee != '' AND status IN ('open', 'waiting')"+awake, params)
	case ViewUnassigned:
		return dbx.NewExp("status = 'open' AND assignee = ''"+awake, params)
	case ViewWaiting:
		return dbx.NewExp("status = 'waiting'"+awake, params)
	case ViewSnoozed:
		return dbx.NewExp("snoozed_until > {:now}", params)
	case ViewClosed:
		return dbx.NewExp("status = 'closed'", params)
	case ViewSpam:
		return dbx.NewExp("status = 'spam'", params)
	case ViewAll:
		return dbx.NewExp("status != 'spam'", params)
	default:
		return dbx.NewExp("status = 'open'"+awake, params)
	}
}

func (f Filter) conditions(app core.App) []dbx.Expression {
	list := []dbx.Expression{f.where(app)}
	if f.Form != "" {
		list = append(list, dbx.HashExp{"form": f.Form})
	}
	if f.Email != "" {
		list = append(list, dbx.HashExp{"email": normal(f.Email)})
	}
	if f.Tag != "" {
		list = append(list, dbx.NewExp("EXISTS (SELECT 1 FROM json_each(CASE WHEN json_valid(tags) THEN tags ELSE '[]' END) t WHERE t.value = {:tag})", dbx.Params{"tag": f.Tag}))
	}
	return list
}

// List gives one page of conversations and how many there are in all. With a
// query all views but the spam are searched, and the best come first.
func List(app core.App, f Filter, page int) ([]*core.Record, int, error) {
	if f.Query != "" {
		if f.View != ViewSpam {
			f.View = ViewAll
		}
		return search(app, f, page)
	}
	total, err := Count(app, f)
	if err != nil {
		return nil, 0, err
	}
	page = min(max(page, 1), max(1, (total+PerPage-1)/PerPage))
	records := []*core.Record{}
	query := app.RecordQuery(schema.Conversations)
	for _, c := range f.conditions(app) {
		query.AndWhere(c)
	}
	err = query.OrderBy("last_at DESC", "number DESC").Limit(PerPage).Offset(int64(page-1) * PerPage).All(&records)
	if err != nil {
		return nil, 0, fmt.Errorf("list conversations: %w", err)
	}
	return records, total, nil
}

// search lists what a query finds, in the search's order.
func search(app core.App, f Filter, page int) ([]*core.Record, int, error) {
	ids, err := Search(app, f.Query, maxHits)
	if err != nil || len(ids) == 0 {
		return nil, 0, err
	}
	var found []*core.Record
	query := app.RecordQuery(schema.Conversations).AndWhere(dbx.HashExp{"id": anys(ids)})
	for _, c := range f.conditions(app) {
		query.AndWhere(c)
	}
	if err := query.All(&found); err != nil {
		return nil, 0, fmt.Errorf("list what was found: %w", err)
	}
	byID := map[string]*core.Record{}
	for _, r := range found {
		byID[r.Id] = r
	}
	sorted := make([]*core.Record, 0, len(found))
	for _, id := range ids {
		if r := byID[id]; r != nil {
			sorted = append(sorted, r)
		}
	}
	from := min((max(page, 1)-1)*PerPage, len(sorted))
	return sorted[from:min(from+PerPage, len(sorted))], len(sorted), nil
}

func anys(list []string) []any {
	out := make([]any, len(list))
	for i, v := range list {
		out[i] = v
	}
	return out
}

// Count is how many conversations match f, whose query is not looked at.
func Count(app core.App, f Filter) (int, error) {
	query := app.DB().Select("count(*)").From(schema.Conversations)
	for _, c := range f.conditions(app) {
		query.AndWhere(c)
	}
	var n int
	if err := query.Row(&n); err != nil {
		return 0, fmt.Errorf("count conversations: %w", err)
	}
	return n, nil
}

// Tags lists the tags of conversations that are not spam, the most used first.
func Tags(app core.App) ([]string, error) {
	tags := []string{}
	err := app.DB().NewQuery(`SELECT t.value FROM {{conversations}} c, json_each(CASE WHEN json_valid(c.tags) THEN c.tags ELSE '[]' END) t
		WHERE c.status != 'spam' GROUP BY t.value ORDER BY count(*) DESC, t.value LIMIT 50`).Column(&tags)
	if err != nil {
		return nil, fmt.Errorf("list the tags of conversations: %w", err)
	}
	return tags, nil
}
