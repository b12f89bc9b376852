package sqlite

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
)

// flusher makes commits durable, as many as there are with one sync. A commit
// is durable when a sync that began after it has ended.
type flusher struct {
	sync func() error
	lost func(error) // told once, when a sync fails

	written atomic.Uint64 // commits so far
	syncs   atomic.Uint64

	mu     sync.Mutex
	synced uint64        // all commits up to this one are durable
	under  chan struct{} // closed when the sync under way ends
	failed error
}

// commit numbers a commit that has just ended.
func (f *flusher) commit() uint64 { return f.written.Add(1) }

// wait returns when the commit is durable. It ends early with the context's
// error, and the sync goes on. After a failed sync nobody knows what is on the
// disk: the kernel may have dropped the pages, and a second sync that succeeds
// would prove nothing.
func (f *flusher) wait(ctx context.Context, commit uint64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for f.synced < commit {
		if f.failed != nil {
			return f.failed
		}
		if f.under == nil {
			f.lead()
			continue
		}
		under := f.under
		f.mu.Unlock()
		select {
		case <-under:
			f.mu.Lock()
		case <-ctx.Done():
			f.mu.Lock()
			return ctx.Err()
		}
	}
	return nil
}

// lead runs one sync for all who wait. It is called with mu held, and lets go
// of it during the sync.
func (f *flusher) lead() {
	under := make(chan struct{})
	f.under = under
	target := f.written.Load() // before the sync: what is committed during it may miss it
	f.mu.Unlock()
	err := fmt.Errorf("the sync did not end") // stays where it panics
	defer func() {
		f.mu.Lock()
		f.under = nil
		if err == nil {
			f.synced = target
		} else if f.failed == nil {
			f.failed = fmt.Errorf("%w: %w", ErrLost, err)
			if f.lost != nil {
				go f.lost(f.failed)
			}
		}
		close(under)
	}()
	err = f.sync()
	f.syncs.Add(1)
}

// broken is the error of the sync that failed, if one did.
func (f *flusher) broken() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.failed
}
