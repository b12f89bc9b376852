package hooks_test

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"bungalow/hooks"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	addr := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 80}
	listen := func(errno syscall.Errno) error {
		return &net.OpError{Op: "listen", Net: "tcp", Addr: addr, Err: os.NewSyscallError("bind", errno)}
	}
	cases := []struct {
		name string
		err  error
		want []string
	}{
		{"port taken", listen(syscall.EADDRINUSE), []string{"127.0.0.1:80", "taken", "--http"}},
		{"no such address", listen(syscall.EADDRNOTAVAIL), []string{"no address", "--http"}},
		{"low port", listen(syscall.EACCES), []string{"may not listen", "1023"}},
		{"odd address", listen(syscall.EPROTO), []string{"can't listen", "host:port"}},
		{"no port", errors.New("address x: missing port in address"), []string{"host:port"}},
		{"file for a folder", &fs.PathError{Op: "mkdir", Path: filepath.Join(file, "pb_data"), Err: syscall.ENOTDIR}, []string{file + " is a file", "--dir"}},
		{"read-only", fmt.Errorf("a: %w", &fs.PathError{Op: "mkdir", Path: "/x", Err: syscall.EROFS}), []string{"/x", "read-only", "--dir"}},
		{"disk full", &fs.PathError{Op: "write", Path: "/x", Err: syscall.ENOSPC}, []string{"full", "free some space"}},
		{"no right", &fs.PathError{Op: "open", Path: "/x/y", Err: syscall.EACCES}, []string{"/x/y", "no right"}},
		{"link", &os.LinkError{Op: "link", Old: "/a", New: "/b", Err: syscall.EROFS}, []string{"/b", "read-only"}},
		{"nowhere", &fs.PathError{Op: "mkdir", Path: "/proc/x", Err: syscall.ENOENT}, []string{"/proc/x", "--dir"}},
		{"settings", errors.New(`invalid settings db data or missing encryption key ""`), []string{"--encryptionEnv", "backup"}},
		{"command", errors.New("unknown command \"serv\" for \"bungalow\"\n\nDid you mean this?\n\tserve\n\tsuper\n"), []string{"did you mean serve or super?", "--help"}},
		{"flag", errors.New("unknown flag: --nope"), []string{"--nope", "--help"}},
		{"joined", errors.Join(nil, errors.New("one"), errors.New("two")), []string{"one"}},
		{"another", errors.New("first\n\tsecond"), []string{"first second"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			got := hooks.Explain(c.err)
			for _, want := range c.want {
				if !strings.Contains(got, want) {
					t.Errorf("%q is not in %q", want, got)
				}
			}
			if strings.ContainsAny(got, "\n\t") || strings.Contains(got, "two") {
				t.Errorf("not one sentence: %q", got)
			}
		})
	}
}
