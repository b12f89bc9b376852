package backup

import (
	"encoding/json"
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// attempts is how often a moment is looked for in which every file that a
// record names is there. The last one holds the writers up.
const attempts = 4

// moment copies data.db together with the files that its records name. A file
// that came after the last look and was deleted right after the copy would be
// missing; then the next moment is tried. What is missing twice was never there.
func (a *archive) moment(app core.App, scratch string) error {
	copied := filepath.Join(scratch, "data.db")
	before := map[string]bool{}
	for n := 1; ; n++ {
		var missing []string
		look := func() (err error) {
			if err := os.Remove(copied); err != nil && !errors.Is(err, os.ErrNotExist) {
				return err
			}
			if err := vacuum(a.ctx, app, filepath.Join(app.DataDir(), "data.db"), copied); err != nil {
				return err
			}
			missing, err = a.named(app, copied)
			return err
		}
		var err error
		if n < attempts {
			err = look()
		} else {
			err = alone(app, look)
		}
		if err != nil {
			return err
		}
		unseen := 0
		for _, m := range missing {
			if !before[m] {
				unseen++
			}
			before[m] = true
		}
		if unseen == 0 || n == attempts {
			return nil
		}
	}
}

// alone runs do while nobody writes, in this process or another.
func alone(app core.App, do func() error) error {
	return app.RunInTransaction(func(tx core.App) error {
		// The statement takes SQLite's lock and changes nothing.
		if _, err := tx.NonconcurrentDB().NewQuery("UPDATE _params SET id = id WHERE 0").Execute(); err != nil {
			return err
		}
		return do()
	})
}

// named adds the files that the records of a copied database name, where they
// are not in the archive yet, and lists those that are nowhere.
func (a *archive) named(app core.App, file string) (missing []string, err error) {
	if a.m.Elsewhere {
		return nil, nil
	}
	db, err := dbx.Open("sqlite", readOnly(file))
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var collections []struct{ ID, Name, Fields string }
	if err := db.NewQuery("SELECT id, name, fields FROM _collections WHERE type <> 'view'").WithContext(a.ctx).All(&collections); err != nil {
		return nil, err
	}
	for _, c := range collections {
		var fields []struct{ Type, Name string }
		if err := json.Unmarshal([]byte(c.Fields), &fields); err != nil {
			return nil, err
		}
		for _, f := range fields {
			if f.Type != core.FieldTypeFile {
				continue
			}
			var rows []struct{ ID, Value string }
			err := db.Select("id", "coalesce([["+f.Name+"]], '') AS value").From(c.Name).
				Where(dbx.NewExp("coalesce([[" + f.Name + "]], '') NOT IN ('', '[]')")).WithContext(a.ctx).All(&rows)
			if err != nil {
				return nil, err
			}
			for _, r := range rows {
				for _, name := range namesIn(r.Value) {
					key := path.Join(core.LocalStorageDirName, c.ID, r.ID, name)
					if err := a.file(filepath.Join(app.DataDir(), filepath.FromSlash(key)), key); err != nil {
						return nil, err
					}
					if !a.have[key] {
						missing = append(missing, key)
					}
				}
			}
		}
	}
	return missing, nil
}

// namesIn reads a file field: one name, or a JSON list of them.
func namesIn(value string) []string {
	if !strings.HasPrefix(value, "[") {
		return []string{value}
	}
	var names []string
	if json.Unmarshal([]byte(value), &names) != nil {
		return []string{value}
	}
	return names
}
