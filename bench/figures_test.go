package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	got, err := parseStat("7 (a (b) c) S 1 7 7 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 8 0 1 2 3")
	if err != nil || got != 2*time.Second {
		t.Errorf("got %s, %v", got, err)
	}
	for _, bad := range []string{"", "7 (x", "7 (x) S 1", "7 (x) S 1 2 3 4 5 6 7 8 9 10 a b 0 0"} {
		if _, err := parseStat(bad); err == nil {
			t.Errorf("%q gave no error", bad)
		}
	}
}

func TestOwnProcessHasFigures(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("skipped: this system has no /proc, so the benchmark can't read CPU time and memory")
	}
	rss, peak, err := memory(os.Getpid())
	if err != nil || rss < 1<<20 || peak < rss {
		t.Errorf("rss %d, peak %d, %v", rss, peak, err)
	}
	if _, err := cpuTime(os.Getpid()); err != nil {
		t.Error(err)
	}
	if _, _, err := memory(-1); err == nil {
		t.Error("a process that is not there has memory")
	}
}

func TestRatiosPairRounds(t *testing.T) {
	t.Parallel()
	// The machine is twice as slow in the second round: the ratio stays.
	ours := []Turn{{PerSecond: 80, P99: 30}, {PerSecond: 40, P99: 60}, {PerSecond: 70, P99: 40}}
	theirs := []Turn{{PerSecond: 100, P99: 20}, {PerSecond: 50, P99: 40}, {PerSecond: 100, P99: 20}}
	got := ratios(ours, theirs)
	if got["perSecond"] != 0.8 || got["p99"] != 1.5 {
		t.Errorf("got %v", got)
	}
	if _, there := got["cpu"]; there {
		t.Error("a ratio to nothing was made")
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   []float64
		want float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(c.in); got != c.want {
			t.Errorf("median of %v is %v, got %v", c.in, c.want, got)
		}
	}
}

func TestJudgeKnowsBothDirections(t *testing.T) {
	t.Parallel()
	w := Workload{Title: "page", Bars: pageBars}
	row := func(perSecond, p99 float64, conns int) Row {
		return Row{Conns: conns, Server: "bare", Ratio: map[string]float64{"perSecond": perSecond, "p99": p99}}
	}
	cases := []struct {
		row  Row
		want []bool
	}{
		{row(0.61, 1.9, 64), []bool{true, true}},
		{row(0.59, 2.1, 64), []bool{false, false}},
		{row(0.10, 9.9, 16), nil},
	}
	for _, c := range cases {
		var got []bool
		for _, v := range judge(w, []Row{{Conns: 64, Server: "Bungalow"}, c.row}) {
			got = append(got, v.Met)
		}
		if len(got) != len(c.want) || (len(got) == 2 && (got[0] != c.want[0] || got[1] != c.want[1])) {
			t.Errorf("%+v was judged %v, want %v", c.row, got, c.want)
		}
	}
	p := Process{Start: time.Second, IdleRSS: 10_000_000, Size: 44_000_000}
	if v := p.judge(); v[0].Met || !v[1].Met || !v[2].Met {
		t.Errorf("got %+v", v)
	}
}

func TestParseGoBench(t *testing.T) {
	t.Parallel()
	out := "goos: linux\nBenchmarkEnqueue-2   \t  5000\t    250.5 ns/op\t  4000 jobs/s\t  12 B/op\t 1 allocs/op\nBenchmarkFile/small  10 3 ns/op\nPASS\nBenchmarkBroken\n"
	got := parseGoBench("./hooks/kit/queue", out)
	if len(got) != 2 || got[0].Name != "Enqueue" || got[0].Values["jobs/s"] != 4000 || got[1].Name != "File/small" {
		t.Fatalf("got %+v", got)
	}
	if line := got[0].line(); !strings.HasPrefix(line, "250.5 ns/op") {
		t.Errorf("line %q", line)
	}
}

func TestReportIsWrittenTwice(t *testing.T) {
	t.Parallel()
	r := Report{
		Machine:  describeMachine(),
		Rows:     []Row{{Title: "page", Conns: 64, Server: "bare", Turn: Turn{PerSecond: 1234, P99: 1500 * time.Microsecond}, Ratio: map[string]float64{"perSecond": 0.7}}},
		Go:       []GoFigure{{Package: "./hooks/kit/queue", Name: "Enqueue", Values: map[string]float64{"ns/op": 3}}},
		Verdicts: []Verdict{{What: "start", Got: "9 ms", Bound: "< 300 ms", Met: true}, {What: "size", Got: "46.0 MB", Bound: "< 45.0 MB"}},
	}
	path := filepath.Join(t.TempDir(), "benchmarks.md")
	if err := r.save(path); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"1234", "1.50 ms", "0.70×", "MISSED", "kit/queue Enqueue", r.Machine.Commit} {
		if !strings.Contains(string(text), want) {
			t.Errorf("%q is not in the report:\n%s", want, text)
		}
	}
	raw, err := os.ReadFile(filepath.Join(filepath.Dir(path), "benchmarks.json"))
	if err != nil {
		t.Fatal(err)
	}
	var back Report
	if err := json.Unmarshal(raw, &back); err != nil || len(back.Rows) != 1 || !back.missed() {
		t.Errorf("read back %+v, %v", back, err)
	}
}

func TestFlags(t *testing.T) {
	t.Parallel()
	var errs strings.Builder
	quick, err := parse([]string{"-quick"}, &errs)
	if err != nil || quick.out != "" || len(quick.connCount) != 1 {
		t.Errorf("quick: %+v, %v", quick, err)
	}
	full, err := parse(nil, &errs)
	if err != nil || full.out == "" || len(full.connCount) != 3 {
		t.Errorf("full: %+v, %v", full, err)
	}
	if code := run(t.Context(), []string{"-only", "nonsense"}, &errs, &errs); code != 2 || !strings.Contains(errs.String(), "page-br") {
		t.Errorf("exit code %d: %s", code, errs.String())
	}
}

func TestWorkloadsNameTargetsThatExist(t *testing.T) {
	t.Parallel()
	site := &Site{Post: "/blog/a/", Asset: "/assets/a.css", Posts: make([]string, seedPosts)}
	for _, w := range workloads {
		targetNamed(w.Against)
		if len(w.Requests(site)) == 0 {
			t.Errorf("%s asks nothing", w.Name)
		}
		for _, bar := range w.Bars {
			if metrics[bar.Metric] == nil || metricTitles[bar.Metric] == "" || (bar.AtLeast == 0) == (bar.AtMost == 0) {
				t.Errorf("%s has a bar that can't be judged: %+v", w.Name, bar)
			}
		}
	}
}
