package mail

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/mailer"
)

// The outbox holds this much; beyond it the oldest mail is removed.
const (
	OutboxFiles = 1000
	OutboxBytes = 64 << 20
)

// outbox is a mailer that writes files: where no server is set up, mail is
// still there to be read.
type outbox struct {
	app      core.App
	dir      string
	now      func() time.Time
	maxFiles int
	maxBytes int64
	mu       sync.Mutex
}

func newOutbox(app core.App, dir string, now func() time.Time) *outbox {
	return &outbox{app: app, dir: dir, now: now, maxFiles: OutboxFiles, maxBytes: OutboxBytes}
}

// Send writes m as <time>-<id>.eml, whole or not at all. The same Message-ID
// again replaces its file.
func (o *outbox) Send(m *mailer.Message) error {
	now := o.now().UTC()
	id := headersOf(m)["Message-Id"]
	raw, err := compose(m, now, true)
	if err != nil {
		return fmt.Errorf("write mail to the outbox: %w", err)
	}
	sum := sha256.Sum256([]byte(cmp.Or(id, string(raw))))
	suffix := "-" + hex.EncodeToString(sum[:6]) + ".eml"

	o.mu.Lock()
	defer o.mu.Unlock()
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return fmt.Errorf("write mail to the outbox: %w", err)
	}
	name := now.Format("20060102T150405.000Z") + suffix
	for _, f := range o.files() {
		if id != "" && strings.HasSuffix(f.name, suffix) {
			name = f.name
		}
	}
	if err := writeAtomic(o.dir, name, raw); err != nil {
		return fmt.Errorf("write mail to the outbox: %w", err)
	}
	o.trim(name)
	return nil
}

type outboxFile struct {
	name string
	size int64
}

// files lists the outbox, the oldest first.
func (o *outbox) files() []outboxFile {
	entries, err := os.ReadDir(o.dir) // sorted by name, which begins with the time
	if err != nil {
		return nil
	}
	var out []outboxFile
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && strings.HasSuffix(e.Name(), ".eml") {
			out = append(out, outboxFile{e.Name(), info.Size()})
		}
	}
	return out
}

func (o *outbox) trim(newest string) {
	files := o.files()
	var total int64
	for _, f := range files {
		total += f.size
	}
	removed := 0
	for _, f := range files {
		if len(files)-removed <= o.maxFiles && total <= o.maxBytes {
			break
		}
		if f.name == newest {
			continue
		}
		if err := os.Remove(filepath.Join(o.dir, f.name)); err != nil {
			o.app.Logger().Error("an old mail in the outbox cannot be removed", "error", err)
			return
		}
		removed++
		total -= f.size
	}
	if removed > 0 {
		o.app.Logger().Warn("the outbox is full and its oldest mails were removed; set up SMTP to send mail",
			"removed", removed, "most_files", o.maxFiles, "most_bytes", o.maxBytes)
	}
}

// writeAtomic makes the file appear complete, readable by its owner alone.
func writeAtomic(dir, name string, data []byte) (err error) {
	f, err := os.CreateTemp(dir, ".new-*") // 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), filepath.Join(dir, name))
}
