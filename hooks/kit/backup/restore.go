package backup

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pocketbase/dbx"
)

// ErrDamaged says that an archive can't be used; its text says why.
var ErrDamaged = errors.New("this is no sound backup")

func damaged(why string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(why, args...))
}

// Rules are what a restore holds an archive to.
type Rules struct {
	// Known reports whether this build has the migration, a file of Go. An
	// archive with one that it has not was made by a newer version.
	Known func(migration string) bool
	// Free is how many bytes the disk of a folder has left; nil doesn't ask.
	Free func(dir string) (free uint64, known bool)
}

// Verify looks whether an archive could be restored: it is unpacked into a
// folder below scratch, its checksums and databases are checked, and the folder
// is removed again.
func Verify(ctx context.Context, rules Rules, file, scratch string) (Manifest, error) {
	dir, err := os.MkdirTemp(scratch, scratchPrefix)
	if err != nil {
		return Manifest{}, fmt.Errorf("check the backup: %w", err)
	}
	defer os.RemoveAll(dir)
	return unpack(ctx, rules, file, dir)
}

// Restore brings a site back into dataDir, which must not exist or be empty,
// and what lay beside it into the folder above. It is all there at the end, or
// nothing is.
func Restore(ctx context.Context, rules Rules, file, dataDir string) (Manifest, error) {
	dataDir, err := filepath.Abs(dataDir)
	if err != nil {
		return Manifest{}, fmt.Errorf("restore the backup: %w", err)
	}
	if err := mustBeEmpty(dataDir); err != nil {
		return Manifest{}, err
	}
	parent := filepath.Dir(dataDir)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return Manifest{}, fmt.Errorf("restore the backup: %w", err)
	}
	scratch, err := os.MkdirTemp(parent, scratchPrefix)
	if err != nil {
		return Manifest{}, fmt.Errorf("restore the backup: %w", err)
	}
	defer os.RemoveAll(scratch)
	m, err := unpack(ctx, rules, file, scratch)
	if err != nil {
		return m, err
	}
	return m, place(scratch, parent, dataDir)
}

func mustBeEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("restore the backup: %w", err)
	case len(entries) > 0:
		return fmt.Errorf("the folder %s is not empty; move it away, or name another one with --dir, so that nothing is overwritten", dir)
	}
	return nil
}

// place moves what was unpacked to where it belongs, the data folder last.
func place(scratch, parent, dataDir string) (err error) {
	moves := [][2]string{}
	for _, name := range besideNames {
		from, to := filepath.Join(scratch, Beside, name), filepath.Join(parent, name)
		if _, err := os.Stat(from); err != nil {
			continue
		}
		if err := mustBeEmpty(to); err != nil {
			return err
		}
		moves = append(moves, [2]string{from, to})
	}
	if err := os.Remove(filepath.Join(scratch, ManifestName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("restore the backup: %w", err)
	}
	var done [][2]string
	defer func() {
		if err != nil {
			for _, m := range slices.Backward(done) {
				_ = os.MkdirAll(filepath.Dir(m[0]), 0o755)
				_ = os.Rename(m[1], m[0])
			}
		}
	}()
	for _, m := range moves {
		if err := move(m[0], m[1]); err != nil {
			return fmt.Errorf("restore the backup: %w", err)
		}
		done = append(done, m)
	}
	if err := os.RemoveAll(filepath.Join(scratch, Beside)); err != nil {
		return fmt.Errorf("restore the backup: %w", err)
	}
	if err := move(scratch, dataDir); err != nil {
		return fmt.Errorf("restore the backup: %w", err)
	}
	return os.Chmod(dataDir, 0o755)
}

// move renames a folder to a place that is free or an empty folder.
func move(from, to string) error {
	if err := os.Remove(to); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return os.Rename(from, to)
}

// unpack opens an archive into dir and checks all that can be checked.
func unpack(ctx context.Context, rules Rules, file, dir string) (Manifest, error) {
	var m Manifest
	z, err := zip.OpenReader(file)
	if errors.Is(err, fs.ErrNotExist) {
		return m, fmt.Errorf("there is no file %s", file)
	}
	if err != nil {
		return m, damaged("it can't be read as a zip file (%v)", err)
	}
	defer z.Close()
	var total uint64
	for _, f := range z.File {
		total += f.UncompressedSize64
	}
	if rules.Free != nil {
		if free, known := rules.Free(dir); known && total > free {
			return m, fmt.Errorf("the backup needs %d MB and the disk has %d MB left", total>>20, free>>20)
		}
	}
	for _, f := range z.File {
		if err := ctx.Err(); err != nil {
			return m, err
		}
		if err := extract(f, dir); err != nil {
			return m, err
		}
	}
	if raw, err := os.ReadFile(filepath.Join(dir, ManifestName)); err == nil {
		if err := json.Unmarshal(raw, &m); err != nil {
			return m, damaged("its %s can't be read", ManifestName)
		}
		if m.Format > 1 {
			return m, fmt.Errorf("the backup was made by a newer version (%s); restore it with that one", m.Version)
		}
		if m.Files != len(z.File)-1 {
			return m, damaged("it has %d files and should have %d", len(z.File)-1, m.Files)
		}
	}
	return m, checkDatabases(ctx, rules, dir)
}

// extract writes one entry; the zip's checksum is compared while it is read.
func extract(f *zip.File, dir string) error {
	name := f.Name
	if !fs.ValidPath(strings.TrimSuffix(name, "/")) || strings.Contains(name, `\`) || strings.Contains(name, ":") {
		return damaged("it has a file with the name %q", name)
	}
	to := filepath.Join(dir, filepath.FromSlash(name))
	if f.FileInfo().IsDir() {
		return os.MkdirAll(to, 0o755)
	}
	if !f.Mode().IsRegular() {
		return nil // PocketBase's own don't have any either
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return fmt.Errorf("unpack the backup: %w", err)
	}
	mode := f.Mode().Perm()&0o755 | 0o600
	if path.Base(name) == "secret.key" {
		mode = 0o600
	}
	r, err := f.Open()
	if err != nil {
		return damaged("%s can't be read", name)
	}
	defer r.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if errors.Is(err, fs.ErrExist) {
		return damaged("it has %s twice", name)
	}
	if err != nil {
		return fmt.Errorf("unpack the backup: %w", err)
	}
	_, err = io.Copy(w, r)
	if closeErr := errors.Join(w.Sync(), w.Close()); err == nil && closeErr != nil {
		return fmt.Errorf("unpack the backup: %w", closeErr)
	}
	var written *fs.PathError
	if errors.As(err, &written) {
		return fmt.Errorf("unpack the backup: %w", err)
	}
	if err != nil {
		return damaged("%s is not as it was packed (%v)", name, err)
	}
	return nil
}

// checkDatabases has SQLite look through each database.
func checkDatabases(ctx context.Context, rules Rules, dir string) error {
	if _, err := os.Stat(filepath.Join(dir, "data.db")); err != nil {
		return damaged("it has no data.db")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.db"))
	if err != nil {
		return err
	}
	for _, file := range files {
		if err := checkDatabase(ctx, rules, file); err != nil {
			return err
		}
	}
	return nil
}

// readOnly opens a database that nobody writes, and leaves no file beside it.
func readOnly(file string) string {
	return "file:" + (&url.URL{Path: file}).EscapedPath() + "?mode=ro&immutable=1"
}

func checkDatabase(ctx context.Context, rules Rules, file string) error {
	name := filepath.Base(file)
	db, err := dbx.Open("sqlite", readOnly(file))
	if err != nil {
		return fmt.Errorf("check %s: %w", name, err)
	}
	defer db.Close()
	var found []string
	if err := db.NewQuery("PRAGMA integrity_check(3)").WithContext(ctx).Column(&found); err != nil {
		return damaged("%s is no sound database (%v)", name, err)
	}
	if len(found) != 1 || found[0] != "ok" {
		return damaged("%s is no sound database (%s)", name, strings.Join(found, "; "))
	}
	if name != "data.db" {
		return nil
	}
	var applied []string
	if err := db.NewQuery("SELECT file FROM _migrations").WithContext(ctx).Column(&applied); err != nil {
		return damaged("data.db is not PocketBase's (%v)", err)
	}
	for _, a := range applied {
		if rules.Known != nil && strings.HasSuffix(a, ".go") && !rules.Known(a) {
			return fmt.Errorf("the backup was made by a newer version, which knows the step %s; restore it with that one", a)
		}
	}
	return nil
}
