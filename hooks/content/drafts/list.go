package drafts

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// MaxQuery is how much of a search in a list is looked at, in characters.
const MaxQuery = 200

// Sorts of a list; a minus before one turns it over.
const (
	SortUpdated   = "updated"
	SortPublished = "published_at"
	SortTitle     = "title"
)

// Filter says which posts or pages a list shows. Its zero value is all.
type Filter struct {
	Status, Query, Tag, Author, Locale string
	Sort                               string // one of the sorts, "" for the newest change first
	Page, PerPage                      int
}

// Line is one post or page of a list.
type Line struct {
	ID        string                  `db:"id"`
	Title     string                  `db:"title"`
	Slug      string                  `db:"slug"` // a page's whole path
	Status    string                  `db:"status"`
	Locale    string                  `db:"locale"`
	Published types.DateTime          `db:"published_at"`
	Updated   types.DateTime          `db:"updated"`
	Authors   types.JSONArray[string] `db:"authors"`
	// Changes is the state of a next version that somebody is writing, or "".
	Changes string `db:"-"`
}

// List is one page of posts or pages that the person may edit.
type List struct {
	Lines  []Line
	Total  int            // with the filter
	Counts map[string]int // by status, without the filter; "" is all
}

// Find lists by the filter. It reads an index, not the texts.
func (f Filter) Find(app core.App, person *core.Record, collection string) (List, error) {
	list := List{Counts: map[string]int{}}
	mine, err := f.mine(app, person, collection)
	if err != nil {
		return list, err
	}
	if err := f.count(app, collection, mine, &list); err != nil {
		return list, err
	}
	where := f.where(collection, mine)
	if f.narrows() {
		if err := app.DB().Select("count(*)").From(source(collection)).Where(where).Row(&list.Total); err != nil {
			return list, fmt.Errorf("count the texts of a list: %w", err)
		}
	} else {
		list.Total = list.Counts[f.Status]
	}
	slug := "slug"
	if collection == schema.Pages {
		slug = "path AS slug"
	}
	skip := (max(f.Page, 1) - 1) * f.PerPage
	n := max(min(f.PerPage, list.Total-skip), 0)
	// What lies behind the middle is nearer to the end.
	back := skip > list.Total/2
	if back {
		skip = max(list.Total-skip-n, 0)
	}
	err = app.DB().Select("id", "title", slug, "status", "locale", "published_at", "updated", "authors").From(source(collection)).
		Where(where).OrderBy(f.order(back)...).Limit(int64(n)).Offset(int64(skip)).All(&list.Lines)
	if err != nil {
		return list, fmt.Errorf("list texts: %w", err)
	}
	if back {
		slices.Reverse(list.Lines)
	}
	return list, f.changes(app, collection, person, list.Lines)
}

// narrows reports whether the filter asks for more than a status, by which all
// are counted anyway.
func (f Filter) narrows() bool {
	return f.Locale != "" || f.Tag != "" || f.Author != "" || len(searched(f.Query)) > 0
}

// source makes SQLite read the index of the lists, whatever else there is.
func source(collection string) string {
	return "{{" + collection + "}} INDEXED BY idx_" + collection + "_desk"
}

// mine is the filter of who edits own posts only; nil for who edits all.
func (f Filter) mine(app core.App, person *core.Record, collection string) (dbx.Expression, error) {
	if EditsAll(person) {
		return nil, nil
	}
	ids, err := AuthorIDs(app, person)
	if err != nil {
		return nil, err
	}
	if len(ids) == 0 || collection != schema.Posts {
		return dbx.NewExp("1 = 0"), nil
	}
	return HasAny(collection+".authors", ids), nil
}

func (f Filter) count(app core.App, collection string, mine dbx.Expression, list *List) error {
	var rows []struct {
		Status string `db:"status"`
		N      int    `db:"n"`
	}
	err := app.DB().Select("status", "count(*) AS n").From(source(collection)).Where(mine).GroupBy("status").All(&rows)
	if err != nil {
		return fmt.Errorf("count texts by status: %w", err)
	}
	for _, r := range rows {
		list.Counts[r.Status] += r.N
		list.Counts[""] += r.N
	}
	return nil
}

func (f Filter) where(collection string, mine dbx.Expression) dbx.Expression {
	var all []dbx.Expression
	if mine != nil {
		all = append(all, mine)
	}
	if f.Status != "" {
		all = append(all, dbx.HashExp{"status": f.Status})
	}
	if f.Locale != "" {
		all = append(all, dbx.HashExp{"locale": f.Locale})
	}
	if f.Tag != "" && collection == schema.Posts {
		all = append(all, HasAny(collection+".tags", []string{f.Tag}))
	}
	if f.Author != "" {
		all = append(all, HasAny(collection+".authors", []string{f.Author}))
	}
	for i, word := range searched(f.Query) {
		name := "word" + strconv.Itoa(i)
		all = append(all, dbx.NewExp(`title LIKE {:`+name+`} ESCAPE '\'`, dbx.Params{name: "%" + noPattern.Replace(word) + "%"}))
	}
	if len(all) == 0 {
		return nil
	}
	return dbx.And(all...)
}

// noPattern makes plain signs of those that LIKE reads as a pattern.
var noPattern = strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`)

// searched cuts a search into its words, at most ten.
func searched(query string) []string {
	for utf8.RuneCountInString(query) > MaxQuery {
		query = string([]rune(query)[:MaxQuery])
	}
	words := strings.Fields(query)
	return words[:min(len(words), 10)]
}

// order is the order of the list, or that of the list turned over.
func (f Filter) order(back bool) []string {
	column, turned := strings.CutPrefix(f.Sort, "-")
	if !slices.Contains([]string{SortUpdated, SortPublished, SortTitle}, column) {
		column, turned = SortUpdated, false
	}
	// A title begins with A, a time with the newest.
	down := (column != SortTitle) != turned
	if column == SortTitle {
		column = "lower(title)"
	}
	id := "id"
	if down != back {
		column += " DESC"
	}
	if back {
		id += " DESC"
	}
	return []string{column, id}
}

// changes marks the lines whose next version is being written: by the person,
// or by anybody for who edits all.
func (f Filter) changes(app core.App, collection string, person *core.Record, lines []Line) error {
	if len(lines) == 0 {
		return nil
	}
	ids := make([]any, len(lines))
	for i, l := range lines {
		ids[i] = l.ID
	}
	var rows []struct {
		Record string `db:"record"`
		State  string `db:"state"`
	}
	query := app.DB().Select("record", "state").From(schema.Revisions).
		Where(dbx.HashExp{"collection": collection}).AndWhere(dbx.In("record", ids...)).AndWhere(dbx.In("state", working...))
	if !EditsAll(person) {
		query.AndWhere(dbx.HashExp{"actor": person.Id})
	}
	if err := query.All(&rows); err != nil {
		return fmt.Errorf("find what is being written: %w", err)
	}
	for i := range lines {
		for _, r := range rows {
			if r.Record == lines[i].ID && lines[i].Changes != schema.RevisionScheduled {
				lines[i].Changes = r.State
			}
		}
	}
	return nil
}

// PublishWritten publishes a text as it stands: with the person's draft of its
// next version, where there is one. A *Conflict as of Publish.
func PublishWritten(app core.App, by By, collection, id string) (*core.Record, error) {
	record, err := Open(app, by.Person, collection, id)
	if err != nil {
		return nil, err
	}
	draft, v, err := Draft(app, by.Person, record)
	if err != nil {
		return nil, err
	}
	var base string
	if draft != nil {
		base = draft.Base
	} else if base, err = Base(record); err != nil {
		return nil, err
	}
	return Publish(app, by, collection, id, base, v, time.Time{})
}

// AddTag adds a tag to a post, visible at once if the post is: a tag is where
// a text lies, not what it says.
func AddTag(app core.App, by By, id, tag string) (*core.Record, error) {
	return change(app, by, schema.Posts, id, "", nil, func(tx core.App, record *core.Record) error {
		tags := record.GetStringSlice("tags")
		if slices.Contains(tags, tag) {
			return nil
		}
		return write(tx, by, record, "", nil, "tag", func() { record.Set("tags", append(tags, tag)) })
	})
}
