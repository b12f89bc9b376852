// Package desk is what a feature says to get a page in the desk, the staff's
// own web app at /desk/: pages with a place in the menu, cards for the
// overview, settings and search. The feature hooks/desk brings the sign-in and
// the overview; this package joins all parts into one table of routes.
//
// It promises that a page is seen only by who may see it, that the menu shows
// nothing else, and that every form works without JavaScript. It decides
// nothing about a feature's data.
package desk

import (
	"cmp"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// Root is where the desk lives.
const Root = "/desk/"

// Part is what one feature gives the desk.
type Part struct {
	Pages    []Page
	Cards    []Card
	Settings []Setting
	Searches []Search
}

// Page is one address of the desk.
type Page struct {
	Method string // "" means GET
	// Path is below /desk/, without slashes at its ends: "posts/{id}" answers at
	// /desk/posts/{id}/. Where the last segment has a dot there is no slash at
	// the end: "audit.csv".
	Path   string
	Access web.Access
	Body   int64 // largest request body in bytes; 0 means web.DefaultBody
	Menu   *Menu // nil keeps it out of the menu
	// Quiet says why a page that changes something leaves no line in the audit.
	// Every other one does; tests fail where it doesn't.
	Quiet string
	Do    func(e *Event) error
}

// The groups of the menu, in their order.
const (
	GroupContent = "Content"
	GroupTalk    = "Talk"
	GroupShop    = "Shop"
	GroupNumbers = "Numbers"
	GroupSite    = "Site"
)

var groups = []string{"", GroupContent, GroupTalk, GroupShop, GroupNumbers, GroupSite}

// Menu is a page's place in the menu.
type Menu struct {
	Group string // one of the groups above
	Label string // English; the theme translates it
	Icon  string // a file of _theme/icons, without its ending
	Order int    // within the group, lowest first
	// Count is the number beside the label, of what waits for this person; nil
	// for none. It runs for every page of the desk, so it is one indexed query.
	Count func(app core.App, person *core.Record) (int, error)
}

// Card is a box of the overview.
type Card struct {
	Title  string // English
	Icon   string
	Order  int
	Access web.Access
	// Do gives what the card shows; a nil Figure leaves the card out.
	Do func(app core.App, person *core.Record) (*Figure, error)
}

// Figure is what a card says: a number with words, where to go from it, and
// perhaps the course of the number over time.
type Figure struct {
	Value string   // "12", "1,204.50 €"
	Label string   // English: "comments are waiting"
	Href  string   // where the card leads
	Trend []Point  // oldest first, nil for none
	Lines []string // more lines of text, at most five
}

// Point is one value of a trend.
type Point struct {
	Label string  `json:"label"` // "2026-11-22"
	Value float64 `json:"value"`
}

// Search is one source of the desk's search.
type Search struct {
	Name   string // English, plural: "Posts"
	Access web.Access
	// Find gives at most limit hits for what was typed, best first.
	Find func(app core.App, person *core.Record, query string, limit int) ([]Hit, error)
}

// Hit is one found thing.
type Hit struct {
	Title string
	Note  string // a date, a status, an address
	Href  string
}

// Desk is the desk of one app.
type Desk struct {
	app   core.App
	parts []Part
}

const storeKey = "bungalow.desk"

// New joins the parts into the app's desk.
func New(app core.App, parts []Part) *Desk {
	d := &Desk{app: app, parts: parts}
	app.Store().Set(storeKey, d)
	return d
}

// Of returns the app's desk, nil where the desk is switched off.
func Of(app core.App) *Desk {
	d, _ := app.Store().Get(storeKey).(*Desk)
	return d
}

// Routes is the table of all pages of all parts.
func (d *Desk) Routes() []web.Route {
	var routes []web.Route
	for _, part := range d.parts {
		for _, page := range part.Pages {
			routes = append(routes, d.route(page))
		}
	}
	return routes
}

func (d *Desk) route(page Page) web.Route {
	return web.Route{
		Method: cmp.Or(page.Method, "GET"), Path: Pattern(page.Path), Access: page.Access, Body: page.Body,
		Do: func(e *core.RequestEvent) error {
			e.Response.Header().Set("Cache-Control", "no-store")
			return web.Refuse(e, d.watched(page, &Event{RequestEvent: e, desk: d}))
		},
	}
}

// Pattern is the net/http pattern of a page's path.
func Pattern(path string) string {
	if path == "" {
		return Root + "{$}"
	}
	if last := path[strings.LastIndexByte(path, '/')+1:]; strings.Contains(last, ".") && !strings.HasPrefix(last, "{") {
		return Root + path
	}
	return Root + path + "/{$}"
}

// Cards lists the cards that the person may see, in their order.
func (d *Desk) Cards(person *core.Record) []Card {
	var cards []Card
	for _, part := range d.parts {
		for _, card := range part.Cards {
			if web.Allowed(person, card.Access) {
				cards = append(cards, card)
			}
		}
	}
	slices.SortStableFunc(cards, func(a, b Card) int { return cmp.Compare(a.Order, b.Order) })
	return cards
}

// Searches lists the sources that the person may search.
func (d *Desk) Searches(person *core.Record) []Search {
	var all []Search
	for _, part := range d.parts {
		for _, s := range part.Searches {
			if web.Allowed(person, s.Access) {
				all = append(all, s)
			}
		}
	}
	return all
}

// Settings lists the pages of settings, in the order of the parts.
func (d *Desk) Settings() []Setting {
	var all []Setting
	for _, part := range d.parts {
		all = append(all, part.Settings...)
	}
	return all
}

// MenuGroup is a group of the menu as one person sees it.
type MenuGroup struct {
	Name  string
	Items []MenuItem
}

// MenuItem is one line of the menu.
type MenuItem struct {
	Label, Icon, Href string
	Key               string // of the keyboard, "" for none
	Count             int
	Current           bool
}

// Menu gives the menu of a person who is at the page with the given path.
func (d *Desk) Menu(person *core.Record, at string) []MenuGroup {
	type place struct {
		page Page
		menu *Menu
	}
	byGroup := map[string][]place{}
	best := ""
	for _, part := range d.parts {
		for _, page := range part.Pages {
			if page.Menu == nil || !web.Allowed(person, page.Access) {
				continue
			}
			byGroup[page.Menu.Group] = append(byGroup[page.Menu.Group], place{page, page.Menu})
			if within(at, page.Path) && len(page.Path) >= len(best) {
				best = page.Path
			}
		}
	}
	var menu []MenuGroup
	for _, name := range groups {
		places := byGroup[name]
		slices.SortStableFunc(places, func(a, b place) int { return cmp.Compare(a.menu.Order, b.menu.Order) })
		group := MenuGroup{Name: name}
		for _, p := range places {
			item := MenuItem{Label: p.menu.Label, Icon: p.menu.Icon, Href: Href(p.page.Path), Key: keyOf(p.page.Path), Current: p.page.Path == best && within(at, best)}
			if p.menu.Count != nil {
				n, err := p.menu.Count(d.app, person)
				if err != nil {
					d.app.Logger().Error("a number of the desk's menu can't be counted", "page", p.page.Path, "error", err)
				}
				item.Count = n
			}
			group.Items = append(group.Items, item)
		}
		if len(group.Items) > 0 {
			menu = append(menu, group)
		}
	}
	return menu
}

func within(at, path string) bool {
	if path == "" {
		return at == ""
	}
	return at == path || strings.HasPrefix(at, path+"/")
}

// Href is the address of a path below the desk without placeholders.
func Href(path string) string {
	if path == "" {
		return Root
	}
	if strings.Contains(path[strings.LastIndexByte(path, '/')+1:], ".") {
		return Root + path
	}
	return Root + path + "/"
}

// Tab is one view of a list; a Count below 0 is not shown.
type Tab struct {
	Label, Href string
	Count       int
	Current     bool
}

// Pager leads through the pages of a list.
type Pager struct {
	Page, Pages, Total int
	Prev, Next         string // addresses, "" where there is none
}

// Pages makes a Pager for total items, perPage on each page. page is what was
// asked for, and u the request's address, whose other parameters stay.
func Pages(u *url.URL, page, perPage, total int) Pager {
	p := Pager{Pages: max(1, (total+perPage-1)/perPage), Total: total}
	p.Page = min(max(page, 1), p.Pages)
	to := func(n int) string {
		q := u.Query()
		q.Set("page", strconv.Itoa(n))
		return u.Path + "?" + q.Encode()
	}
	if p.Page > 1 {
		p.Prev = to(p.Page - 1)
	}
	if p.Page < p.Pages {
		p.Next = to(p.Page + 1)
	}
	return p
}
