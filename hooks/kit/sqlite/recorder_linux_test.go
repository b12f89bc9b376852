package sqlite

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"modernc.org/libc"
	lib "modernc.org/sqlite/lib"
)

// recorder writes down, in their order, every write and sync that SQLite and
// we ask of a disk, and what was acknowledged in between.
type recorder struct {
	mu  sync.Mutex
	log []step
}

type step struct {
	file string // base name; "" for an acknowledgement
	ack  string
	off  int64
	data []byte // nil for a truncation to off, or a sync
	sync bool
	upto int // a sync covers the steps before this one
}

func (r *recorder) add(s step) {
	r.mu.Lock()
	r.log = append(r.log, s)
	r.mu.Unlock()
}

func (r *recorder) now() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.log)
}

// recorders by folder; SQLite's own VFS interface has no room for a receiver.
var (
	recorders sync.Map
	openFiles sync.Map // uintptr of sqlite3_file → *openFile
	shims     sync.Map // uintptr of methods → uintptr of ours
	below     uintptr  // the machine's own VFS
	register  sync.Once
)

type openFile struct {
	rec     *recorder
	name    string
	methods *lib.Tsqlite3_io_methods
}

// recordingVFS registers a VFS that passes everything on to the machine's own.
func recordingVFS(t *testing.T) string {
	t.Helper()
	register.Do(func() {
		tls := libc.NewTLS()
		below = lib.Xsqlite3_vfs_find(tls, 0)
		vfs := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(lib.Tsqlite3_vfs{})))
		*at[lib.Tsqlite3_vfs](vfs) = *at[lib.Tsqlite3_vfs](below)
		v := at[lib.Tsqlite3_vfs](vfs)
		v.FzName, _ = libc.CString("recording")
		v.FpNext = 0
		v.FxOpen = code(recordOpen)
		if rc := lib.Xsqlite3_vfs_register(tls, vfs, 0); rc != lib.SQLITE_OK {
			t.Errorf("register the VFS: %d", rc)
		}
	})
	return "&vfs=recording"
}

// at is what lies at an address of C's.
func at[T any](p uintptr) *T { return *(**T)(unsafe.Pointer(&p)) }

// code is how translated C refers to a Go function.
func code[F any](f F) uintptr { return *(*uintptr)(unsafe.Pointer(&f)) }

// call is the way back.
func call[F any](p uintptr) F { return *(*F)(unsafe.Pointer(&struct{ p uintptr }{p})) }

type (
	xOpen     = func(*libc.TLS, uintptr, uintptr, uintptr, int32, uintptr) int32
	xWrite    = func(*libc.TLS, uintptr, uintptr, int32, int64) int32
	xTruncate = func(*libc.TLS, uintptr, int64) int32
	xSync     = func(*libc.TLS, uintptr, int32) int32
	xClose    = func(*libc.TLS, uintptr) int32
)

func recordOpen(tls *libc.TLS, vfs, name, file uintptr, flags int32, out uintptr) int32 {
	rc := call[xOpen](at[lib.Tsqlite3_vfs](below).FxOpen)(tls, vfs, name, file, flags, out)
	if rc != lib.SQLITE_OK || name == 0 {
		return rc
	}
	path := libc.GoString(name)
	rec, ok := recorders.Load(filepath.Dir(path))
	if !ok {
		return rc
	}
	f := at[lib.Tsqlite3_file](file)
	if f.FpMethods == 0 {
		return rc
	}
	methods := at[lib.Tsqlite3_io_methods](f.FpMethods)
	openFiles.Store(file, &openFile{rec: rec.(*recorder), name: filepath.Base(path), methods: methods})
	ours, known := shims.Load(f.FpMethods)
	if !known {
		p := libc.Xcalloc(tls, 1, libc.Tsize_t(unsafe.Sizeof(*methods)))
		m := at[lib.Tsqlite3_io_methods](p)
		*m = *methods
		m.FxWrite, m.FxTruncate, m.FxSync, m.FxClose = code(recordWrite), code(recordTruncate), code(recordSync), code(recordClose)
		ours, _ = shims.LoadOrStore(f.FpMethods, p)
	}
	f.FpMethods = ours.(uintptr)
	return rc
}

func opened(file uintptr) *openFile {
	f, _ := openFiles.Load(file)
	return f.(*openFile)
}

func recordWrite(tls *libc.TLS, file, data uintptr, n int32, off int64) int32 {
	f := opened(file)
	f.rec.add(step{file: f.name, off: off, data: append([]byte{}, unsafe.Slice(at[byte](data), n)...)})
	return call[xWrite](f.methods.FxWrite)(tls, file, data, n, off)
}

func recordTruncate(tls *libc.TLS, file uintptr, size int64) int32 {
	f := opened(file)
	f.rec.add(step{file: f.name, off: size})
	return call[xTruncate](f.methods.FxTruncate)(tls, file, size)
}

func recordSync(tls *libc.TLS, file uintptr, flags int32) int32 {
	f := opened(file)
	upto := f.rec.now()
	rc := call[xSync](f.methods.FxSync)(tls, file, flags)
	f.rec.add(step{file: f.name, sync: true, upto: upto})
	return rc
}

func recordClose(tls *libc.TLS, file uintptr) int32 {
	f := opened(file)
	openFiles.Delete(file)
	at[lib.Tsqlite3_file](file).FpMethods = uintptr(unsafe.Pointer(f.methods))
	return call[xClose](f.methods.FxClose)(tls, file)
}

// powerCut makes in dir what a disk may hold when the power goes at step n: of
// each file the base, all that a sync covers, and of the rest whatever
// the disk happened to keep: writes whole, torn, or not at all, in any mix.
func (r *recorder) powerCut(base map[string][]byte, n int, random *rand.Rand, dir string) (acked []string, err error) {
	files := map[string][]byte{}
	for name, content := range base {
		files[name] = append([]byte{}, content...)
	}
	safe := map[string]int{}
	for _, s := range r.log[:n] {
		if s.sync {
			safe[s.file] = max(safe[s.file], s.upto)
		}
	}
	keep := random.Float64() // between a disk that kept nearly all and one that kept nearly nothing
	for i, s := range r.log[:n] {
		if s.ack != "" {
			acked = append(acked, s.ack)
		}
		if s.file == "" || s.sync {
			continue
		}
		data := s.data
		if i >= safe[s.file] {
			switch p := random.Float64(); {
			case p > keep:
				continue
			case p > keep*0.8 && len(data) > 512:
				data = data[:random.IntN(len(data)/512)*512]
			}
		}
		content := files[s.file]
		if s.data == nil {
			if int64(len(content)) > s.off {
				content = content[:s.off]
			}
		} else {
			if end := int(s.off) + len(data); end > len(content) {
				content = append(content, make([]byte, end-len(content))...)
			}
			copy(content[s.off:], data)
		}
		files[s.file] = content
	}
	for name, content := range files {
		if strings.HasSuffix(name, "-shm") {
			continue
		}
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			return nil, fmt.Errorf("write the disk's content: %w", err)
		}
	}
	return acked, nil
}
