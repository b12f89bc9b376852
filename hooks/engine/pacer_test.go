package engine

import (
	"runtime"
	"runtime/metrics"
	"sync/atomic"
	"testing"
)

func TestTheCollectorsPaceFollowsWhatLives(t *testing.T) {
	t.Parallel()
	for live, want := range map[uint64]int{0: gcMost, 1 << 20: gcMost, 6 << 20: 400, 8 << 20: 300, 16 << 20: 150, 32 << 20: 75, 64 << 20: 50, 1 << 30: gcLeast} {
		if got := percent(live); got != want {
			t.Errorf("%d bytes: %d %%, want %d", live, got, want)
		}
	}
}

func TestThePacerIsCalledAfterEachCollection(t *testing.T) {
	t.Parallel()
	var last, calls atomic.Int64
	p := &pacer{sample: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}, set: func(percent int) int {
		last.Store(int64(percent))
		calls.Add(1)
		return 0
	}}
	p.adjust()
	if got := last.Load(); got < gcLeast || got > gcMost {
		t.Fatalf("%d %%", got)
	}
	p.now = 1 // so that the next one changes it
	p.arm()
	eventually(t, "a call after the collection", func() bool {
		runtime.GC()
		return calls.Load() == 2
	})
}
