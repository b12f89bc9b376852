package engine

import (
	"io/fs"
	"runtime/debug"
	"testing"
)

func TestTheMemoryLimitFollowsTheTightestGroup(t *testing.T) {
	t.Parallel()
	const machine = "MemTotal:       16384000 kB\nMemFree: 1 kB\n"
	share := func(n int64) int64 { return int64(float64(n) * memoryShare) }
	for name, c := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no Linux":      {map[string]string{}, 0},
		"plain machine": {map[string]string{"/proc/meminfo": machine}, share(16384000 << 10)},
		"unlimited group": {map[string]string{
			"/proc/meminfo": machine, "/proc/self/cgroup": "0::/system.slice/site.service\n",
			"/sys/fs/cgroup/system.slice/site.service/memory.max": "max\n",
		}, share(16384000 << 10)},
		"the service's own limit": {map[string]string{
			"/proc/meminfo": machine, "/proc/self/cgroup": "0::/system.slice/site.service\n",
			"/sys/fs/cgroup/system.slice/site.service/memory.max": "1073741824\n",
		}, share(1 << 30)},
		"the slice around it is tighter": {map[string]string{
			"/proc/meminfo": machine, "/proc/self/cgroup": "0::/system.slice/site.service\n",
			"/sys/fs/cgroup/system.slice/site.service/memory.max": "1073741824\n",
			"/sys/fs/cgroup/system.slice/memory.max":              "536870912\n",
		}, share(512 << 20)},
		"a container": {map[string]string{
			"/proc/meminfo": machine, "/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "268435456",
		}, share(256 << 20)},
		"version 1": {map[string]string{
			"/proc/meminfo": machine, "/proc/self/cgroup": "12:cpu,cpuacct:/x\n7:memory:/docker/abc\n",
			"/sys/fs/cgroup/memory/docker/abc/memory.limit_in_bytes": "9223372036854771712\n",
			"/sys/fs/cgroup/memory/memory.limit_in_bytes":            "2147483648\n",
		}, share(2 << 30)},
		"nonsense": {map[string]string{"/proc/meminfo": "MemTotal: much kB\n", "/proc/self/cgroup": "what\n0:\n"}, 0},
	} {
		got := memoryLimit(func(path string) ([]byte, error) {
			if text, ok := c.files[path]; ok {
				return []byte(text), nil
			}
			return nil, fs.ErrNotExist
		})
		if got != c.want {
			t.Errorf("%s: %d bytes instead of %d", name, got, c.want)
		}
	}
}

// TestTheOperatorsOwnSettingsOfTheCollectorStay is not parallel: the settings
// are the process's.
func TestTheOperatorsOwnSettingsOfTheCollectorStay(t *testing.T) {
	percent, limit := debug.SetGCPercent(123), debug.SetMemoryLimit(1<<40)
	defer func() { debug.SetGCPercent(percent); debug.SetMemoryLimit(limit) }()
	paced := 0
	pace := func() { paced++ }
	tune(func(name string) (string, bool) { return "x", name == "GOGC" || name == "GOMEMLIMIT" }, pace)
	if got := debug.SetGCPercent(123); got != 123 || paced != 0 || debug.SetMemoryLimit(-1) != 1<<40 {
		t.Errorf("set to %d and %d", got, debug.SetMemoryLimit(-1))
	}
	tune(func(string) (string, bool) { return "", false }, pace)
	if paced != 1 {
		t.Error("without a word from the operator nothing follows what lives")
	}
}
