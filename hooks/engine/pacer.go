package engine

import (
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

const (
	// allowance is how much garbage may pile up on what lives. A small site
	// keeps some 8 MB alive: that is Go's default four times over.
	allowance = 24 << 20
	// gcMost and gcLeast bound what follows from it, in percent of what lives.
	gcMost, gcLeast = 400, 50
)

// percent is GOGC for so many bytes alive.
func percent(live uint64) int {
	return int(min(max(100*allowance/max(live, 1), gcLeast), gcMost))
}

// pacer follows what lives with GOGC, after every collection.
type pacer struct {
	now    int // percent
	sample []metrics.Sample
	set    func(percent int) int
}

// startPacer sets the garbage collector for the life of the process.
func startPacer() {
	p := &pacer{sample: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}, set: debug.SetGCPercent}
	p.adjust()
	p.arm()
}

// arm has the next collection call again: it finds an object that nobody holds.
func (p *pacer) arm() {
	runtime.AddCleanup(new([4]uint64), func(p *pacer) {
		p.adjust()
		p.arm()
	}, p)
}

// adjust stops the world for some microseconds where it changes anything, so
// it leaves small differences alone.
func (p *pacer) adjust() {
	metrics.Read(p.sample)
	live := uint64(0)
	if p.sample[0].Value.Kind() == metrics.KindUint64 {
		live = p.sample[0].Value.Uint64()
	}
	if wanted := percent(live); p.now == 0 || wanted < p.now*9/10 || wanted > p.now*11/10 {
		p.set(wanted)
		p.now = wanted
	}
}
