package main

import (
	"strings"
	"testing"
	"time"
)

func TestJudgeKnowsBothDirections(t *testing.T) {
	t.Parallel()
	w := Workload{Title: "page", Against: []string{bare}, Bars: pageBars}
	row := func(perSecond, p99 float64, conns int, server string) Row {
		return Row{Conns: conns, Server: server, Ratio: map[string]float64{"perSecond": perSecond, "p99": p99}}
	}
	cases := []struct {
		row  Row
		want []bool
	}{
		{row(0.61, 1.9, 64, "bare net/http"), []bool{true, true}},
		{row(0.59, 2.1, 64, "bare net/http"), []bool{false, false}},
		{row(0.10, 9.9, 16, "bare net/http"), nil},
		{row(0.10, 9.9, 64, "PocketBase"), nil},
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

// A bar that names another target is judged on that one alone.
func TestBarsNameTheirTarget(t *testing.T) {
	t.Parallel()
	w := Workload{Title: "create", Against: []string{vanilla, vanillaFull}, Bars: []Bar{
		{Metric: "perSecond", Conns: 16, AtLeast: 2},
		{Metric: "perSecond", Conns: 16, AtLeast: 3, Against: vanillaFull},
	}}
	got := judge(w, []Row{
		{Conns: 16, Server: "PocketBase", Ratio: map[string]float64{"perSecond": 2.5, "cpu": 0.4}},
		{Conns: 16, Server: "PocketBase at FULL", Ratio: map[string]float64{"perSecond": 2.9}},
	})
	if len(got) != 2 || !got[0].Met || got[1].Met || got[0].CPU != "0.40×" || got[1].CPU != "" || !strings.HasSuffix(got[1].What, "compared with PocketBase at FULL") {
		t.Errorf("got %+v", got)
	}
}

func TestStrainIsTheSubjectsOwn(t *testing.T) {
	t.Parallel()
	turns := []Turn{{P99: 40, IdleP99: 10}, {P99: 50, IdleP99: 20}, {P99: 90, IdleP99: 10}}
	m := medianTurn(turns)
	if m.Strain != 4 {
		t.Fatalf("strain %v, want the median of the rounds", m.Strain)
	}
	w := Workload{Title: "get", Against: []string{vanilla}, Bars: []Bar{{Metric: "strain", Conns: 16, AtMost: 3}}}
	got := judge(w, []Row{{Conns: 16, Server: "Bungalow", Turn: m}, {Conns: 16, Server: "PocketBase", Turn: Turn{Strain: 2}}})
	if len(got) != 1 || got[0].Met || got[0].Got != "4.00×" {
		t.Errorf("got %+v", got)
	}
}

func TestMemoryIsJudgedByTheWorst(t *testing.T) {
	t.Parallel()
	if got := judgeMemory([]Row{{Server: "bare net/http", Ratio: map[string]float64{"peak": 9}}}); got != nil {
		t.Errorf("got %+v", got)
	}
	got := judgeMemory([]Row{
		{Server: "PocketBase", Title: "get", Ratio: map[string]float64{"peak": 0.8}},
		{Server: "PocketBase", Title: "list", Ratio: map[string]float64{"peak": 1.2}},
	})
	if len(got) != 1 || got[0].Met || !strings.Contains(got[0].What, "(list)") || got[0].Got != "1.20×" {
		t.Errorf("got %+v", got)
	}
}

// The engine's misses are shown and don't fail the run.
func TestTargetsDoNotFailTheRun(t *testing.T) {
	t.Parallel()
	r := Report{Verdicts: []Verdict{{Met: true}}, Targets: []Verdict{{What: "get", Got: "1.00×", Bound: "≥ 2.00×"}}, LeftOut: []string{"batch"}}
	if r.missed() {
		t.Error("a target of the engine failed the run")
	}
	if text := r.markdown(); !strings.Contains(text, "MISSED") || !strings.Contains(text, "ran out of time: batch") {
		t.Errorf("got %s", text)
	}
	r.Verdicts[0].Met = false
	if !r.missed() {
		t.Error("a missed promise did not fail the run")
	}
}

func TestRatioTableHasALinePerWorkload(t *testing.T) {
	t.Parallel()
	row := func(workload string, conns int, server string, perSecond float64) Row {
		r := Row{Group: engineGroup, Workload: workload, Title: workload, Conns: conns, Server: server}
		if perSecond > 0 {
			r.Ratio = map[string]float64{"perSecond": perSecond, "peak": 0.5}
		}
		return r
	}
	r := Report{Rows: []Row{
		{Group: siteGroup, Title: "page", Server: "Bungalow"},
		row("create", 16, "Bungalow", 0), row("create", 16, "PocketBase", 2), row("create", 16, "PocketBase at FULL", 3),
		row("create", 64, "Bungalow", 0), row("create", 64, "PocketBase", 4),
		row("theme", 64, "Bungalow", 0), row("theme", 64, "bare net/http", 0.9),
	}}
	got := r.ratioTable()
	want := []string{
		"create|16|2.00×|3.00×||||||0.50×", "create|64|4.00×|||||||0.50×", "theme|64||||0.90×||||",
	}
	for i, w := range want {
		if line := strings.Join(got[i+1], "|"); line != w {
			t.Errorf("line %d is %q, want %q", i, line, w)
		}
	}
	if len(got) != 4 {
		t.Errorf("%d lines", len(got))
	}
}

func TestBesides(t *testing.T) {
	t.Parallel()
	m := medianTurn([]Turn{
		{Broadcast: &Broadcast{Reply: 2e6, Delivered: 4e6, Lost: 1, Closed: 2}},
		{Broadcast: &Broadcast{Reply: 4e6, Delivered: 8e6, Lost: 2, Closed: 3}},
	})
	want := "one create: reply 3.00 ms, all have it 6.00 ms, 3 events late or lost, 3 subscribers closed"
	if got := m.besides(); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (Turn{}).besides() + (Turn{}).cpuCell(); got != "" {
		t.Errorf("got %q", got)
	}
}

func TestJudgeRateLooksAtTheSubjectAlone(t *testing.T) {
	t.Parallel()
	w := Workload{Title: "form", Against: []string{bare}, Bars: []Bar{{Metric: "rate", Conns: 64, AtLeast: 1500}}}
	for perSecond, met := range map[float64]bool{1499: false, 1500: true} {
		got := judge(w, []Row{
			{Server: targetNamed(bare).Title, Conns: 64, Turn: Turn{PerSecond: 40_000}},
			{Server: targetNamed(subject).Title, Conns: 16, Turn: Turn{PerSecond: 9000}},
			{Server: targetNamed(subject).Title, Conns: 64, Turn: Turn{PerSecond: perSecond}},
		})
		if len(got) != 1 || got[0].Met != met || got[0].Bound != "≥ 1500" {
			t.Errorf("%v: %+v", perSecond, got)
		}
	}
}
