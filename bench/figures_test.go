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

func TestRequiredVersion(t *testing.T) {
	t.Parallel()
	const module = "example.com/a"
	for _, c := range []struct{ mod, want string }{
		{"require example.com/a v1.2.3\n", "v1.2.3"},
		{"require (\n\texample.com/ab v9.9.9\n\texample.com/a v1.2.4 // indirect\n)\n", "v1.2.4"},
		{"module example.com/a\n", "none"},
		{"", "none"},
	} {
		if got := requiredVersion(c.mod, module, "none"); got != c.want {
			t.Errorf("%q gave %q, want %q", c.mod, got, c.want)
		}
	}
	if m := describeMachine(); m.Sync <= 0 || m.PocketBase == "unknown" || m.Load == "unknown" {
		t.Errorf("got %+v", m)
	}
}

func TestReportIsWrittenTwice(t *testing.T) {
	t.Parallel()
	r := Report{
		Machine:  describeMachine(),
		Rows:     []Row{{Group: siteGroup, Title: "page", Conns: 64, Server: "bare", Turn: Turn{PerSecond: 1234, P99: 1500 * time.Microsecond}, Ratio: map[string]float64{"perSecond": 0.7}}},
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
	for _, want := range []string{"1234", "1.50 ms", "0.70×", "MISSED", "kit/queue Enqueue", r.Machine.Commit, "PocketBase v"} {
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
