// Command bench measures Bungalow beside something known, in one run, so that
// the figures are ratios and not the praise of one machine.
//
// It seeds a site, starts the built executable and what it is compared with in
// processes of their own, and loads them in turns with a closed-loop generator
// over kept-alive connections. It is bounded in time and in requests. It
// changes nothing but the report files and folders of its own.
//
//	go run ./bench                       everything, report in docs/
//	go run ./bench -quick                under 90 seconds, printed only
//	go run ./bench -only page -rounds 9  one workload, more rounds
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
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
	bareAddr  string
	skipGo    bool
	connCount []int
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
	if cfg.bare != "" {
		err = serveBare(ctx, cfg.bare, cfg.bareAddr)
	} else {
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
	fs.BoolVar(&cfg.quick, "quick", false, "64 connections only, short rounds, no report files: under 90 seconds")
	fs.StringVar(&cfg.only, "only", "", "names of workloads to run, separated by commas (default all)")
	fs.IntVar(&cfg.rounds, "rounds", 0, "rounds per workload and number of connections (default 5, quick 3)")
	fs.DurationVar(&cfg.round, "round", 0, "length of one server's turn in a round (default 3s, quick 1.5s)")
	fs.IntVar(&cfg.max, "max", 500_000, "requests that end a turn early")
	fs.StringVar(&cfg.out, "out", "", "report file, its JSON lies beside it (default docs/benchmarks.md, quick none)")
	fs.BoolVar(&cfg.skipGo, "skip-go", false, "leave out the figures of go test -bench")
	fs.StringVar(&cfg.bare, "bare", "", "internal: serve the recorded answers of this file")
	fs.StringVar(&cfg.bareAddr, "addr", "", "internal: address for -bare")
	if err := fs.Parse(args); err != nil {
		return cfg, err
	}
	cfg.connCount = []int{1, 16, 64}
	if cfg.quick {
		cfg.connCount = []int{64}
	}
	if cfg.rounds <= 0 {
		cfg.rounds = pick(cfg.quick, 3, 5)
	}
	if cfg.round <= 0 {
		cfg.round = pick(cfg.quick, 1500*time.Millisecond, 3*time.Second)
	}
	if cfg.out == "" && !cfg.quick {
		cfg.out = "docs/benchmarks.md"
	}
	for name := range strings.SplitSeq(cfg.only, ",") {
		if name != "" && !slices.ContainsFunc(workloads, func(w Workload) bool { return w.Name == name }) {
			err := fmt.Errorf("no workload %q; there are: %s", name, workloadNames())
			_, _ = fmt.Fprintln(stderr, "bench:", err)
			return cfg, err
		}
	}
	return cfg, nil
}

func pick[T any](when bool, yes, no T) T {
	if when {
		return yes
	}
	return no
}
