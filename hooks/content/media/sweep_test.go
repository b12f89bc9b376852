package media_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"bungalow/hooks/content/media"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

func TestWhatAKilledUploadLeftIsSweptAndNothingElse(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	if n, err := media.Sweep(app, time.Now()); n != 0 || err != nil {
		t.Fatalf("where nothing was ever stored: %d, %v", n, err)
	}
	file, err := filesystem.NewFileFromBytes([]byte("some words"), "kept.txt")
	if err != nil {
		t.Fatal(err)
	}
	record := sitetest.Make(t, app, schema.Media, map[string]any{"file": file})
	root := filepath.Join(app.DataDir(), "storage", record.Collection().Id)
	kept := filepath.Join(root, record.Id, record.GetString("file"))
	old, young := filepath.Join(root, "aaaaaaaaaaaaaaa"), filepath.Join(root, "bbbbbbbbbbbbbbb")
	for _, folder := range []string{old, young} {
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "half.png.17f.tmp"), []byte("half"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	yesterday := time.Now().Add(-25 * time.Hour)
	for _, folder := range []string{old, filepath.Dir(kept)} {
		if err := os.Chtimes(folder, yesterday, yesterday); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := media.Sweep(app, time.Now().Add(-24*time.Hour)); n != 1 || err != nil {
		t.Errorf("swept %d, %v", n, err)
	}
	for path, there := range map[string]bool{kept: true, young: true, old: false} {
		if _, err := os.Stat(path); (err == nil) != there {
			t.Errorf("%s: %v", path, err)
		}
	}
}
