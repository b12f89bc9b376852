package library

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/schema"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

const (
	// maxCSV is how large a list of redirects may be, in bytes.
	maxCSV = 900 << 10
	// maxCSVLines is how many lines it may have.
	maxCSVLines = 5000
)

// Outcomes of a line of a list.
const (
	LineAdded   = "added"
	LineChanged = "changed"
	LineSame    = "unchanged"
	LineRefused = "refused"
)

// Line is one line of a list of redirects and what becomes of it.
type Line struct {
	Number  int
	Outcome string
	Why     string // of a refusal, for people
	Redirect
}

// CSVReport says what an import of redirects does, or would do.
type CSVReport struct {
	Lines                         []Line // all but the unchanged ones
	Added, Changed, Same, Refused int
}

// errDryRun ends the transaction of a dry run.
var errDryRun = errors.New("a dry run is rolled back")

// ImportRedirects takes redirects from a list: from, to, status and prefix,
// separated by commas, semicolons or tabs, with or without a head. What can't
// be is named line by line and left out. A dry run does the same and takes it
// all back. The error is a validation.Errors beside "list" where the list
// can't be read.
func ImportRedirects(app core.App, by By, list string, dry bool) (report *CSVReport, undoAt string, err error) {
	lines, err := readCSV(list)
	if err != nil {
		return nil, "", err
	}
	u := undo{Back: "/desk/redirects/"}
	err = app.RunInTransaction(func(tx core.App) error {
		report, u.Delete, u.Set = &CSVReport{}, nil, nil
		seen := map[string]int{}
		for _, line := range lines {
			if err := line.take(tx, seen, &u); err != nil {
				return err
			}
			report.count(line)
		}
		if dry {
			return errDryRun
		}
		if undoAt, err = keepUndo(tx, by, u); err != nil {
			return err
		}
		detail := map[string]int{"added": report.Added, "changed": report.Changed, "refused": report.Refused}
		return audit.Write(tx, by.Actor, "redirect.import", schema.Redirects, "", detail)
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	if err != nil {
		return nil, "", fmt.Errorf("import redirects: %w", err)
	}
	return report, undoAt, nil
}

func (r *CSVReport) count(line *Line) {
	switch line.Outcome {
	case LineAdded:
		r.Added++
	case LineChanged:
		r.Changed++
	case LineRefused:
		r.Refused++
	default:
		r.Same++
		return
	}
	r.Lines = append(r.Lines, *line)
}

// take saves one line and says what became of it.
func (l *Line) take(tx core.App, seen map[string]int, u *undo) error {
	if l.Outcome == LineRefused {
		return nil
	}
	from := address.Normal(l.From)
	key := from + " " + strconv.FormatBool(l.Prefix)
	if before := seen[key]; before > 0 {
		l.Outcome, l.Why = LineRefused, fmt.Sprintf("Line %d has the same address already.", before)
		return nil
	}
	seen[key] = l.Number
	record, err := redirectFrom(tx, from, l.Prefix)
	if err != nil {
		return err
	}
	l.Outcome = LineChanged
	var before former
	if record == nil {
		c, err := tx.FindCachedCollectionByNameOrId(schema.Redirects)
		if err != nil {
			return err
		}
		l.Outcome, record = LineAdded, core.NewRecord(c)
	} else {
		if record.GetString("to") == l.To && record.GetString("status") == l.Status {
			l.Outcome = LineSame
			return nil
		}
		before = formerly(record)
	}
	err = l.into(tx, record)
	var invalid validation.Errors
	if errors.As(err, &invalid) {
		l.Outcome, l.Why = LineRefused, sentence(invalid)
		return nil
	}
	if err != nil {
		return err
	}
	if l.Outcome == LineAdded {
		u.Delete = append(u.Delete, place{schema.Redirects, record.Id})
		return nil
	}
	for _, field := range []string{"to", "status"} {
		u.Set = append(u.Set, setting{schema.Redirects, record.Id, field, before.Fields[field], record.Get(field)})
	}
	return nil
}

// readCSV reads the lines of a list. Lines that make no sense come back
// refused.
func readCSV(list string) ([]*Line, error) {
	list = strings.TrimPrefix(list, "\ufeff")
	if strings.TrimSpace(list) == "" {
		return nil, listError("The list is empty. Each line is the old address, a comma and the new address.")
	}
	if len(list) > maxCSV {
		return nil, listError(fmt.Sprintf("The list is larger than %d KB. Split it into several.", maxCSV>>10))
	}
	r := csv.NewReader(strings.NewReader(list))
	r.Comma, r.FieldsPerRecord, r.TrimLeadingSpace, r.LazyQuotes = comma(list), -1, true, true
	var lines []*Line
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, listError("The list can't be read: " + err.Error() + ".")
		}
		number, _ := r.FieldPos(0)
		if len(lines) == 0 && isHead(fields) {
			continue
		}
		if len(lines) == maxCSVLines {
			return nil, listError(fmt.Sprintf("The list has more than %d lines. Split it into several.", maxCSVLines))
		}
		lines = append(lines, lineOf(number, fields))
	}
}

func listError(text string) error {
	return validation.Errors{"list": validation.NewError("validation_list", text)}
}

// comma is what separates the fields, judged by the first line.
func comma(list string) rune {
	first, _, _ := strings.Cut(list, "\n")
	for _, c := range []rune{'\t', ';'} {
		if strings.ContainsRune(first, c) && !strings.ContainsRune(first, ',') {
			return c
		}
	}
	return ','
}

func isHead(fields []string) bool {
	first := strings.ToLower(strings.TrimSpace(fields[0]))
	return !strings.HasPrefix(first, "/") && !strings.Contains(first, "://") && len(fields) > 1 && !strings.HasPrefix(strings.TrimSpace(fields[1]), "/")
}

func lineOf(number int, fields []string) *Line {
	field := func(i int) string {
		if i < len(fields) {
			return strings.TrimSpace(fields[i])
		}
		return ""
	}
	l := &Line{Number: number, Redirect: Redirect{From: field(0), To: field(1), Status: field(2)}}
	if l.Status == "" {
		l.Status = "301"
	}
	switch strings.ToLower(field(3)) {
	case "1", "true", "yes", "prefix":
		l.Prefix = true
	}
	if strings.Contains(l.From, "://") { // another system's list: the host is this site's old one
		l.From = address.Normal(l.From)
	}
	if len(fields) < 2 && l.Status != "410" {
		l.Outcome, l.Why = LineRefused, "The line has no new address."
	}
	return l
}

// ExportRedirects writes all redirects as such a list.
func ExportRedirects(app core.App, out io.Writer) error {
	w := csv.NewWriter(out)
	_ = w.Write([]string{"from", "to", "status", "prefix", "hits"})
	rows, err := app.DB().NewQuery("SELECT `from`, `to`, status, prefix, hits FROM redirects ORDER BY `from`").Rows()
	if err != nil {
		return fmt.Errorf("export redirects: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var from, to, status string
		var prefix bool
		var hits int
		if err := rows.Scan(&from, &to, &status, &prefix, &hits); err != nil {
			return fmt.Errorf("export redirects: %w", err)
		}
		if err := w.Write([]string{from, to, status, strconv.FormatBool(prefix), strconv.Itoa(hits)}); err != nil {
			return fmt.Errorf("export redirects: %w", err)
		}
	}
	w.Flush()
	if err := errors.Join(rows.Err(), w.Error()); err != nil {
		return fmt.Errorf("export redirects: %w", err)
	}
	return nil
}
