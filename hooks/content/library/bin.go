package library

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"bungalow/hooks/content/media"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/types"
)

const (
	// BinDays is how long a file lies in the bin before it is deleted.
	BinDays = 30
	// maxBulk is how many files are changed at once.
	maxBulk = 100
)

// each finds the files that the person may change and does something with each,
// all in one transaction. Ids of others are passed over; done are those that
// were changed.
func each(app core.App, by By, ids []string, do func(tx core.App, record *core.Record) (changed bool, err error)) (done []string, err error) {
	if len(ids) > maxBulk {
		ids = ids[:maxBulk]
	}
	err = app.RunInTransaction(func(tx core.App) error {
		for _, id := range ids {
			record, err := FindFile(tx, by, id)
			if errors.Is(err, ErrMissing) {
				continue
			}
			if err != nil {
				return err
			}
			changed, err := do(tx, record)
			if err != nil {
				return err
			}
			if changed {
				done = append(done, id)
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("change files: %w", err)
	}
	return done, nil
}

// Bin puts files into the bin: nobody is served them, and after BinDays they
// are deleted. It gives the ids of those that were not there already.
func Bin(app core.App, by By, ids []string) ([]string, error) {
	return each(app, by, ids, func(tx core.App, record *core.Record) (bool, error) {
		if media.Binned(record) {
			return false, nil
		}
		record.Set("trashed_at", types.NowDateTime())
		return true, saveTold(tx, by, "media.bin", record)
	})
}

// Unbin takes files out of the bin again, as they were.
func Unbin(app core.App, by By, ids []string) ([]string, error) {
	return each(app, by, ids, func(tx core.App, record *core.Record) (bool, error) {
		if !media.Binned(record) {
			return false, nil
		}
		record.Set("trashed_at", "")
		return true, saveTold(tx, by, "media.restore", record)
	})
}

// Purge deletes files that lie in the bin for good, with all their sizes.
func Purge(app core.App, by By, ids []string) ([]string, error) {
	return each(app, by, ids, func(tx core.App, record *core.Record) (bool, error) {
		if !media.Binned(record) {
			return false, nil
		}
		if err := tx.Delete(record); err != nil {
			return false, err
		}
		return true, told(tx, by, "media.delete", record, map[string]string{"name": Name(record)})
	})
}

func saveTold(tx core.App, by By, action string, record *core.Record) error {
	if err := tx.Save(record); err != nil {
		return err
	}
	return told(tx, by, action, record, map[string]string{"name": Name(record)})
}

// EmptyBin deletes what lies in the bin for longer than BinDays. A file that
// can't be deleted is logged and holds up no other.
func EmptyBin(app core.App, now time.Time) error {
	var ids []string
	err := app.DB().Select("id").From(schema.Media).Where(longBinned(now)).OrderBy("trashed_at").Column(&ids)
	if err != nil {
		return fmt.Errorf("empty the bin of files: %w", err)
	}
	for _, id := range ids {
		err := app.RunInTransaction(func(tx core.App) error {
			record := &core.Record{}
			err := tx.RecordQuery(schema.Media).AndWhere(dbx.HashExp{"id": id}).AndWhere(longBinned(now)).One(record)
			if errors.Is(err, sql.ErrNoRows) {
				return nil // brought back meanwhile
			}
			if err != nil {
				return err
			}
			return tx.Delete(record)
		})
		if err != nil {
			app.Logger().Error("a file in the bin can't be deleted", "media", id, "error", err)
		}
	}
	return nil
}

func longBinned(now time.Time) dbx.Expression {
	before := now.UTC().AddDate(0, 0, -BinDays).Format(types.DefaultDateLayout)
	return dbx.NewExp("[[trashed_at]] != '' AND [[trashed_at]] < {:before}", dbx.Params{"before": before})
}

// Words are what a person writes about a file.
type Words struct {
	Alt, Caption string
	Focal        media.Focal
}

// Write changes what is said about a file. What is refused is a
// validation.Errors.
func Write(app core.App, by By, id string, w Words) (*core.Record, error) {
	return change(app, by, id, "media.edit", func(record *core.Record) {
		record.Set("alt", w.Alt)
		record.Set("caption", w.Caption)
		record.Set("focal", w.Focal.String())
	})
}

// Replace gives a file record another file. Its addresses stay and lead to the
// new file, and sizes are made of that. What is refused is a
// validation.Errors beside "file".
func Replace(app core.App, by By, id string, file *filesystem.File) (*core.Record, error) {
	return change(app, by, id, "media.replace", func(record *core.Record) {
		record.Set("file", file)
	})
}

func change(app core.App, by By, id, action string, set func(record *core.Record)) (*core.Record, error) {
	var record *core.Record
	err := app.RunInTransaction(func(tx core.App) error {
		var err error
		if record, err = FindFile(tx, by, id); err != nil {
			return err
		}
		set(record)
		return saveTold(tx, by, action, record)
	})
	if err != nil {
		return nil, fmt.Errorf("change a file: %w", err)
	}
	return record, nil
}
