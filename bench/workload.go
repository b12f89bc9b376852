package main

import (
	"fmt"
	"slices"
	"strings"
)

// A Workload is a row of the tables in pages.go and engine.go: what is asked,
// of whom, and what must come out. To measure something new, add a row; a
// comparison with another server is a row in targets.
type Workload struct {
	Name     string
	Title    string
	Against  []string // the targets that the subject is compared with
	Requests func(*Site) []Request
	Bars     []Bar
	Conns    []int // numbers of connections; nil is 1, 16 and 64
	Quick    bool  // measured in the quick form too

	// Audience subscribers listen over /api/realtime to what Requests create.
	Audience int
	// Background is asked by backgroundConns connections while Requests are.
	Background func(*Site) []Request
}

// A Bar is a promise about the ratio subject : other in one metric.
type Bar struct {
	Metric  string // one of metricTitles
	Conns   int
	Against string  // a target; "" is the first that the workload names
	AtLeast float64 // 0: no lower bound
	AtMost  float64 // 0: no upper bound
}

// The groups of workloads.
const (
	siteGroup   = "site"   // pages of the site, promised since the first release
	engineGroup = "engine" // the REST API beside plain PocketBase
)

// group gives the workloads of a group in the order in which they are measured.
func group(name string) []Workload {
	if name == engineGroup {
		return engineWorkloads
	}
	return siteWorkloads
}

// selects reports whether -only asks for a workload; the quick form leaves out
// what is not named and not marked.
func (cfg config) selects(groupName string, w Workload) bool {
	if slices.Contains(cfg.names(), w.Name) {
		return true
	}
	return cfg.selectsGroup(groupName) && (w.Quick || !cfg.quick)
}

// selectsGroup reports whether a whole group is asked for.
func (cfg config) selectsGroup(name string) bool {
	return cfg.only == "" || slices.Contains(cfg.names(), name)
}

func (cfg config) names() []string { return strings.Split(cfg.only, ",") }

// selected gives the workloads of a group that this run measures.
func (cfg config) selected(groupName string) []Workload {
	var chosen []Workload
	for _, w := range group(groupName) {
		if cfg.selects(groupName, w) {
			chosen = append(chosen, w)
		}
	}
	return chosen
}

// check refuses a name in -only that nothing has.
func (cfg config) check() error {
	for _, name := range cfg.names() {
		if name != "" && !slices.Contains(knownNames(), name) {
			return fmt.Errorf("no workload %q; there are: %s", name, strings.Join(knownNames(), ", "))
		}
	}
	return nil
}

func knownNames() []string {
	var names []string
	for _, g := range []string{siteGroup, engineGroup} {
		names = append(names, g)
		for _, w := range group(g) {
			names = append(names, w.Name)
		}
	}
	return names
}

// connections are the numbers of connections of a workload in this run. The
// quick form keeps those that a bar names.
func (cfg config) connections(w Workload) []int {
	all := w.Conns
	if all == nil {
		all = []int{1, 16, 64}
	}
	if !cfg.quick {
		return all
	}
	var barred []int
	for _, n := range all {
		if slices.ContainsFunc(w.Bars, func(b Bar) bool { return b.Conns == n }) {
			barred = append(barred, n)
		}
	}
	if len(barred) == 0 {
		return all[len(all)/2 : len(all)/2+1]
	}
	return barred
}

// against is the target that a bar compares with.
func (w Workload) against(b Bar) string {
	if b.Against != "" {
		return b.Against
	}
	return w.Against[0]
}

// GoBench names a package whose own benchmarks belong in the report.
type GoBench struct {
	Package string
	Pattern string
}

var goBenches = []GoBench{
	{Package: "./hooks/kit/queue", Pattern: "."},
	{Package: "./hooks/kit/cache", Pattern: "."},
	{Package: "./hooks/site", Pattern: "."},
}
