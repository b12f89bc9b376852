package comments

import (
	"cmp"
	"database/sql"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

const (
	// maxShown is how many levels are shown nested; deeper answers stand at the
	// last level and name whom they answer.
	maxShown = 6
	// maxReplies is how many answers below one root a page of the thread holds.
	maxReplies = 300
	// maxClimb is how far up missing parents are looked for.
	maxClimb = 200
	// maxPage bounds the pages of a thread.
	maxPage = 100_000
)

// Item is a comment as everybody may see it. One that is gone but has answers
// is Removed and says nothing else.
type Item struct {
	ID        string         `json:"id"`
	Parent    string         `json:"parent"`
	Author    string         `json:"author"`
	URL       string         `json:"url,omitempty"`
	HTML      string         `json:"html"`
	Created   string         `json:"created"`
	Edited    string         `json:"edited"`
	Pinned    bool           `json:"pinned"`
	Badge     string         `json:"badge"`
	Avatar    string         `json:"avatar"`
	Reactions map[string]int `json:"reactions"`
	Removed   bool           `json:"removed,omitempty"`
	// Mention is whom a comment answers that no longer stands below it.
	Mention *Mention `json:"mention,omitempty"`
	Replies []*Item  `json:"replies"`
	// More is how many answers this page leaves out; ask with root for them.
	More int `json:"more,omitempty"`

	At time.Time `json:"-"`
}

// Mention names the comment that another one answers.
type Mention struct {
	ID     string `json:"id"`
	Author string `json:"author"`
}

// Listing is one page of a thread.
type Listing struct {
	Page       int     `json:"page"`
	PerPage    int     `json:"perPage"`
	TotalItems int     `json:"totalItems"`
	Items      []*Item `json:"items"`
	Open       bool    `json:"open"`
	Reason     string  `json:"reason"`
	// Count is how many comments the thread has in all.
	Count int `json:"count"`
	// Emoji are the reactions that are offered.
	Emoji []string `json:"emoji"`
}

// row is a comment as it is read for a thread.
type row struct {
	ID        string             `db:"id"`
	Parent    string             `db:"parent"`
	Root      string             `db:"root"`
	Author    string             `db:"author"`
	Email     string             `db:"email"`
	URL       string             `db:"url"`
	HTML      string             `db:"html"`
	Status    string             `db:"status"`
	Created   types.DateTime     `db:"created"`
	Edited    types.DateTime     `db:"edited"`
	Pinned    bool               `db:"pinned"`
	Badge     string             `db:"badge"`
	Reactions types.JSONMap[int] `db:"reactions"`
}

var rowColumns = []string{"id", "parent", "root", "author", "email", "url", "html", "status", "created", "edited", "pinned", "badge", "reactions"}

// List reads one page of a thread. The items are the comments at the top, each
// with its answers, the oldest first.
func List(app core.App, t Thread, page int, sort string) (Listing, error) {
	o := optionsOf(app)
	if !slices.Contains([]string{SortOldest, SortNewest, SortBest}, sort) {
		sort = o.Sort
	}
	l := Listing{Page: min(max(page, 1), maxPage), PerPage: o.PerPage, Open: t.Open(), Reason: t.Reason, Items: []*Item{}, Emoji: append([]string{}, o.Reactions...)}
	bind := dbx.Params{"t": t.Address, "n": l.PerPage, "skip": (l.Page - 1) * l.PerPage}
	var top []struct {
		Root  string `db:"root"`
		Roots int    `db:"roots"`
		Total int    `db:"total"`
	}
	err := app.DB().NewQuery(`SELECT c.root AS root, count(*) OVER () AS roots, sum(c.n) OVER () AS total FROM ` + byRoot +
		` ORDER BY ` + orders[sort] + ` LIMIT {:n} OFFSET {:skip}`).Bind(bind).All(&top)
	if err != nil {
		return l, fmt.Errorf("list a thread: %w", err)
	}
	if len(top) == 0 { // nobody wrote, or the page is behind the last one
		err := app.DB().NewQuery(`SELECT coalesce(sum(n), 0), count(*) FROM `+branchSizes).Bind(bind).Row(&l.Count, &l.TotalItems)
		if err != nil {
			return l, fmt.Errorf("count a thread: %w", err)
		}
		return l, nil
	}
	l.Count, l.TotalItems = top[0].Total, top[0].Roots
	roots := make([]string, len(top))
	for i, at := range top {
		roots[i] = at.Root
	}
	l.Items, err = branches(app, roots)
	return l, err
}

// branchSizes are the branches of a thread, each with its size.
const branchSizes = `(SELECT root, count(*) AS n FROM comments WHERE thread = {:t} AND status = 'approved' GROUP BY root) c`

// byRoot is branchSizes, each with what is at its top.
const byRoot = branchSizes + ` LEFT JOIN comments r ON r.id = c.root`

// orders sort the branches of a thread by what is at their top; what is pinned
// comes first.
var orders = map[string]string{
	SortOldest: pinnedFirst + "r.created, c.root",
	SortNewest: pinnedFirst + "r.created DESC, c.root",
	SortBest:   pinnedFirst + "r.votes DESC, c.n DESC, r.created, c.root",
}

const pinnedFirst = "(r.pinned AND r.status = 'approved') DESC, "

// ListBranch reads a page of the answers below one root, for a branch that is
// too long for the thread. They stand flat, each naming whom it answers.
func ListBranch(app core.App, t Thread, root string, page int) (Listing, error) {
	l := Listing{Page: min(max(page, 1), maxPage), PerPage: maxReplies, Open: t.Open(), Reason: t.Reason, Items: []*Item{}, Emoji: append([]string{}, optionsOf(app).Reactions...)}
	bind := dbx.Params{"t": t.Address, "r": root}
	err := app.DB().NewQuery(`SELECT count(*) FROM comments WHERE root = {:r} AND id != {:r} AND thread = {:t} AND status = 'approved'`).
		Bind(bind).Row(&l.TotalItems)
	if err != nil {
		return l, fmt.Errorf("count a branch: %w", err)
	}
	l.Count = l.TotalItems
	var at string // a root of another thread would lend its answers to this one
	if err := app.DB().Select("thread").From(schema.Comments).Where(dbx.HashExp{"id": root}).Row(&at); err != nil || at != t.Address {
		return l, sql.ErrNoRows
	}
	rows, err := approvedBelow(app, []string{root}, (l.Page-1)*maxReplies+1, maxReplies)
	if err != nil {
		return l, err
	}
	names := map[string]string{}
	for _, r := range rows {
		names[r.ID] = r.Author
	}
	for _, r := range rows {
		if r.ID == root {
			continue
		}
		item := r.item(app)
		item.Mention = &Mention{ID: r.Parent, Author: names[r.Parent]}
		l.Items = append(l.Items, item)
	}
	return l, nil
}

// approvedBelow reads the approved comments of the branches with these roots,
// the roots among them: of each at most most after skip, the oldest first.
func approvedBelow(app core.App, roots []string, skip, most int) ([]row, error) {
	if len(roots) == 0 {
		return nil, nil
	}
	list, err := json.Marshal(roots)
	if err != nil {
		return nil, fmt.Errorf("read a thread: %w", err)
	}
	var rows []row
	err = app.DB().NewQuery(`SELECT ` + strings.Join(rowColumns, ", ") + ` FROM comments WHERE id IN (
			SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY root ORDER BY created, id) AS n
				FROM comments WHERE root IN (SELECT value FROM json_each({:roots})) AND status = 'approved')
			WHERE n > {:skip} AND n <= {:skip} + {:most})
		ORDER BY created, id`).Bind(dbx.Params{"roots": string(list), "skip": skip, "most": most}).All(&rows)
	if err != nil {
		return nil, fmt.Errorf("read a thread: %w", err)
	}
	return rows, nil
}

// branches reads whole branches in the order of their roots.
func branches(app core.App, roots []string) ([]*Item, error) {
	rows, err := approvedBelow(app, roots, 0, maxReplies+2) // the root, and one to see that there are more
	if err != nil {
		return nil, err
	}
	long, kept := trim(rows)
	byID := map[string]*Item{}
	for i := range kept {
		byID[kept[i].ID] = kept[i].item(app)
	}
	if kept, err = withMissing(app, kept, byID); err != nil {
		return nil, err
	}
	arrange(kept, byID)
	items := make([]*Item, 0, len(roots))
	for _, root := range roots {
		item := byID[root]
		if item == nil {
			continue
		}
		if long[root] {
			err := app.DB().NewQuery(`SELECT count(*) - {:shown} FROM comments WHERE root = {:r} AND id != {:r} AND status = 'approved'`).
				Bind(dbx.Params{"r": root, "shown": maxReplies}).Row(&item.More)
			if err != nil {
				return nil, fmt.Errorf("count a branch: %w", err)
			}
		}
		items = append(items, item)
	}
	return items, nil
}

// trim keeps at most maxReplies answers of each branch, and says which are longer.
func trim(rows []row) (long map[string]bool, kept []row) {
	long = map[string]bool{}
	count := map[string]int{}
	for _, r := range rows {
		if r.ID != r.Root {
			if count[r.Root]++; count[r.Root] > maxReplies {
				long[r.Root] = true
				continue
			}
		}
		kept = append(kept, r)
	}
	return long, kept
}

// withMissing adds what stands between the comments but can't be shown, as
// placeholders, so that every answer has its place.
func withMissing(app core.App, rows []row, byID map[string]*Item) ([]row, error) {
	for range maxClimb {
		var missing []any
		seen := map[string]bool{}
		for _, r := range rows {
			if r.Parent != "" && byID[r.Parent] == nil && !seen[r.Parent] {
				seen[r.Parent] = true
				missing = append(missing, r.Parent)
			}
		}
		if len(missing) == 0 {
			return rows, nil
		}
		var found []row
		err := app.DB().Select("id", "parent", "root", "status", "created").From(schema.Comments).Where(dbx.In("id", missing...)).All(&found)
		if err != nil {
			return nil, fmt.Errorf("read a thread: %w", err)
		}
		for i := range found {
			byID[found[i].ID] = found[i].item(app)
			seen[found[i].ID] = false
		}
		for id, still := range seen {
			if still { // a parent that was deleted by raw SQL: its answers stand at the top
				byID[id] = &Item{ID: id, Removed: true, Replies: []*Item{}, Reactions: map[string]int{}}
			}
		}
		rows = append(rows, found...)
	}
	return rows, nil
}

// arrange hangs each comment below the one that it answers. Who is deeper than
// maxShown stands at the last level, in order of time, and names whom he answers.
func arrange(rows []row, byID map[string]*Item) {
	slices.SortStableFunc(rows, func(a, b row) int {
		return cmp.Or(a.Created.Time().Compare(b.Created.Time()), strings.Compare(a.ID, b.ID))
	})
	below := map[string][]string{}
	for _, r := range rows {
		below[r.Parent] = append(below[r.Parent], r.ID)
	}
	type step struct {
		id     string
		level  int
		anchor *Item // the ancestor at the last level but one
	}
	var stack []step
	for _, r := range rows {
		if r.Parent == "" || byID[r.Parent] == nil || byID[r.Parent].Created == "" {
			stack = append(stack, step{r.ID, 1, nil})
		}
	}
	for len(stack) > 0 {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		up := byID[at.id]
		if at.level == maxShown-1 {
			at.anchor = up
		}
		for _, id := range below[at.id] {
			item := byID[id]
			if at.level < maxShown {
				up.Replies = append(up.Replies, item)
			} else {
				item.Mention = &Mention{ID: up.ID, Author: up.Author}
				at.anchor.Replies = append(at.anchor.Replies, item)
			}
			stack = append(stack, step{id, at.level + 1, at.anchor})
		}
	}
	for _, item := range byID {
		slices.SortStableFunc(item.Replies, func(a, b *Item) int { return a.At.Compare(b.At) })
	}
}

// item is a row as everybody may see it.
func (r row) item(app core.App) *Item {
	if r.Status != schema.CommentApproved {
		return &Item{ID: r.ID, Parent: r.Parent, Created: stamp(r.Created), At: r.Created.Time(), Removed: true, Replies: []*Item{}, Reactions: map[string]int{}}
	}
	i := &Item{
		ID: r.ID, Parent: r.Parent, Author: r.Author, URL: r.URL, HTML: r.HTML, Created: stamp(r.Created), Edited: stamp(r.Edited),
		Pinned: r.Pinned, Badge: r.Badge, Avatar: avatarOf(app, firstOf(r.Email, r.Author)), Reactions: map[string]int{}, Replies: []*Item{},
		At: r.Created.Time(),
	}
	for kind, n := range r.Reactions {
		if n > 0 {
			i.Reactions[kind] = n
		}
	}
	return i
}

// stamp is a time of RFC 3339 in UTC, "" for none.
func stamp(t types.DateTime) string {
	if t.IsZero() {
		return ""
	}
	return t.Time().UTC().Format("2006-01-02T15:04:05.000Z")
}

// maxCounts is how many threads may be counted at once.
const maxCounts = 100

// Counts says how many approved comments each thread has, by the address as it
// was asked for. What is no thread has none.
func Counts(app core.App, threads []string) (map[string]int, error) {
	out := map[string]int{}
	byAddress := map[string][]string{}
	for _, raw := range threads[:min(len(threads), maxCounts)] {
		out[raw] = 0
		t, err := FindThread(app, raw)
		if err == nil {
			byAddress[t.Address] = append(byAddress[t.Address], raw)
		} else if isFault(err) {
			return nil, err
		}
	}
	for address, asked := range byAddress {
		var n int
		err := app.DB().NewQuery(`SELECT count(*) FROM comments WHERE thread = {:t} AND status = 'approved'`).Bind(dbx.Params{"t": address}).Row(&n)
		if err != nil {
			return nil, fmt.Errorf("count a thread: %w", err)
		}
		for _, raw := range asked {
			out[raw] = n
		}
	}
	return out, nil
}
