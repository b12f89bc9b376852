package main

import "strings"

// A Workload is a row of the table below: what is asked, of whom, and what
// must come out. To measure something new, add a row; a comparison with another
// server is a row in targets.
type Workload struct {
	Name     string
	Title    string
	Against  string // the target that the subject is compared with
	Requests func(*Site) []Request
	Bars     []Bar
}

// A Bar is a promise about the ratio subject : other in one metric.
type Bar struct {
	Metric  string // perSecond, p50, p99 or cpu
	Conns   int
	AtLeast float64 // 0: no lower bound
	AtMost  float64 // 0: no upper bound
}

// pageBars are the promises for a page that comes from memory.
var pageBars = []Bar{
	{Metric: "perSecond", Conns: 64, AtLeast: 0.60},
	{Metric: "p99", Conns: 64, AtMost: 2},
}

var workloads = []Workload{
	{
		Name: "page", Title: "cached post page", Against: "bare", Bars: pageBars,
		Requests: func(s *Site) []Request { return []Request{{Path: s.Post}} },
	},
	{
		Name: "page-br", Title: "cached post page, Brotli", Against: "bare", Bars: pageBars,
		Requests: func(s *Site) []Request {
			return []Request{{Path: s.Post, Header: map[string]string{"Accept-Encoding": "br"}}}
		},
	},
	{
		Name: "pages", Title: "forty cached pages in turn", Against: "bare", Bars: pageBars,
		Requests: func(s *Site) []Request {
			requests := []Request{{Path: "/"}, {Path: "/blog/"}}
			for _, path := range s.Posts {
				requests = append(requests, Request{Path: path})
			}
			return requests[:40]
		},
	},
	{
		Name: "asset", Title: "theme stylesheet", Against: "bare",
		Requests: func(s *Site) []Request { return []Request{{Path: s.Asset}} },
	},
}

func workloadNames() string {
	var names []string
	for _, w := range workloads {
		names = append(names, w.Name)
	}
	return strings.Join(names, ", ")
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
