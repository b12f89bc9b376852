package backup_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"bungalow/hooks"
	"bungalow/hooks/kit/backup"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/secret"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// files is a collection whose records have a file each.
func files(t *testing.T, app core.App) *core.Collection {
	t.Helper()
	c := core.NewBaseCollection("papers")
	c.Fields.Add(&core.FileField{Name: "file", MaxSize: 1 << 20, MaxSelect: 1})
	if err := app.Save(c); err != nil {
		t.Fatal(err)
	}
	return c
}

func paper(app core.App, c *core.Collection, text string) (*core.Record, error) {
	f, err := filesystem.NewFileFromBytes([]byte(text), "paper.txt")
	if err != nil {
		return nil, err
	}
	r := core.NewRecord(c)
	r.Set("file", f)
	return r, app.Save(r)
}

// made is an archive of the site and what restores it.
func made(t *testing.T, app core.App) (file string, rules backup.Rules) {
	t.Helper()
	cfg, rules, err := backup.Of(app)
	if err != nil {
		t.Fatal(err)
	}
	file = filepath.Join(t.TempDir(), "site.zip")
	if _, err := backup.Create(t.Context(), app, cfg, file); err != nil {
		t.Fatal(err)
	}
	return file, rules
}

func TestASiteComesBackWhole(t *testing.T) {
	t.Parallel()
	public := filepath.Join(t.TempDir(), "mine")
	write(t, filepath.Join(public, "sub", "page.html"), "my page")
	app := sitetest.NewWith(t, hooks.Config{PublicDir: public})
	c := files(t, app)
	r, err := paper(app, c, "hello")
	if err != nil {
		t.Fatal(err)
	}
	sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Kept", "body": "x", "status": "published"})
	key, err := secret.Derive(app, "x")
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(app.DataDir(), core.LocalBackupsDirName, "old.zip"), "old")
	file, rules := made(t, app)

	home := t.TempDir()
	m, err := backup.Restore(t.Context(), rules, file, filepath.Join(home, "pb_data"))
	if err != nil || m.Format != 1 || m.Files < 4 {
		t.Fatalf("%+v, %v", m, err)
	}
	if raw, err := os.ReadFile(filepath.Join(home, "pb_public", "sub", "page.html")); string(raw) != "my page" {
		t.Errorf("the public folder: %q, %v", raw, err)
	}
	if info, err := os.Stat(filepath.Join(home, "pb_data", secret.FileName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key: %v, %v", info, err)
	}
	for _, gone := range []string{"backups", backup.Beside, backup.ManifestName, core.LocalTempDirName} {
		if _, err := os.Stat(filepath.Join(home, "pb_data", gone)); err == nil {
			t.Errorf("%s was restored", gone)
		}
	}
	if entries, _ := os.ReadDir(home); len(entries) != 2 {
		t.Errorf("left behind: %v", entries)
	}
	back := opened(t, filepath.Join(home, "pb_data"))
	again, err := back.FindRecordById("papers", r.Id)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err := os.ReadFile(filepath.Join(home, "pb_data", "storage", again.BaseFilesPath(), again.GetString("file"))); string(raw) != "hello" {
		t.Errorf("the file: %q, %v", raw, err)
	}
	if same, err := secret.Derive(back, "x"); !bytes.Equal(same, key) {
		t.Errorf("the key is another one, %v", err)
	}
	if _, err := back.FindFirstRecordByData(schema.Posts, "title", "Kept"); err != nil {
		t.Error(err)
	}
}

// opened starts an app on a folder, with a queue of its own.
func opened(t *testing.T, dir string) core.App {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir, EncryptionEnv: "pb_test_env"})
	if err := hooks.Register(app, nil, hooks.Config{}); err != nil {
		t.Fatal(err)
	}
	if err := app.Bootstrap(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	return app
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
}

// Records with files come and go while archives are made: in each archive every
// record has its file, and its text is the one that it was saved with.
func TestNothingIsHalfInABackupDuringWrites(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	c := files(t, app)
	ctx, stop := context.WithCancel(t.Context())
	var busy sync.WaitGroup
	for w := range 3 {
		busy.Go(func() {
			var mine []*core.Record
			for i := 0; ctx.Err() == nil; i++ {
				r, err := paper(app, c, fmt.Sprintf("paper %d of %d %s", i, w, strings.Repeat("x", 20_000)))
				if err != nil {
					t.Error(err)
					return
				}
				if mine = append(mine, r); len(mine) > 5 {
					if err := app.Delete(mine[0]); err != nil {
						t.Error(err)
						return
					}
					mine = mine[1:]
				}
			}
		})
	}
	for range 4 {
		file, rules := made(t, app)
		dir := filepath.Join(t.TempDir(), "pb_data")
		if _, err := backup.Restore(t.Context(), rules, file, dir); err != nil {
			t.Fatal(err)
		}
		db, err := dbx.Open("sqlite", filepath.Join(dir, "data.db"))
		if err != nil {
			t.Fatal(err)
		}
		var rows []struct{ ID, File string }
		if err := db.Select("id", "file").From("papers").All(&rows); err != nil {
			t.Fatal(err)
		}
		_ = db.Close()
		for _, r := range rows {
			raw, err := os.ReadFile(filepath.Join(dir, "storage", c.Id, r.ID, r.File))
			if err != nil || len(raw) < 20_000 {
				t.Errorf("a record's file: %d bytes, %v", len(raw), err)
			}
		}
	}
	stop()
	busy.Wait()
}

func TestWhatIsThereIsNeverOverwritten(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	file, rules := made(t, app)
	cfg, _, _ := backup.Of(app)
	if _, err := backup.Create(t.Context(), app, cfg, file); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a file was overwritten: %v", err)
	}
	home := t.TempDir()
	write(t, filepath.Join(home, "pb_data", "mine.txt"), "mine")
	if _, err := backup.Restore(t.Context(), rules, file, filepath.Join(home, "pb_data")); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("into a folder that is not empty: %v", err)
	}
	if entries, _ := os.ReadDir(home); len(entries) != 1 {
		t.Errorf("left behind: %v", entries)
	}
}

func TestADamagedArchiveChangesNothing(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Kept", "body": strings.Repeat("word ", 20_000)})
	file, rules := made(t, app)
	sound, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	flipped := func(at int) []byte {
		raw := bytes.Clone(sound)
		raw[at] ^= 0xff
		return raw
	}
	newer := backup.Rules{Known: func(m string) bool { return !strings.Contains(m, "core_create") }}
	full := backup.Rules{Free: func(string) (uint64, bool) { return 10, true }}
	for name, c := range map[string]struct {
		raw   []byte
		rules backup.Rules
		says  string
	}{
		"cut short":        {sound[:len(sound)/2], rules, "zip"},
		"empty":            {nil, rules, "zip"},
		"a flipped bit":    {flipped(inside(t, sound, "data.db")), rules, "no sound backup"},
		"no database":      {zipped(t, map[string]string{"a.txt": "x"}), rules, "no data.db"},
		"not a database":   {zipped(t, map[string]string{"data.db": strings.Repeat("x", 5000)}), rules, "no sound database"},
		"outside":          {zipped(t, map[string]string{"../evil": "x", "data.db": "x"}), rules, "with the name"},
		"absolute":         {zipped(t, map[string]string{"/etc/evil": "x"}), rules, "with the name"},
		"backslashes":      {zipped(t, map[string]string{`..\evil`: "x"}), rules, "with the name"},
		"a file is gone":   {without(t, sound, "auxiliary.db"), rules, "should have"},
		"a newer format":   {zipped(t, map[string]string{backup.ManifestName: `{"format":2,"version":"9"}`, "data.db": ""}), rules, "newer version (9)"},
		"a newer database": {sound, newer, "newer version"},
		"a full disk":      {sound, full, "MB left"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			home := t.TempDir()
			bad := filepath.Join(t.TempDir(), "bad.zip")
			write(t, bad, string(c.raw))
			if _, err := backup.Restore(t.Context(), c.rules, bad, filepath.Join(home, "pb_data")); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			if entries, _ := os.ReadDir(home); len(entries) != 0 {
				t.Errorf("left behind: %v", entries)
			}
		})
	}
}

func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for name, text := range files {
		w, err := z.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, text)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// inside is where the packed bytes of an entry are.
func inside(t *testing.T, archive []byte, name string) int {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range r.File {
		if f.Name == name {
			at, err := f.DataOffset()
			if err != nil {
				t.Fatal(err)
			}
			return int(at) + int(f.CompressedSize64)/2
		}
	}
	t.Fatalf("no %s", name)
	return 0
}

func without(t *testing.T, archive []byte, name string) []byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(archive), int64(len(archive)))
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]string{}
	for _, f := range r.File {
		if f.Name == name {
			continue
		}
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		raw, err := io.ReadAll(in)
		if err != nil {
			t.Fatal(err)
		}
		kept[f.Name] = string(raw)
	}
	return zipped(t, kept)
}

// The dashboard, the clock and the desk make their backups by CreateBackup.
func TestPocketBasesBackupsAreWholeOnes(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	if err := app.CreateBackup(t.Context(), "mine.zip"); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(app.DataDir(), core.LocalBackupsDirName, "mine.zip")
	z, err := zip.OpenReader(file)
	if err != nil {
		t.Fatal(err)
	}
	defer z.Close()
	var m backup.Manifest
	for _, f := range z.File {
		if strings.HasPrefix(f.Name, core.LocalBackupsDirName) || strings.HasSuffix(f.Name, "-wal") {
			t.Errorf("%s is in it", f.Name)
		}
		if f.Name == backup.ManifestName {
			in, _ := f.Open()
			if err := json.NewDecoder(in).Decode(&m); err != nil {
				t.Fatal(err)
			}
		}
	}
	if m.Files != len(z.File)-1 {
		t.Errorf("%+v of %d", m, len(z.File))
	}
	if _, err := backup.VerifyStored(t.Context(), app, "mine.zip"); err != nil {
		t.Error(err)
	}
	if err := os.Truncate(file, 5000); err != nil {
		t.Fatal(err)
	}
	if err := app.RestoreBackup(t.Context(), "mine.zip"); !errors.Is(err, backup.ErrDamaged) {
		t.Errorf("a damaged one is restored: %v", err)
	}
	if rest, _ := filepath.Glob(filepath.Join(app.DataDir(), core.LocalTempDirName, "*")); len(rest) != 0 {
		t.Errorf("left behind: %v", rest)
	}
}
