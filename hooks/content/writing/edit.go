package writing

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/content"
	"bungalow/hooks/content/drafts"
	"bungalow/hooks/content/library"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	xlanguage "golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// editView is what the editor's template gets.
type editView struct {
	Posts, New, Live  bool
	Root, Href, Site  string // the list, this text in the desk, its address on the site
	SiteName, Home    string
	Person            string
	Base              string
	Badge             badge
	V                 values
	Errors            map[string]string
	Fault             string // what is wrong and stands beside no field
	Draft             *drafts.Revision
	DraftAt           time.Time
	Due               time.Time
	Others            []drafts.Revision // drafts of others
	At                string            // the time of publication, as a browser writes it
	Zone              string
	Tags, AllTags     []choice
	Authors           []authorView
	Locales           []choice
	Translations      []translationView
	Covers            []library.File
	Cover             *library.File
	Parents           []choice
	Scheduled, CanAll bool
	Buttons           []button
}

// button is one of the editor's toolbar.
type button struct {
	Do, Label, Icon, Key string
	Toggle               bool // it can be on or off
}

var buttons = []button{
	{"bold", "Bold", "bold", "Ctrl+B", true}, {"italic", "Italic", "italic", "Ctrl+I", true}, {"strike", "Struck through", "strikethrough", "", true},
	{"code", "Code", "code", "", true}, {"link", "Link", "link-2", "Ctrl+K", false}, {"ul", "List", "list", "", false}, {"ol", "Numbered list", "list-ordered", "", false},
	{"image", "Picture", "image", "", false}, {"table", "Table", "table", "", false}, {"undo", "Undo", "undo-2", "Ctrl+Z", false}, {"redo", "Redo", "redo-2", "Ctrl+Y", false},
}

type authorView struct {
	ID, Name string
	On       bool
}

type translationView struct {
	Locale, Language, Title, Href string
	Badge                         badge
}

// values are the fields of a version as a form shows them.
type values struct {
	Title, Slug, Locale, Format, Body, Excerpt, Cover, Parent, Position string
	SEOTitle, SEODescription, Canonical                                 string
	Comments, Featured                                                  bool
}

func valuesOf(v drafts.Version) values {
	text := func(name string) string {
		if v[name] == nil {
			return ""
		}
		return fmt.Sprint(v[name])
	}
	comments, _ := v["comments_open"].(bool)
	featured, _ := v["featured"].(bool)
	return values{
		Title: text("title"), Slug: text("slug"), Locale: text("locale"), Format: cmp.Or(text("format"), schema.FormatMarkdown),
		Body: text("body"), Excerpt: text("excerpt"), Cover: text("cover"), Parent: text("parent"), Position: text("position"),
		SEOTitle: text("seo_title"), SEODescription: text("seo_description"), Canonical: text("canonical_url"),
		Comments: comments, Featured: featured,
	}
}

// language is a language's own name, such as Deutsch.
func language(locale string) string {
	tag, err := xlanguage.Parse(locale)
	if err != nil {
		return locale
	}
	return cmp.Or(display.Self.Name(tag), locale)
}

func (k kind) blank(e *desk.Event) error {
	site, err := settings.LoadSite(e.App)
	if err != nil {
		return err
	}
	v := k.defaults(site)
	v["title"] = ""
	return k.show(e, http.StatusOK, nil, v, nil)
}

func (k kind) edit(e *desk.Event) error {
	record, err := drafts.Open(e.App, e.Auth, k.collection, e.Request.PathValue("id"))
	if err != nil {
		return err
	}
	_, v, err := drafts.Draft(e.App, e.Auth, record)
	if err != nil {
		return err
	}
	return k.show(e, http.StatusOK, record, v, nil)
}

// show draws the editor: of a record, or of a new text for nil.
func (k kind) show(e *desk.Event, status int, record *core.Record, v drafts.Version, faults validation.Errors) error {
	site, err := settings.LoadSite(e.App)
	if err != nil {
		return err
	}
	view := editView{
		Posts: k.isPosts(), New: record == nil, Root: k.href(), Href: k.href("new"), Person: e.Auth.Id, Zone: site.TimeZone,
		SiteName: site.Title, Home: e.Request.Host, Badge: badgeOf(""), CanAll: drafts.EditsAll(e.Auth), Buttons: buttons, Errors: map[string]string{},
	}
	for field, fault := range faults {
		view.Errors[field] = e.T(fault.Error())
	}
	if slices.ContainsFunc([]string{"id", "locale", "canonical_url", "cover", "tags", "authors"}, func(f string) bool { return view.Errors[f] != "" }) {
		for _, f := range []string{"id", "locale", "cover", "tags", "authors"} {
			view.Fault = strings.TrimSpace(view.Fault + " " + view.Errors[f])
		}
	}
	if record != nil {
		if err := k.fill(e, site, record, v, &view); err != nil {
			return err
		}
	}
	view.V = valuesOf(v)
	if err := k.choices(e, site, record, v, &view); err != nil {
		return err
	}
	return e.RenderStatus(status, "desk/writing/edit.html", cmp.Or(view.V.Title, e.T("New text")), view,
		"/assets/css/desk-writing.css", "/assets/css/desk-library.css", "/assets/vendor/squire/squire.js", "/assets/js/desk-writing.js")
}

// fill adds what is known of a text that is stored.
func (k kind) fill(e *desk.Event, site settings.Site, record *core.Record, v drafts.Version, view *editView) error {
	base, err := drafts.Base(record)
	if err != nil {
		return err
	}
	list, err := drafts.History(e.App, e.Auth, k.collection, record.Id)
	if err != nil {
		return err
	}
	view.Base = base
	for _, r := range list {
		if r.State != schema.RevisionDraft && r.State != schema.RevisionScheduled {
			continue
		}
		if r.Actor != e.Auth.Id {
			r.At = inZone(r.At, site)
			view.Others = append(view.Others, r)
			continue
		}
		view.Draft, view.DraftAt, view.Due = &r, r.At.Time().In(site.Location()), r.Due.Time().In(site.Location())
		if e.Request.URL.Query().Get("base") != "now" {
			view.Base = r.Base
		}
	}
	view.Href, view.Badge = k.href(record.Id), badgeOf(record.GetString("status"))
	view.Live = record.GetString("status") == schema.StatusPublished
	view.Scheduled = record.GetString("status") == schema.StatusScheduled
	view.Site = content.Address(site, record)
	when := record.GetDateTime("published_at").Time()
	if view.Draft != nil && view.Draft.State == schema.RevisionScheduled {
		when = view.Draft.Due.Time()
	}
	if !when.IsZero() {
		view.At = when.In(site.Location()).Format(local)
	}
	others, err := drafts.Translations(e.App, record)
	if err != nil {
		return err
	}
	for _, l := range site.AllLocales() {
		if l == record.GetString("locale") {
			continue
		}
		t := translationView{Locale: l, Language: language(l)}
		for _, o := range others {
			if o.Locale == l {
				t.Title, t.Href, t.Badge = o.Title, k.href(o.ID), badgeOf(o.Status)
			}
		}
		view.Translations = append(view.Translations, t)
	}
	return nil
}

// choices adds what can be chosen.
func (k kind) choices(e *desk.Event, site settings.Site, record *core.Record, v drafts.Version, view *editView) error {
	app := e.App
	var err error
	if view.Posts {
		if view.AllTags, err = named(app, schema.Tags); err != nil {
			return err
		}
		on, err := strungIDs(app, schema.Tags, v["tags"])
		if err != nil {
			return err
		}
		view.Tags = on
	}
	authors, err := named(app, schema.Authors)
	if err != nil {
		return err
	}
	signed := strung(v["authors"])
	mine, err := drafts.AuthorIDs(app, e.Auth)
	if err != nil {
		return err
	}
	if record == nil && view.Posts && len(signed) == 0 {
		signed = append(mine[:min(len(mine), 1)], me) // whoever begins a post signs it
	}
	if len(mine) == 0 && e.Auth.Collection().Name == schema.Staff {
		view.Authors = append(view.Authors, authorView{me, cmp.Or(e.Auth.GetString("name"), e.T("me")), slices.Contains(signed, me)})
	}
	for _, a := range authors {
		view.Authors = append(view.Authors, authorView{a.Value, a.Label, slices.Contains(signed, a.Value)})
	}
	for _, l := range site.AllLocales() {
		view.Locales = append(view.Locales, choice{l, language(l)})
	}
	cover, _ := v["cover"].(string)
	if view.Covers, err = recent(e); err != nil {
		return err
	}
	if cover != "" {
		if m, err := app.FindRecordById(schema.Media, cover); err == nil {
			file := library.Describe(m)
			view.Cover = &file
		}
	}
	if !view.Posts {
		view.Parents, err = parents(app, record, v)
	}
	return err
}

// parents lists the pages that a page may lie below.
func parents(app core.App, record *core.Record, v drafts.Version) ([]choice, error) {
	var rows []struct {
		ID   string `db:"id"`
		Path string `db:"path"`
	}
	locale, _ := v["locale"].(string)
	query := app.DB().Select("id", "path").From(schema.Pages).Where(dbx.HashExp{"locale": locale}).OrderBy("path").Limit(1000)
	if err := query.All(&rows); err != nil {
		return nil, fmt.Errorf("list the pages above: %w", err)
	}
	var options []choice
	for _, r := range rows {
		if record != nil && (r.ID == record.Id || strings.HasPrefix(r.Path, record.GetString("path")+"/")) {
			continue
		}
		options = append(options, choice{r.ID, "/" + r.Path + "/"})
	}
	return options, nil
}

// strung reads a list of ids, whichever way it came.
func strung(v any) []string {
	switch list := v.(type) {
	case []string:
		return list
	case []any:
		out := make([]string, 0, len(list))
		for _, one := range list {
			if s, ok := one.(string); ok {
				out = append(out, s)
			}
		}
		return out
	case string:
		return texts([]string{list})
	}
	return nil
}

// strungIDs gives the ids with their names.
func strungIDs(app core.App, collection string, v any) ([]choice, error) {
	wanted := strung(v)
	if len(wanted) == 0 {
		return nil, nil
	}
	found, err := app.FindRecordsByIds(collection, wanted)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", collection, err)
	}
	var out []choice
	for _, id := range wanted {
		for _, r := range found {
			if r.Id == id {
				out = append(out, choice{r.Id, r.GetString("name")})
			}
		}
	}
	return out, nil
}

// reason is the sentence of an error that is for people, else a general one.
func reason(err error) string {
	var invalid validation.Errors
	var conflict *drafts.Conflict
	switch {
	case errors.As(err, &invalid):
		for _, field := range slices.Sorted(mapKeys(invalid)) {
			return invalid[field].Error()
		}
	case errors.As(err, &conflict):
		return "It was changed since your draft began."
	case errors.Is(err, drafts.ErrMissing):
		return "It is not here any more, or it is not yours."
	}
	return "Something went wrong on our side. Please try again."
}
