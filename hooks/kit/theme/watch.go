package theme

import (
	"fmt"
	"hash/fnv"
	"io/fs"
	"log/slog"
	"path/filepath"
	"time"
)

// watchEvery is how often the files on disk are looked at. Their times are
// compared, rather than events awaited, because network and container volumes
// give none.
const watchEvery = 200 * time.Millisecond

// Watch notices changes of the theme on disk until stop is closed; it returns
// at once, and the channel that it returns is closed at the end. A broken
// change is logged once and the last good theme stays. Without a folder on
// disk there is nothing to watch.
func (t *Theme) Watch(stop <-chan struct{}) (done <-chan struct{}) {
	finished := make(chan struct{})
	if t.disk == "" {
		close(finished)
		return finished
	}
	seen := t.fingerprint()
	go func() {
		defer close(finished)
		tick := time.NewTicker(watchEvery)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				seen = t.look(seen)
			}
		}
	}()
	return finished
}

// look compares the files with what was seen of them and acts on a change.
func (t *Theme) look(seen uint64) uint64 {
	changed := t.assetsChanged()
	now := t.fingerprint() // before parsing: a change meanwhile is then seen next time
	if now != seen {
		if _, err := t.reload(); err != nil {
			t.logger().Error("The changed theme is broken; the last good one stays", "error", err)
			changed = changed || t.opts.Dev // whoever edits it must see the fault, not a cached page
		} else {
			changed = true
		}
	}
	if changed {
		t.announce()
	}
	return now
}

// fingerprint sums up names, sizes and times of the theme on disk; 0 if there
// is none.
func (t *Theme) fingerprint() uint64 {
	sum := fnv.New64a()
	any := false
	_ = filepath.WalkDir(filepath.Join(t.disk, root), func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // gone between the listing and now: seen next time
		}
		if info, err := d.Info(); err == nil {
			any = true
			if d.IsDir() { // what is in it says enough
				fmt.Fprintln(sum, path)
			} else {
				fmt.Fprintln(sum, path, info.Size(), info.ModTime().UnixNano())
			}
		}
		return nil
	})
	if !any {
		return 0
	}
	return sum.Sum64()
}

func (t *Theme) logger() *slog.Logger {
	if app := t.app.Load(); app != nil {
		return (*app).Logger()
	}
	return slog.Default()
}
