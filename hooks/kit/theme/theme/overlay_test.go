package theme

import (
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/fstest"
)

var writes atomic.Int64

func TestOverlayIsAFileSystem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "assets/css/site.css", "disk")
	write(t, dir, "assets/img/logo.svg", "disk")
	write(t, dir, "index.html", "disk")
	for _, disk := range []string{"", dir, filepath.Join(dir, "none")} {
		want := []string{"assets/css/site.css", "_theme/pages/post.html", "assets/js/theme.js"}
		if disk == dir {
			want = append(want, "index.html", "assets/img/logo.svg")
		}
		if err := fstest.TestFS(Overlay(disk, builtIn()), want...); err != nil {
			t.Errorf("disk %q: %v", disk, err)
		}
	}
	o := Overlay(dir, builtIn())
	for name, want := range map[string]string{"assets/css/site.css": "disk", "assets/js/theme.js": "1"} {
		if got, err := fs.ReadFile(o, name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

func TestOverlayStaysInside(t *testing.T) {
	t.Parallel()
	outside, dir := t.TempDir(), t.TempDir()
	write(t, outside, "secret", "s")
	write(t, dir, "assets", "a file where the theme has a folder")
	for link, to := range map[string]string{"out": outside, "file": filepath.Join(outside, "secret"), "up": ".."} {
		if err := os.Symlink(to, filepath.Join(dir, link)); err != nil {
			t.Skip("no symlinks here:", err)
		}
	}
	o := Overlay(dir, builtIn())
	for _, name := range []string{"out/secret", "file", "up", "../x", "/etc/passwd", "a//b", ""} {
		if got, err := fs.ReadFile(o, name); err == nil {
			t.Errorf("%s was read: %q", name, got)
		}
		if _, err := fs.Stat(o, name); err == nil {
			t.Errorf("%s was found", name)
		}
		if _, err := fs.ReadDir(o, name); err == nil {
			t.Errorf("%s was listed", name)
		}
	}
	if got, err := fs.ReadFile(o, "assets/css/site.css"); err != nil || string(got) != "body{}" {
		t.Errorf("behind the file on disk: %q, %v", got, err)
	}
}
