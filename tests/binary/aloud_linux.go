package binary

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// aloud writes a line where a person sees it. "go test ./..." hides what a
// passing package prints, on both streams; the go command itself is the parent,
// so the line goes to its standard error.
func aloud(line string) {
	if parent := parentStderr(); parent != nil {
		_, _ = fmt.Fprintln(parent, line)
		_ = parent.Close()
		return
	}
	_, _ = fmt.Fprintln(os.Stderr, line)
}

// parentStderr is the parent's standard error, nil where it can't be had. Its
// own descriptor is the best, because it shares the place in a file; opening it
// anew is good enough for a terminal or a pipe.
func parentStderr() *os.File {
	if pid, err := unix.PidfdOpen(os.Getppid(), 0); err == nil {
		defer func() { _ = unix.Close(pid) }()
		if fd, err := unix.PidfdGetfd(pid, int(os.Stderr.Fd()), 0); err == nil {
			return os.NewFile(uintptr(fd), "the parent's stderr")
		}
	}
	path := fmt.Sprintf("/proc/%d/fd/%d", os.Getppid(), os.Stderr.Fd())
	if info, err := os.Stat(path); err != nil || info.Mode().IsRegular() {
		return nil
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return nil
	}
	return f
}
