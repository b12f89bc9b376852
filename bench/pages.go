package main

import (
	"fmt"
	"net/http"
)

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
	{
		Name: "form", Title: "form submission, stored with its conversation", Against: []string{bare}, Conns: []int{16, 64}, Quick: true,
		Bars:     []Bar{{Metric: "rate", Conns: 64, AtLeast: 1500}},
		Requests: func(*Site) []Request { return submissions() },
	},
}

// formSlug is the form of the seeded site that takes as much as it can get.
const formSlug = "measured"

// different is how many submissions differ: the same one again within two
// minutes is a double click, which costs less.
const different = 100_000

// submissions are what a plain HTML form sends, each by another visitor.
func submissions() []Request {
	requests := make([]Request, different)
	for i := range requests {
		requests[i] = Request{
			Method: http.MethodPost, Path: "/f/" + formSlug, Status: http.StatusCreated, Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded"},
			Body: fmt.Sprintf("name=Visitor+%d&email=visitor%d%%40example.com&message=I+have+read+page+%d+and+would+like+to+know+whether+the+veranda+is+open+on+day+%d.%%0D%%0AThank+you.", i, i, i, i),
		}
	}
	return requests
}
