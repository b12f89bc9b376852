package limit_test

import (
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bungalow/hooks/kit/limit"
)

func newLimiter(cfg limit.Config) (*limit.Limiter, *time.Time) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	cfg.Now = func() time.Time { return now }
	return limit.New(cfg), &now
}

func TestBurstThenRate(t *testing.T) {
	t.Parallel()
	l, now := newLimiter(limit.Config{Burst: 3, Every: 10 * time.Second})
	steps := []struct {
		pass time.Duration
		ok   bool
		wait time.Duration
	}{
		{0, true, 0}, {0, true, 0}, {0, true, 0},
		{0, false, 10 * time.Second},
		{4 * time.Second, false, 6 * time.Second}, // asking costs nothing
		{6 * time.Second, true, 0},
		{0, false, 10 * time.Second},
		{25 * time.Second, true, 0}, {0, true, 0},
		{0, false, 5 * time.Second},
		{time.Hour, true, 0}, {0, true, 0}, {0, true, 0}, // never more than the burst
		{0, false, 10 * time.Second},
	}
	for i, s := range steps {
		*now = now.Add(s.pass)
		if ok, wait := l.Allow("a"); ok != s.ok || wait != s.wait {
			t.Fatalf("step %d: %v after %s, want %v after %s", i, ok, wait, s.ok, s.wait)
		}
	}
	if ok, _ := l.Allow("b"); !ok {
		t.Fatal("another key was refused")
	}
}

func TestClockSetBack(t *testing.T) {
	t.Parallel()
	l, now := newLimiter(limit.Config{Burst: 2, Every: time.Minute})
	l.Allow("a")
	l.Allow("a")
	*now = now.Add(-24 * time.Hour)
	if ok, wait := l.Allow("a"); ok || wait != time.Minute {
		t.Fatalf("%v, %s", ok, wait)
	}
	*now = now.Add(time.Minute)
	if ok, _ := l.Allow("a"); !ok {
		t.Fatal("refused after the wait that was announced")
	}
}

func TestForgetsTheOldestKey(t *testing.T) {
	t.Parallel()
	l, _ := newLimiter(limit.Config{Burst: 1, Every: time.Hour, Keys: 3})
	for _, key := range []string{"a", "b", "c", "a", "d"} { // d pushes b out
		l.Allow(key)
	}
	if n := l.Len(); n != 3 {
		t.Fatalf("%d keys", n)
	}
	for key, want := range map[string]bool{"a": false, "c": false, "d": false} {
		if ok, _ := l.Allow(key); ok != want {
			t.Errorf("%s: allowed %v", key, ok)
		}
	}
	if ok, _ := l.Allow("b"); !ok {
		t.Error("b was not forgotten")
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	l := limit.New(limit.Config{Burst: 1, Every: time.Hour, Keys: 100})
	for i := range 10_000 {
		l.Allow(strconv.Itoa(i))
	}
	if n := l.Len(); n != 100 {
		t.Fatalf("%d keys are kept", n)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	l, _ := newLimiter(limit.Config{Burst: 50, Every: time.Hour})
	var allowed atomic.Int32
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				if ok, _ := l.Allow("a"); ok {
					allowed.Add(1)
				}
			}
		})
	}
	wg.Wait()
	if n := allowed.Load(); n != 50 {
		t.Fatalf("%d were allowed", n)
	}
}

func TestNewRefusesNonsense(t *testing.T) {
	t.Parallel()
	for _, cfg := range []limit.Config{{Burst: 0, Every: time.Second}, {Burst: 1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%+v was taken", cfg)
				}
			}()
			limit.New(cfg)
		}()
	}
}

func TestAddressKey(t *testing.T) {
	t.Parallel()
	for ip, want := range map[string]string{
		"203.0.113.7":              "203.0.113.7/32",
		"::ffff:203.0.113.7":       "203.0.113.7/32",
		"2001:db8:1:2:3:4:5:6":     "2001:db8:1:2::/64",
		"2001:db8:1:2::9":          "2001:db8:1:2::/64",
		"fe80::1%eth0":             "fe80::/64",
		"":                         "unknown",
		"203.0.113.7:80":           "unknown",
		"not an address, honestly": "unknown",
	} {
		if got := limit.AddressKey(ip); got != want {
			t.Errorf("%q: %q, want %q", ip, got, want)
		}
	}
}

func BenchmarkAllow(b *testing.B) {
	l := limit.New(limit.Config{Burst: 10, Every: time.Second, Keys: 1000})
	keys := make([]string, 2000)
	for i := range keys {
		keys[i] = strconv.Itoa(i)
	}
	b.RunParallel(func(pb *testing.PB) {
		for i := 0; pb.Next(); i++ {
			l.Allow(keys[i%len(keys)])
		}
	})
}

func TestReturnGivesOneTokenBack(t *testing.T) {
	t.Parallel()
	l, now := newLimiter(limit.Config{Burst: 2, Every: time.Minute})
	for range 100 {
		if ok, _ := l.Allow("a"); !ok {
			t.Fatal("refused, though each token was given back")
		}
		l.Return("a")
	}
	l.Return("a") // one too many gives nothing
	l.Return("b") // and a key that is not known is none
	*now = now.Add(time.Second)
	l.Allow("a")
	l.Allow("a")
	if ok, _ := l.Allow("a"); ok {
		t.Error("returning made the bucket larger")
	}
}
