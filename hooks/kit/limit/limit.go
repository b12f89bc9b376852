// Package limit throttles what anonymous visitors may write.
//
// It promises a bound on both sides: a key gets its burst and then a steady
// rate, and the memory for all keys together is capped. It keeps everything in
// memory, so a restart forgives; it never sleeps and never refuses a key that
// it has not seen for as long as its burst takes to refill.
package limit

import (
	"container/list"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// DefaultKeys is how many keys a Limiter remembers unless told otherwise, in
// about 12 MB. Beyond it the key that was used least recently is forgotten.
const DefaultKeys = 1 << 16

// Config says how much a key may do.
type Config struct {
	// Burst is how often a key is allowed at once (at least 1).
	Burst int
	// Every is the time after which one more is allowed.
	Every time.Duration
	// Keys is how many keys are remembered (default DefaultKeys).
	Keys int
	// Now is the time source (default time.Now).
	Now func() time.Time
}

// Limiter is a token bucket for each key. It is safe for concurrent use.
type Limiter struct {
	cfg Config

	mu     sync.Mutex
	byKey  map[string]*list.Element
	recent *list.List // of *bucket, the most recently used in front
}

// bucket holds one number instead of tokens and a time: when it would be full
// again (the "theoretical arrival time" of ITU-T I.371, GCRA).
type bucket struct {
	key    string
	fullAt time.Time
}

// New returns a Limiter. It panics where Burst or Every is not positive.
func New(cfg Config) *Limiter {
	if cfg.Burst < 1 || cfg.Every <= 0 {
		panic("limit: Burst and Every must be positive")
	}
	if cfg.Keys <= 0 {
		cfg.Keys = DefaultKeys
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	return &Limiter{cfg: cfg, byKey: map[string]*list.Element{}, recent: list.New()}
}

// Allow takes one token of the key. Where there is none it takes nothing and
// says after which time there will be one (for Retry-After, rounded up).
func (l *Limiter) Allow(key string) (ok bool, retryAfter time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.cfg.Now()
	b := l.bucket(key, now)
	capacity := time.Duration(l.cfg.Burst) * l.cfg.Every
	if b.fullAt.Before(now) {
		b.fullAt = now
	}
	// A clock that was set back must not lock anybody out for longer than an
	// empty bucket does.
	if most := now.Add(capacity); b.fullAt.After(most) {
		b.fullAt = most
	}
	after := b.fullAt.Add(l.cfg.Every)
	if wait := after.Sub(now) - capacity; wait > 0 {
		return false, wait
	}
	b.fullAt = after
	return true, 0
}

func (l *Limiter) bucket(key string, now time.Time) *bucket {
	if e := l.byKey[key]; e != nil {
		l.recent.MoveToFront(e)
		return e.Value.(*bucket)
	}
	if l.recent.Len() >= l.cfg.Keys {
		oldest := l.recent.Back()
		delete(l.byKey, oldest.Value.(*bucket).key)
		l.recent.Remove(oldest)
	}
	b := &bucket{key: strings.Clone(key), fullAt: now}
	l.byKey[b.key] = l.recent.PushFront(b)
	return b
}

// Len returns how many keys are remembered.
func (l *Limiter) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.recent.Len()
}

// AddressKey returns what stands for one visitor: an IPv4 address, or the /64
// of an IPv6 address, because a household or a rented server has all of it.
// What is no address gets one common key.
func AddressKey(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return "unknown"
	}
	addr = addr.Unmap().WithZone("")
	bits := 64
	if addr.Is4() {
		bits = 32
	}
	prefix, err := addr.Prefix(bits)
	if err != nil {
		return "unknown"
	}
	return prefix.String()
}

// Return gives one token of the key back, for an act that proved harmless.
func (l *Limiter) Return(key string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if e := l.byKey[key]; e != nil {
		b := e.Value.(*bucket)
		b.fullAt = b.fullAt.Add(-l.cfg.Every)
	}
}
