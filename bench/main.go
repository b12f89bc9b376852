// Command bench measures Bungalow beside something known, in one run, so that
// the figures are ratios and not the praise of one machine.
//
// It seeds a site, starts the built executable and what it is compared with in
// processes of their own, and loads them in turns with a closed-loop generator
// over kept-alive connections. It is bounded in time and in requests. It
// changes nothing but the report files and folders of its own.
//
// Pages of the site stand beside bare net/http; the REST API stands beside
// plain PocketBase of the same version, on copies of one seeded folder.
//
//	go run ./bench                       everything, report in docs/
//	go run ./bench -quick                under 90 seconds, printed only
//	go run ./bench -only engine          one group of workloads
//	go run ./bench -only page -rounds 9  one workload, more rounds
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

type config struct {
	quick     bool
	only      string
	rounds    int
	round     time.Duration
	max       int
	out       string
	bare      string
	prepared  string
	serveAddr string
	skipGo    bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	cfg, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	switch {
	case cfg.bare != "":
		err = serveBare(ctx, cfg.bare, cfg.serveAddr)
	case cfg.prepared != "":
		err = servePrepared(ctx, cfg.prepared, cfg.serveAddr)
	default:
		err = measure(ctx, cfg, stdout)
	}
	if err != nil {
		_, _ = fmt.Fprintln(stderr, "bench:", err)
		return 1
	}
	return 0
}

func parse(args []string, stderr io.Writer) (config, error) {
	var cfg config
	fs := flag.NewFlagSet("bench", flag.ContinueOnError)
	fs.SetOutput(stderr)
	fs.BoolVar(&cfg.quick, "quick", false, "fewer workloads and connections, a smaller folder, short rounds, no report files: under 90 seconds")
	fs.StringVar(&cfg.only, "only", "", "site, engine, or names of workloads, separated by commas (default all)")
	fs.IntVar(&cfg.rounds, "rounds", 0, "rounds per workload and number of connections (default 5 for pages, 3 for the engine, quick 2)")
	fs.DurationVar(&cfg.round, "round", 0, "length of one server's turn in a round (default 3s for pages, 2s for the engine, quick 1s and 400ms)")
	fs.IntVar(&cfg.max, "max", 500_000, "requests that end a turn early")
	fs.StringVar(&cfg.out, "out", "", "report file, its JSON lies beside it (default docs/benchmarks.md if everything is measured)")
	fs.BoolVar(&cfg.skipGo, "skip-go", false, "leave out the figures of go test -bench, as -quick and -only do")
	fs.StringVar(&cfg.bare, "bare", "", "internal: serve the recorded answers of this file")
	fs.StringVar(&cfg.prepared, "prepared", "", "internal: serve articles of this database")
	fs.StringVar(&cfg.serveAddr, "addr", "", "internal: address for -bare and -prepared")
	if err := fs.Parse(args); err != nil {
		return cfg, err
	}
	if cfg.out == "" && !cfg.quick && cfg.only == "" {
		cfg.out = "docs/benchmarks.md"
	}
	cfg.skipGo = cfg.skipGo || cfg.quick || cfg.only != ""
	if err := cfg.check(); err != nil {
		_, _ = fmt.Fprintln(stderr, "bench:", err)
		return cfg, err
	}
	return cfg, nil
}

// pace is how long a group's workloads are measured.
func (cfg config) pace(groupName string) pace {
	p := pace{rounds: 5, round: 3 * time.Second}
	switch {
	case cfg.quick && groupName == engineGroup:
		p = pace{rounds: 2, round: 400 * time.Millisecond}
	case cfg.quick:
		p = pace{rounds: 2, round: time.Second}
	case groupName == engineGroup:
		p = pace{rounds: 3, round: 2 * time.Second}
	}
	if cfg.rounds > 0 {
		p.rounds = cfg.rounds
	}
	if cfg.round > 0 {
		p.round = cfg.round
	}
	return p
}

func pick[T any](when bool, yes, no T) T {
	if when {
		return yes
	}
	return no
}
