package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"
)

// Report is everything that one run measured.
type Report struct {
	Machine  Machine    `json:"machine"`
	Quick    bool       `json:"quick"`
	Process  Process    `json:"process"`
	Rows     []Row      `json:"rows"`
	Go       []GoFigure `json:"go"`
	Verdicts []Verdict  `json:"verdicts"`
}

// Verdict is one promise and how it went.
type Verdict struct {
	What  string `json:"what"`
	Got   string `json:"got"`
	Bound string `json:"bound"`
	Met   bool   `json:"met"`
}

func judge(w Workload, rows []Row) []Verdict {
	var verdicts []Verdict
	for _, bar := range w.Bars {
		for _, row := range rows {
			got, measured := row.Ratio[bar.Metric]
			if row.Conns != bar.Conns || !measured {
				continue
			}
			v := Verdict{
				What: fmt.Sprintf("%s, %d connections: %s compared with %s", w.Title, row.Conns, metricTitles[bar.Metric], row.Server),
				Got:  ratio(got),
			}
			if bar.AtLeast > 0 {
				v.Bound, v.Met = "≥ "+ratio(bar.AtLeast), got >= bar.AtLeast
			} else {
				v.Bound, v.Met = "≤ "+ratio(bar.AtMost), got <= bar.AtMost
			}
			verdicts = append(verdicts, v)
		}
	}
	return verdicts
}

var metricTitles = map[string]string{"perSecond": "requests/s", "p50": "p50", "p99": "p99", "cpu": "CPU"}

func (r Report) missed() bool {
	for _, v := range r.Verdicts {
		if !v.Met {
			return true
		}
	}
	return false
}

// table is a Markdown table whose columns are padded, so that it reads well in
// a terminal too.
type table [][]string

func (t table) write(b *strings.Builder) {
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
	fmt.Fprintf(&b, "Measured at %s on %s, %d cores, %s memory, %s, %s, commit %s.\n", m.At.Format(time.RFC3339), m.CPU, m.Cores, megabytes(m.Memory), m.OS, m.Go, m.Commit)
	b.WriteString("The generator ran on the same machine. A ratio is the median over rounds of Bungalow : the other server.\n\n")
	promises := table{{"promise", "measured", "bound", ""}}
	for _, v := range r.Verdicts {
		promises = append(promises, []string{v.What, v.Got, v.Bound, pick(v.Met, "met", "MISSED")})
	}
	promises.write(&b)

	rows := table{{"workload", "connections", "server", "requests/s", "p50", "p99", "CPU/request", "peak RSS", "ratio requests/s", "ratio p99", "ratio CPU"}}
	for _, row := range r.Rows {
		rows = append(rows, []string{
			row.Title, fmt.Sprint(row.Conns), row.Server, fmt.Sprintf("%.0f", row.Turn.PerSecond),
			millis(row.Turn.P50), millis(row.Turn.P99), fmt.Sprintf("%.1f µs", float64(row.Turn.CPU)/1e3), megabytes(row.PeakRSS),
			row.ratioCell("perSecond"), row.ratioCell("p99"), row.ratioCell("cpu"),
		})
	}
	if len(rows) > 1 {
		rows.write(&b)
	}
	figures := table{{"benchmark", "figures"}}
	for _, f := range r.Go {
		figures = append(figures, []string{strings.TrimPrefix(f.Package, "./hooks/") + " " + f.Name, f.line()})
	}
	if len(figures) > 1 {
		figures.write(&b)
	}
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
	text := "# Benchmarks\n\nMade by `make bench`; run it to see the figures of your machine. What is measured is a table in\n" +
		"`bench/workload.go`.\n\n" + strings.TrimSuffix(r.markdown(), "\n")
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
