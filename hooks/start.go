package hooks

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"bungalow/hooks/kit/secret"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/pocketbase/core"
)

// unfinished marks a data folder whose database a start of ours created and has
// not finished setting up. A first start that was cut off, by a full disk or a
// power cut, is so taken up by the next one.
const unfinished = ".first-start"

// beginFirstStart reports whether this start makes the database, or an earlier
// one began to. It marks the folder before the database exists.
func beginFirstStart(dir string) (bool, error) {
	mark := filepath.Join(dir, unfinished)
	_, err := os.Stat(filepath.Join(dir, "data.db"))
	if err == nil {
		_, err = os.Stat(mark)
		return err == nil, nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return false, err
	}
	return true, os.WriteFile(mark, nil, 0o600)
}

// endFirstStart takes the mark away.
func endFirstStart(dir string) error {
	err := os.Remove(filepath.Join(dir, unfinished))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// fitToServe stops a start that would end in errors on every page: the site's
// key or its settings can't be read.
func fitToServe(app core.App, on []feature) error {
	if _, err := secret.Derive(app, "start"); err != nil {
		return err
	}
	if !slices.ContainsFunc(on, func(f feature) bool { return f.name == "site" }) {
		return nil
	}
	if _, err := settings.LoadSite(app); err != nil {
		return fmt.Errorf("%w; to mend it start with --without site and open the collection settings in the dashboard", err)
	}
	return nil
}
