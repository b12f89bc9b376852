package library

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"time"

	"bungalow/hooks/content/exports"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

func movePages() []desk.Page {
	return []desk.Page{
		{Path: "import", Access: edit, Do: importList, Menu: &desk.Menu{Group: desk.GroupContent, Label: "Move in and out", Icon: "package", Order: 90}},
		{Path: "import/{id}", Access: edit, Do: showImport},
		{Method: http.MethodPost, Path: "import", Access: edit, Body: maxImport + 1<<20, Do: takeImport},
		{Method: http.MethodPost, Path: "import/{id}/start", Access: edit, Do: startImport},
		{Method: http.MethodPost, Path: "import/{id}/stop", Access: edit, Do: stopImport},
		{Method: http.MethodPost, Path: "import/{id}/delete", Access: edit, Do: dropImport},
		{Path: "export/markdown.zip", Access: edit, Do: func(e *desk.Event) error { return download(e, "markdown", exports.Markdown) }},
		{Path: "export/all.zip", Access: web.Owner, Do: func(e *desk.Event) error { return download(e, "all", exports.All) }},
	}
}

// movesPage lists the imports, with the form for a new one and the downloads.
type movesPage struct {
	Items  []Move
	Kind   string
	MB     int
	Errors map[string]string
}

func importList(e *desk.Event) error {
	return drawImports(e, http.StatusOK, movesPage{Kind: "wordpress"})
}

func drawImports(e *desk.Event, status int, data movesPage) error {
	var err error
	if data.Items, err = ListImports(e.App); err != nil {
		return err
	}
	data.MB = maxImport >> 20
	return e.RenderStatus(status, "desk/library/moves.html", e.T("Move in and out"), data, styles)
}

func takeImport(e *desk.Event) error {
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	files := filesOf(e.Request)
	if len(files) != 1 {
		return drawImports(e, http.StatusUnprocessableEntity, movesPage{Kind: form.Get("kind"), Errors: map[string]string{"file": e.T("Choose the file that the other system wrote.")}})
	}
	file, err := files[0].Open()
	if err != nil {
		return fmt.Errorf("read an upload: %w", err)
	}
	defer file.Close()
	m, err := TakeIn(e.App, by(e), form.Get("kind"), files[0].Filename, file)
	if invalid, ok := isRefusal(err); ok {
		return drawImports(e, http.StatusUnprocessableEntity, movesPage{Kind: form.Get("kind"), Errors: beside(e, invalid)})
	}
	if err != nil {
		return err
	}
	return e.Redirect(http.StatusSeeOther, desk.Href("import/"+m.ID))
}

// movePage is the page of one import.
type movePage struct {
	*Move
	Items  int // seen until now
	Counts []countRow
	Lists  []lineList
}

type countRow struct {
	Kind                                       string
	Created, Updated, Unchanged, Kept, Skipped int
}

type lineList struct {
	Title string
	Lines any
	N     int
}

func showImport(e *desk.Event) error {
	m, err := FindImport(e.App, e.Request.PathValue("id"))
	if err != nil {
		return refuse(e, err)
	}
	data := movePage{Move: m, Items: underWay(e.App).items(m.ID)}
	if r := m.Report; r != nil {
		for _, kind := range slices.Sorted(maps.Keys(r.Counts)) {
			c := r.Counts[kind]
			data.Counts = append(data.Counts, countRow{string(kind), c.Created, c.Updated, c.Unchanged, c.Kept, c.Skipped})
		}
		data.Lists = []lineList{
			{"Skipped", r.Skipped, len(r.Skipped)}, {"At another address, because theirs was taken", r.Renamed, len(r.Renamed)},
			{"Kept as they are, changed here since", r.Kept, len(r.Kept)}, {"Worth knowing", r.Notes, len(r.Notes)},
		}
	}
	if e.IsHTMX() {
		return e.Fragment("desk/library/move.html", "progress", data)
	}
	return e.Render("desk/library/move.html", e.T("Moving in %s", m.Name), data, styles)
}

func startImport(e *desk.Event) error {
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	return afterMove(e, StartImport(e.App, by(e), e.Request.PathValue("id"), form.Get("media") == "true"), "")
}

func stopImport(e *desk.Event) error {
	return afterMove(e, StopImport(e.App, by(e), e.Request.PathValue("id")), "It is stopped. What was moved in stays.")
}

func dropImport(e *desk.Event) error {
	if err := DropImport(e.App, by(e), e.Request.PathValue("id")); err != nil {
		return afterMove(e, err, "")
	}
	return e.Done(desk.Href("import"), "The upload is deleted. What was moved in stays.")
}

// afterMove goes back to the import; one in another state by now shows that.
func afterMove(e *desk.Event, err error, notice string) error {
	if err != nil && !errors.Is(err, ErrState) {
		return refuse(e, err)
	}
	path := desk.Href("import/" + e.Request.PathValue("id"))
	if notice == "" || err != nil {
		return e.Redirect(http.StatusSeeOther, path)
	}
	return e.Done(path, notice)
}

// download streams an export. Nothing of it is held on the server.
func download(e *desk.Event, kind string, do func(context.Context, core.App, exports.Sink) (*exports.Report, error)) error {
	if err := audit.Write(e.App, e.Actor(), "export.download", "", "", map[string]string{"kind": kind}); err != nil {
		return err
	}
	name := "site-" + kind + "-" + time.Now().UTC().Format(time.DateOnly) + ".zip"
	h := e.Response.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	// A large site takes longer than any page may; a client that goes away
	// ends the request's context.
	_ = http.NewResponseController(e.Response).SetWriteDeadline(time.Time{})
	to := exports.Zip(e.Response)
	report, err := do(e.Request.Context(), e.App, to)
	if err != nil {
		// The status is sent. Without its end the archive can't be opened, so
		// that nobody takes it for a whole one.
		e.App.Logger().Error("an export broke off", "error", err)
		return nil
	}
	if len(report.Skipped) > 0 {
		if w, err := to.Create("not-in-it.txt", time.Now()); err == nil {
			_ = report.WriteText(w)
		}
	}
	return wrap("end the export", to.Close())
}
