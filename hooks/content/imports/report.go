package imports

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// Count is what became of the items of one kind.
type Count struct {
	Created   int `json:"created"`
	Updated   int `json:"updated"`
	Unchanged int `json:"unchanged"`
	Kept      int `json:"kept"` // changed here since the last import, so left alone
	Skipped   int `json:"skipped"`
}

// Line is one item of the report and what is to be said of it.
type Line struct {
	Kind Kind   `json:"kind"`
	Name string `json:"name"`
	Why  string `json:"why"`
}

// Report accounts for every item of an import.
type Report struct {
	Source string          `json:"source"`
	DryRun bool            `json:"dry_run"`
	Counts map[Kind]*Count `json:"counts"`
	// Skipped names what nothing was made of, and why.
	Skipped []Line `json:"skipped"`
	// Renamed names what got another address because its own was taken.
	Renamed []Line `json:"renamed"`
	// Kept names what changed at the source but was edited here since.
	Kept []Line `json:"kept"`
	// Notes tell what items lost or where they changed on the way.
	Notes []Line `json:"notes"`
	// Addresses are those of files that stay where they are.
	Addresses []string `json:"addresses"`
	// Fault is what could not be read, "" when everything was.
	Fault string `json:"fault,omitempty"`
}

func newReport(source string, dry bool) *Report {
	return &Report{
		Source: source, DryRun: dry, Counts: map[Kind]*Count{},
		Skipped: []Line{}, Renamed: []Line{}, Kept: []Line{}, Notes: []Line{}, Addresses: []string{},
	}
}

func (r *Report) of(k Kind) *Count {
	if r.Counts[k] == nil {
		r.Counts[k] = &Count{}
	}
	return r.Counts[k]
}

func (r *Report) skip(i *Item, why string) {
	r.of(i.Kind).Skipped++
	r.Skipped = append(r.Skipped, Line{i.Kind, i.label(), why})
}

func (i *Item) label() string {
	return first(i.Name, i.Title, i.Key)
}

// WriteJSON writes the report for programs.
func (r *Report) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(r)
}

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	if r.DryRun {
		b.WriteString("This is what an import would do; nothing was changed.\n\n")
	}
	fmt.Fprintf(&b, "%-10s %9s %9s %9s %9s %9s\n", "", "created", "updated", "unchanged", "kept", "skipped")
	for _, k := range kinds {
		if c := r.Counts[k]; c != nil {
			fmt.Fprintf(&b, "%-10s %9d %9d %9d %9d %9d\n", k, c.Created, c.Updated, c.Unchanged, c.Kept, c.Skipped)
		}
	}
	section(&b, "Skipped", r.Skipped)
	section(&b, "At another address, because theirs was taken", r.Renamed)
	section(&b, "Kept as they are, changed here since", r.Kept)
	section(&b, "Worth knowing", r.Notes)
	if r.Fault != "" {
		b.WriteString("\nNot everything could be read: " + r.Fault + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// section lists lines, those with the same reason together.
func section(b *strings.Builder, title string, lines []Line) {
	if len(lines) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s (%d):\n", title, len(lines))
	var reasons []string
	by := map[string][]string{}
	for _, l := range lines {
		if by[l.Why] == nil {
			reasons = append(reasons, l.Why)
		}
		by[l.Why] = append(by[l.Why], fmt.Sprintf("%s %q", strings.TrimSuffix(string(l.Kind), "s"), l.Name))
	}
	for _, why := range reasons {
		if names := slices.Compact(by[why]); len(names) == 1 {
			b.WriteString("  " + names[0] + ": " + why + "\n")
		} else {
			b.WriteString("  " + why + ":\n    " + strings.Join(names, "\n    ") + "\n")
		}
	}
}
