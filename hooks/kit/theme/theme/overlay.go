package theme

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
)

// Overlay returns the files of the folder disk over those of embedded, file by
// file; the listing of a directory has both. disk may be empty or not exist
// (yet): the folder is looked up at each call, so that it may appear, go, or be
// replaced whole. A symlink that leaves disk is an error, never followed.
func Overlay(disk string, embedded fs.FS) fs.FS {
	return overlay{disk, embedded}
}

type overlay struct {
	disk     string
	embedded fs.FS
}

// onDisk opens name in the folder on disk; absent says that it is not there.
func (o overlay) onDisk(name string) (f *os.File, absent bool, err error) {
	if o.disk == "" {
		return nil, true, nil
	}
	root, err := os.OpenRoot(o.disk)
	if err == nil {
		defer root.Close()
		f, err = root.Open(name)
	}
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {
		return nil, true, nil
	}
	return f, false, err
}

// Open opens the file, or the merged directory.
func (o overlay) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	f, absent, err := o.onDisk(name)
	if err != nil {
		return nil, err
	}
	if absent {
		under, err := o.embedded.Open(name)
		if err != nil {
			return nil, err
		}
		return o.merged(name, under)
	}
	return o.merged(name, f)
}

// merged returns f, or in its place the directory that has both listings.
func (o overlay) merged(name string, f fs.File) (fs.File, error) {
	info, err := f.Stat()
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	if !info.IsDir() {
		return f, nil
	}
	_ = f.Close()
	entries, err := o.ReadDir(name)
	if err != nil {
		return nil, err
	}
	return &directory{info: info, entries: entries}, nil
}

// Stat describes what Open would open.
func (o overlay) Stat(name string) (fs.FileInfo, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "stat", Path: name, Err: fs.ErrInvalid}
	}
	f, absent, err := o.onDisk(name)
	if err != nil {
		return nil, err
	}
	if absent {
		return fs.Stat(o.embedded, name)
	}
	defer f.Close()
	return f.Stat()
}

// ReadDir lists both directories; of two equal names the disk's counts.
func (o overlay) ReadDir(name string) ([]fs.DirEntry, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: fs.ErrInvalid}
	}
	f, absent, err := o.onDisk(name)
	if err != nil {
		return nil, err
	}
	under, underErr := fs.ReadDir(o.embedded, name)
	if absent {
		return under, underErr
	}
	defer f.Close()
	entries, err := f.ReadDir(-1)
	if err != nil {
		return nil, err
	}
	byName := func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) }
	slices.SortFunc(entries, byName)
	onDisk := len(entries)
	for _, e := range under {
		if _, there := slices.BinarySearchFunc(entries[:onDisk], e, byName); !there {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, byName)
	return entries, nil
}

// directory is an open directory whose listing is known.
type directory struct {
	info    fs.FileInfo
	entries []fs.DirEntry
}

func (d *directory) Stat() (fs.FileInfo, error) { return d.info, nil }
func (d *directory) Close() error               { return nil }

func (d *directory) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.info.Name(), Err: errors.New("is a directory")}
}

func (d *directory) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		all := d.entries
		d.entries = nil
		return all, nil
	}
	if len(d.entries) == 0 {
		return nil, io.EOF
	}
	n = min(n, len(d.entries))
	some := d.entries[:n]
	d.entries = d.entries[n:]
	return some, nil
}
