package engine

import (
	"bytes"
	"math"
	"os"
	"path"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

const (
	// memoryShare of the machine is where the collector begins to work harder;
	// the rest is SQLite's pages and the system's.
	memoryShare = 0.6
	// connections is enough to keep SQLite busy. Each holds its own page
	// cache of up to 32 MB, and opening one costs more than waiting for one.
	connections = 8
)

// Connections sets how many database connections PocketBase may open.
func Connections(c *pocketbase.Config) {
	n := max(connections, 2*runtime.NumCPU())
	c.DataMaxOpenConns, c.DataMaxIdleConns = n, n
	c.AuxMaxOpenConns, c.AuxMaxIdleConns = connections, connections
}

// bindProcess sets the garbage collector when a real server starts. It is the
// process's, so tests and other programs that serve nothing keep theirs.
func bindProcess(app core.App) {
	app.OnServe().Bind(&hook.Handler[*core.ServeEvent]{
		Priority: -last, // around everybody else's preparations
		Func: func(e *core.ServeEvent) error {
			if e.Server == nil {
				return e.Next()
			}
			err := e.Next()
			tune(os.LookupEnv, startPacer)
			go func() { // what the preparations left behind
				debug.FreeOSMemory()
				releaseCode()
			}()
			return err
		},
	})
}

// tune leaves alone what the operator set with Go's own variables.
func tune(env func(string) (string, bool), pace func()) {
	if _, set := env("GOGC"); !set {
		pace()
	}
	if _, set := env("GOMEMLIMIT"); !set {
		if limit := memoryLimit(os.ReadFile); limit > 0 {
			debug.SetMemoryLimit(limit)
		}
	}
}

// memoryLimit is the share of this machine's, or this container's, memory in
// bytes; 0 where that is not known.
func memoryLimit(read func(string) ([]byte, error)) int64 {
	total := int64(math.MaxInt64)
	for _, file := range limitFiles(read) {
		if text, err := read(file); err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil && n > 0 { // "max" is none
				total = min(total, n)
			}
		}
	}
	if n := memTotal(read); n > 0 {
		total = min(total, n)
	}
	if total == math.MaxInt64 {
		return 0
	}
	return int64(float64(total) * memoryShare)
}

// limitFiles are where the kernel says how much this process's groups may
// use: the group's own file and those of the groups around it, which may be
// tighter (cgroups v2 and v1).
func limitFiles(read func(string) ([]byte, error)) []string {
	text, err := read("/proc/self/cgroup")
	if err != nil {
		return nil
	}
	var files []string
	for line := range strings.Lines(string(text)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) != 3 {
			continue
		}
		root, name := "", ""
		switch {
		case part[0] == "0" && part[1] == "":
			root, name = "/sys/fs/cgroup", "memory.max"
		case strings.Contains(","+part[1]+",", ",memory,"):
			root, name = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for dir := path.Clean("/" + part[2]); ; dir = path.Dir(dir) {
			files = append(files, path.Join(root, dir, name))
			if dir == "/" {
				break
			}
		}
	}
	return files
}

// memTotal is the machine's memory in bytes, 0 where the kernel is not Linux.
func memTotal(read func(string) ([]byte, error)) int64 {
	text, err := read("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(text) {
		if fields := strings.Fields(string(line)); len(fields) == 3 && fields[0] == "MemTotal:" {
			kb, _ := strconv.ParseInt(fields[1], 10, 64)
			return kb << 10
		}
	}
	return 0
}
