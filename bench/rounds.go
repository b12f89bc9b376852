package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"bungalow/tests/binary"
)

// running is a started target.
type running struct {
	Target
	server   *binary.Server
	plan     Plan
	audience *listeners     // nil but for a workload with one
	around   Plan           // what is asked in the background; no connections is nothing
	turns    map[int][]Turn // by number of connections
	next     int            // where the next turn begins in the requests
}

// pace is the length of a measurement.
type pace struct {
	rounds int
	round  time.Duration
}

// field is the servers of one workload; the first is the subject.
type field struct {
	workload Workload
	servers  []*running
}

func (f *field) end() {
	for _, s := range f.servers {
		if s.audience != nil {
			s.audience.close()
		}
		s.server.Kill()
	}
}

// homes gives each server its folder: the site's own one for pages, a fresh
// copy of the seeded one where plain PocketBase is compared.
func homes(groupName string, site *Site, dir string) func(n int) (string, error) {
	if groupName == siteGroup {
		return func(int) (string, error) { return site.Home, nil }
	}
	return func(n int) (string, error) {
		home := filepath.Join(dir, strconv.Itoa(n))
		return home, copyFolder(site.Folder.Home, home)
	}
}

// runWorkload starts the servers, makes sure that they answer the same, and
// gives every one its turns.
func runWorkload(ctx context.Context, cfg config, groupName string, site *Site, w Workload) ([]Row, error) {
	dir, err := os.MkdirTemp("", "bungalow-bench-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	f := &field{workload: w}
	defer f.end()
	if err := f.start(ctx, site, homes(groupName, site, dir)); err != nil {
		return nil, err
	}
	speed := cfg.pace(groupName)
	conns := cfg.connections(w)
	for _, n := range conns {
		if err := f.rounds(ctx, speed, n, cfg.max); err != nil {
			return nil, err
		}
	}
	return rowsOf(w, conns, f.servers)
}

// All requests of a short list must be answered alike before the servers are
// measured, the first ones of a list longer than longest. An exact server is
// measured on these: the bytes that it repeats don't depend on the record.
const (
	longest = 64
	sampled = 3
)

func (f *field) start(ctx context.Context, site *Site, home func(int) (string, error)) error {
	w := f.workload
	requests := w.Requests(site)
	asked := requests
	if len(asked) > longest {
		asked = asked[:pick(requests[0].method() == http.MethodGet, sampled, 1)]
	}
	var answers []recorded
	for n, name := range append([]string{subject}, w.Against...) {
		dir, err := home(n)
		if err != nil {
			return err
		}
		t := targetNamed(name)
		server, err := t.Start(ctx, dir, answers)
		if err != nil {
			return fmt.Errorf("start %s: %w", t.Title, err)
		}
		s := &running{Target: t, server: server, turns: map[int][]Turn{}}
		f.servers = append(f.servers, s)
		if n == 0 {
			answers, err = record(ctx, hostOf(server), asked)
		} else {
			err = sameAnswers(ctx, hostOf(server), t.Exact, asked, answers)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.Title, err)
		}
		measured := requests
		if t.Exact {
			measured = asked
		}
		if err := s.prepare(ctx, w, site, measured); err != nil {
			return fmt.Errorf("%s: %w", t.Title, err)
		}
	}
	return nil
}

// prepare makes what all turns of a server share.
func (s *running) prepare(ctx context.Context, w Workload, site *Site, requests []Request) error {
	s.plan = Plan{Requests: requests}.prepare(hostOf(s.server))
	if w.Background != nil {
		s.around = Plan{Requests: w.Background(site), Conns: backgroundConns}.prepare(hostOf(s.server))
	}
	if w.Audience > 0 {
		var err error
		s.audience, err = subscribe(ctx, hostOf(s.server), articles+"/*", w.Audience)
		return err
	}
	return nil
}

// rounds gives every server its turn in every round; the order rotates, so
// that no server is always the one that meets a warm or a tired machine.
func (f *field) rounds(ctx context.Context, speed pace, conns, most int) error {
	for _, s := range f.servers {
		if s.audience != nil {
			continue // a turn begins with creates of its own
		}
		if _, err := s.load(ctx, s.planned(conns, speed.round/4, most)); err != nil {
			return fmt.Errorf("%s: %w", s.Title, err)
		}
	}
	for round := range speed.rounds {
		for i := range f.servers {
			s := f.servers[(round+i)%len(f.servers)]
			turn, err := s.take(ctx, s.planned(conns, speed.round, most))
			if err != nil {
				return fmt.Errorf("%s: %w", s.Title, err)
			}
			s.turns[conns] = append(s.turns[conns], turn)
		}
	}
	return nil
}

func (s *running) planned(conns int, d time.Duration, most int) Plan {
	p := s.plan
	p.Conns, p.Duration, p.Max = conns, d, most
	return p
}

// load is Load, beginning where the last one ended.
func (s *running) load(ctx context.Context, p Plan) (Sample, error) {
	p.First = s.next
	sample, err := Load(ctx, hostOf(s.server), p)
	s.next = (s.next + sample.Requests) % len(p.Requests)
	return sample, err
}

// take is one turn. Its CPU time is the server's own, in user and kernel mode.
func (s *running) take(ctx context.Context, p Plan) (Turn, error) {
	var turn Turn
	if s.around.Conns > 0 {
		idle, err := s.load(ctx, p)
		if err != nil {
			return turn, err
		}
		turn.IdleP99 = idle.Quantile(0.99)
	}
	before, err := cpuTime(s.server.PID())
	if err != nil {
		return turn, err
	}
	var sample Sample
	asked := 0 // requests that cost CPU time
	switch {
	case s.audience != nil:
		var b Broadcast
		sample, b, err = s.broadcast(ctx, p)
		turn.Broadcast, asked = &b, sample.Requests+singleCreates
	case s.around.Conns > 0:
		sample, turn.Around, err = s.surrounded(ctx, p)
	default:
		sample, err = s.load(ctx, p)
		asked = sample.Requests
	}
	if err != nil {
		return turn, err
	}
	after, err := cpuTime(s.server.PID())
	if err != nil {
		return turn, err
	}
	if sample.Requests == 0 {
		return turn, fmt.Errorf("no request was answered in %s", p.Duration)
	}
	turn.PerSecond, turn.P50, turn.P99 = sample.PerSecond(), sample.Quantile(0.50), sample.Quantile(0.99)
	if asked > 0 {
		turn.CPU = (after - before) / time.Duration(asked)
	}
	return turn, nil
}

// surrounded loads while the background is asked, and returns how many of its
// requests were answered per second; both end by themselves.
func (s *running) surrounded(ctx context.Context, p Plan) (Sample, float64, error) {
	around := s.around
	around.Duration = p.Duration
	var other Sample
	ended := make(chan error, 1)
	go func() {
		var err error
		other, err = Load(ctx, hostOf(s.server), around)
		ended <- err
	}()
	sample, err := s.load(ctx, p)
	if failed := <-ended; err == nil && failed != nil {
		err = fmt.Errorf("in the background: %w", failed)
	}
	return sample, other.PerSecond(), err
}
