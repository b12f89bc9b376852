package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"bungalow/tests/binary"
)

// The promises about the process itself.
const (
	startLimit = 300 * time.Millisecond
	idleLimit  = 60_000_000 // bytes
	sizeLimit  = 60_000_000 // bytes
)

// Process holds the figures that need no load.
type Process struct {
	Size       int64         `json:"binary_bytes"`
	Start      time.Duration `json:"start_median_ns"`
	StartWorst time.Duration `json:"start_worst_ns"`
	Starts     int           `json:"starts"`
	IdleRSS    int64         `json:"idle_rss_bytes"`
}

// measureProcess starts the executable on the existing folder several times,
// from exec to the first answer of the home page, and looks at its memory once
// it has come to rest.
func measureProcess(ctx context.Context, site *Site, path string, quick bool) (Process, error) {
	info, err := os.Stat(path)
	if err != nil {
		return Process{}, err
	}
	p := Process{Size: info.Size(), Starts: pick(quick, 5, 11)}
	var starts []float64
	for i := range p.Starts {
		s, err := binary.Start(ctx, binary.Options{Home: site.Home, Probe: "/"})
		if err != nil {
			return p, err
		}
		starts = append(starts, float64(s.Started))
		p.StartWorst = max(p.StartWorst, s.Started)
		if i == p.Starts-1 {
			p.IdleRSS, err = idleMemory(ctx, s)
		}
		if _, stopErr := s.Stop(); stopErr != nil || err != nil {
			return p, fmt.Errorf("measure an idle server: %w", firstError(err, stopErr))
		}
	}
	p.Start = time.Duration(median(starts))
	return p, nil
}

// idleMemory waits until the process has used no CPU for a second and returns
// its resident memory.
func idleMemory(ctx context.Context, s *binary.Server) (int64, error) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	last := time.Duration(-1)
	for range 20 {
		used, err := cpuTime(s.PID())
		if err != nil {
			return 0, err
		}
		if used-last <= clockTick && last >= 0 {
			break
		}
		last = used
		select {
		case <-ctx.Done():
			return 0, ctx.Err()
		case <-tick.C:
		}
	}
	rss, _, err := memory(s.PID())
	return rss, err
}

func (p Process) judge() []Verdict {
	return []Verdict{
		{What: "start on an existing folder, exec to first page (median)", Got: millis(p.Start), Bound: "< " + millis(startLimit), Met: p.Start < startLimit},
		{What: "resident memory, idle", Got: megabytes(p.IdleRSS), Bound: "≤ " + megabytes(idleLimit), Met: p.IdleRSS <= idleLimit},
		{What: "stripped executable", Got: megabytes(p.Size), Bound: "< " + megabytes(sizeLimit), Met: p.Size < sizeLimit},
	}
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
