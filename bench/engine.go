package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

const (
	batchSize       = 50
	backgroundConns = 8
	audience        = 1000
)

// faster is the bar most workloads have: requests/s beside plain PocketBase at
// 16 connections.
func faster(atLeast float64) []Bar {
	return []Bar{{Metric: "perSecond", Conns: 16, AtLeast: atLeast}}
}

// engineWorkloads compare the REST API with plain PocketBase on copies of one
// folder, and show how far the limit is: prepared SQL behind net/http, and the
// same bytes from net/http alone. What is not called hot or cached asks for
// another record or another filter each time.
var engineWorkloads = []Workload{
	{
		Name: "get", Title: "get a record", Against: []string{vanilla, prepared}, Bars: faster(2), Quick: true,
		Requests: func(s *Site) []Request { return gets(s.Folder.Size.Articles) },
	},
	{
		Name: "hot-get", Title: "get one record, hot", Against: []string{vanilla, bare}, Bars: faster(5), Quick: true,
		Requests: func(*Site) []Request { return gets(1) },
	},
	{
		Name: "get-token", Title: "get a record with a token", Against: []string{vanilla}, Bars: faster(2.7), Quick: true,
		Requests: getsWithToken,
	},
	{
		Name: "create", Title: "create", Against: []string{vanilla, vanillaFull, prepared, bare}, Quick: true,
		Requests: func(s *Site) []Request { return creates(articles, s) },
		Bars: []Bar{
			{Metric: "perSecond", Conns: 16, AtLeast: 1.5},
			{Metric: "perSecond", Conns: 64, AtLeast: 1.8},
			{Metric: "perSecond", Conns: 16, AtLeast: 3, Against: vanillaFull},
			{Metric: "perSecond", Conns: 64, AtLeast: 3, Against: vanillaFull},
		},
	},
	{
		Name: "create-rule", Title: "create with a rule and a token", Against: []string{vanilla}, Bars: faster(1.8), Quick: true,
		Requests: func(s *Site) []Request { return creates(notes, s) },
	},
	{
		Name: "list", Title: "list 30, indexed", Against: []string{vanilla}, Bars: faster(2.5), Quick: true,
		Requests: func(s *Site) []Request { return lists(s, "sort=views&skipTotal=1&filter=views>%d", 1) },
	},
	{
		Name: "list-cached", Title: "list 30, cached", Against: []string{vanilla, bare}, Bars: faster(20), Quick: true,
		Requests: func(s *Site) []Request {
			return lists(s, "sort=views&skipTotal=1&filter=views>%d", s.Folder.Size.Articles)
		},
	},
	{
		Name: "totals", Title: "list 30 with totals", Against: []string{vanilla}, Bars: faster(2.4), Quick: true,
		Requests: func(s *Site) []Request { return lists(s, "sort=views&filter=views>%d", 1) },
	},
	{
		Name: "totals-cached", Title: "list 30 with totals, cached", Against: []string{vanilla, bare}, Bars: faster(100), Quick: true,
		Requests: func(s *Site) []Request { return lists(s, "sort=views&filter=views>%d", s.Folder.Size.Articles) },
	},
	{
		Name: "list-unindexed", Title: "list 30, unindexed sort and filter", Against: []string{vanilla}, Conns: []int{1, 16},
		Requests: func(s *Site) []Request { return lists(s, "sort=-score&skipTotal=1&filter=score>%d", 1) },
	},
	{
		Name: "mixed", Title: "mixed 90/10, writes to the same collection", Against: []string{vanilla}, Bars: faster(2), Quick: true,
		Requests: func(s *Site) []Request { return mixed(s, articles) },
	},
	{
		Name: "mixed-elsewhere", Title: "mixed 90/10, writes to another collection", Against: []string{vanilla}, Bars: faster(7), Quick: true,
		Requests: func(s *Site) []Request { return mixed(s, events) },
	},
	{
		Name: "static", Title: "static file, 10 KB", Against: []string{vanilla, bare}, Bars: faster(1.8), Quick: true,
		Requests: func(*Site) []Request { return []Request{{Path: "/" + staticFile}} },
	},
	{
		Name: "theme", Title: "theme page", Against: []string{bare}, Conns: []int{16, 64},
		Requests: func(*Site) []Request { return []Request{{Path: "/blog/"}} },
	},
	{
		Name: "realtime", Title: "creates with 1,000 subscribers", Against: []string{vanilla}, Conns: []int{16}, Audience: audience,
		Bars: faster(4), Quick: true,
		Requests: func(s *Site) []Request { return creates(articles, s) },
	},
	{
		Name: "get-signins", Title: "get a record under 8 sign-in loops", Against: []string{vanilla}, Conns: []int{16}, Quick: true,
		Requests: func(s *Site) []Request { return gets(s.Folder.Size.Articles) }, Background: signIns,
		Bars: []Bar{{Metric: "strain", Conns: 16, AtMost: 3}},
	},
	{Name: "sign-in", Title: "sign-in", Against: []string{vanilla}, Conns: []int{1, 16}, Requests: signIns},
	{Name: "batch", Title: "batch of 50 creates", Against: []string{vanilla}, Conns: []int{1, 16}, Requests: batches},
}

func recordsPath(collection string) string { return "/api/collections/" + collection + "/records" }

// scatter visits all numbers below count, count being no multiple of 7919, in
// an order that no disk page explains.
func scatter(i, count int) int { return i * 7919 % count }

func gets(count int) []Request {
	requests := make([]Request, count)
	for i := range requests {
		requests[i] = Request{Path: recordsPath(articles) + "/" + articleID(scatter(i, count))}
	}
	return requests
}

// getsWithToken pairs notes and users so that a pair comes back late.
func getsWithToken(s *Site) []Request {
	f := s.Folder
	requests := make([]Request, 3*f.Size.Notes)
	for i := range requests {
		requests[i] = Request{
			Path:   recordsPath(notes) + "/" + noteID(scatter(i, f.Size.Notes)),
			Header: map[string]string{"Authorization": f.Tokens[(i+i/f.Size.Notes)%len(f.Tokens)]},
		}
	}
	return requests
}

// creates make new records, each by another author; those of notes are signed
// with the author's token.
func creates(collection string, s *Site) []Request {
	requests := make([]Request, len(s.Folder.Users))
	for i := range requests {
		requests[i] = Request{
			Method: http.MethodPost, Path: recordsPath(collection), Body: newRecord(i, s.Folder.Users[i]),
			Header: map[string]string{"Content-Type": "application/json"},
		}
		if collection == notes {
			requests[i].Header["Authorization"] = s.Folder.Tokens[i]
		}
	}
	return requests
}

func newRecord(n int, author string) string {
	return asJSON(map[string]any{"title": articleTitle(n), "body": articleBody(n), "views": n, "score": n, "published": true, "author": author})
}

// lists fill a number into the query, a step further each time; a step as wide
// as the table gives one request.
func lists(s *Site, query string, step int) []Request {
	var requests []Request
	count := s.Folder.Size.Articles
	for i := 0; i < count; i += step {
		n := scatter(i, count)
		if step == count {
			n = count / 3
		}
		requests = append(requests, Request{Path: recordsPath(articles) + "?perPage=30&" + urlQuery(fmt.Sprintf(query, n))})
	}
	return requests
}

// mixed is what a lively site asks: of ten requests six records and three lists
// out of a hundred that are read often, and one create.
func mixed(s *Site, writesTo string) []Request {
	var requests []Request
	writes := creates(writesTo, s)
	records := gets(s.Folder.Size.Articles)[:100]
	pages := lists(s, "sort=views&skipTotal=1&filter=views>%d", 1)[:100]
	for i := range 100 {
		for j := range 6 {
			requests = append(requests, records[(6*i+j)%100])
		}
		for j := range 3 {
			requests = append(requests, pages[(3*i+j)%100])
		}
		requests = append(requests, writes[i])
	}
	return requests
}

func signIns(s *Site) []Request {
	requests := make([]Request, len(s.Folder.Users))
	for i := range requests {
		requests[i] = Request{
			Method: http.MethodPost, Path: "/api/collections/users/auth-with-password",
			Header: map[string]string{"Content-Type": "application/json"},
			Body:   asJSON(map[string]string{"identity": userEmail(i), "password": userPassword}),
		}
	}
	return requests
}

func batches(s *Site) []Request {
	type call struct {
		Method string          `json:"method"`
		URL    string          `json:"url"`
		Body   json.RawMessage `json:"body"`
	}
	var calls []call
	for i := range batchSize {
		calls = append(calls, call{http.MethodPost, recordsPath(articles), json.RawMessage(newRecord(i, s.Folder.Users[i%len(s.Folder.Users)]))})
	}
	return []Request{{
		Method: http.MethodPost, Path: "/api/batch", Body: asJSON(map[string]any{"requests": calls}),
		Header: map[string]string{"Content-Type": "application/json"},
	}}
}

// urlQuery escapes what a filter holds and a query may not.
func urlQuery(q string) string { return strings.ReplaceAll(q, ">", "%3E") }

// asJSON encodes what always can be: maps and slices of plain values.
func asJSON(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(raw)
}
