// Package backup puts a whole site into one zip file and brings it back.
//
// It promises that an archive is consistent although the site goes on being
// written: each database is a copy of one moment, and every file that a record
// of it names is there. An archive appears under its name complete or not at
// all. It never opens an archive into a folder that holds something, and a
// damaged one changes nothing.
//
// The archive has the files of the data folder at its root, as PocketBase's own
// backups do, so each restores the other's; what lies beside the data folder
// is in Beside.
package backup

import (
	"archive/zip"
	"compress/flate"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Beside is the folder of the archive with what lies beside the data folder.
const Beside = "_beside"

// ManifestName is the file of the archive that says how it was made.
const ManifestName = "bungalow.json"

// Manifest says how an archive was made.
type Manifest struct {
	Format     int       `json:"format"` // 1
	Version    string    `json:"version"`
	PocketBase string    `json:"pocketbase"`
	Created    time.Time `json:"created"`
	Files      int       `json:"files"`          // entries besides this one
	Elsewhere  bool      `json:"files_on_s3"`    // the uploads lie on S3 and are not in here
	Bytes      int64     `json:"bytes_unpacked"` // of all entries
}

// Config says what an archive holds besides the data folder.
type Config struct {
	Version, PocketBase string
	// Beside are folders by the name that they have in the archive. One that
	// does not exist is left out.
	Beside map[string]string
	// Exclude are more names at the root of the data folder that stay out.
	Exclude []string
}

// besideNames are the folders that a restore puts beside the data folder.
var besideNames = []string{"pb_public", "pb_hooks", "pb_migrations"}

// left is what never goes into an archive: other archives, certificates that
// are had anew, and what is only there for a while.
var left = []string{core.LocalBackupsDirName, core.LocalTempDirName, core.LocalAutocertCacheDirName, core.LocalNotifyDirName, "lost+found", ".first-start"}

// scratchPrefix begins the name of the folder in which an archive is made.
const scratchPrefix = ".backup-"

// stale is how old the rest of an interrupted backup is before it is removed.
const stale = 24 * time.Hour

// Create writes an archive of the app's site to file, which must not exist yet.
func Create(ctx context.Context, app core.App, cfg Config, file string) (Manifest, error) {
	if _, err := os.Lstat(file); err == nil {
		return Manifest{}, fmt.Errorf("there is a file %s already; name another one", file)
	}
	scratch, err := scratchFor(app, file)
	if err != nil {
		return Manifest{}, fmt.Errorf("make a backup: %w", err)
	}
	defer os.RemoveAll(scratch)
	made := filepath.Join(scratch, "archive.zip")
	m, err := write(ctx, app, cfg, made, scratch)
	if err != nil {
		return m, fmt.Errorf("make a backup: %w", err)
	}
	if err := os.Rename(made, file); err != nil {
		return m, fmt.Errorf("make a backup: %w", err)
	}
	return m, nil
}

// scratchFor makes the folder in which an archive grows, on the same disk as
// its place, and removes what interrupted backups have left there.
func scratchFor(app core.App, file string) (string, error) {
	dir, err := filepath.Abs(filepath.Dir(file))
	if err != nil {
		return "", err
	}
	if data, err := filepath.Abs(app.DataDir()); err == nil && strings.HasPrefix(dir, data+string(os.PathSeparator)) {
		dir = data // the list of backups shows every file of its folder
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && e.IsDir() && strings.HasPrefix(e.Name(), scratchPrefix) && time.Since(info.ModTime()) > stale {
			_ = os.RemoveAll(filepath.Join(dir, e.Name()))
		}
	}
	return os.MkdirTemp(dir, scratchPrefix)
}

// archive is a zip in the making.
type archive struct {
	ctx  context.Context
	zip  *zip.Writer
	have map[string]bool
	m    Manifest
}

func write(ctx context.Context, app core.App, cfg Config, file, scratch string) (m Manifest, err error) {
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	a := &archive{ctx: ctx, zip: zip.NewWriter(f), have: map[string]bool{}, m: Manifest{
		Format: 1, Version: cfg.Version, PocketBase: cfg.PocketBase, Created: time.Now().UTC().Truncate(time.Second), Elsewhere: app.Settings().S3.Enabled,
	}}
	a.zip.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	// Files before the databases: one that is deleted meanwhile is in here
	// although a record still names it. Files are never changed, they get new
	// names.
	for _, step := range []func() error{
		func() error { return a.folder(app.DataDir(), "", cfg.skip) },
		func() error { return a.moment(app, scratch) },
		func() error { return a.databases(app, scratch) },
		func() error { return a.folder(app.DataDir(), "", cfg.skip) },
		func() error { return a.beside(cfg.Beside) },
		a.manifest, a.zip.Close, f.Sync,
	} {
		if err := step(); err != nil {
			return a.m, err
		}
	}
	return a.m, nil
}

// skip reports what of the data folder is not copied as a file.
func (c Config) skip(name string) bool {
	first, _, _ := strings.Cut(name, "/")
	return slices.Contains(left, first) || slices.Contains(c.Exclude, first) || strings.HasPrefix(first, scratchPrefix) || isDatabase(name) || name == Beside || name == ManifestName
}

// isDatabase reports whether a file at the root belongs to a database, which is
// copied by SQLite and not byte by byte.
func isDatabase(name string) bool {
	for _, end := range []string{"", "-wal", "-shm", "-journal"} {
		if strings.HasSuffix(name, ".db"+end) && !strings.Contains(name, "/") {
			return true
		}
	}
	return false
}

// folder adds the files below dir that are not in the archive yet.
func (a *archive) folder(dir, prefix string, skip func(name string) bool) error {
	return fs.WalkDir(os.DirFS(dir), ".", func(name string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // it was deleted meanwhile
		}
		if err != nil || name == "." {
			return err
		}
		if skip(name) {
			if d.IsDir() {
				return fs.SkipDir
			}
			return nil
		}
		if !d.Type().IsRegular() {
			return nil
		}
		return a.file(filepath.Join(dir, filepath.FromSlash(name)), path.Join(prefix, name))
	})
}

// packed are the endings of files that don't get smaller.
var packed = []string{".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif", ".mp4", ".webm", ".mp3", ".zip", ".gz", ".br", ".woff2", ".pdf"}

func (a *archive) file(from, name string) error {
	if err := a.ctx.Err(); err != nil {
		return err
	}
	if a.have[name] {
		return nil
	}
	f, err := os.Open(from)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	h, err := zip.FileInfoHeader(info)
	if err != nil {
		return err
	}
	h.Name, h.Method = name, zip.Deflate
	if slices.Contains(packed, strings.ToLower(path.Ext(name))) {
		h.Method = zip.Store
	}
	w, err := a.zip.CreateHeader(h)
	if err != nil {
		return err
	}
	n, err := io.Copy(w, f)
	if err != nil {
		return fmt.Errorf("copy %s: %w", name, err)
	}
	a.have[name] = true
	a.m.Files++
	a.m.Bytes += n
	return nil
}

// databases adds a copy of one moment of each database.
func (a *archive) databases(app core.App, scratch string) error {
	files, err := filepath.Glob(filepath.Join(app.DataDir(), "*.db"))
	if err != nil {
		return err
	}
	for _, file := range files {
		name := filepath.Base(file)
		copied := filepath.Join(scratch, name)
		if _, err := os.Stat(copied); err != nil { // data.db is copied already
			if err := vacuum(a.ctx, app, file, copied); err != nil {
				return fmt.Errorf("copy %s: %w", name, err)
			}
		}
		if err := errors.Join(a.file(copied, name), os.Remove(copied)); err != nil {
			return err
		}
	}
	return nil
}

func vacuum(ctx context.Context, app core.App, file, to string) error {
	var db dbx.Builder
	switch filepath.Base(file) {
	case "data.db":
		db = app.ConcurrentDB()
	case "auxiliary.db":
		db = app.AuxConcurrentDB()
	default:
		own, err := core.DefaultDBConnect(file)
		if err != nil {
			return err
		}
		defer own.Close()
		db = own
	}
	_, err := db.NewQuery("VACUUM INTO {:to}").Bind(dbx.Params{"to": to}).WithContext(ctx).Execute()
	return err
}

func (a *archive) beside(folders map[string]string) error {
	for _, name := range besideNames {
		dir := folders[name]
		if info, err := os.Stat(dir); dir == "" || err != nil || !info.IsDir() {
			continue
		}
		if err := a.folder(dir, path.Join(Beside, name), func(string) bool { return false }); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) manifest() error {
	w, err := a.zip.Create(ManifestName)
	if err != nil {
		return err
	}
	return json.NewEncoder(w).Encode(a.m)
}
