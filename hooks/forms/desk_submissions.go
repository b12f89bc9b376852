package forms

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// perPage is how many submissions a page of the desk lists.
const perPage = 40

// filter is which submissions are meant.
type filter struct {
	Form   string // id, "" for all
	Status string // "ok", "spam", "" for both
	Query  string
	Email  string
}

func filterOf(q url.Values) filter {
	f := filter{Form: q.Get("form"), Status: q.Get("status"), Query: strings.TrimSpace(q.Get("q"))}
	if f.Status != schema.SubmissionOK && f.Status != schema.SubmissionSpam {
		f.Status = ""
	}
	if len(f.Query) > maxLine {
		f.Query = strings.ToValidUTF8(f.Query[:maxLine], "")
	}
	return f
}

// where is the filter in SQL. All words must be found somewhere.
func (f filter) where() []dbx.Expression {
	var out []dbx.Expression
	if f.Form != "" {
		out = append(out, dbx.HashExp{"form": f.Form})
	}
	if f.Status != "" {
		out = append(out, dbx.HashExp{"status": f.Status})
	}
	if f.Email != "" {
		out = append(out, dbx.HashExp{"email": f.Email}, dbx.NewExp("email != ''"))
	}
	for i, word := range strings.Fields(f.Query) {
		if i == 8 {
			break
		}
		out = append(out, dbx.Or(dbx.Like("subject", word), dbx.Like("name", word), dbx.Like("email", word), dbx.Like("data", word), dbx.Like("extra", word)))
	}
	return out
}

// query are the filter's parameters in an address.
func (f filter) query() string {
	q := url.Values{}
	for name, value := range map[string]string{"form": f.Form, "status": f.Status, "q": f.Query} {
		if value != "" {
			q.Set(name, value)
		}
	}
	return q.Encode()
}

// pick reads submissions, the newest first.
func pick(app core.App, f filter, limit, offset int) ([]*core.Record, error) {
	var found []*core.Record
	q := app.RecordQuery(schema.Submissions).OrderBy("created DESC", "id DESC").Limit(int64(limit)).Offset(int64(offset))
	for _, exp := range f.where() {
		q.AndWhere(exp)
	}
	if err := q.All(&found); err != nil {
		return nil, fmt.Errorf("list submissions: %w", err)
	}
	return found, nil
}

func countOf(app core.App, f filter) (int, error) {
	n, err := app.CountRecords(schema.Submissions, f.where()...)
	return int(n), err
}

// row is a submission in a list.
type row struct {
	ID, Subject, Name, Email, Form, Excerpt string
	At                                      time.Time
	Spam, Files                             bool
}

func rowOf(r *core.Record, forms map[string]string) row {
	answers, _ := contentOf(r)
	longest := ""
	for _, values := range answers {
		for _, v := range values {
			if len(v) > len(longest) {
				longest = v
			}
		}
	}
	return row{
		ID: r.Id, Subject: r.GetString("subject"), Name: r.GetString("name"), Email: r.GetString("email"),
		Form: forms[r.GetString("form")], At: r.GetDateTime("created").Time(),
		Excerpt: oneLine(longest, 120), Spam: r.GetString("status") == schema.SubmissionSpam, Files: len(r.GetStringSlice("files")) > 0,
	}
}

// submissionsPage is the data of the list.
type submissionsPage struct {
	Filter filter
	Query  string // the filter as parameters, for the exports
	Rows   []row
	Tabs   []desk.Tab
	Pager  desk.Pager
	Forms  []choice
	Back   string
}

type choice struct {
	Value, Label string
	Chosen       bool
}

func listSubmissions(e *desk.Event) error {
	q := e.Request.URL.Query()
	f := filterOf(q)
	if f.Status == "" {
		f.Status = schema.SubmissionOK
	}
	total, err := countOf(e.App, f)
	if err != nil {
		return err
	}
	page, _ := strconv.Atoi(q.Get("page"))
	data := submissionsPage{Filter: f, Query: f.query(), Pager: desk.Pages(e.Request.URL, page, perPage, total), Back: e.Request.URL.RequestURI()}
	records, err := pick(e.App, f, perPage, (data.Pager.Page-1)*perPage)
	if err != nil {
		return err
	}
	titles, err := formTitles(e.App)
	if err != nil {
		return err
	}
	for _, r := range records {
		data.Rows = append(data.Rows, rowOf(r, titles))
	}
	for id, title := range titles {
		data.Forms = append(data.Forms, choice{id, title, id == f.Form})
	}
	slices.SortFunc(data.Forms, func(a, b choice) int { return cmp.Compare(a.Label, b.Label) })
	for _, tab := range []struct{ status, label string }{{schema.SubmissionOK, e.T("Messages")}, {schema.SubmissionSpam, e.T("Spam")}} {
		there := f
		there.Status = tab.status
		n, err := countOf(e.App, there)
		if err != nil {
			return err
		}
		data.Tabs = append(data.Tabs, desk.Tab{Label: tab.label, Href: "/desk/submissions/?" + there.query(), Count: n, Current: f.Status == tab.status})
	}
	return e.Render("desk/forms/submissions.html", e.T("Submissions"), data, "/assets/css/desk-forms.css")
}

func formTitles(app core.App) (map[string]string, error) {
	forms, err := app.FindAllRecords(schema.Forms)
	if err != nil {
		return nil, fmt.Errorf("list forms: %w", err)
	}
	out := map[string]string{}
	for _, r := range forms {
		out[r.Id] = r.GetString("title")
	}
	return out, nil
}

// mostSorted is how many submissions one click may judge or delete.
const mostSorted = 200

// sortSubmissions is the list's form: spam, not spam, delete.
func sortSubmissions(e *desk.Event) error {
	if err := e.Request.ParseForm(); err != nil {
		return router.NewBadRequestError("The form could not be read.", err)
	}
	ids := e.Request.PostForm["id"]
	back := e.Request.PostForm.Get("back")
	if !strings.HasPrefix(back, "/desk/submissions/") {
		back = "/desk/submissions/"
	}
	if len(ids) == 0 {
		return e.Leave(back, desk.Notice{Kind: "warning", Text: e.T("Choose at least one message first.")})
	}
	if len(ids) > mostSorted {
		return router.NewBadRequestError(fmt.Sprintf("At most %d messages at once.", mostSorted), nil)
	}
	act, notice := sorter(e.Request.PostForm.Get("do"))
	if act == nil {
		return router.NewBadRequestError("There is nothing like that to do.", nil)
	}
	done := 0
	for _, id := range ids {
		err := act(e, id)
		if errors.Is(err, sql.ErrNoRows) {
			continue // somebody else was quicker
		}
		if err != nil {
			return err
		}
		done++
	}
	return e.Done(back, notice, done)
}

func sorter(do string) (act func(e *desk.Event, id string) error, notice string) {
	switch do {
	case "spam":
		return func(e *desk.Event, id string) error { return Judge(e.App, e.Actor(), id, true) }, "%d filed as spam. The filter has learned from it."
	case "ok":
		return func(e *desk.Event, id string) error { return Judge(e.App, e.Actor(), id, false) }, "%d taken out of the spam. The filter has learned from it."
	case "delete":
		return func(e *desk.Event, id string) error { return Remove(e.App, e.Actor(), id) }, "%d deleted."
	}
	return nil, ""
}

// submissionPage is the data of one submission.
type submissionPage struct {
	Row          row
	FormID       string
	Lines, Extra []Line
	Files        []File
	Reasons      []spam.Reason
	Score        int
	Conversation string // its page, "" without the inbox
	Others       []row
	Replied      time.Time
}

func showSubmission(e *desk.Event) error {
	s, err := of(e.App)
	if err != nil {
		return err
	}
	r, err := e.App.FindRecordById(schema.Submissions, e.Request.PathValue("id"))
	if err != nil {
		return err
	}
	titles, err := formTitles(e.App)
	if err != nil {
		return err
	}
	form := &Form{}
	if record, err := e.App.FindRecordById(schema.Forms, r.GetString("form")); err == nil {
		if known, err := FromRecord(record); err == nil {
			form = known
		}
	}
	answers, extra := contentOf(r)
	data := submissionPage{Row: rowOf(r, titles), FormID: r.GetString("form"), Lines: readable(form, answers), Extra: readable(&Form{}, extra), Files: filesOf(r), Score: r.GetInt("score")}
	_ = r.UnmarshalJSONField("reasons", &data.Reasons) // an unreadable list shows none
	if c := r.GetString("conversation"); c != "" && s.cfg.Inbox != nil {
		data.Conversation = s.cfg.Inbox.Path(c)
	}
	data.Replied = r.GetDateTime("replied_at").Time()
	if data.Row.Email != "" {
		others, err := pick(e.App, filter{Email: data.Row.Email}, 11, 0)
		if err != nil {
			return err
		}
		for _, o := range others {
			if o.Id != r.Id {
				data.Others = append(data.Others, rowOf(o, titles))
			}
		}
	}
	return e.Render("desk/forms/submission.html", data.Row.Subject, data, "/assets/css/desk-forms.css")
}

// fileCSP lets a file that a browser shows do nothing at all.
const fileCSP = "default-src 'none'; sandbox; frame-ancestors 'none'"

// serveFile gives a file to staff, to save and not to open.
func serveFile(e *desk.Event) error {
	r, err := e.App.FindRecordById(schema.Submissions, e.Request.PathValue("id"))
	if err != nil {
		return err
	}
	for _, f := range filesOf(r) {
		if f.Stored != e.Request.PathValue("name") {
			continue
		}
		storage, err := e.App.NewFilesystem()
		if err != nil {
			return err
		}
		defer func() { _ = storage.Close() }()
		h := e.Response.Header()
		h.Set("Content-Security-Policy", fileCSP)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Type", f.Type)
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Content-Disposition", cmp.Or(mime.FormatMediaType("attachment", map[string]string{"filename": f.Name}), "attachment"))
		h.Set("Cache-Control", "private, no-store")
		return storage.Serve(e.Response, e.Request, f.Path, f.Stored)
	}
	return router.NewNotFoundError("", nil)
}

func askErase(e *desk.Event) error { return eraseAsked(e, http.StatusOK, "") }

func eraseAsked(e *desk.Event, status int, wrong string) error {
	r, err := e.App.FindRecordById(schema.Submissions, e.Request.PathValue("id"))
	if err != nil {
		return err
	}
	email := r.GetString("email")
	if email == "" {
		return router.NewBadRequestError("This message came without an e-mail address, so nobody can be told by it. Delete the message instead.", nil)
	}
	n, err := countOf(e.App, filter{Email: email})
	if err != nil {
		return err
	}
	return e.RenderStatus(status, "desk/forms/erase.html", e.T("Erase a person"), map[string]any{"ID": r.Id, "Email": email, "Count": n, "Error": wrong}, "/assets/css/desk-forms.css")
}

func eraseContact(e *desk.Event) error {
	r, err := e.App.FindRecordById(schema.Submissions, e.Request.PathValue("id"))
	if err != nil {
		return err
	}
	email := r.GetString("email")
	if email == "" || !strings.EqualFold(strings.TrimSpace(e.Request.PostFormValue("email")), email) {
		return eraseAsked(e, http.StatusUnprocessableEntity, e.T("Write the address as it stands above."))
	}
	removed, err := EraseContact(e.App, e.Actor(), email)
	if err != nil {
		return err
	}
	total := 0
	for _, n := range removed {
		total += n
	}
	return e.Done("/desk/submissions/", "The person is erased: %d records are gone.", total)
}
