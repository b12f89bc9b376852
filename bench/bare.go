package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// recorded is one answer of the real server that the bare handler repeats.
type recorded struct {
	Method string
	Path   string
	Status int
	Header http.Header
	Body   []byte
}

// perConnection headers are made by net/http itself.
var perConnection = []string{"Date", "Connection", "Transfer-Encoding", "Keep-Alive"}

// record asks the real server each request once and keeps the answers. It asks
// twice and keeps the second, so that a cache had its chance.
func record(ctx context.Context, host string, requests []Request) ([]recorded, error) {
	client := &http.Client{
		Transport:     &http.Transport{DisableCompression: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second,
	}
	defer client.CloseIdleConnections()
	var all []recorded
	for _, r := range requests {
		var rec recorded
		for range 2 {
			var err error
			if rec, err = ask(ctx, client, host, r); err != nil {
				return nil, fmt.Errorf("record %s: %w", r.Path, err)
			}
		}
		if rec.Status != r.want() {
			return nil, fmt.Errorf("record %s: status %d, not %d", r.Path, rec.Status, r.want())
		}
		all = append(all, rec)
	}
	return all, nil
}

func ask(ctx context.Context, client *http.Client, host string, r Request) (recorded, error) {
	req, err := http.NewRequestWithContext(ctx, r.method(), "http://"+host+r.Path, strings.NewReader(r.Body))
	if err != nil {
		return recorded{}, err
	}
	for name, value := range r.Header {
		req.Header.Set(name, value)
	}
	res, err := client.Do(req)
	if err != nil {
		return recorded{}, err
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	for _, name := range perConnection {
		res.Header.Del(name)
	}
	return recorded{Method: r.method(), Path: r.Path, Status: res.StatusCode, Header: res.Header, Body: body}, err
}

// serveBare is the other side of the comparison: net/http and a handler that
// does nothing but write recorded answers. It prints its address and serves
// until the context ends.
func serveBare(ctx context.Context, file, addr string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var answers []recorded
	if err := json.Unmarshal(raw, &answers); err != nil {
		return fmt.Errorf("read %s: %w", file, err)
	}
	return serveUntil(ctx, addr, bareHandler(answers))
}

// serveUntil serves on the address until the context ends.
func serveUntil(ctx context.Context, addr string, handler http.Handler) error {
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// healthPath answers 200 on the servers of this program.
const healthPath = "/healthz"

func bareHandler(answers []recorded) http.Handler {
	byPath := map[string]recorded{}
	for _, a := range answers {
		byPath[a.Path] = a
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a, known := byPath[r.RequestURI]
		if !known {
			if r.RequestURI != healthPath {
				http.NotFound(w, r)
			}
			return
		}
		_, _ = io.Copy(io.Discard, r.Body)
		header := w.Header()
		for name, values := range a.Header {
			header[name] = values
		}
		w.WriteHeader(a.Status)
		_, _ = w.Write(a.Body)
	})
}
