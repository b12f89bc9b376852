package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"bungalow/tests/binary"
)

// Turn is what one server showed in one turn.
type Turn struct {
	PerSecond float64       `json:"per_second"`
	P50       time.Duration `json:"p50_ns"`
	P99       time.Duration `json:"p99_ns"`
	CPU       time.Duration `json:"cpu_ns_per_request"`
}

// Row is one server under one workload at one number of connections: the
// median of its turns, and the median of the ratios subject : this server,
// taken round by round.
type Row struct {
	Workload string             `json:"workload"`
	Title    string             `json:"title"`
	Conns    int                `json:"connections"`
	Server   string             `json:"server"`
	Turn     Turn               `json:"median"`
	PeakRSS  int64              `json:"peak_rss_bytes"`
	Ratio    map[string]float64 `json:"subject_to_this,omitempty"`
}

// measure is the whole run: figures of the process, then every workload, then
// the benchmarks of the packages, then the report.
func measure(ctx context.Context, cfg config, out io.Writer) error {
	report := Report{Machine: describeMachine(), Quick: cfg.quick}
	say := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }

	say("building the executable")
	path, err := binary.Build()
	if err != nil {
		return err
	}
	home, remove, err := tempHome()
	if err != nil {
		return err
	}
	defer remove()
	say("seeding a site of %d posts", seedPosts)
	site, err := seedSite(ctx, home)
	if err != nil {
		return fmt.Errorf("seed the site: %w", err)
	}
	if report.Process, err = measureProcess(ctx, site, path, cfg.quick); err != nil {
		return err
	}
	for _, w := range workloads {
		if cfg.only != "" && !slices.Contains(strings.Split(cfg.only, ","), w.Name) {
			continue
		}
		say("measuring %s", w.Title)
		rows, err := runWorkload(ctx, cfg, site, w)
		if err != nil {
			return fmt.Errorf("%s: %w", w.Title, err)
		}
		report.Rows = append(report.Rows, rows...)
		report.Verdicts = append(report.Verdicts, judge(w, rows)...)
	}
	if !cfg.skipGo {
		say("running go test -bench")
		report.Go = runGoBenches(ctx, cfg.quick, say)
	}
	report.Verdicts = append(report.Process.judge(), report.Verdicts...)
	say("")
	if err := report.print(out); err != nil {
		return err
	}
	if cfg.out != "" {
		if err := report.save(cfg.out); err != nil {
			return err
		}
		say("\nwritten to %s", cfg.out)
	}
	if report.missed() {
		return errMissed
	}
	return nil
}

// running is a started target.
type running struct {
	Target
	server *binary.Server
	turns  map[int][]Turn // by number of connections
}

func runWorkload(ctx context.Context, cfg config, site *Site, w Workload) ([]Row, error) {
	requests := w.Requests(site)
	us, err := targetNamed(subject).Start(ctx, site, nil)
	if err != nil {
		return nil, err
	}
	defer us.Kill()
	answers, err := record(ctx, hostOf(us), requests)
	if err != nil {
		return nil, err
	}
	other := targetNamed(w.Against)
	them, err := other.Start(ctx, site, answers)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", other.Title, err)
	}
	defer them.Kill()
	if err := sameAnswers(ctx, hostOf(them), requests, answers); err != nil {
		return nil, err
	}
	servers := []*running{
		{Target: targetNamed(subject), server: us, turns: map[int][]Turn{}},
		{Target: other, server: them, turns: map[int][]Turn{}},
	}
	for _, conns := range cfg.connCount {
		if err := rounds(ctx, cfg, servers, Plan{Requests: requests, Conns: conns, Duration: cfg.round, Max: cfg.max}); err != nil {
			return nil, err
		}
	}
	return rowsOf(w, cfg.connCount, servers)
}

// rounds gives every server its turn in every round; the order rotates, so
// that no server is always the one that meets a warm or a tired machine.
func rounds(ctx context.Context, cfg config, servers []*running, p Plan) error {
	warm := p
	warm.Duration /= 4
	for _, s := range servers {
		if _, err := Load(ctx, hostOf(s.server), warm); err != nil {
			return fmt.Errorf("%s: %w", s.Title, err)
		}
	}
	for round := range cfg.rounds {
		for i := range servers {
			s := servers[(round+i)%len(servers)]
			turn, err := takeTurn(ctx, s.server, p)
			if err != nil {
				return fmt.Errorf("%s: %w", s.Title, err)
			}
			s.turns[p.Conns] = append(s.turns[p.Conns], turn)
		}
	}
	return nil
}

func takeTurn(ctx context.Context, s *binary.Server, p Plan) (Turn, error) {
	before, err := cpuTime(s.PID())
	if err != nil {
		return Turn{}, err
	}
	sample, err := Load(ctx, hostOf(s), p)
	if err != nil {
		return Turn{}, err
	}
	after, err := cpuTime(s.PID())
	if err != nil {
		return Turn{}, err
	}
	if sample.Requests == 0 {
		return Turn{}, fmt.Errorf("no request was answered in %s", p.Duration)
	}
	return Turn{
		PerSecond: sample.PerSecond(), P50: sample.Quantile(0.50), P99: sample.Quantile(0.99),
		CPU: (after - before) / time.Duration(sample.Requests),
	}, nil
}

func rowsOf(w Workload, connCount []int, servers []*running) ([]Row, error) {
	var rows []Row
	ours := servers[0]
	for _, conns := range connCount {
		for i, s := range servers {
			_, peak, err := memory(s.server.PID())
			if err != nil {
				return nil, err
			}
			row := Row{
				Workload: w.Name, Title: w.Title, Conns: conns, Server: s.Title,
				Turn: medianTurn(s.turns[conns]), PeakRSS: peak,
			}
			if i > 0 {
				row.Ratio = ratios(ours.turns[conns], s.turns[conns])
			}
			rows = append(rows, row)
		}
	}
	return rows, nil
}

// metrics are the figures of a turn by the names that bars use.
var metrics = map[string]func(Turn) float64{
	"perSecond": func(t Turn) float64 { return t.PerSecond },
	"p50":       func(t Turn) float64 { return float64(t.P50) },
	"p99":       func(t Turn) float64 { return float64(t.P99) },
	"cpu":       func(t Turn) float64 { return float64(t.CPU) },
}

func medianTurn(turns []Turn) Turn {
	of := func(name string) float64 {
		var values []float64
		for _, t := range turns {
			values = append(values, metrics[name](t))
		}
		return median(values)
	}
	return Turn{
		PerSecond: of("perSecond"), P50: time.Duration(of("p50")),
		P99: time.Duration(of("p99")), CPU: time.Duration(of("cpu")),
	}
}

// ratios pairs the turns of the same round.
func ratios(ours, theirs []Turn) map[string]float64 {
	result := map[string]float64{}
	for name, value := range metrics {
		var each []float64
		for i := range min(len(ours), len(theirs)) {
			if d := value(theirs[i]); d > 0 {
				each = append(each, value(ours[i])/d)
			}
		}
		if len(each) > 0 {
			result[name] = median(each)
		}
	}
	return result
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	mid := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[mid]
	}
	return (sorted[mid-1] + sorted[mid]) / 2
}
