package queue

import (
	"sync"
	"time"
)

// A pool claims ahead what it expects to run within this time, so that small
// jobs cost a fraction of a transaction each and long ones are not held by a
// process that cannot begin them.
const (
	claimAhead    = 100 * time.Millisecond
	maxClaimAhead = 256
)

// pool holds the claimed jobs of one kind.
type pool struct {
	kind Kind

	mu      sync.Mutex
	ready   []job // claimed, not begun, in the order of their time
	running int
	closed  bool
	starved bool          // the table may hold more than there was room for
	mean    time.Duration // of recent runs; 0 is not known yet
}

func (p *pool) ahead() int {
	if p.mean <= 0 {
		return 0
	}
	return int(min(maxClaimAhead, int64(p.kind.Concurrency)*int64(claimAhead/p.mean)))
}

// room returns how many jobs to claim now.
func (p *pool) room() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := p.roomLocked()
	p.starved = true
	return n
}

func (p *pool) roomLocked() int {
	ahead := p.ahead()
	if p.closed || len(p.ready) > ahead/2 {
		return 0
	}
	return max(0, p.kind.Concurrency+ahead-p.running-len(p.ready))
}

// add takes claimed jobs and returns how many workers to start.
func (p *pool) add(jobs []job) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready = append(p.ready, jobs...)
	n := min(p.kind.Concurrency-p.running, len(p.ready))
	p.running += n
	return n
}

// next gives a worker its next job, or ends it. After a job, took is how long
// that ran. hungry means that the dispatcher should look for more.
func (p *pool) next(took time.Duration) (j job, ok, hungry bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if took > 0 {
		if p.mean == 0 {
			p.mean = took
		}
		p.mean = max(1, (p.mean*7+took)/8)
	}
	if len(p.ready) > 0 && !p.closed {
		j, p.ready = p.ready[0], p.ready[1:]
		ok = true
	} else {
		p.running--
	}
	if p.starved && p.roomLocked() > 0 {
		p.starved, hungry = false, true
	}
	return j, ok, hungry
}

// close ends the pool and returns what was not begun.
func (p *pool) close() []job {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	unbegun := p.ready
	p.ready = nil
	return unbegun
}
