package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"time"
)

// Report is everything that one run measured.
type Report struct {
	Machine  Machine    `json:"machine"`
	Quick    bool       `json:"quick"`
	Process  Process    `json:"process"`
	Folder   Size       `json:"folder"` // what the engine's workloads read
	Rows     []Row      `json:"rows"`
	Go       []GoFigure `json:"go"`
	Verdicts []Verdict  `json:"verdicts"` // promises: a miss fails the run
	Targets  []Verdict  `json:"targets"`  // of the engine: a miss is shown
	LeftOut  []string   `json:"left_out,omitempty"`
	Failed   []string   `json:"failed,omitempty"`
}

func (r Report) missed() bool {
	return slices.ContainsFunc(r.Verdicts, func(v Verdict) bool { return !v.Met })
}

// table is a Markdown table whose columns are padded, so that it reads well in
// a terminal too.
type table [][]string

func (t table) write(b *strings.Builder) {
	if len(t) < 2 { // a heading alone
		return
	}
	widths := make([]int, len(t[0]))
	for _, row := range t {
		for i, cell := range row {
			widths[i] = max(widths[i], len([]rune(cell)))
		}
	}
	for n, row := range t {
		for i, cell := range row {
			b.WriteString("| " + cell + strings.Repeat(" ", widths[i]-len([]rune(cell))+1))
		}
		b.WriteString("|\n")
		if n == 0 {
			for _, w := range widths {
				b.WriteString("|" + strings.Repeat("-", w+2))
			}
			b.WriteString("|\n")
		}
	}
	b.WriteString("\n")
}

func (r Report) markdown() string {
	var b strings.Builder
	m := r.Machine
	fmt.Fprintf(&b, "Measured at %s on %s, %d cores, %s memory, %s, %s, PocketBase %s, commit %s.\nA sync of the disk took %s; the load average before the run was %s, and above the number of cores it makes figures worth little.\n",
		m.At.Format(time.RFC3339), m.CPU, m.Cores, megabytes(m.Memory), m.OS, m.Go, m.PocketBase, m.Commit, millis(m.Sync), m.Load)
	b.WriteString("The generator ran on the same machine. A ratio is the median over rounds of Bungalow : the other server.\n\n")
	verdicts(&b, "promise", r.Verdicts)
	if r.rowsOf(engineGroup) != nil {
		fmt.Fprintf(&b, "The REST API on copies of one folder with %d articles, %d notes and %d users. Bungalow writes at FULL, PocketBase at NORMAL unless it says FULL.\n\n",
			r.Folder.Articles, r.Folder.Notes, r.Folder.Users)
	}
	verdicts(&b, "engine's target", r.Targets)
	r.ratioTable().write(&b)
	for _, line := range r.Failed {
		fmt.Fprintf(&b, "Failed: %s\n\n", line)
	}
	if len(r.LeftOut) > 0 {
		fmt.Fprintf(&b, "Left out, because the quick form ran out of time: %s.\n\n", strings.Join(r.LeftOut, ", "))
	}
	figuresTable(r.Rows).write(&b)
	figures := table{{"benchmark", "figures"}}
	for _, f := range r.Go {
		figures = append(figures, []string{strings.TrimPrefix(f.Package, "./hooks/") + " " + f.Name, f.line()})
	}
	figures.write(&b)
	return b.String()
}

func (row Row) ratioCell(metric string) string {
	v, ok := row.Ratio[metric]
	if !ok {
		return ""
	}
	return ratio(v)
}

func (f GoFigure) line() string {
	var parts []string
	for unit, v := range f.Values {
		parts = append(parts, fmt.Sprintf("%.4g %s", v, unit))
	}
	sort.Slice(parts, func(i, j int) bool { return unitOf(parts[i]) > unitOf(parts[j]) })
	return strings.Join(parts, ", ")
}

func unitOf(part string) string {
	_, unit, _ := strings.Cut(part, " ")
	return unit
}

func (r Report) print(out io.Writer) error {
	_, err := io.WriteString(out, r.markdown())
	return err
}

// save writes the Markdown file and, beside it, the same figures as JSON.
func (r Report) save(path string) error {
	text := "# Benchmarks\n\nMade by `make bench`; run it to see the figures of your machine. The workloads are tables in\n" +
		"`bench/pages.go` and `bench/engine.go`.\n\n" + strings.TrimSuffix(r.markdown(), "\n")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(strings.TrimSuffix(path, filepath.Ext(path))+".json", append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

func ratio(v float64) string { return fmt.Sprintf("%.2f×", v) }

func millis(d time.Duration) string {
	return fmt.Sprintf("%.*f ms", pick(d < 10*time.Millisecond, 2, 0), float64(d)/1e6)
}

func megabytes(n int64) string { return fmt.Sprintf("%.1f MB", float64(n)/1e6) }
