package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Plan bounds one turn of load.
type Plan struct {
	Requests []Request
	Conns    int
	Duration time.Duration
	Max      int // requests that end the turn early; 0 is no limit
	First    int // where in Requests to begin; all connections take turns from there

	wires [][]byte // of Requests; made by prepare, else by Load
}

// Sample is what one turn showed.
type Sample struct {
	Requests  int
	Elapsed   time.Duration
	latencies []time.Duration // sorted
}

// PerSecond is the throughput.
func (s Sample) PerSecond() float64 {
	if s.Elapsed <= 0 {
		return 0
	}
	return float64(s.Requests) / s.Elapsed.Seconds()
}

// Quantile is the latency below which the share q of all requests stayed.
func (s Sample) Quantile(q float64) time.Duration {
	if len(s.latencies) == 0 {
		return 0
	}
	i := int(q * float64(len(s.latencies)))
	return s.latencies[min(i, len(s.latencies)-1)]
}

// Load runs the plan against a server: each connection sends its next request
// when it has the answer to the last. A wrong status ends the turn with an
// error, because figures of failed requests are worth nothing.
func Load(ctx context.Context, host string, p Plan) (Sample, error) {
	ctx, cancel := context.WithTimeout(ctx, p.Duration+30*time.Second)
	defer cancel()
	conns, err := dialAll(ctx, host, p.Conns)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	if err != nil {
		return Sample{}, err
	}

	if p.wires == nil {
		p = p.prepare(host)
	}
	if p.Max <= 0 {
		p.Max = 1 << 62
	}
	var taken atomic.Int64
	results := make([]worker, p.Conns)
	began := time.Now()
	end := began.Add(p.Duration)
	var wg sync.WaitGroup
	for i := range results {
		results[i] = worker{conn: conns[i], plan: p, taken: &taken, end: end}
		wg.Go(results[i].run)
	}
	stop := context.AfterFunc(ctx, func() {
		for _, c := range conns {
			_ = c.Close()
		}
	})
	wg.Wait()
	stop()

	s := Sample{Elapsed: time.Since(began)}
	var errs []error
	for i := range results {
		s.latencies = append(s.latencies, results[i].took...)
		errs = append(errs, results[i].err)
	}
	s.Requests = len(s.latencies)
	slices.Sort(s.latencies)
	return s, errors.Join(errs...)
}

// prepare makes the bytes of all requests, so that turns after the first begin
// at once.
func (p Plan) prepare(host string) Plan {
	p.wires = make([][]byte, len(p.Requests))
	for i, r := range p.Requests {
		p.wires[i] = r.wire(host)
	}
	return p
}

func dialAll(ctx context.Context, host string, n int) ([]net.Conn, error) {
	var conns []net.Conn
	var d net.Dialer
	for range n {
		c, err := d.DialContext(ctx, "tcp", host)
		if err != nil {
			return conns, fmt.Errorf("connect to %s: %w", host, err)
		}
		conns = append(conns, c)
	}
	return conns, nil
}

// worker is one connection.
type worker struct {
	conn  net.Conn
	plan  Plan
	taken *atomic.Int64 // requests of all connections so far
	end   time.Time
	took  []time.Duration
	err   error
}

func (w *worker) run() {
	br := bufio.NewReaderSize(w.conn, 64<<10)
	w.took = make([]time.Duration, 0, 1<<12)
	for {
		n := int(w.taken.Add(1)) - 1
		if n >= w.plan.Max {
			return
		}
		i := (w.plan.First + n) % len(w.plan.wires)
		sent := time.Now()
		if !sent.Before(w.end) {
			return
		}
		if _, w.err = w.conn.Write(w.plan.wires[i]); w.err != nil {
			return
		}
		req := &w.plan.Requests[i]
		r, err := readReply(br, req.Method == http.MethodHead)
		if err == nil && r.status != req.want() {
			err = fmt.Errorf("%s %s answered %d, not %d", req.method(), req.Path, r.status, req.want())
		}
		if err == nil && r.closed {
			err = fmt.Errorf("%s %s: the server closes its connections", req.method(), req.Path)
		}
		if err != nil {
			w.err = err
			return
		}
		w.took = append(w.took, time.Since(sent))
	}
}
