package main

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
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
	{
		Name: "comment", Title: "comment, published, with a job for the mail about it", Against: []string{bare}, Conns: []int{16, 64}, Quick: true,
		Bars:     []Bar{{Metric: "rate", Conns: 64, AtLeast: 1500}},
		Requests: func(s *Site) []Request { return answers(s.Comment) },
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

// answers are comments below one comment, whose author asked to be told: each
// of another visitor and in other words, as the filter of likeness sees them.
func answers(to string) []Request {
	random := rand.New(rand.NewPCG(1, 2))
	requests := make([]Request, different)
	for i := range requests {
		var words strings.Builder
		for range 30 {
			words.WriteString(syllables[random.IntN(len(syllables))] + syllables[random.IntN(len(syllables))] + syllables[random.IntN(len(syllables))] + " ")
		}
		requests[i] = Request{
			Method: http.MethodPost, Path: "/api/site/comments", Status: http.StatusCreated, Header: map[string]string{"Content-Type": "application/json"},
			Body: asJSON(map[string]any{"thread": discussed, "parent": to, "author": fmt.Sprintf("Visitor %d", i), "email": fmt.Sprintf("visitor%d@example.com", i), "body": words.String() + "*and so on*."}),
		}
	}
	return requests
}

var syllables = strings.Fields("ka lo mi ne tu ra si do fe pa gu ve ha jo ri ba ze ni mo ta lu ke wa pi so")
