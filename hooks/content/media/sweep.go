package media

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// sweepAfter is how old the leftover of an upload is before it is deleted: far
// longer than any upload or import that may still commit.
const sweepAfter = 24 * time.Hour

// Sweep deletes what a kill in the middle of an upload leaves behind: the bytes
// of a file lie in their folder before the record is committed, so a folder of
// the local storage without a record, unchanged since before, is nobody's. It
// gives their number. It touches no other storage.
func Sweep(app core.App, before time.Time) (int, error) {
	if app.Settings().S3.Enabled {
		return 0, nil
	}
	c, err := app.FindCachedCollectionByNameOrId(schema.Media)
	if err != nil {
		return 0, fmt.Errorf("sweep the files: %w", err)
	}
	root := filepath.Join(app.DataDir(), core.LocalStorageDirName, c.BaseFilesPath())
	folders, err := os.ReadDir(root)
	if os.IsNotExist(err) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("sweep the files: %w", err)
	}
	swept := 0
	for _, folder := range folders {
		info, err := folder.Info()
		if err != nil || !folder.IsDir() || info.ModTime().After(before) {
			continue
		}
		var known int
		err = app.DB().Select("count(*)").From(schema.Media).Where(dbx.HashExp{"id": folder.Name()}).Row(&known)
		if err != nil {
			return swept, fmt.Errorf("sweep the files: %w", err)
		}
		if known > 0 {
			continue
		}
		if err := os.RemoveAll(filepath.Join(root, folder.Name())); err != nil {
			return swept, fmt.Errorf("sweep the files: %w", err)
		}
		swept++
	}
	return swept, nil
}

func bindSweep(app core.App) error {
	return app.Cron().Add("bungalow_media_sweep", "47 3 * * *", func() {
		if !app.HasTable(schema.Media) {
			return
		}
		if n, err := Sweep(app, time.Now().Add(-sweepAfter)); err != nil || n > 0 {
			app.Logger().Info("what unfinished uploads left is deleted", "folders", n, "error", err)
		}
	})
}
