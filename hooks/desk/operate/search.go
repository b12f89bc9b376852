package operate

import (
	"strings"
	"unicode/utf8"

	"bungalow/hooks/kit/desk"
	"github.com/pocketbase/pocketbase/core"
)

const (
	// longestQuery is how much of a question is looked for, in characters.
	longestQuery = 100
	// perSource is how many hits each source gives.
	perSource = 8
)

// found is what one source has.
type found struct {
	Name string
	Hits []desk.Hit
}

// searchPage is what the template gets.
type searchPage struct {
	Query  string
	Groups []found
	Total  int
	Failed []string // sources that couldn't be searched
}

func search(e *desk.Event) error {
	page := searchPage{Query: strings.TrimSpace(strings.ToValidUTF8(e.Request.URL.Query().Get("q"), ""))}
	if utf8.RuneCountInString(page.Query) > longestQuery {
		page.Query = string([]rune(page.Query)[:longestQuery])
	}
	if page.Query != "" {
		for _, s := range desk.Of(e.App).Searches(e.Auth) {
			hits, err := s.Find(e.App, e.Auth, page.Query, perSource)
			if err != nil { // one source that fails hides no other
				e.App.Logger().Error("a source of the desk's search failed", "source", s.Name, "error", err)
				page.Failed = append(page.Failed, e.T(s.Name))
				continue
			}
			if len(hits) > 0 {
				page.Groups = append(page.Groups, found{s.Name, hits[:min(len(hits), perSource)]})
				page.Total += min(len(hits), perSource)
			}
		}
	}
	if e.IsHTMX() {
		return e.Fragment("desk/shell/search.html", "hits", page)
	}
	return e.Render("desk/shell/search.html", e.T("Search"), page, assets, "/assets/js/desk-search.js")
}

// findPages finds pages of the menu by their names.
func findPages(app core.App, person *core.Record, query string, limit int) ([]desk.Hit, error) {
	var hits []desk.Hit
	query = strings.ToLower(query)
	for _, group := range desk.Of(app).Menu(person, "") {
		for _, item := range group.Items {
			if strings.Contains(strings.ToLower(item.Label), query) && len(hits) < limit {
				hits = append(hits, desk.Hit{Title: item.Label, Note: group.Name, Href: item.Href})
			}
		}
	}
	return hits, nil
}

// keyGroup is one part of the page of shortcuts.
type keyGroup struct {
	Name string
	Keys []desk.Key
}

func shortcuts(e *desk.Event) error {
	var groups []keyGroup
	for _, k := range desk.KeysFor(e.App, e.Auth) {
		if len(groups) == 0 || groups[len(groups)-1].Name != k.Where {
			groups = append(groups, keyGroup{Name: k.Where})
		}
		last := &groups[len(groups)-1]
		last.Keys = append(last.Keys, k)
	}
	return e.Render("desk/shell/shortcuts.html", e.T("Keyboard shortcuts"), groups, assets)
}
