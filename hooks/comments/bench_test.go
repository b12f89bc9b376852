package comments_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"bungalow/hooks/comments"
	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/queue"
)

// BenchmarkPost is what one accepted comment costs, from the request to the
// answer: an answer to another one, so that a job about mail is enqueued.
func BenchmarkPost(b *testing.B) {
	site := newSite(b, nil)
	root := post(b, site, nil)
	if err := queue.Start(site.TestApp); err != nil {
		b.Fatal(err)
	}
	var n atomic.Int64
	b.ReportAllocs()
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			raw, _ := json.Marshal(map[string]any{"thread": thread, "parent": root.ID, "author": fmt.Sprint("Guest ", n.Load()), "email": fmt.Sprintf("guest%d@example.org", n.Add(1)), "body": chatter(40)})
			req := httptest.NewRequest("POST", "/api/site/comments", strings.NewReader(string(raw)))
			req.Header.Set("Content-Type", "application/json")
			rec := httptest.NewRecorder()
			site.Handler.ServeHTTP(rec, req)
			if rec.Code != 201 || !strings.Contains(rec.Body.String(), "approved") {
				b.Errorf("%d %s", rec.Code, rec.Body)
				return
			}
		}
	})
}

// BenchmarkFirstPage reads the first page of a thread of 5,000.
func BenchmarkFirstPage(b *testing.B) {
	site := newSite(b, nil)
	fillThread(b, site, 5000)
	found, err := comments.FindThread(site.TestApp, thread)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.Run("page", func(b *testing.B) {
		for b.Loop() {
			cache.Of(site.TestApp).BumpAll()
			if res, _ := site.Get(thread); res.StatusCode != 200 {
				b.Fatal(res.StatusCode)
			}
		}
	})
	for _, sort := range []string{comments.SortOldest, comments.SortNewest, comments.SortBest} {
		b.Run(sort, func(b *testing.B) {
			for b.Loop() {
				if l, err := comments.List(site.TestApp, found, 1, sort); err != nil || l.Count != 5000 {
					b.Fatal(l.Count, err)
				}
			}
		})
	}
}

// chatter is a text of so many words that is like no other.
func chatter(words int) string {
	var out strings.Builder
	for range words {
		fmt.Fprintf(&out, "w%d ", rand.IntN(5000))
	}
	return out.String()
}
