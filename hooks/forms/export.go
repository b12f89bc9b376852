package forms

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// exportStep is how many submissions are read at once.
const exportStep = 500

// each gives the submissions of a filter to do, the oldest first.
func each(app core.App, f filter, do func(r *core.Record) error) error {
	after, afterID := "", ""
	for {
		var rows []*core.Record
		q := app.RecordQuery(schema.Submissions).OrderBy("created", "id").Limit(exportStep)
		for _, exp := range f.where() {
			q.AndWhere(exp)
		}
		if after != "" {
			q.AndWhere(dbx.NewExp("(created, id) > ({:after}, {:id})", dbx.Params{"after": after, "id": afterID}))
		}
		if err := q.All(&rows); err != nil {
			return fmt.Errorf("read submissions: %w", err)
		}
		for _, r := range rows {
			if err := do(r); err != nil {
				return err
			}
		}
		if len(rows) < exportStep {
			return nil
		}
		last := rows[len(rows)-1]
		after, afterID = last.GetDateTime("created").String(), last.Id
	}
}

// columns are the names of the answers of one form in its order, or of all
// forms by name.
func columns(app core.App, f filter) ([]string, error) {
	all := map[string]bool{}
	forms, err := app.FindAllRecords(schema.Forms)
	if err != nil {
		return nil, fmt.Errorf("list forms: %w", err)
	}
	for _, r := range forms {
		form, err := FromRecord(r)
		if err != nil || f.Form != "" && r.Id != f.Form {
			continue
		}
		if f.Form != "" {
			names := make([]string, 0, len(form.Fields))
			for i := range form.Fields {
				names = append(names, form.Fields[i].Name)
			}
			return names, nil
		}
		for i := range form.Fields {
			all[form.Fields[i].Name] = true
		}
	}
	return slices.Sorted(maps.Keys(all)), nil
}

// WriteCSV writes submissions as a table (RFC 4180). A cell that a spreadsheet
// would run as a formula begins with an apostrophe; what a form no longer asks
// stands with all that it did not know in the last column, as JSON.
func WriteCSV(app core.App, w io.Writer, f filter) error {
	names, err := columns(app, f)
	if err != nil {
		return err
	}
	slugs, err := slugsOf(app)
	if err != nil {
		return err
	}
	out := csv.NewWriter(w)
	head := []string{"id", "created", "form", "status"}
	head = append(append(head, names...), "files", "extra")
	if err := out.Write(cells(head)); err != nil {
		return err
	}
	err = each(app, f, func(r *core.Record) error {
		answers, extra := contentOf(r)
		row := []string{r.Id, r.GetDateTime("created").Time().UTC().Format("2006-01-02T15:04:05Z"), slugs[r.GetString("form")], r.GetString("status")}
		for _, name := range names {
			row = append(row, strings.Join(answers[name], ", "))
			delete(answers, name)
		}
		var files []string
		for _, file := range filesOf(r) {
			files = append(files, file.Name)
		}
		if extra == nil {
			extra = map[string][]string{}
		}
		maps.Copy(extra, answers)
		row = append(row, strings.Join(files, ", "), asJSON(extra))
		return out.Write(cells(row))
	})
	out.Flush()
	if err != nil {
		return err
	}
	return out.Error()
}

func asJSON(m map[string][]string) string {
	if len(m) == 0 {
		return ""
	}
	raw, _ := json.Marshal(m) // texts and lists of texts always can
	return string(raw)
}

// cells makes a row harmless for spreadsheets (OWASP, "CSV injection").
func cells(row []string) []string {
	out := make([]string, len(row))
	for i, cell := range row {
		if cell != "" && strings.ContainsRune("=+-@\t\r\n|%", rune(cell[0])) {
			cell = "'" + cell
		}
		out[i] = strings.ReplaceAll(cell, "\x00", "")
	}
	return out
}

func slugsOf(app core.App) (map[string]string, error) {
	forms, err := app.FindAllRecords(schema.Forms)
	if err != nil {
		return nil, fmt.Errorf("list forms: %w", err)
	}
	out := map[string]string{}
	for _, r := range forms {
		out[r.Id] = r.GetString("slug")
	}
	return out, nil
}

// exported is a submission as JSON.
type exported struct {
	ID      string              `json:"id"`
	Created string              `json:"created"`
	Form    string              `json:"form"`
	Status  string              `json:"status"`
	Name    string              `json:"name"`
	Email   string              `json:"email"`
	Subject string              `json:"subject"`
	Data    json.RawMessage     `json:"data"`
	Extra   map[string][]string `json:"extra,omitempty"`
	Files   []File              `json:"files,omitempty"`
	Reasons json.RawMessage     `json:"reasons,omitempty"`
}

// WriteJSON writes submissions as one list.
func WriteJSON(app core.App, w io.Writer, f filter) error {
	slugs, err := slugsOf(app)
	if err != nil {
		return err
	}
	sep := "[\n"
	err = each(app, f, func(r *core.Record) error {
		_, extra := contentOf(r)
		one := exported{
			ID: r.Id, Created: r.GetDateTime("created").Time().UTC().Format("2006-01-02T15:04:05.000Z"), Form: slugs[r.GetString("form")],
			Status: r.GetString("status"), Name: r.GetString("name"), Email: r.GetString("email"), Subject: r.GetString("subject"),
			Data: json.RawMessage(r.GetString("data")), Extra: extra, Files: filesOf(r),
		}
		if reasons := r.GetString("reasons"); reasons != "" && reasons != "null" {
			one.Reasons = json.RawMessage(reasons)
		}
		raw, err := json.Marshal(one)
		if err != nil {
			return fmt.Errorf("write a submission: %w", err)
		}
		_, err = io.WriteString(w, sep+string(raw))
		sep = ",\n"
		return err
	})
	if err != nil {
		return err
	}
	if sep == "[\n" {
		_, err = io.WriteString(w, "[]\n")
	} else {
		_, err = io.WriteString(w, "\n]\n")
	}
	return err
}

func exportCSV(e *desk.Event) error {
	h := e.Response.Header()
	h.Set("Content-Type", "text/csv; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="submissions.csv"`)
	return WriteCSV(e.App, e.Response, filterOf(e.Request.URL.Query()))
}

func exportJSON(e *desk.Event) error {
	h := e.Response.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Disposition", `attachment; filename="submissions.json"`)
	return WriteJSON(e.App, e.Response, filterOf(e.Request.URL.Query()))
}
