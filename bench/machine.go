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
}

func describeMachine() Machine {
	m := Machine{
		CPU: "unknown", Cores: runtime.NumCPU(), OS: runtime.GOOS + "/" + runtime.GOARCH,
		Go: runtime.Version(), Commit: "unknown", At: time.Now().UTC().Truncate(time.Second),
	}
	if raw, err := os.ReadFile(filepath.Join(procRoot, "cpuinfo")); err == nil {
		m.CPU = firstValue(string(raw), "model name", m.CPU)
	}
	if raw, err := os.ReadFile(filepath.Join(procRoot, "meminfo")); err == nil {
		m.Memory, _ = parseKB(firstValue(string(raw), "MemTotal", "0"))
	}
	if raw, err := os.ReadFile(filepath.Join(procRoot, "sys/kernel/osrelease")); err == nil {
		m.OS += ", kernel " + strings.TrimSpace(string(raw))
	}
	if root, err := binary.Root(); err == nil {
		m.Commit = commit(root)
	}
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
