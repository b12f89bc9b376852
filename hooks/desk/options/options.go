// Package options is where the owner switches things: a page for each setting
// of each feature, drawn from its struct, and the pages of the site's
// identity, its look, its visitors and its mail.
//
// It promises that what can't be used is refused with a sentence beside its
// field, that a secret is written and never shown, that keys which this build
// doesn't know stay, and that each change leaves a line in the audit with the
// names of the fields and never their values.
package options

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// Part is what this package has for the desk.
func Part(app core.App) desk.Part {
	return desk.Part{
		Pages: []desk.Page{
			{Path: "settings", Access: web.Owner, Do: index, Menu: &desk.Menu{Group: desk.GroupSite, Label: "Settings", Icon: "settings", Order: 80}},
			{Path: "settings/{name}", Access: web.Staff, Do: show},
			{Method: http.MethodPost, Path: "settings/{name}", Access: web.Staff, Do: save},
			{Method: http.MethodPost, Path: "settings/mail/test", Access: web.Owner, Do: sendTest, Quiet: "a message to oneself"},
		},
		Settings: own(app),
		Searches: []desk.Search{{Name: "Settings", Access: web.Owner, Find: find}},
	}
}

// page is what the template of a setting gets.
type page struct {
	desk.Setting
	Groups []group
	Error  string    // of no field
	Seen   string    // desk.Marks of what the form was drawn from
	Picks  bool      // a field takes a picture
	Media  []picture // what it offers without a script
	Query  string    // by which words
	Zones  []string
}

// group is fields under one heading.
type group struct {
	Name   string
	Fields []desk.Field
}

// noOrder is the place of a setting that asks for none: before backups and what
// is for machines.
const noOrder = 55

// Listed gives the settings that the person may change, in their order.
func Listed(app core.App, person *core.Record) []desk.Setting {
	all := slices.DeleteFunc(desk.Of(app).Settings(), func(s desk.Setting) bool { return !web.Allowed(person, s.Access) })
	slices.SortStableFunc(all, func(a, b desk.Setting) int { return cmp.Compare(cmp.Or(a.Order, noOrder), cmp.Or(b.Order, noOrder)) })
	return all
}

func index(e *desk.Event) error {
	return e.Render("desk/settings/index.html", e.T("Settings"), Listed(e.App, e.Auth), "/assets/css/desk-running.css")
}

// chosen is the setting that the address names.
func chosen(e *desk.Event) (desk.Setting, error) {
	for _, s := range desk.Of(e.App).Settings() {
		if s.Address() != e.Request.PathValue("name") {
			continue
		}
		if !web.Allowed(e.Auth, s.Access) {
			return s, e.ForbiddenError("Your account may not do this.", nil)
		}
		return s, nil
	}
	return desk.Setting{}, e.NotFoundError("", nil)
}

func show(e *desk.Event) error {
	s, err := chosen(e)
	if err != nil {
		return err
	}
	options, err := s.Options(e.App)
	if err != nil {
		return err
	}
	seen, err := marksOf(e.App, options)
	if err != nil {
		return err
	}
	return render(e, http.StatusOK, s, options, nil, nil, seen)
}

func save(e *desk.Event) error {
	s, err := chosen(e)
	if err != nil {
		return err
	}
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	done, err := Store(e.App, s, form, e.Actor())
	there := desk.Href("settings/" + s.Address())
	switch {
	case err != nil:
		return err
	case len(done.Clash) > 0:
		return renderClash(e, s, form, done)
	case len(done.Faults) > 0:
		return render(e, http.StatusUnprocessableEntity, s, done.Options, form, done.Faults, seenIn(form))
	case len(done.Kept) > 0:
		return e.Done(there, "Saved. What somebody else has changed meanwhile stays: %s.", labels(e, done.Options, done.Kept))
	case len(done.Changed) == 0:
		return e.Done(there, "Nothing was changed.")
	}
	return e.Done(there, "Saved. It counts at once.")
}

func render(e *desk.Event, status int, s desk.Setting, options any, form web.Values, faults desk.Faults, seen desk.Marks) error {
	raw, err := json.Marshal(seen)
	if err != nil {
		return fmt.Errorf("draw a setting: %w", err)
	}
	p := page{Setting: s, Error: faults[""], Seen: string(raw)}
	var chosen []any
	for _, f := range desk.Fields(options) {
		if f.Error = faults[f.Name]; form != nil && f.Kind != "secret" && f.Kind != "switch" {
			f.Value = strings.TrimRight(strings.Join(form[f.Name], "\n"), "\n") // as it was typed
		}
		if f.Group != "" || len(p.Groups) == 0 {
			p.Groups = append(p.Groups, group{Name: f.Group})
		}
		last := &p.Groups[len(p.Groups)-1]
		last.Fields = append(last.Fields, f)
		switch {
		case f.Kind == "zone" && p.Zones == nil:
			p.Zones = zones()
		case f.Kind == "media":
			chosen = append(chosen, f.Value)
		}
	}
	if chosen != nil {
		p.Query, p.Picks = e.Request.URL.Query().Get("q"), true
		if p.Media, err = pictures(e.App, p.Query, chosen...); err != nil {
			return err
		}
		s.Assets = append(slices.Clone(s.Assets), "/assets/css/desk-library.css", "/assets/js/desk-pick.js")
	}
	return e.RenderStatus(status, cmp.Or(s.Page, "desk/settings/page.html"), e.T(s.Title), p, append([]string{"/assets/css/desk-running.css", "/assets/js/desk-settings.js"}, s.Assets...)...)
}

// find has the pages of settings in the desk's search, by title and by field.
func find(app core.App, person *core.Record, query string, limit int) ([]desk.Hit, error) {
	query = strings.ToLower(query)
	var hits []desk.Hit
	for _, s := range Listed(app, person) {
		options, err := s.Options(app)
		if err != nil {
			continue // its own page says what is wrong
		}
		note := ""
		found := strings.Contains(strings.ToLower(s.Title+" "+s.Help), query)
		for _, f := range desk.Fields(options) {
			if strings.Contains(strings.ToLower(f.Label+" "+f.Help), query) {
				found, note = true, cmp.Or(note, f.Label)
			}
		}
		if found && len(hits) < limit {
			hits = append(hits, desk.Hit{Title: s.Title, Note: note, Href: desk.Href("settings/" + s.Address())})
		}
	}
	return hits, nil
}

// zones are the time zones that are offered; any other that the machine knows
// may be typed.
func zones() []string {
	known := slices.DeleteFunc(strings.Fields(zoneNames), func(name string) bool {
		_, err := time.LoadLocation(name)
		return err != nil
	})
	return known
}
