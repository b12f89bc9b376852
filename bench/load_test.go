package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bungalow/tests/binary"
)

func TestLoadCountsEveryRequestOnce(t *testing.T) {
	t.Parallel()
	var served atomic.Int64
	var hosts sync.Map
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		hosts.Store(r.RemoteAddr, true)
		_, _ = w.Write(bytes.Repeat([]byte("x"), 100_000)) // chunked: above net/http's buffer
	}))
	t.Cleanup(server.Close)

	s, err := Load(t.Context(), server.Listener.Addr().String(), Plan{
		Requests: []Request{{Path: "/a"}, {Path: "/b"}}, Conns: 4, Duration: time.Minute, Max: 200,
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Requests != 200 || served.Load() != 200 {
		t.Errorf("counted %d, served %d, want 200", s.Requests, served.Load())
	}
	conns := 0
	hosts.Range(func(any, any) bool { conns++; return true })
	if conns > 4 {
		t.Errorf("%d connections were opened for 4", conns)
	}
	if p50, p99 := s.Quantile(0.5), s.Quantile(0.99); p50 <= 0 || p99 < p50 || p99 > s.Elapsed {
		t.Errorf("p50 %s, p99 %s, elapsed %s", p50, p99, s.Elapsed)
	}
}

// TestTurnsGoOnWhereTheLastEnded asks seven paths in turn: two turns of five
// requests ask the first three twice.
func TestTurnsGoOnWhereTheLastEnded(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		seen[r.URL.Path]++
	}))
	t.Cleanup(server.Close)
	var requests []Request
	for _, name := range strings.Split("abcdefg", "") {
		requests = append(requests, Request{Path: "/" + name})
	}
	p := Plan{Requests: requests, Conns: 3, Duration: time.Minute, Max: 5}
	for range 2 {
		if _, err := Load(t.Context(), server.Listener.Addr().String(), p); err != nil {
			t.Fatal(err)
		}
		p.First += 5
	}
	for _, r := range requests {
		want := 1 + strings.Count("/a/b/c", r.Path)
		if seen[r.Path] != want {
			t.Errorf("%s was asked %d times, want %d", r.Path, seen[r.Path], want)
		}
	}
}

func TestLoadEndsInTime(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	s, err := Load(t.Context(), server.Listener.Addr().String(), Plan{
		Requests: []Request{{Path: "/", Status: 404}}, Conns: 2, Duration: 50 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	if s.Requests == 0 || s.PerSecond() <= 0 {
		t.Errorf("%d requests, %.0f per second", s.Requests, s.PerSecond())
	}
}

func TestLoadFailsOnAnotherStatus(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	_, err := Load(t.Context(), server.Listener.Addr().String(), Plan{
		Requests: []Request{{Path: "/gone"}}, Conns: 1, Duration: time.Minute,
	})
	if err == nil || !strings.Contains(err.Error(), "/gone answered 404, not 200") {
		t.Errorf("error %v", err)
	}
}

func TestBareHandlerRepeatsWhatWasRecorded(t *testing.T) {
	t.Parallel()
	real := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"1"`)
		w.Header().Add("Vary", "Accept-Encoding")
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte("page " + r.URL.RequestURI()))
	}))
	t.Cleanup(real.Close)
	requests := []Request{{Path: "/a/"}, {Path: "/b/?q=1"}}
	answers, err := record(t.Context(), real.Listener.Addr().String(), requests)
	if err != nil {
		t.Fatal(err)
	}
	bare := httptest.NewServer(bareHandler(answers))
	t.Cleanup(bare.Close)
	if err := sameAnswers(t.Context(), bare.Listener.Addr().String(), true, requests, answers); err != nil {
		t.Error(err)
	}
	answers[1].Body = []byte("another page")
	if err := sameAnswers(t.Context(), bare.Listener.Addr().String(), true, requests, answers); err == nil {
		t.Error("other bytes were not noticed")
	}
	if _, err := record(t.Context(), bare.Listener.Addr().String(), []Request{{Path: "/unknown/"}}); err == nil {
		t.Error("a 404 was recorded as an answer")
	}
}

func TestServeBareEndsWithItsContext(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "answers.json")
	raw, err := json.Marshal([]recorded{{Path: "/", Status: 200, Body: []byte("hello")}})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	addr, err := binary.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serveBare(ctx, file, addr) }()
	var answers []recorded
	for len(answers) == 0 && t.Context().Err() == nil {
		answers, _ = record(ctx, addr, []Request{{Path: "/"}})
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if string(answers[0].Body) != "hello" {
		t.Errorf("body %q", answers[0].Body)
	}
	if err := serveBare(t.Context(), file+".gone", addr); err == nil {
		t.Error("a missing file gave no error")
	}
}
