// Package faults does to the real executable what happens to a server in its
// life: a bad start, a full disk, a damaged file, a kill. It holds two
// promises: the operator gets one sentence that says what to do, and nothing
// that was acknowledged is lost.
package faults

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bungalow/tests/binary"
	_ "modernc.org/sqlite" // opens the databases from outside
)

// template is a folder that was served once and has a superuser.
var template = sync.OnceValues(func() (string, error) {
	home, err := os.MkdirTemp("", "bungalow-faults-")
	if err != nil {
		return "", err
	}
	templateHome = home
	server, err := binary.Start(context.Background(), binary.Options{Home: home})
	if err != nil {
		return home, err
	}
	_, err = server.Superuser(context.Background())
	_, stopErr := server.Stop()
	return home, errors.Join(err, stopErr)
})

var templateHome string // what TestMain removes

func TestMain(m *testing.M) {
	code := m.Run()
	if templateHome != "" {
		_ = os.RemoveAll(templateHome)
	}
	os.Exit(code)
}

// site is a folder of the test's own on which the executable has already been.
func site(t *testing.T) string {
	t.Helper()
	from, err := template()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := os.CopyFS(home, os.DirFS(from)); err != nil {
		t.Fatal(err)
	}
	return home
}

// command runs a command that must succeed.
func command(t *testing.T, home string, args ...string) {
	t.Helper()
	r, err := binary.Run(t.Context(), home, args...)
	if err != nil {
		t.Fatal(err)
	}
	if r.Code != 0 {
		t.Fatalf("%v: exit code %d: %s%s", args, r.Code, r.Stdout, r.Stderr)
	}
}

// serve starts the executable on the folder and fails the test when it can't.
func serve(t *testing.T, home string, args ...string) *binary.Server {
	t.Helper()
	s, err := binary.Start(t.Context(), binary.Options{Home: home, Args: args})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Kill)
	return s
}

// refuses runs serve, which must end by itself with exit code 1 and one
// sentence on standard error that holds every one of the words.
func refuses(t *testing.T, home string, args, words []string) {
	t.Helper()
	addr, err := binary.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	path, err := binary.Build()
	if err != nil {
		t.Fatal(err)
	}
	args = append([]string{"serve", "--http", addr, "--dir", filepath.Join(home, "pb_data")}, args...)
	r, err := binary.RunFile(t.Context(), path, home, args...)
	if err != nil {
		t.Fatalf("%v: %s%s", err, r.Stdout, r.Stderr)
	}
	if r.Code != 1 {
		t.Errorf("exit code %d, want 1", r.Code)
	}
	text, ok := strings.CutPrefix(r.Stderr, "Error: ")
	if !ok || strings.Count(text, "\n") != 1 || strings.Contains(text, "goroutine") {
		t.Errorf("not one sentence on standard error: %q", r.Stderr)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not said in %q", word, text)
		}
	}
}

// write makes a file with all folders above it.
func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

// execSQL changes a database from outside, while nobody serves it.
func execSQL(t *testing.T, home, query string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(home, "pb_data", "data.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec(query); err != nil {
		t.Fatal(err)
	}
}

// scramble changes every seventh byte from the fourth page on.
func scramble(t *testing.T, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 3 * 4096; i < len(raw); i += 7 {
		raw[i] ^= 0xff
	}
	write(t, path, string(raw))
}

func TestBadStart(t *testing.T) {
	t.Parallel()
	data := func(home, name string) string { return filepath.Join(home, "pb_data", name) }
	cases := []struct {
		name  string
		fresh bool // on an empty folder instead of a site
		spoil func(t *testing.T, home string) (args []string)
		words []string
	}{
		{
			name: "the folder is a file", fresh: true, words: []string{"pb_data is a file", "--dir"},
			spoil: func(t *testing.T, home string) []string { write(t, filepath.Join(home, "pb_data"), "x"); return nil },
		},
		{
			name: "the folder can't be made", fresh: true, words: []string{"/proc/bungalow", "--dir"},
			spoil: func(t *testing.T, _ string) []string {
				if _, err := os.Stat("/proc/self"); err != nil {
					binary.SkipAloud(t, "this system has no /proc, where nobody can make a folder", err)
				}
				return []string{"--dir", "/proc/bungalow/pb_data"}
			},
		},
		{
			name: "data.db is no database", words: []string{"data.db is damaged", "backup"},
			spoil: func(t *testing.T, home string) []string {
				write(t, data(home, "data.db"), strings.Repeat("no database ", 1000))
				return nil
			},
		},
		{
			name: "data.db is cut off", words: []string{"data.db is damaged", "backup"},
			spoil: func(t *testing.T, home string) []string {
				if err := os.Truncate(data(home, "data.db"), 20_000); err != nil {
					t.Fatal(err)
				}
				return nil
			},
		},
		{
			name: "data.db has bad pages", words: []string{"data.db is damaged", "backup"},
			spoil: func(t *testing.T, home string) []string { scramble(t, data(home, "data.db")); return nil },
		},
		{
			name: "auxiliary.db is no database", words: []string{"auxiliary.db is damaged", "only logs"},
			spoil: func(t *testing.T, home string) []string {
				write(t, data(home, "auxiliary.db"), strings.Repeat("no database ", 1000))
				return nil
			},
		},
		{
			name: "PocketBase's settings can't be read", words: []string{"settings", "--encryptionEnv", "backup"},
			spoil: func(t *testing.T, home string) []string {
				execSQL(t, home, `UPDATE _params SET value = '{broken' WHERE id = 'settings'`)
				return nil
			},
		},
		{
			name: "the site's settings can't be read", words: []string{"settings of site", "--without site"},
			spoil: func(t *testing.T, home string) []string {
				execSQL(t, home, `INSERT INTO settings (id, feature, value) VALUES ('x', 'site', '{"title": {}}')
					ON CONFLICT (feature) DO UPDATE SET value = excluded.value`)
				return nil
			},
		},
		{
			name: "the key is cut off", words: []string{"secret.key", "backup"},
			spoil: func(t *testing.T, home string) []string { write(t, data(home, "secret.key"), "short"); return nil },
		},
		{
			name: "a template is broken", words: []string{"post.html", "2"},
			spoil: func(t *testing.T, home string) []string {
				write(t, filepath.Join(home, "pb_public", "_theme", "pages", "post.html"), "{{ define \"main\" }}\n{{ if }}\n{{ end }}")
				return nil
			},
		},
		{
			name: "an unknown feature is left out", words: []string{"shopping", "analytics"},
			spoil: func(*testing.T, string) []string { return []string{"--without", "shopping"} },
		},
		{
			name: "an unknown flag", words: []string{"--colour", "--help"},
			spoil: func(*testing.T, string) []string { return []string{"--colour"} },
		},
		{
			name: "an address without a port", words: []string{"host:port"},
			spoil: func(*testing.T, string) []string { return []string{"--http", "nonsense"} },
		},
		{
			name: "an address of another machine", words: []string{"203.0.113.7:80", "--http"},
			spoil: func(*testing.T, string) []string { return []string{"--http", "203.0.113.7:80"} },
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			if !c.fresh {
				home = site(t)
			}
			args := c.spoil(t, home)
			before := fingerprint(t, home)
			refuses(t, home, args, c.words)
			after := fingerprint(t, home)
			for name, sum := range before {
				if after[name] != sum {
					t.Errorf("the start changed %s", name)
				}
			}
		})
	}
}

// fingerprint sums up the databases and the key, which a failed start must
// leave as they are.
func fingerprint(t *testing.T, home string) map[string]string {
	t.Helper()
	sums := map[string]string{}
	for _, name := range []string{"data.db", "auxiliary.db", "secret.key"} {
		raw, err := os.ReadFile(filepath.Join(home, "pb_data", name))
		if err == nil {
			sums[name] = fmt.Sprintf("%x", sha256.Sum256(raw))
		}
	}
	return sums
}

func TestTakenPort(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	refuses(t, site(t), []string{"--http", l.Addr().String()}, []string{l.Addr().String(), "taken", "--http"})
}

func TestEncryptedSettingsNeedTheirKey(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	server, err := binary.Start(t.Context(), binary.Options{
		Home: home, Args: []string{"--encryptionEnv", "SITE_KEY"}, Env: []string{"SITE_KEY=" + strings.Repeat("k", 32)},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := server.Stop(); err != nil {
		t.Fatal(err)
	}
	refuses(t, home, nil, []string{"another key", "--encryptionEnv"})
}
