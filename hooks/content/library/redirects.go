package library

import (
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

const perPage = 50

func redirectPages() []desk.Page {
	return []desk.Page{
		{Path: "redirects", Access: edit, Do: redirectList, Menu: &desk.Menu{Group: desk.GroupContent, Label: "Redirects", Icon: "split", Order: 60}},
		{Path: "redirects.csv", Access: edit, Do: redirectsCSV},
		{Path: "redirects/import", Access: edit, Do: redirectImport},
		{Path: "redirects/{id}", Access: edit, Do: redirectForm},
		{Method: http.MethodPost, Path: "redirects", Access: edit, Do: saveRedirect},
		{Method: http.MethodPost, Path: "redirects/import", Access: edit, Body: 4 * maxCSV, Do: importRedirects},
		{Method: http.MethodPost, Path: "redirects/import/try", Access: edit, Body: 4 * maxCSV, Do: tryRedirects, Quiet: "a dry run is taken back"},
		{Method: http.MethodPost, Path: "redirects/delete", Access: edit, Do: deleteRedirects},
		{Method: http.MethodPost, Path: "redirects/{id}", Access: edit, Do: saveRedirect},
	}
}

// redirectsPage is the list with the form for a new one.
type redirectsPage struct {
	Items        []redirectRow
	Pager        desk.Pager
	Query, Order string
	Form         redirectFields
}

type redirectRow struct {
	ID, From, To, Status string
	Prefix               bool
	Hits                 int
}

// redirectFields is the form of one redirect.
type redirectFields struct {
	ID string
	Redirect
	Errors map[string]string
}

func redirectList(e *desk.Event) error {
	return drawRedirects(e, http.StatusOK, redirectFields{Redirect: Redirect{Status: "301"}})
}

func drawRedirects(e *desk.Event, status int, form redirectFields) error {
	q := e.Request.URL.Query()
	page, _ := strconv.Atoi(q.Get("page"))
	data := redirectsPage{Query: q.Get("q"), Order: q.Get("sort"), Form: form}
	list, total, err := Redirects(e.App, data.Query, data.Order, page, perPage)
	if err != nil {
		return err
	}
	for _, r := range list {
		data.Items = append(data.Items, redirectRow{r.Id, r.GetString("from"), r.GetString("to"), r.GetString("status"), r.GetBool("prefix"), r.GetInt("hits")})
	}
	data.Pager = desk.Pages(e.Request.URL, page, perPage, total)
	return e.RenderStatus(status, "desk/library/redirects.html", e.T("Redirects"), data, styles)
}

func redirectForm(e *desk.Event) error {
	r, err := find(e.App, schema.Redirects, e.Request.PathValue("id"))
	if err != nil {
		return refuse(e, err)
	}
	return e.Render("desk/library/redirect.html", e.T("Redirect"), redirectFields{ID: r.Id, Redirect: redirectOf(r)}, styles)
}

func redirectOf(r *core.Record) Redirect {
	return Redirect{r.GetString("from"), r.GetString("to"), r.GetString("status"), r.GetBool("prefix")}
}

// saveRedirect adds one, or changes the one in the path.
func saveRedirect(e *desk.Event) error {
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	id := e.Request.PathValue("id")
	r := Redirect{strings.TrimSpace(form.Get("from")), strings.TrimSpace(form.Get("to")), form.Get("status"), form.Get("prefix") == "true"}
	_, err = SaveRedirect(e.App, by(e), id, r)
	var invalid validation.Errors
	if errors.As(err, &invalid) {
		fields := redirectFields{ID: id, Redirect: r, Errors: beside(e, invalid)}
		if id == "" {
			return drawRedirects(e, http.StatusUnprocessableEntity, fields)
		}
		return e.RenderStatus(http.StatusUnprocessableEntity, "desk/library/redirect.html", e.T("Redirect"), fields, styles)
	}
	if err != nil {
		return refuse(e, err)
	}
	return e.Done(desk.Href("redirects"), "The redirect is saved.")
}

func deleteRedirects(e *desk.Event) error {
	ids, err := idsOf(e)
	if err != nil {
		return err
	}
	n, undoAt, err := DeleteRedirects(e.App, by(e), ids)
	if err != nil {
		return err
	}
	notice := desk.Notice{Text: e.T("%d redirects are deleted.", n), Undo: undoAt}
	switch n {
	case 0:
		notice = desk.Notice{Kind: "warning", Text: e.T("Nothing was changed. Tick the redirects first.")}
	case 1:
		notice.Text = e.T("The redirect is deleted.")
	}
	return e.Leave(back(e, "redirects"), notice)
}

// importPage is the form for a list, and what would become of its lines.
type importPage struct {
	List   string
	Report *CSVReport
	Errors map[string]string
	Max    int
}

func redirectImport(e *desk.Event) error {
	return e.Render("desk/library/redirects-import.html", e.T("Import redirects"), importPage{Max: maxCSVLines}, styles)
}

// readList is the list of a form: a file, or what was typed.
func readList(e *desk.Event) (string, error) {
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return "", err
	}
	files := filesOf(e.Request)
	if len(files) == 0 {
		return form.Get("list"), nil
	}
	f, err := files[0].Open()
	if err != nil {
		return "", err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxCSV+1))
	return strings.ToValidUTF8(string(raw), "\uFFFD"), err
}

// tryRedirects shows what an import would do. The list goes along with that
// page, so that nothing waits on the server.
func tryRedirects(e *desk.Event) error { return takeList(e, true) }

func importRedirects(e *desk.Event) error { return takeList(e, false) }

func takeList(e *desk.Event, dry bool) error {
	list, err := readList(e)
	if err != nil {
		return err
	}
	data := importPage{List: list, Max: maxCSVLines}
	report, undoAt, err := ImportRedirects(e.App, by(e), list, dry)
	var invalid validation.Errors
	if errors.As(err, &invalid) {
		data.Errors = beside(e, invalid)
		return e.RenderStatus(http.StatusUnprocessableEntity, "desk/library/redirects-import.html", e.T("Import redirects"), data, styles)
	}
	if err != nil {
		return err
	}
	if !dry {
		return e.Leave(desk.Href("redirects"), desk.Notice{
			Text: e.T("%d redirects added, %d changed, %d left out.", report.Added, report.Changed, report.Refused), Undo: undoAt})
	}
	data.Report = report
	return e.Render("desk/library/redirects-import.html", e.T("Import redirects"), data, styles)
}

func redirectsCSV(e *desk.Event) error {
	e.Response.Header().Set("Content-Type", "text/csv; charset=utf-8")
	e.Response.Header().Set("Content-Disposition", `attachment; filename="redirects.csv"`)
	return ExportRedirects(e.App, e.Response)
}
