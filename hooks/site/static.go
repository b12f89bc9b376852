package site

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/kit/cache"
)

// Static finds and serves the files of pb_public: those on disk, and where
// there is none of that name, the built-in ones. A file that changes on disk
// is served as it is now by the next request.
//
// It never serves _theme, names that begin with a dot (but for /.well-known/),
// Go files, or anything that a symlink leads to outside of the folder or under
// one of those names. It is safe for concurrent use.
type Static struct {
	disk     string
	embedded fs.FS
	builtIn  map[string]int64 // sizes of the embedded files that may be served
	cache    *cache.Cache
	now      func() time.Time
}

const (
	indexPage = "index.html"
	// inMemory is the largest file that is kept in the cache, in bytes; larger
	// ones are read from disk for each request.
	inMemory = 1 << 20
)

// staticFile is what Find found: a file, or the address at which it lives.
type staticFile struct {
	name     string // under pb_public
	redirect string // path of the canonical address, unescaped; else ""
	onDisk   bool
	size     int64
	modified time.Time    // zero for built-in files
	entry    *cache.Entry // if it is in memory already
}

// NewStatic serves the folder disk ("" for none; it may appear later) over
// embedded, and keeps small files in c.
func NewStatic(disk string, embedded fs.FS, c *cache.Cache) *Static {
	s := &Static{disk: disk, embedded: embedded, builtIn: map[string]int64{}, cache: c, now: time.Now}
	// What cannot be listed is not served; an embedded file system has no such errors.
	_ = fs.WalkDir(embedded, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return nil
		}
		if info, err := d.Info(); err == nil && servable(name) {
			s.builtIn[name] = info.Size()
		}
		return nil
	})
	return s
}

// Find returns the file at the URL path urlPath, which is not escaped any
// more. A directory is its index.html; the file's or directory's other
// addresses give a redirect.
func (s *Static) Find(urlPath string) (file staticFile, ok bool) {
	rest, rooted := strings.CutPrefix(urlPath, "/")
	if !rooted {
		return file, false
	}
	if rest == "" {
		return s.lookup(indexPage)
	}
	name, slash := strings.CutSuffix(rest, "/")
	if !servable(name) {
		return file, false
	}
	if slash {
		return s.lookup(name + "/" + indexPage)
	}
	if path.Base(name) == indexPage {
		file, ok = s.lookup(name)
		return staticFile{redirect: strings.TrimSuffix(urlPath, indexPage), onDisk: file.onDisk}, ok
	}
	if file, ok = s.lookup(name); ok {
		return file, true
	}
	file, ok = s.lookup(name + "/" + indexPage)
	return staticFile{redirect: urlPath + "/", onDisk: file.onDisk}, ok
}

// OnDisk reports whether the owner's folder has a file at the URL path, so that
// a page in memory must give way to it.
func (s *Static) OnDisk(urlPath string) bool {
	if s.disk == "" {
		return false
	}
	file, ok := s.Find(urlPath)
	return ok && file.onDisk
}

// lookup finds a regular file by its servable name.
func (s *Static) lookup(name string) (staticFile, bool) {
	if file, ok := s.onDisk(name); ok {
		return file, true
	}
	size, ok := s.builtIn[name]
	if !ok {
		return staticFile{}, false
	}
	file := staticFile{name: name, size: size}
	file.entry, _ = s.cache.Get(file.key())
	return file, true
}

func (s *Static) onDisk(name string) (file staticFile, ok bool) {
	if s.disk == "" {
		return file, false
	}
	local, err := filepath.Localize(name)
	if err != nil {
		return file, false
	}
	full := filepath.Join(s.disk, local)
	info, err := os.Stat(full)
	if err != nil || !info.Mode().IsRegular() { // opening a pipe would wait for ever
		return file, false
	}
	file = staticFile{name: name, onDisk: true, size: info.Size(), modified: info.ModTime()}
	// What is in memory was checked when it was read.
	if file.entry, ok = s.cache.Get(file.key()); ok {
		return file, true
	}
	return file, s.inside(full)
}

// inside reports whether the file that full leads to, through whatever
// symlinks, is one that the folder may serve.
func (s *Static) inside(full string) bool {
	root, err := filepath.EvalSymlinks(s.disk)
	if err != nil {
		return false
	}
	real, err := filepath.EvalSymlinks(full)
	if err != nil {
		return false
	}
	name, err := filepath.Rel(root, real)
	return err == nil && servable(filepath.ToSlash(name))
}

// key names the file as it is now; a changed file has another key, and the
// entry of the old one is forgotten when room is needed.
func (f *staticFile) key() string {
	var buffer [128]byte
	b := append(buffer[:0], "static:"...)
	b = append(b, f.name...)
	if f.onDisk {
		b = append(b, 0)
		b = strconv.AppendInt(b, f.modified.UnixNano(), 36)
		b = append(b, 0)
		b = strconv.AppendInt(b, f.size, 36)
	}
	return string(b)
}

// open opens the file by its name without following a symlink that leaves the
// folder, and says what it opened.
func (s *Static) open(file staticFile) (fs.File, fs.FileInfo, error) {
	var f fs.File
	var err error
	if file.onDisk {
		var root *os.Root
		if root, err = os.OpenRoot(s.disk); err != nil {
			return nil, nil, err
		}
		defer root.Close()
		f, err = root.Open(filepath.FromSlash(file.name))
	} else {
		f, err = s.embedded.Open(file.name)
	}
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return f, info, nil
}
