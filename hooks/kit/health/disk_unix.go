//go:build linux || darwin || freebsd

package health

import "syscall"

// diskFree is how many bytes an unprivileged writer has left in dir.
func diskFree(dir string) (free uint64, known bool) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return uint64(s.Bavail) * uint64(s.Bsize), true
}
