package main

import (
	"fmt"
	"strings"
)

// Verdict is one promise or target and how it went.
type Verdict struct {
	What  string `json:"what"`
	Got   string `json:"got"`
	Bound string `json:"bound"`
	Met   bool   `json:"met"`
	// CPU is the ratio of the server's CPU time per request, which other
	// programs on the machine disturb least; "" where there is none.
	CPU string `json:"cpu,omitempty"`
}

// judge compares a workload's rows with its bars.
func judge(w Workload, rows []Row) []Verdict {
	var verdicts []Verdict
	for _, bar := range w.Bars {
		if bar.Metric == "strain" {
			verdicts = append(verdicts, judgeStrain(w, bar, rows)...)
			continue
		}
		if bar.Metric == "rate" {
			verdicts = append(verdicts, judgeRate(w, bar, rows)...)
			continue
		}
		other := targetNamed(w.against(bar)).Title
		for _, row := range rows {
			got, measured := row.Ratio[bar.Metric]
			if row.Conns != bar.Conns || row.Server != other || !measured {
				continue
			}
			what := fmt.Sprintf("%s, %s: %s compared with %s", w.Title, connections(row.Conns), metricTitles[bar.Metric], row.Server)
			v := bar.verdict(what, got)
			v.CPU = row.ratioCell("cpu")
			verdicts = append(verdicts, v)
		}
	}
	return verdicts
}

// judgeStrain looks at the subject alone: its own p99 with and without the
// background.
func judgeStrain(w Workload, bar Bar, rows []Row) []Verdict {
	for _, row := range rows {
		if row.Conns == bar.Conns && row.Server == targetNamed(subject).Title && row.Turn.Strain > 0 {
			return []Verdict{bar.verdict(fmt.Sprintf("%s, %s: %s", w.Title, connections(row.Conns), metricTitles[bar.Metric]), row.Turn.Strain)}
		}
	}
	return nil
}

// judgeRate looks at the subject alone: what it does in a second.
func judgeRate(w Workload, bar Bar, rows []Row) []Verdict {
	for _, row := range rows {
		if row.Conns == bar.Conns && row.Server == targetNamed(subject).Title {
			return []Verdict{{
				What: fmt.Sprintf("%s, %s: %s", w.Title, connections(row.Conns), metricTitles[bar.Metric]),
				Got:  fmt.Sprintf("%.0f", row.Turn.PerSecond), Bound: fmt.Sprintf("≥ %.0f", bar.AtLeast), Met: row.Turn.PerSecond >= bar.AtLeast,
				CPU: row.Turn.cpuCell(),
			}}
		}
	}
	return nil
}

// judgeMemory gives one verdict on all workloads that plain PocketBase was
// measured on: the one where Bungalow's peak is highest beside PocketBase's.
func judgeMemory(rows []Row) []Verdict {
	worst, count := Row{}, 0
	for _, row := range rows {
		if row.Server != targetNamed(vanilla).Title {
			continue
		}
		count++
		if row.Ratio["peak"] > worst.Ratio["peak"] {
			worst = row
		}
	}
	if count == 0 {
		return nil
	}
	return []Verdict{Bar{AtMost: 1}.verdict(fmt.Sprintf("peak memory compared with %s, highest of all workloads (%s)", worst.Server, worst.Title), worst.Ratio["peak"])}
}

func (bar Bar) verdict(what string, got float64) Verdict {
	v := Verdict{What: what, Got: ratio(got)}
	if bar.AtLeast > 0 {
		v.Bound, v.Met = "≥ "+ratio(bar.AtLeast), got >= bar.AtLeast
	} else {
		v.Bound, v.Met = "≤ "+ratio(bar.AtMost), got <= bar.AtMost
	}
	return v
}

func connections(n int) string { return fmt.Sprintf("%d connection%s", n, pick(n == 1, "", "s")) }

// verdicts writes a table of them.
func verdicts(b *strings.Builder, heading string, all []Verdict) {
	lines := table{{heading, "measured", "bound", "", "CPU/request"}}
	for _, v := range all {
		lines = append(lines, []string{v.What, v.Got, v.Bound, pick(v.Met, "met", "MISSED"), v.CPU})
	}
	lines.write(b)
}

func (r Report) rowsOf(groupName string) []Row {
	var rows []Row
	for _, row := range r.Rows {
		if row.Group == groupName {
			rows = append(rows, row)
		}
	}
	return rows
}

// ratioTable is the engine beside everything that it was compared with: one
// line per workload and number of connections.
func (r Report) ratioTable() table {
	others := []string{vanilla, vanillaFull, prepared, bare}
	lines := table{{"× is Bungalow : the other", "connections"}}
	for _, name := range others {
		lines[0] = append(lines[0], "requests/s: "+targetNamed(name).Title)
	}
	lines[0] = append(lines[0], "p50: PocketBase", "p99: PocketBase", "CPU: PocketBase", "peak RSS: PocketBase")
	rows := r.rowsOf(engineGroup)
	for i := 0; i < len(rows); {
		first, byServer := rows[i], map[string]Row{}
		for ; i < len(rows) && rows[i].Workload == first.Workload && rows[i].Conns == first.Conns; i++ {
			byServer[rows[i].Server] = rows[i]
		}
		line := []string{first.Title, fmt.Sprint(first.Conns)}
		for _, name := range others {
			line = append(line, byServer[targetNamed(name).Title].ratioCell("perSecond"))
		}
		pb := byServer[targetNamed(vanilla).Title]
		lines = append(lines, append(line, pb.ratioCell("p50"), pb.ratioCell("p99"), pb.ratioCell("cpu"), pb.ratioCell("peak")))
	}
	return lines
}

// figuresTable is every row with its own figures.
func figuresTable(rows []Row) table {
	lines := table{{"workload", "connections", "server", "requests/s", "p50", "p99", "CPU/request", "peak RSS", "ratio requests/s", "ratio p99", "ratio CPU", "besides"}}
	for _, row := range rows {
		lines = append(lines, []string{
			row.Title, fmt.Sprint(row.Conns), row.Server, fmt.Sprintf("%.0f", row.Turn.PerSecond),
			millis(row.Turn.P50), millis(row.Turn.P99), row.Turn.cpuCell(), megabytes(row.PeakRSS),
			row.ratioCell("perSecond"), row.ratioCell("p99"), row.ratioCell("cpu"), row.Turn.besides(),
		})
	}
	return lines
}

func (t Turn) cpuCell() string {
	if t.CPU == 0 {
		return ""
	}
	return fmt.Sprintf("%.1f µs", float64(t.CPU)/1e3)
}

// besides says what only some workloads have.
func (t Turn) besides() string {
	if t.IdleP99 > 0 {
		return fmt.Sprintf("p99 idle %s, so %s; %.1f/s in the background", millis(t.IdleP99), ratio(t.Strain), t.Around)
	}
	if t.Broadcast == nil {
		return ""
	}
	text := fmt.Sprintf("one create: reply %s, all have it %s", millis(t.Broadcast.Reply), millis(t.Broadcast.Delivered))
	if t.Broadcast.Lost > 0 {
		text += fmt.Sprintf(", %d events late or lost", t.Broadcast.Lost)
	}
	if t.Broadcast.Closed > 0 {
		text += fmt.Sprintf(", %d subscribers closed", t.Broadcast.Closed)
	}
	return text
}
