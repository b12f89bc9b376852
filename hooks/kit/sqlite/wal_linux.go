package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
)

// verified says that shared syncs were tested on this operating system.
const verified = true

// walFile syncs a database's write-ahead log through a descriptor of its own.
// Closing that drops no lock: SQLite locks the database and its -shm file,
// never the log. The database itself must not be opened here for that reason.
type walFile struct {
	path string

	mu    sync.Mutex
	file  *os.File
	info  os.FileInfo
	ended bool // keep nothing open
}

func newWAL(database string) *walFile { return &walFile{path: database + "-wal"} }

// sync returns when all that was written to the log is on the disk. Where
// there is no log, SQLite has synced it into the database before it removed it.
func (w *walFile) sync() (err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer func() {
		if w.ended {
			err = errors.Join(err, w.drop())
		}
	}()
	info, err := os.Stat(w.path)
	if errors.Is(err, fs.ErrNotExist) {
		return w.drop()
	}
	if err != nil {
		return err
	}
	if w.file == nil || !os.SameFile(info, w.info) {
		if err := w.reopen(); err != nil {
			return err
		}
	}
	for {
		err := syscall.Fdatasync(int(w.file.Fd()))
		if !errors.Is(err, syscall.EINTR) {
			return os.NewSyscallError("fdatasync", err)
		}
	}
}

func (w *walFile) reopen() error {
	if err := w.drop(); err != nil {
		return err
	}
	file, err := os.Open(w.path)
	if err != nil {
		return fmt.Errorf("open the log: %w", err)
	}
	info, err := file.Stat()
	if err != nil {
		return errors.Join(err, file.Close())
	}
	// A file without a durable name is lost with all that is in it.
	dir, err := os.Open(filepath.Dir(w.path))
	if err != nil {
		return errors.Join(err, file.Close())
	}
	if err := errors.Join(dir.Sync(), dir.Close()); err != nil {
		return errors.Join(err, file.Close())
	}
	w.file, w.info = file, info
	return nil
}

// close lets go of the log. A sync that comes later opens it for itself.
func (w *walFile) close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.ended = true
	return w.drop()
}

func (w *walFile) drop() error {
	if w.file == nil {
		return nil
	}
	file := w.file
	w.file = nil
	return file.Close()
}
