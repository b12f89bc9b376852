package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/inflector"
)

const storeKey = "bungalow.backup"

// service is what an app knows of its backups.
type service struct {
	cfg   Config
	rules Rules
}

// Bind has every backup that PocketBase makes, on its clock, from its dashboard
// or from the desk, be a whole one of ours, and has an archive checked before
// it is restored. cfg is asked for each.
func Bind(app core.App, cfg Config, rules Rules) {
	app.Store().Set(storeKey, &service{cfg, rules})
	app.OnBackupCreate().Bind(&hook.Handler[*core.BackupEvent]{
		Id:       "bungalowBackup",
		Priority: 9999, // whoever excludes something has done so by now
		Func: func(e *core.BackupEvent) error {
			if !e.App.HasTable(schema.Settings) {
				return e.Next()
			}
			whole := cfg
			whole.Exclude = e.Exclude
			return upload(e.Context, e.App, whole, e.Name)
		},
	})
	app.OnBackupRestore().Bind(&hook.Handler[*core.BackupEvent]{
		Id: "bungalowRestore",
		Func: func(e *core.BackupEvent) error {
			if !e.App.HasTable(schema.Settings) {
				return e.Next()
			}
			if _, err := VerifyStored(e.Context, e.App, e.Name); err != nil {
				return err
			}
			// What lies beside the data folder stays as it is.
			e.Exclude = append(e.Exclude, Beside, ManifestName)
			return e.Next()
		},
	})
}

// Of gives what Bind was told, for the commands.
func Of(app core.App) (Config, Rules, error) {
	s, ok := app.Store().Get(storeKey).(*service)
	if !ok {
		return Config{}, Rules{}, errors.New("backups are not set up for this app")
	}
	return s.cfg, s.rules, nil
}

// Name is the file name of a backup made now.
func Name(app core.App, now time.Time) string {
	name := inflector.Snakecase(app.Settings().Meta.AppName)
	if len(name) > 50 {
		name = name[:50]
	}
	return fmt.Sprintf("backup_%s_%s.zip", name, now.UTC().Format("20060102150405"))
}

// upload makes an archive and puts it where the owner keeps backups.
func upload(ctx context.Context, app core.App, cfg Config, name string) error {
	if name == "" {
		name = Name(app, time.Now())
	}
	dir := filepath.Join(app.DataDir(), core.LocalTempDirName)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make a backup: %w", err)
	}
	scratch, err := os.MkdirTemp(dir, scratchPrefix)
	if err != nil {
		return fmt.Errorf("make a backup: %w", err)
	}
	defer os.RemoveAll(scratch)
	made := filepath.Join(scratch, "archive.zip")
	if _, err := write(ctx, app, cfg, made, scratch); err != nil {
		return fmt.Errorf("make a backup: %w", err)
	}
	fsys, err := app.NewBackupsFilesystem()
	if err != nil {
		return fmt.Errorf("open the place for backups: %w", err)
	}
	defer fsys.Close()
	fsys.SetContext(ctx)
	file, err := filesystem.NewFileFromPath(made)
	if err != nil {
		return fmt.Errorf("keep the backup: %w", err)
	}
	file.OriginalName, file.Name = name, name
	if err := fsys.UploadFile(file, name); err != nil {
		return fmt.Errorf("keep the backup: %w", err)
	}
	return nil
}

// VerifyStored is Verify for a backup that the owner keeps, by its name.
func VerifyStored(ctx context.Context, app core.App, name string) (Manifest, error) {
	_, rules, err := Of(app)
	if err != nil {
		return Manifest{}, err
	}
	dir := filepath.Join(app.DataDir(), core.LocalTempDirName)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Manifest{}, fmt.Errorf("check the backup: %w", err)
	}
	if !app.Settings().Backups.S3.Enabled {
		return Verify(ctx, rules, filepath.Join(app.DataDir(), core.LocalBackupsDirName, filepath.Base(name)), dir)
	}
	fetched, err := fetch(ctx, app, name, dir)
	if err != nil {
		return Manifest{}, fmt.Errorf("check the backup: %w", err)
	}
	defer os.Remove(fetched)
	return Verify(ctx, rules, fetched, dir)
}

func fetch(ctx context.Context, app core.App, name, dir string) (string, error) {
	fsys, err := app.NewBackupsFilesystem()
	if err != nil {
		return "", err
	}
	defer fsys.Close()
	fsys.SetContext(ctx)
	r, err := fsys.GetReader(name)
	if err != nil {
		return "", err
	}
	defer r.Close()
	w, err := os.CreateTemp(dir, scratchPrefix)
	if err != nil {
		return "", err
	}
	_, err = io.Copy(w, r)
	if err = errors.Join(err, w.Close()); err != nil {
		_ = os.Remove(w.Name())
		return "", err
	}
	return w.Name(), nil
}
