package engine

import (
	"strings"
	"testing"

	"github.com/pocketbase/pocketbase/core"
)

// TestAnswersFromMemoryAreCounted holds that with every kind of rule the same
// requests are refused as by plain PocketBase, answers from memory or not.
func TestAnswersFromMemoryAreCounted(t *testing.T) {
	t.Parallel()
	rule := func(label, audience string, most int) core.RateLimitRule {
		return core.RateLimitRule{Label: label, Audience: audience, MaxRequests: most, Duration: 3600}
	}
	const list, view = "/api/collections/books/records?perPage=2", "/api/collections/books/records/"
	for name, rules := range map[string][]core.RateLimitRule{
		"the prefix of all":     {rule("/api/", "@guest", 7), rule("/api/", "@auth", 11)},
		"everybody":             {rule("/api/", "", 9)},
		"lists":                 {rule("*:list", "", 4)},
		"lists of books, views": {rule("books:list", "", 5), rule("*:view", "@guest", 3)},
		"one address":           {rule("GET /api/collections/books/records", "", 6)},
		"others only":           {rule("POST /api/", "", 1), rule("authors:list", "", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, everything, func(s *core.Settings) {
				s.RateLimits.Enabled, s.RateLimits.Rules = true, rules
				s.RateLimits.ExcludedIPs = []string{"10.9.0.0/16"}
				s.TrustedProxy.Headers = []string{"X-Real-IP"}
			})
			refused := 0
			for i := range 14 {
				for _, header := range [][]string{
					nil, {"X-Real-IP: 10.0.0.1", "Content-Type: application/json"}, {"X-Real-IP: 10.9.1.1"},
					{"Authorization: TOKEN"}, {"Authorization: SUPER"}, {"X-Real-IP: nonsense"},
				} {
					for _, path := range []string{list, view + id("book3"), "/api/collections/users/auth-methods"} {
						if i%3 == 1 && path == list {
							path += "&sort=-pages" // not in memory at first
						}
						if line := p.ask(t, path, header...); strings.Contains(line, " 429 ") {
							refused++
						}
					}
				}
			}
			if limits := name != "others only"; limits == (refused == 0) {
				t.Errorf("%d requests were refused", refused)
			}
			if p.hits() == 0 {
				t.Error("no request took the shortcut")
			}
		})
	}
}

func BenchmarkToll(b *testing.B) {
	p := newPair(b, everything, func(s *core.Settings) {
		s.RateLimits.Enabled, s.RateLimits.Rules = true, []core.RateLimitRule{{Label: "/api/", MaxRequests: 1 << 40, Duration: 1}}
	})
	r := Of(p.ours.App).responses
	req := newRequest(b, "/api/collections/books/records?perPage=3")
	b.ReportAllocs()
	for b.Loop() {
		if !r.toll.pay(req, nil) {
			b.Fatal("refused")
		}
	}
}
