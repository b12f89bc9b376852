package theme

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Eject copies the built-in theme and assets into dir for editing. If one of
// the files is there already it copies nothing and names it.
func Eject(embedded fs.FS, dir string) error {
	var files []string
	for _, top := range []string{root, "assets"} {
		err := fs.WalkDir(embedded, top, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			target := filepath.Join(dir, filepath.FromSlash(name))
			if _, err := os.Lstat(target); err == nil {
				return fmt.Errorf("%s exists already; choose an empty folder, or move the file away", target)
			} else if !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("look for %s: %w", target, err)
			}
			files = append(files, name)
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, name := range files {
		if err := eject(embedded, name, filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return fmt.Errorf("copy the theme: %w", err)
		}
	}
	return nil
}

func eject(embedded fs.FS, name, target string) error {
	content, err := fs.ReadFile(embedded, name)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	// O_EXCL: a file that appeared since it was looked for stays as well.
	f, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	return errors.Join(err, f.Close())
}
