package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// listeners are connections to /api/realtime that are subscribed and count what
// they are sent.
type listeners struct {
	conns  []net.Conn
	got    atomic.Int64 // events after the subscription
	gone   atomic.Int64 // connections that the server closed
	reads  sync.WaitGroup
	closed atomic.Bool

	mu      sync.Mutex
	waitFor int64         // what arrived waits for
	arrived chan struct{} // closed when got reaches waitFor; nil while nobody waits
}

// subscribe opens count subscriptions to a topic.
func subscribe(ctx context.Context, host, topic string, count int) (*listeners, error) {
	l := &listeners{conns: make([]net.Conn, count)}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	defer client.CloseIdleConnections()
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(16)
	for i := range count {
		g.Go(func() error {
			var d net.Dialer
			conn, err := d.DialContext(ctx, "tcp", host)
			if err != nil {
				return err
			}
			l.conns[i] = conn
			return l.join(ctx, client, conn, host, topic)
		})
	}
	if err := g.Wait(); err != nil {
		l.close()
		return nil, fmt.Errorf("subscribe to %s: %w", topic, err)
	}
	return l, nil
}

// join reads the client's id from the first event, subscribes, and leaves the
// counting of what follows to a goroutine.
func (l *listeners) join(ctx context.Context, client *http.Client, conn net.Conn, host, topic string) error {
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	if _, err := conn.Write(Request{Path: "/api/realtime"}.wire(host)); err != nil {
		return err
	}
	res, err := http.ReadResponse(bufio.NewReaderSize(conn, 4<<10), nil)
	if err != nil {
		return err
	}
	stream := bufio.NewReaderSize(res.Body, 4<<10)
	id, err := clientID(stream)
	if err != nil || res.StatusCode != http.StatusOK {
		return fmt.Errorf("connect to realtime: status %d: %w", res.StatusCode, err)
	}
	body := asJSON(map[string]any{"clientId": id, "subscriptions": []string{topic}})
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+host+"/api/realtime", strings.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	answer, err := client.Do(req)
	if err != nil {
		return err
	}
	_, _ = io.Copy(io.Discard, answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		return fmt.Errorf("subscribe: status %d", answer.StatusCode)
	}
	_ = conn.SetDeadline(time.Time{})
	l.reads.Go(func() { l.count(stream) })
	return nil
}

var errNoClientID = errors.New("the first event names no client")

// clientID reads the first event of a stream.
func clientID(stream *bufio.Reader) (string, error) {
	var found struct {
		ID string `json:"clientId"`
	}
	for range 10 {
		line, err := stream.ReadString('\n')
		if err != nil {
			return "", err
		}
		line = strings.TrimSpace(line)
		if data, ok := strings.CutPrefix(line, "data:"); ok && json.Unmarshal([]byte(data), &found) != nil {
			return "", errNoClientID
		}
		if line == "" {
			break
		}
	}
	if found.ID == "" {
		return "", errNoClientID
	}
	return found.ID, nil
}

func (l *listeners) count(stream io.Reader) {
	buf := make([]byte, 8<<10)
	var c eventCounter
	for {
		n, err := stream.Read(buf)
		if events := c.count(buf[:n]); events > 0 {
			l.add(int64(events))
		}
		if err != nil {
			if !l.closed.Load() {
				l.gone.Add(1)
			}
			return
		}
	}
}

// eventCounter counts the blank lines that end events, wherever reads cut them.
type eventCounter struct{ newline bool }

func (c *eventCounter) count(b []byte) int {
	events := 0
	if c.newline && len(b) > 0 && b[0] == '\n' {
		events++
		b, c.newline = b[1:], false
	}
	if len(b) > 0 {
		events += bytes.Count(b, []byte("\n\n"))
		ends := len(b) - len(bytes.TrimRight(b, "\n"))
		c.newline = ends%2 == 1
	}
	return events
}

func (l *listeners) add(n int64) {
	now := l.got.Add(n)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.arrived != nil && now >= l.waitFor {
		close(l.arrived)
		l.arrived = nil
	}
}

// await waits until all listeners together got total events, at most for limit,
// and returns how many are missing.
func (l *listeners) await(ctx context.Context, total int64, limit time.Duration) int64 {
	l.mu.Lock()
	if l.got.Load() >= total {
		l.mu.Unlock()
		return 0
	}
	arrived := make(chan struct{})
	l.waitFor, l.arrived = total, arrived
	l.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-arrived:
	case <-timer.C:
	case <-ctx.Done():
	}
	l.mu.Lock()
	l.arrived = nil
	l.mu.Unlock()
	return max(0, total-l.got.Load())
}

func (l *listeners) close() {
	l.closed.Store(true)
	for _, c := range l.conns {
		if c != nil {
			_ = c.Close()
		}
	}
	l.reads.Wait()
}

const (
	singleCreates = 8   // creates whose delivery is waited for, one at a time
	crowdCreates  = 200 // creates that follow each other without waiting
	deliveryLimit = 10 * time.Second
)

// Broadcast is what creates cost while an audience listens.
type Broadcast struct {
	Reply     time.Duration `json:"reply_ns"`         // a create alone, until it is answered
	Delivered time.Duration `json:"delivered_ns"`     // a create alone, until every subscriber has it
	Lost      int64         `json:"lost,omitempty"`   // events that no subscriber got within deliveryLimit
	Closed    int64         `json:"closed,omitempty"` // subscribers that the server closed so far
}

// broadcast makes single creates, then as many as the plan has connections at
// a time, and waits until all of them have arrived everywhere.
func (s *running) broadcast(ctx context.Context, p Plan) (Sample, Broadcast, error) {
	var b Broadcast
	var replies, deliveries []float64
	one := p
	one.Conns, one.Max = 1, 1
	for range singleCreates {
		before := s.audience.got.Load()
		began := time.Now()
		sample, err := Load(ctx, hostOf(s.server), one)
		if err != nil {
			return sample, b, err
		}
		b.Lost += s.audience.await(ctx, before+int64(len(s.audience.conns)), deliveryLimit)
		deliveries = append(deliveries, float64(time.Since(began)))
		replies = append(replies, float64(sample.Quantile(0.5)))
	}
	b.Reply, b.Delivered = time.Duration(median(replies)), time.Duration(median(deliveries))
	before := s.audience.got.Load()
	p.Max = pick(p.Max > 0, min(p.Max, crowdCreates), crowdCreates)
	sample, err := Load(ctx, hostOf(s.server), p)
	if err != nil {
		return sample, b, err
	}
	b.Lost += s.audience.await(ctx, before+int64(sample.Requests*len(s.audience.conns)), deliveryLimit)
	b.Closed = s.audience.gone.Load()
	return sample, b, nil
}
