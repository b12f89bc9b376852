package writing

import (
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/content/drafts"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// historyView is what the list of versions gets.
type historyView struct {
	Href, Title string
	Rows        []revisionView
}

type revisionView struct {
	drafts.Revision
	When  time.Time
	Badge badge
	Href  string
}

func (k kind) revisions(e *desk.Event) error {
	id := e.Request.PathValue("id")
	record, err := drafts.Open(e.App, e.Auth, k.collection, id)
	if err != nil {
		return err
	}
	list, err := drafts.History(e.App, e.Auth, k.collection, id)
	if err != nil {
		return err
	}
	site, err := settings.LoadSite(e.App)
	if err != nil {
		return err
	}
	view := historyView{Href: k.href(id), Title: record.GetString("title")}
	for _, r := range list {
		view.Rows = append(view.Rows, k.row(site, r))
	}
	return e.Render("desk/writing/revisions.html", e.T("Versions of %s", view.Title), view, "/assets/css/desk-writing.css")
}

func (k kind) row(site settings.Site, r drafts.Revision) revisionView {
	view := revisionView{Revision: r, When: r.At.Time().In(site.Location()), Href: k.href(r.Record, "revisions", r.ID)}
	switch r.State {
	case schema.RevisionPublished:
		view.Badge = badge{"good", "Published"}
	case schema.RevisionScheduled:
		view.Badge = badge{"note", "Scheduled"}
	case schema.RevisionDraft:
		view.Badge = badge{"warn", "Being written"}
	default:
		view.Badge = badge{"", "Draft"}
	}
	return view
}

// diffView is what a comparison gets.
type diffView struct {
	Href, Title string
	Row         revisionView
	With        string // what it is compared with, a sentence
	Other       string // the address of the other comparison
	OtherLabel  string
	Fields      []fieldView
	Restore     string
}

// fieldView is one field of two versions.
type fieldView struct {
	Label string
	HTML  template.HTML // escaped words in <del> and <ins>
	Long  bool
}

// revision shows what a version changed, or with ?with=now how it differs from
// what is stored now.
func (k kind) revision(e *desk.Event) error {
	r, v, record, err := drafts.Find(e.App, e.Auth, e.Request.PathValue("revision"))
	if err != nil {
		return err
	}
	if r.Record != e.Request.PathValue("id") || r.Collection != k.collection {
		return drafts.ErrMissing
	}
	site, err := settings.LoadSite(e.App)
	if err != nil {
		return err
	}
	view := diffView{Href: k.href(record.Id, "revisions"), Title: record.GetString("title"), Row: k.row(site, r), Restore: k.href(record.Id, "revisions", r.ID, "restore")}
	before := drafts.Version{}
	if e.Request.URL.Query().Get("with") == "now" {
		before, v = v, drafts.VersionOf(record)
		view.With = e.T("What has changed from this version to the present one.")
		view.Other, view.OtherLabel = k.href(record.Id, "revisions", r.ID), e.T("Show what this version changed")
	} else {
		if before, err = k.before(e, r); err != nil {
			return err
		}
		view.With = e.T("What this version changed.")
		view.Other, view.OtherLabel = k.href(record.Id, "revisions", r.ID)+"?with=now", e.T("Compare with the present version")
	}
	if view.Fields, err = compared(e, before, v); err != nil {
		return err
	}
	return e.Render("desk/writing/revision.html", e.T("A version of %s", view.Title), view, "/assets/css/desk-writing.css")
}

// before is the version before this one, an empty one for the first.
func (k kind) before(e *desk.Event, r drafts.Revision) (drafts.Version, error) {
	list, err := drafts.History(e.App, e.Auth, k.collection, r.Record)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(list, func(o drafts.Revision) bool { return o.ID == r.ID })
	for _, older := range list[at+1:] {
		if older.State == schema.RevisionKept || older.State == schema.RevisionPublished {
			_, v, _, err := drafts.Find(e.App, e.Auth, older.ID)
			return v, err
		}
	}
	return drafts.Version{}, nil
}

func (k kind) restore(e *desk.Event) error {
	id := e.Request.PathValue("id")
	r, _, _, err := drafts.Find(e.App, e.Auth, e.Request.PathValue("revision"))
	if err != nil {
		return err
	}
	if r.Record != id || r.Collection != k.collection {
		return drafts.ErrMissing
	}
	record, err := drafts.Restore(e.App, by(e), r.ID)
	if err != nil {
		return err
	}
	if record.GetString("status") == schema.StatusPublished {
		return e.Done(k.href(id), "The earlier version is in the editor. Visitors see it when you publish the changes.")
	}
	return e.Done(k.href(id), "The earlier version is back.")
}

// labels are the fields that people compare, in their order.
var labels = []choice{
	{"title", "Title"}, {"slug", "Address"}, {"body", "Text"}, {"excerpt", "Excerpt"}, {"tags", "Tags"}, {"authors", "Authors"},
	{"cover", "Cover"}, {"locale", "Language"}, {"format", "Format"}, {"comments_open", "Comments"}, {"featured", "Featured"},
	{"parent", "Lies below"}, {"position", "Place among its neighbours"}, {"seo_title", "Title for search engines"},
	{"seo_description", "Description for search engines"}, {"canonical_url", "Canonical address"},
}

// compared are the fields in which two versions differ.
func compared(e *desk.Event, before, after drafts.Version) ([]fieldView, error) {
	var fields []fieldView
	for _, l := range labels {
		a, err := shown(e, l.Value, before[l.Value])
		if err != nil {
			return nil, err
		}
		b, err := shown(e, l.Value, after[l.Value])
		if err != nil {
			return nil, err
		}
		if a != b {
			fields = append(fields, fieldView{e.T(l.Label), marked(drafts.Diff(a, b)), l.Value == "body"})
		}
	}
	return fields, nil
}

// shown is a field's value as people read it.
func shown(e *desk.Event, name string, v any) (string, error) {
	switch name {
	case "tags", "authors":
		list, err := strungIDs(e.App, name, v)
		names := make([]string, len(list))
		for i, c := range list {
			names[i] = c.Label
		}
		return strings.Join(names, ", "), err
	case "comments_open", "featured":
		if on, _ := v.(bool); on {
			return e.T("on"), nil
		}
		return "", nil
	case "cover", "parent":
		id, _ := v.(string)
		collection, field := schema.Media, "file"
		if name == "parent" {
			collection, field = schema.Pages, "title"
		}
		if id != "" {
			if r, err := e.App.FindRecordById(collection, id); err == nil {
				return r.GetString(field), nil
			}
		}
		return id, nil
	case "position":
		if n := fmt.Sprint(v); v != nil && n != "0" {
			return n, nil
		}
		return "", nil
	}
	s, _ := v.(string)
	return strings.ReplaceAll(s, "\r\n", "\n"), nil
}

// context is how much of what two versions share is shown around a change, in
// characters.
const context = 160

// marked makes HTML of a diff. Long parts that are the same are cut.
func marked(pieces []drafts.Piece) template.HTML {
	var out strings.Builder
	for i, p := range pieces {
		words := template.HTMLEscapeString
		switch p.Kind {
		case drafts.Removed:
			out.WriteString("<del>" + words(p.Text) + "</del>")
		case drafts.Added:
			out.WriteString("<ins>" + words(p.Text) + "</ins>")
		default:
			head, tail := []rune(p.Text), []rune(nil)
			if len(head) > 2*context+40 {
				head, tail = head[:context], head[len(head)-context:]
				if i == 0 {
					head = nil
				}
				if i == len(pieces)-1 {
					tail = nil
				}
				out.WriteString(words(string(head)) + `<span class="cut">…</span>` + words(string(tail)))
				continue
			}
			out.WriteString(words(string(head)))
		}
	}
	return template.HTML(out.String()) // escaped above
}

// conflictView is what the page of a conflict gets.
type conflictView struct {
	Href, Title, Base, Do, At string
	Who                       string
	When                      time.Time
	Fields                    []fieldView
}

// conflict shows what somebody else has saved beside the person's own draft.
func (k kind) conflict(e *desk.Event) error {
	id := e.Request.PathValue("id")
	record, err := drafts.Open(e.App, e.Auth, k.collection, id)
	if err != nil {
		return err
	}
	draft, mine, err := drafts.Draft(e.App, e.Auth, record)
	if err != nil {
		return err
	}
	if draft == nil {
		return e.Done(k.href(id), "There is nothing to compare any more.")
	}
	site, err := settings.LoadSite(e.App)
	if err != nil {
		return err
	}
	q := e.Request.URL.Query()
	view := conflictView{Href: k.href(id), Title: record.GetString("title"), Do: q.Get("do"), At: q.Get("at"), When: record.GetDateTime("updated").Time().In(site.Location())}
	if view.Base, err = drafts.Base(record); err != nil {
		return err
	}
	if view.Who, err = k.lastWriter(e, record); err != nil {
		return err
	}
	if view.Fields, err = compared(e, drafts.VersionOf(record), mine); err != nil {
		return err
	}
	return e.RenderStatus(http.StatusConflict, "desk/writing/conflict.html", e.T("Two versions of %s", view.Title), view, "/assets/css/desk-writing.css")
}

// lastWriter is who saved the stored version, "" if it came from elsewhere.
func (k kind) lastWriter(e *desk.Event, record *core.Record) (string, error) {
	list, err := drafts.History(e.App, e.Auth, k.collection, record.Id)
	if err != nil {
		return "", err
	}
	for _, r := range list {
		if r.State == schema.RevisionKept || r.State == schema.RevisionPublished {
			return r.Name, nil
		}
	}
	return "", nil
}

// resolve saves the person's own draft over what is stored, having been seen.
func (k kind) resolve(e *desk.Event) error {
	id := e.Request.PathValue("id")
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	record, err := drafts.Open(e.App, e.Auth, k.collection, id)
	if err != nil {
		return err
	}
	draft, mine, err := drafts.Draft(e.App, e.Auth, record)
	if err != nil {
		return err
	}
	if draft == nil {
		return drafts.ErrNoDraft
	}
	f := form{version: mine, base: values.Get("base"), do: values.Get("do")}
	if f.at, err = at(e, values); err != nil {
		return err
	}
	return k.act(e, id, f)
}
