package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"bungalow/tests/binary"
)

// Machine describes where a report was made.
type Machine struct {
	CPU    string    `json:"cpu"`
	Cores  int       `json:"cores"`
	Memory int64     `json:"memory_bytes"`
	OS     string    `json:"os"`
	Go     string    `json:"go"`
	Commit string    `json:"commit"`
	At     time.Time `json:"at"`

	PocketBase string        `json:"pocketbase"`
	Load       string        `json:"load_average"` // of the last minute, before the run
	Sync       time.Duration `json:"disk_sync_ns"` // median of appending 4 KB and syncing
}

func describeMachine() Machine {
	m := Machine{
		CPU: "unknown", Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH,
		Go: runtime.Version(), Commit: "unknown", PocketBase: "unknown", Load: "unknown", At: time.Now().UTC().Truncate(time.Second),
	}
	if raw, err := os.ReadFile(filepath.Join(procRoot, "cpuinfo")); err == nil {
		m.CPU = firstValue(string(raw), "model name", m.CPU)
	}
	if raw, err := os.ReadFile(filepath.Join(procRoot, "meminfo")); err == nil {
		m.Memory, _ = parseKB(firstValue(string(raw), "MemTotal", "0"))
	}
	if raw, err := os.ReadFile(filepath.Join(procRoot, "loadavg")); err == nil {
		m.Load, _, _ = strings.Cut(string(raw), " ")
	}
	if raw, err := os.ReadFile(filepath.Join(procRoot, "sys/kernel/osrelease")); err == nil {
		m.OS += ", kernel " + strings.TrimSpace(string(raw))
	}
	if root, err := binary.Root(); err == nil {
		m.Commit = commit(root)
		if raw, err := os.ReadFile(filepath.Join(root, "go.mod")); err == nil {
			m.PocketBase = requiredVersion(string(raw), "github.com/pocketbase/pocketbase", m.PocketBase)
		}
	}
	m.Sync = diskSync()
	return m
}

// firstValue finds "name : value" in the text of a /proc file.
func firstValue(text, name, fallback string) string {
	for line := range strings.Lines(text) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return fallback
}

// requiredVersion finds a module's version in the text of a go.mod.
func requiredVersion(mod, module, fallback string) string {
	for line := range strings.Lines(mod) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && fields[0] == module {
			return fields[1]
		}
	}
	return fallback
}

// diskSync is the median time of a small append and its sync, where the copies
// of the seeded folder lie; 0 where it can't be measured.
func diskSync() time.Duration {
	f, err := os.CreateTemp("", "bungalow-bench-sync-")
	if err != nil {
		return 0
	}
	defer func() { _, _ = f.Close(), os.Remove(f.Name()) }()
	var took []float64
	for range 21 {
		began := time.Now()
		if _, err := f.Write(make([]byte, 4096)); err != nil {
			return 0
		}
		if err := f.Sync(); err != nil {
			return 0
		}
		took = append(took, float64(time.Since(began)))
	}
	return time.Duration(median(took))
}
