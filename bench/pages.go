package main

// pageBars are the promises for a page that comes from memory.
var pageBars = []Bar{
	{Metric: "perSecond", Conns: 64, AtLeast: 0.60},
	{Metric: "p99", Conns: 64, AtMost: 2},
}

// siteWorkloads are the pages that the site makes, beside the same bytes from
// bare net/http.
var siteWorkloads = []Workload{
	{
		Name: "page", Title: "cached post page", Against: []string{bare}, Bars: pageBars, Quick: true,
		Requests: func(s *Site) []Request { return []Request{{Path: s.Post}} },
	},
	{
		Name: "page-br", Title: "cached post page, Brotli", Against: []string{bare}, Bars: pageBars, Quick: true,
		Requests: func(s *Site) []Request {
			return []Request{{Path: s.Post, Header: map[string]string{"Accept-Encoding": "br"}}}
		},
	},
	{
		Name: "pages", Title: "forty cached pages in turn", Against: []string{bare}, Bars: pageBars, Quick: true,
		Requests: func(s *Site) []Request {
			requests := []Request{{Path: "/"}, {Path: "/blog/"}}
			for _, path := range s.Posts {
				requests = append(requests, Request{Path: path})
			}
			return requests[:40]
		},
	},
	{
		Name: "asset", Title: "theme stylesheet", Against: []string{bare},
		Requests: func(s *Site) []Request { return []Request{{Path: s.Asset}} },
	},
}
