package cache

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func page(body string) *Entry {
	return &Entry{Header: http.Header{"Content-Type": {"text/html; charset=utf-8"}}, Body: []byte(body)}
}

func mustDo(t *testing.T, c *Cache, key string, render func(*Deps) (*Entry, error)) *Entry {
	t.Helper()
	e, err := c.Do(t.Context(), key, render)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func TestEntryLastsUntilWhatItUsesIsBumped(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		uses  func(*Deps)
		bump  func(*Cache)
		stays bool
	}{
		{"nothing used", func(*Deps) {}, func(c *Cache) { c.Bump("posts") }, true},
		{"collection", func(d *Deps) { d.Uses("posts") }, func(c *Cache) { c.Bump("posts", "posts/a") }, false},
		{"its record", func(d *Deps) { d.Uses("posts", "a") }, func(c *Cache) { c.Bump("posts", "posts/a") }, false},
		{"one of its records", func(d *Deps) { d.Uses("posts", "b", "a") }, func(c *Cache) { c.Bump("posts/a") }, false},
		{"another record", func(d *Deps) { d.Uses("posts", "b") }, func(c *Cache) { c.Bump("posts", "posts/a") }, true},
		{"no key", func(d *Deps) { d.Uses("posts") }, func(c *Cache) { c.Bump() }, true},
		{"everything", func(*Deps) {}, func(c *Cache) { c.BumpAll() }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := New(1 << 20)
			mustDo(t, c, "k", func(d *Deps) (*Entry, error) { tt.uses(d); return page("x"), nil })
			if _, ok := c.Get("k"); !ok {
				t.Fatal("the entry was not kept")
			}
			tt.bump(c)
			if _, ok := c.Get("k"); ok != tt.stays {
				t.Fatalf("after the bump the entry is there: %v, want %v", ok, tt.stays)
			}
			if _, ok := c.Get("k"); !tt.stays && (ok || c.Bytes() != 0 || c.Len() != 0) {
				t.Fatalf("a stale entry still holds %d bytes", c.Bytes())
			}
		})
	}
}

func TestBumpDuringTheRenderIsSeen(t *testing.T) {
	t.Parallel()
	c := New(1 << 20)
	mustDo(t, c, "k", func(d *Deps) (*Entry, error) {
		d.Uses("posts")
		c.Bump("posts")
		return page("old"), nil
	})
	if _, ok := c.Get("k"); ok {
		t.Fatal("an answer that was old when it was finished is kept")
	}
}

func TestUntil(t *testing.T) {
	t.Parallel()
	c := New(1 << 20)
	now := time.Unix(1000, 0)
	c.now = func() time.Time { return now }
	mustDo(t, c, "k", func(d *Deps) (*Entry, error) {
		d.Until(now.Add(time.Hour))
		d.Until(now.Add(time.Minute))
		d.Until(now.Add(2 * time.Hour))
		return page("x"), nil
	})
	now = now.Add(time.Minute - 1)
	if _, ok := c.Get("k"); !ok {
		t.Fatal("dropped before its time")
	}
	now = now.Add(1)
	if _, ok := c.Get("k"); ok {
		t.Fatal("served after its time")
	}
}

func TestErrorsPanicsAndPrivateAnswersAreNotKept(t *testing.T) {
	t.Parallel()
	c := New(1 << 20)
	boom := errors.New("boom")
	if _, err := c.Do(t.Context(), "k", func(*Deps) (*Entry, error) { return nil, boom }); !errors.Is(err, boom) {
		t.Fatalf("err = %v", err)
	}
	if _, err := c.Do(t.Context(), "k", func(*Deps) (*Entry, error) { return nil, nil }); err == nil {
		t.Fatal("no entry and no error is an error")
	}
	func() {
		defer func() {
			if recover() != "ouch" {
				t.Error("the panic did not reach the caller that rendered")
			}
		}()
		_, _ = c.Do(t.Context(), "k", func(*Deps) (*Entry, error) { panic("ouch") })
	}()
	mustDo(t, c, "k", func(d *Deps) (*Entry, error) { d.NoStore(); return page("mine"), nil })
	mustDo(t, c, "k", func(d *Deps) (*Entry, error) {
		e := page("cookie")
		e.Header.Set("Set-Cookie", "a=b")
		return e, nil
	})
	if _, ok := c.Get("k"); ok || c.Len() != 0 || len(c.flights) != 0 {
		t.Fatal("something was kept")
	}
}

func TestSizeStaysUnderTheCap(t *testing.T) {
	t.Parallel()
	const limit = 256 << 10
	c := New(limit)
	body := strings.Repeat("All work and no play. ", 400)
	for i := range 2000 {
		key := strconv.Itoa(rand.IntN(300))
		e := mustDo(t, c, key, func(d *Deps) (*Entry, error) {
			d.Uses("posts", key)
			return page(body[:rand.IntN(len(body))] + strconv.Itoa(i)), nil
		})
		serve(e, "GET", "Accept-Encoding", []string{"br", "gzip", ""}[i%3])
		if c.Bytes() > limit {
			t.Fatalf("%d bytes are held, the limit is %d", c.Bytes(), limit)
		}
		if i%50 == 0 {
			c.Bump("posts/" + strconv.Itoa(rand.IntN(300)))
		}
	}
	var sum int64
	for i, it := range c.ring {
		if sum += it.cost; it.pos != i || c.items[it.key] != it {
			t.Fatal("ring and map disagree")
		}
	}
	if sum != c.Bytes() || len(c.ring) != len(c.items) || len(c.ring) < 5 {
		t.Fatalf("counted %d bytes in %d entries, recorded %d in %d", sum, len(c.ring), c.Bytes(), len(c.items))
	}
	mustDo(t, c, "huge", func(*Deps) (*Entry, error) { return page(strings.Repeat("x", limit)), nil })
	if _, ok := c.Get("huge"); ok {
		t.Fatal("an entry larger than the cache was kept")
	}
}

func TestWhatIsReadOutlivesWhatIsNot(t *testing.T) {
	t.Parallel()
	c := New(64 << 10)
	body := strings.Repeat("x", 1000)
	render := func(*Deps) (*Entry, error) { return page(body), nil }
	mustDo(t, c, "hot", render)
	for i := range 500 {
		mustDo(t, c, strconv.Itoa(i), render)
		if _, ok := c.Get("hot"); !ok {
			t.Fatalf("the entry that is read all the time was evicted after %d others", i)
		}
	}
}

func TestConcurrentMissesRenderOnce(t *testing.T) {
	t.Parallel()
	c := New(1 << 20)
	var renders atomic.Int32
	var wg sync.WaitGroup
	for range 64 {
		wg.Go(func() {
			for k := range 20 {
				e, err := c.Do(context.Background(), strconv.Itoa(k), func(*Deps) (*Entry, error) {
					renders.Add(1)
					return page(strconv.Itoa(k)), nil
				})
				if err != nil || string(e.Body) != strconv.Itoa(k) {
					t.Errorf("got %v, %v", e, err)
				}
			}
		})
	}
	wg.Wait()
	if renders.Load() != 20 {
		t.Fatalf("%d renders of 20 keys", renders.Load())
	}
}

// waiting starts a render of "k" that ends when release is closed, and a
// waiter with ctx; act runs between the two.
func waiting(t *testing.T, c *Cache, ctx context.Context, leader func() (*Entry, error), act func(), second func(*Deps) (*Entry, error)) (release func(), result func() (*Entry, error)) {
	t.Helper()
	started, gate := make(chan struct{}), make(chan struct{})
	led := make(chan struct{})
	go func() {
		defer close(led)
		defer func() { _ = recover() }()
		_, _ = c.Do(context.Background(), "k", func(d *Deps) (*Entry, error) {
			d.Uses("posts")
			close(started)
			<-gate
			return leader()
		})
	}()
	<-started
	act()
	type answer struct {
		e   *Entry
		err error
	}
	got := make(chan answer, 1)
	go func() {
		e, err := c.Do(ctx, "k", second)
		got <- answer{e, err}
	}()
	return func() { close(gate); <-led }, func() (*Entry, error) { a := <-got; return a.e, a.err }
}

func TestWhoArrivesAfterABumpDoesNotGetTheOldAnswer(t *testing.T) {
	t.Parallel()
	c := New(1 << 20)
	release, result := waiting(t, c, t.Context(),
		func() (*Entry, error) { return page("old"), nil },
		func() { c.Bump("posts") },
		func(d *Deps) (*Entry, error) { d.Uses("posts"); return page("new"), nil })
	release()
	if e, err := result(); err != nil || string(e.Body) != "new" {
		t.Fatalf("got %s, %v", e.Body, err)
	}
	if e, ok := c.Get("k"); !ok || string(e.Body) != "new" {
		t.Fatal("the new answer was not kept")
	}
}

func TestWaiterHonoursItsContext(t *testing.T) {
	t.Parallel()
	c := New(1 << 20)
	ctx, cancel := context.WithCancel(t.Context())
	release, result := waiting(t, c, ctx, func() (*Entry, error) { return page("x"), nil }, func() {},
		func(*Deps) (*Entry, error) { return page("x"), nil })
	cancel()
	if _, err := result(); !errors.Is(err, context.Canceled) {
		t.Fatalf("err = %v", err)
	}
	release()
}

func TestWaiterOfAPanicIsNotLeftWaiting(t *testing.T) {
	t.Parallel()
	c := New(1 << 20)
	release, result := waiting(t, c, t.Context(), func() (*Entry, error) { panic("ouch") }, func() {},
		func(*Deps) (*Entry, error) { return page("fine"), nil })
	release()
	// It either waited for the panic or came after it and rendered itself.
	if e, err := result(); err != nil && !errors.Is(err, ErrUnfinished) || err == nil && string(e.Body) != "fine" {
		t.Fatalf("got %v, %v", e, err)
	}
}

func TestOnBump(t *testing.T) {
	t.Parallel()
	c := New(1 << 20)
	var any, settings int
	var seen uint64
	c.OnBump(func() { any++; seen = c.Version() })
	c.OnBump(func() { settings++ }, "settings", "menus")
	c.Bump("posts", "posts/a")
	if seen != c.Version()-1 {
		t.Fatal("listeners must run before the counter moves")
	}
	c.Bump("settings")
	c.BumpAll()
	if any != 3 || settings != 2 {
		t.Fatalf("called %d and %d times, want 3 and 2", any, settings)
	}
}

// TestNeverOlderThanTheLastBump is the promise under load: whatever a reader
// gets was rendered from values at least as new as those that were published
// when it asked.
func TestNeverOlderThanTheLastBump(t *testing.T) {
	t.Parallel()
	const collections, records, readers, rounds = 4, 5, 6, 3000
	c := New(40 << 10) // small: eviction takes part
	var values [collections][records]atomic.Int64
	stop := make(chan struct{})
	var writers, wg sync.WaitGroup
	for range 2 {
		writers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				k, r := rand.IntN(collections), rand.IntN(records)
				values[k][r].Add(1) // the commit
				if rand.IntN(50) == 0 {
					c.BumpAll()
				} else {
					c.Bump(fmt.Sprint("c", k), fmt.Sprint("c", k, "/", r))
				}
				time.Sleep(time.Duration(rand.IntN(200)) * time.Microsecond)
			}
		})
	}
	for range readers {
		wg.Go(func() {
			for range rounds {
				k, r := rand.IntN(collections), rand.IntN(records)
				whole := rand.IntN(3) == 0
				key := fmt.Sprint(k, "/", r, whole)
				// What was bumped before now; read by value before asking. The
				// writer's own Add precedes its bump, so the floor is one less.
				least := values[k][r].Load() - 2
				e, err := c.Do(context.Background(), key, func(d *Deps) (*Entry, error) {
					if whole {
						d.Uses(fmt.Sprint("c", k))
					} else {
						d.Uses(fmt.Sprint("c", k), strconv.Itoa(r))
					}
					return page(strconv.FormatInt(values[k][r].Load(), 10)), nil
				})
				if err != nil {
					t.Error(err)
					return
				}
				if got, _ := strconv.ParseInt(string(e.Body), 10, 64); got < least {
					t.Errorf("got version %d, at least %d was published", got, least)
					return
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	writers.Wait()
}

// TestOwnWriteIsSeenAtOnce is the strict form: one writer who reads back.
func TestOwnWriteIsSeenAtOnce(t *testing.T) {
	t.Parallel()
	c := New(1 << 20)
	var value atomic.Int64
	read := func() int64 {
		e, err := c.Do(context.Background(), "k", func(d *Deps) (*Entry, error) {
			d.Uses("posts", "a")
			return page(strconv.FormatInt(value.Load(), 10)), nil
		})
		if err != nil {
			t.Error(err)
			return -1
		}
		n, _ := strconv.ParseInt(string(e.Body), 10, 64)
		return n
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					read()
				}
			}
		})
	}
	for i := int64(1); i <= 5000; i++ {
		value.Store(i)
		c.Bump("posts", "posts/a")
		if got := read(); got != i {
			t.Errorf("wrote %d, read %d", i, got)
			break
		}
	}
	close(stop)
	wg.Wait()
}
