package faults

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bungalow/tests/binary"
)

// A site that serves is backed up, brought back elsewhere, and has everything
// that was acknowledged before the backup began.
func TestBackupOfARunningSiteAndBack(t *testing.T) {
	t.Parallel()
	home := site(t)
	server := serve(t, home)
	c := signIn(t, server)
	for i := range 20 {
		createPost(t, c, fmt.Sprintf("kept-%d", i))
	}
	file := filepath.Join(t.TempDir(), "site.zip")
	if r, err := binary.Run(t.Context(), home, "backup", file); err != nil || r.Code != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	elsewhere := t.TempDir()
	if r, err := binary.Run(t.Context(), elsewhere, "restore", file); err != nil || r.Code != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	if r, err := binary.Run(t.Context(), elsewhere, "check"); err != nil || r.Code != 0 || !strings.Contains(r.Stdout, "ok     databases") {
		t.Errorf("%+v, %v", r, err)
	}
	back := serve(t, elsewhere)
	for i := range 20 {
		path := fmt.Sprintf("/blog/kept-%d/", i)
		if a, err := (binary.Client{Base: back.URL}).Do(t.Context(), http.MethodGet, path, nil); err != nil || a.Status != http.StatusOK {
			t.Errorf("%s: %d, %v", path, a.Status, err)
		}
	}
	if r, err := binary.Run(t.Context(), elsewhere, "restore", file); err != nil || r.Code == 0 || !strings.Contains(r.Stderr, "not empty") {
		t.Errorf("over a site: %+v, %v", r, err)
	}
}

// A backup that is killed at any moment leaves no file under its name, and the
// site goes on.
func TestKillDuringBackup(t *testing.T) {
	t.Parallel()
	home := site(t)
	server := serve(t, home)
	c := signIn(t, server)
	createPost(t, c, "before")
	// Enough that a backup takes a while.
	storage := filepath.Join(home, "pb_data", "storage", "x")
	if err := os.MkdirAll(storage, 0o755); err != nil {
		t.Fatal(err)
	}
	for i := range 40 {
		if err := os.WriteFile(filepath.Join(storage, fmt.Sprintf("%d.bin", i)), make([]byte, 2<<20), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	program, err := binary.Build()
	if err != nil {
		t.Fatal(err)
	}
	out := t.TempDir()
	file := filepath.Join(out, "site.zip")
	cmd := exec.Command(program, "backup", file, "--dir", filepath.Join(home, "pb_data"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(binary.Patience); ; time.Sleep(time.Millisecond) {
		if growing, _ := filepath.Glob(filepath.Join(out, ".backup-*", "archive.zip")); len(growing) == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the backup does not begin")
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if _, err := os.Stat(file); err == nil {
		t.Error("half a backup lies under its name")
	}
	createPost(t, c, "after")
	if r, err := binary.Run(t.Context(), home, "backup", file); err != nil || r.Code != 0 {
		t.Errorf("the next one: %+v, %v", r, err)
	}
	if problem := integrity(t, home); problem != "ok" {
		t.Error(problem)
	}
}

func TestCheckNamesWhatIsWrong(t *testing.T) {
	t.Parallel()
	home := site(t)
	server := serve(t, home)
	c := signIn(t, server)
	if err := c.Call(t.Context(), http.MethodPost, "/api/collections/settings/records", map[string]any{"feature": "spam", "value": map[string]any{"min_seconds": "soon"}}, nil); err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(home, "pb_public", "_theme", "pages", "home.html")
	if err := os.MkdirAll(filepath.Dir(page), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(page, []byte("{{define \"main\"}}{{.Home"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(home, "pb_data", "secret.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	r, err := binary.Run(t.Context(), home, "check")
	if err != nil || r.Code != 1 || !strings.Contains(r.Stderr, "not everything is in order") {
		t.Errorf("%+v, %v", r, err)
	}
	for _, says := range []string{"FAULT  data folder: others may read the site's key", "FAULT  settings: the settings of spam", "FAULT  templates:", "home.html:1"} {
		if !strings.Contains(r.Stdout, says) {
			t.Errorf("nothing says %q:\n%s", says, r.Stdout)
		}
	}
}

// The desk brings a running site back to a backup: the process starts again
// with what was, and what came since is gone.
func TestTheDeskBringsASiteBack(t *testing.T) {
	t.Parallel()
	home := site(t)
	server := serve(t, home)
	c := signIn(t, server)
	createPost(t, c, "before")
	const email, password = "olive@example.com", "correct-horse-battery"
	if err := c.Call(t.Context(), http.MethodPost, "/api/collections/staff/records", map[string]any{
		"email": email, "name": "Olive", "role": "owner", "active": true, "verified": true, "password": password, "passwordConfirm": password,
	}, nil); err != nil {
		t.Fatal(err)
	}
	if r, err := binary.Run(t.Context(), home, "backup"); err != nil || r.Code != 0 {
		t.Fatalf("%+v, %v", r, err)
	}
	made, err := filepath.Glob(filepath.Join(home, "pb_data", "backups", "*.zip"))
	if err != nil || len(made) != 1 {
		t.Fatalf("%v, %v", made, err)
	}
	createPost(t, c, "after")
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar}
	for _, step := range []struct {
		path string
		form url.Values
	}{
		{"/desk/sign-in/", url.Values{"email": {email}, "password": {password}}},
		{"/desk/backups/" + filepath.Base(made[0]) + "/restore/", url.Values{"sure": {"true"}}},
	} {
		res, err := browser.PostForm(server.URL+step.path, step.form)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Fatalf("%s: %v, %v", step.path, res, err)
		}
		_ = res.Body.Close()
	}
	for deadline := time.Now().Add(binary.Patience); ; time.Sleep(20 * time.Millisecond) {
		before, err1 := (binary.Client{Base: server.URL}).Do(t.Context(), http.MethodGet, "/blog/before/", nil)
		after, err2 := (binary.Client{Base: server.URL}).Do(t.Context(), http.MethodGet, "/blog/after/", nil)
		if err1 == nil && err2 == nil && before.Status == http.StatusOK && after.Status == http.StatusNotFound {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("before: %d %v, after: %d %v\n%s", before.Status, err1, after.Status, err2, server.Output())
		}
	}
	if problem := integrity(t, home); problem != "ok" {
		t.Error(problem)
	}
}
