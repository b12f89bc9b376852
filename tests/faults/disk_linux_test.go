package faults

import (
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"bungalow/tests/binary"
)

// smallDisk mounts an empty file system of that size, which only root may.
func smallDisk(t *testing.T, megabytes int) string {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("bungalow-test", dir, "tmpfs", 0, "size="+strconv.Itoa(megabytes)+"m"); err != nil {
		binary.SkipAloud(t, "a small disk to fill needs the right to mount one", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

func remount(t *testing.T, dir string, flags uintptr, options string) {
	t.Helper()
	if err := syscall.Mount("bungalow-test", dir, "tmpfs", syscall.MS_REMOUNT|flags, options); err != nil {
		t.Fatal(err)
	}
}

// fill takes all space that is left; the returned function gives it back.
func fill(t *testing.T, dir string) (free func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	for size := 1 << 20; size >= 512; {
		if _, err := f.Write(make([]byte, size)); err != nil {
			size /= 2
		}
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}

func TestReadOnlyFolder(t *testing.T) {
	t.Parallel()
	home := smallDisk(t, 40)
	command(t, home, "superuser", "upsert", binary.SuperuserEmail, binary.SuperuserPassword)
	remount(t, home, syscall.MS_RDONLY, "")
	refuses(t, home, nil, []string{"read-only", home, "--dir"})
	remount(t, home, 0, "")
	serve(t, home)

	empty := smallDisk(t, 1)
	remount(t, empty, syscall.MS_RDONLY, "")
	refuses(t, empty, nil, []string{"read-only", empty, "--dir"})
}

func TestFullDiskAtTheStart(t *testing.T) {
	t.Parallel()
	home := smallDisk(t, 40)
	command(t, home, "superuser", "upsert", binary.SuperuserEmail, binary.SuperuserPassword)
	free := fill(t, home)
	refuses(t, home, nil, []string{"full", "free some space"})
	free()
	server := serve(t, home)
	signIn(t, server)
}

// A first start that ran out of disk leaves half a database; the next start
// must finish what makes a new site safe.
func TestFirstStartOnAFullDiskIsFinishedLater(t *testing.T) {
	t.Parallel()
	for _, kilobytes := range []string{"200k", "300k", "420k", "600k", "1000k"} {
		t.Run(kilobytes, func(t *testing.T) {
			t.Parallel()
			home := smallDisk(t, 1)
			remount(t, home, 0, "size="+kilobytes)
			r, err := binary.Run(t.Context(), home, "superuser", "upsert", binary.SuperuserEmail, binary.SuperuserPassword)
			if err != nil {
				t.Fatal(err)
			}
			if r.Code == 0 {
				t.Fatal("the disk was not small enough")
			}
			remount(t, home, 0, "size=60m")
			server := serve(t, home)
			a, err := binary.Client{Base: server.URL}.Do(t.Context(), http.MethodPost, "/api/collections/users/records",
				map[string]string{"email": "new@example.com", "password": "long-enough", "passwordConfirm": "long-enough"})
			if err != nil {
				t.Fatal(err)
			}
			if a.Status != http.StatusForbidden {
				t.Errorf("a stranger may sign up: status %d", a.Status)
			}
		})
	}
}

func TestDiskFillsUpWhileServing(t *testing.T) {
	t.Parallel()
	home := smallDisk(t, 160)
	server := serve(t, home)
	root := signIn(t, server)
	kept := createPost(t, root, "before")
	free := fill(t, home)

	visitor := binary.Client{Base: server.URL}
	if a, err := visitor.Do(t.Context(), http.MethodGet, "/healthz", nil); err != nil || a.Status != http.StatusOK {
		t.Errorf("healthz %d, %v", a.Status, err)
	}
	waitForStatus(t, visitor, "/readyz", http.StatusServiceUnavailable)
	// Writes fail with an error until one does; nothing is half done.
	refused := false
	for i := 0; i < 200 && !refused; i++ {
		a, err := root.Do(t.Context(), http.MethodPost, "/api/collections/posts/records", post("full-"+strconv.Itoa(i)))
		if err != nil {
			t.Fatal(err)
		}
		refused = a.Status >= 400
	}
	if !refused {
		t.Error("writes to a full disk were acknowledged")
	}
	if a, err := visitor.Do(t.Context(), http.MethodGet, "/api/collections/posts/records/"+kept, nil); err != nil || a.Status != http.StatusOK {
		t.Errorf("reading on a full disk: %d, %v", a.Status, err)
	}
	free()
	waitForStatus(t, visitor, "/readyz", http.StatusOK)
	createPost(t, root, "after")
}

// waitForStatus asks until the answer has the status.
func waitForStatus(t *testing.T, c binary.Client, path string, want int) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(binary.Patience)
	for last := 0; ; {
		if a, err := c.Do(t.Context(), http.MethodGet, path, nil); err == nil {
			if last = a.Status; last == want {
				return
			}
		}
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s answers %d, want %d", path, last, want)
		}
	}
}
