package desk

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

const (
	auditPerPage = 50
	auditChunk   = 1000 // lines that an export reads at once
	maxFilter    = 200  // bytes of each field of the filter
)

func auditPages() []desk.Page {
	return []desk.Page{
		{Path: "audit", Access: web.Owner, Do: showAudit, Menu: &desk.Menu{Group: desk.GroupSite, Label: "Audit", Icon: "history", Order: 70}},
		{Path: "audit.csv", Access: web.Owner, Do: exportAudit},
	}
}

// line is a line of the audit as pages show it.
type line struct {
	Actor, Person, Action, Words, Collection, Record, Address, Detail string
	At                                                                time.Time
}

func linesOf(e *desk.Event, records []*core.Record) []line {
	lines := make([]line, len(records))
	for i, r := range records {
		lines[i] = line{
			Actor: r.GetString("actor"), Person: r.GetString("actor_record"), Action: r.GetString("action"), Words: audit.Words(r.GetString("action")), Collection: r.GetString("collection"),
			Record: r.GetString("record"), Address: r.GetString("address"), Detail: plainDetail(r.GetString("detail")), At: e.Local(r.GetDateTime("at").Time()),
		}
	}
	return lines
}

// plainDetail writes the detail of a line without the marks of JSON.
func plainDetail(raw string) string {
	var detail any
	if json.Unmarshal([]byte(raw), &detail) != nil {
		return strings.TrimSpace(strings.Trim(raw, `"`))
	}
	return inPlain(detail, "; ")
}

// inPlain writes a value of JSON with a sign between its parts; the parts of
// what lies within are set in brackets.
func inPlain(value any, between string) string {
	switch v := value.(type) {
	case map[string]any:
		parts := make([]string, 0, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			text := inPlain(v[name], ", ")
			if _, deep := v[name].(map[string]any); deep {
				text = "(" + text + ")"
			}
			parts = append(parts, strings.ReplaceAll(name, "_", " ")+": "+text)
		}
		return strings.Join(parts, between)
	case []any:
		parts := make([]string, len(v))
		for i := range v {
			parts[i] = inPlain(v[i], ", ")
		}
		return strings.Join(parts, ", ")
	case nil:
		return ""
	}
	return fmt.Sprint(value)
}

type auditView struct {
	Lines   []line
	Pager   desk.Pager
	Form    map[string]string
	Actions []string
	People  []choice
	Export  string
	Any     bool // a filter is set
}

// auditFilter reads the filter from an address. A time that can't be read is
// none.
func auditFilter(e *desk.Event) (audit.Filter, map[string]string) {
	q, form := e.Request.URL.Query(), map[string]string{}
	for _, name := range []string{"q", "person", "action", "record", "from", "to"} {
		v := strings.TrimSpace(q.Get(name))
		form[name] = v[:min(len(v), maxFilter)]
	}
	f := audit.Filter{Person: form["person"], Action: form["action"], Text: form["q"]}
	if collection, record, ok := strings.Cut(form["record"], "/"); ok {
		f.Collection, f.Record = collection, record
	} else {
		f.Record = form["record"]
	}
	zone := e.Local(time.Now()).Location()
	if from, err := time.ParseInLocation(time.DateOnly, form["from"], zone); err == nil {
		f.From = from
	}
	if to, err := time.ParseInLocation(time.DateOnly, form["to"], zone); err == nil {
		f.To = to.AddDate(0, 0, 1)
	}
	return f, form
}

func showAudit(e *desk.Event) error {
	f, form := auditFilter(e)
	total, err := audit.Count(e.App, f)
	if err != nil {
		return err
	}
	page, _ := strconv.Atoi(e.Request.URL.Query().Get("page"))
	view := auditView{Form: form, Pager: desk.Pages(e.Request.URL, page, auditPerPage, total), Any: f != audit.Filter{}}
	records, err := audit.Find(e.App, f, auditPerPage, (view.Pager.Page-1)*auditPerPage)
	if err != nil {
		return err
	}
	view.Lines = linesOf(e, records)
	if view.Actions, err = audit.Actions(e.App); err != nil {
		return err
	}
	staff, err := e.App.FindRecordsByFilter(schema.Staff, "", "name,email", 0, 0)
	if err != nil {
		return err
	}
	for _, r := range staff {
		view.People = append(view.People, choice{r.Id, desk.PersonOf(r).Name})
	}
	query := url.Values{}
	for name, value := range form {
		if value != "" {
			query.Set(name, value)
		}
	}
	view.Export = desk.Href("audit.csv") + "?" + query.Encode()
	return e.Render("desk/audit/list.html", e.T("Audit"), view, peopleStyles)
}

// exportAudit writes all lines that the filter lets through, piece by piece.
func exportAudit(e *desk.Event) error {
	f, _ := auditFilter(e)
	if f.To.IsZero() {
		f.To = time.Now() // what is written meanwhile would shift the pieces
	}
	header := e.Response.Header()
	header.Set("Content-Type", "text/csv; charset=utf-8")
	header.Set("Content-Disposition", `attachment; filename="audit.csv"`)
	e.Response.WriteHeader(http.StatusOK)
	out := csv.NewWriter(e.Response)
	_ = out.Write([]string{"at", "actor", "account", "action", "collection", "record", "address", "detail"})
	for offset := 0; ; offset += auditChunk {
		records, err := audit.Find(e.App, f, auditChunk, offset)
		if err != nil {
			return err
		}
		for _, r := range records {
			row := []string{r.GetDateTime("at").Time().UTC().Format(time.RFC3339)}
			for _, field := range []string{"actor", "actor_record", "action", "collection", "record", "address", "detail"} {
				row = append(row, cell(plainDetail(r.GetString(field))))
			}
			if err := out.Write(row); err != nil {
				return nil // whoever asked is gone
			}
		}
		if out.Flush(); len(records) < auditChunk || e.Request.Context().Err() != nil {
			return nil
		}
	}
}

// cell keeps a spreadsheet from taking a text for a formula (OWASP, "CSV
// injection").
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
