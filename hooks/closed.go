package hooks

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/web"
	"bungalow/hooks/site"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// While the site is coming soon, a stranger learns nothing of its content by
// any door: PocketBase's API and its events obey the rules of the collections,
// so those are narrowed to the staff and widened again when the site opens; the
// product's own doors ask web.Shut. (Pages and feeds are the site's to close.)

// shown are the collections of which visitors may read something.
var shown = []string{schema.Posts, schema.Pages, schema.Tags, schema.Authors, schema.Menus, schema.Media, schema.Comments}

// gate begins a rule that is narrowed. Nobody writes such a rule by chance, so
// it is known again.
const gate = `"coming soon" != "" && ` + roles.Active

// narrowed is a rule for the staff alone.
func narrowed(rule *string) *string {
	if rule == nil || strings.HasPrefix(*rule, gate) {
		return rule
	}
	out := gate
	if *rule != "" {
		out += " && (" + *rule + ")"
	}
	return &out
}

// widened is the rule as it was before it was narrowed.
func widened(rule *string) *string {
	if rule == nil {
		return nil
	}
	rest, was := strings.CutPrefix(*rule, gate)
	if !was {
		return rule
	}
	rest = strings.TrimSuffix(strings.TrimPrefix(rest, " && ("), ")")
	return &rest
}

// followComingSoon gives the collections the rules that the settings ask for.
func followComingSoon(app core.App) error {
	s, err := settings.LoadSite(app)
	if err != nil {
		return err
	}
	change := widened
	if s.ComingSoon {
		change = narrowed
	}
	for _, name := range shown {
		c, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			continue // its feature was never here
		}
		list, view := change(c.ListRule), change(c.ViewRule)
		if same(list, c.ListRule) && same(view, c.ViewRule) {
			continue
		}
		c.ListRule, c.ViewRule = list, view
		if err := app.Save(c); err != nil {
			return fmt.Errorf("change who may read %s: %w", name, err)
		}
	}
	return nil
}

func same(a, b *string) bool { return a == b || a != nil && b != nil && *a == *b }

// bindClosed keeps rules and settings together, and tells the doors.
func bindClosed(app core.App) {
	follow := func(e *core.RecordEvent) error {
		if e.Record.GetString("feature") != settings.SiteFeature {
			return e.Next()
		}
		outer := e.App
		defer func() { e.App = outer }()
		return outer.RunInTransaction(func(tx core.App) error {
			e.App = tx
			if err := e.Next(); err != nil {
				return err
			}
			return followComingSoon(tx)
		})
	}
	app.OnRecordCreateExecute(schema.Settings).BindFunc(follow)
	app.OnRecordUpdateExecute(schema.Settings).BindFunc(follow)
	app.OnRecordDeleteExecute(schema.Settings).BindFunc(follow)
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		e.Router.Bind(&hook.Handler[*core.RequestEvent]{Id: "bungalowClosed", Func: markClosed})
		if e.Server == nil || !e.App.HasTable(schema.Settings) {
			return e.Next()
		}
		if _, err := settings.LoadSite(e.App); err != nil { // fitToServe says so, or the start is there to mend it
			return e.Next()
		}
		if err := followComingSoon(e.App); err != nil { // switched on by an earlier release, or while nobody listened
			return errors.Join(err, errors.New("switch the page \"coming soon\" off and on again at the desk"))
		}
		return e.Next()
	})
}

// doors begin the addresses, besides the site's pages, that tell of its content.
var doors = []string{"/api/site/search", "/api/site/comments", "/comments.xml", "/blog/"}

// markClosed notes for those doors that the visitor may not know anything yet.
func markClosed(e *core.RequestEvent) error {
	path := e.Request.URL.Path
	if !slices.ContainsFunc(doors, func(door string) bool { return strings.HasPrefix(path, door) }) {
		return e.Next()
	}
	shut, err := isShut(e)
	if err != nil {
		return web.Refuse(e, err)
	}
	if shut {
		web.MarkShut(e)
	}
	return e.Next()
}

func isShut(e *core.RequestEvent) (bool, error) {
	if s := site.Of(e.App); s != nil {
		return s.Shut(e)
	}
	s, err := settings.LoadSite(e.App)
	return s.ComingSoon && !web.Allowed(e.Auth, web.Staff), err
}
