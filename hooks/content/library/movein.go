package library

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"bungalow/hooks/content/imports"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/queue"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Limits of an import on the desk. Larger ones are for the command.
const (
	maxImport       = 256 << 20 // bytes of the uploaded file
	maxUnpacked     = 1 << 30   // bytes that a ZIP may unpack to
	maxUnpackedFile = 64 << 20  // bytes of one file in it
	maxEntries      = 20_000    // files in it
	maxImports      = 10        // kept uploads; the oldest that is done gives way
)

// States of an import.
const (
	ImportTrying  = "trying"  // a dry run waits or is under way
	ImportTried   = "tried"   // its report can be read; nothing is changed
	ImportRunning = "running" // it waits or is under way
	ImportDone    = "done"
	ImportStopped = "stopped" // by a person; what was written stays
	ImportFailed  = "failed"
)

// moveKind is the queue's name for trying and running an import.
const moveKind = "library.import"

// importKinds are the systems, by the names that the command has.
var importKinds = map[string]func(string) imports.Stream{
	"wordpress": imports.WordPress, "ghost": imports.Ghost, "markdown": imports.MarkdownFolder,
}

// Move is an import on the desk.
type Move struct {
	ID      string `db:"id"`
	Kind    string `db:"kind"`
	Name    string `db:"name"`  // of the file as it was uploaded
	State   string `db:"state"` // one of the states above
	Media   bool   `db:"media"` // bring pictures here too
	Actor   string `db:"actor"` // JSON of audit.Actor: who started it
	Raw     string `db:"report"`
	Fault   string `db:"fault"`
	Created int64  `db:"created"` // Unix seconds

	Report *imports.Report `db:"-"`
}

// Busy reports whether work is under way or waits for its turn.
func (m Move) Busy() bool { return m.State == ImportTrying || m.State == ImportRunning }

// At is when the file was uploaded.
func (m Move) At() time.Time { return time.Unix(m.Created, 0).UTC() }

// folderOf is where the uploaded file of an import lies.
func folderOf(app core.App, id string) string {
	return filepath.Join(app.DataDir(), "library_imports", id)
}

// TakeIn keeps an uploaded file (and unpacks a ZIP of Markdown) and has it
// tried by the queue. What can't be used is a validation.Errors beside "file".
func TakeIn(app core.App, by By, kind, name string, from io.Reader) (*Move, error) {
	if importKinds[kind] == nil {
		return nil, takenBy("kind", "Choose what the file is from.")
	}
	m := &Move{ID: core.GenerateDefaultRandomId(), Kind: kind, Name: name, State: ImportTrying, Created: time.Now().Unix()}
	actor, err := json.Marshal(by.Actor)
	if err != nil {
		return nil, fmt.Errorf("take an import in: %w", err)
	}
	if err := unpack(folderOf(app, m.ID), kind, name, from); err != nil {
		_ = os.RemoveAll(folderOf(app, m.ID))
		return nil, err
	}
	err = app.RunInTransaction(func(tx core.App) error {
		_, err := tx.DB().Insert("_library_imports", dbx.Params{"id": m.ID, "kind": kind, "name": name, "state": m.State, "media": false,
			"actor": string(actor), "report": "", "fault": "", "created": m.Created}).Execute()
		if err != nil {
			return err
		}
		if err := queue.Enqueue(tx, moveKind, m.ID, queue.Unique(m.ID)); err != nil {
			return err
		}
		return audit.Write(tx, by.Actor, "import.upload", "", m.ID, map[string]string{"kind": kind, "name": name})
	})
	if err != nil {
		_ = os.RemoveAll(folderOf(app, m.ID))
		return nil, fmt.Errorf("take an import in: %w", err)
	}
	forgetImports(app)
	return m, nil
}

// FindImport gives an import with its report, or ErrMissing.
func FindImport(app core.App, id string) (*Move, error) {
	m := &Move{}
	err := app.DB().Select("*").From("_library_imports").Where(dbx.HashExp{"id": id}).One(m)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, fmt.Errorf("find an import: %w", err)
	}
	if m.Raw != "" {
		if err := json.Unmarshal([]byte(m.Raw), &m.Report); err != nil {
			return nil, fmt.Errorf("read the report of an import: %w", err)
		}
	}
	return m, nil
}

// ListImports lists the imports, the newest first, without their reports.
func ListImports(app core.App) ([]Move, error) {
	var list []Move
	err := app.DB().Select("id", "kind", "name", "state", "created").From("_library_imports").OrderBy("created DESC", "id").Limit(2 * maxImports).All(&list)
	if err != nil {
		return nil, fmt.Errorf("list imports: %w", err)
	}
	return list, nil
}

// StartImport has an import that was tried, stopped or broken off run.
func StartImport(app core.App, by By, id string, withMedia bool) error {
	return act(app, by, id, "import.start", []string{ImportTried, ImportStopped, ImportFailed, ImportDone}, func(tx core.App) error {
		actor, err := json.Marshal(by.Actor)
		if err != nil {
			return err
		}
		_, err = tx.DB().Update("_library_imports", dbx.Params{"state": ImportRunning, "media": withMedia, "report": "", "fault": "", "actor": string(actor)}, dbx.HashExp{"id": id}).Execute()
		if err != nil {
			return err
		}
		return queue.Enqueue(tx, moveKind, id, queue.Unique(id))
	})
}

// StopImport stops an import that is under way. What it wrote stays.
func StopImport(app core.App, by By, id string) error {
	err := act(app, by, id, "import.stop", []string{ImportTrying, ImportRunning}, func(tx core.App) error {
		_, err := tx.DB().Update("_library_imports", dbx.Params{"state": ImportStopped}, dbx.HashExp{"id": id}).Execute()
		return err
	})
	underWay(app).stop(id)
	return err
}

// DropImport forgets an import and its file; what was moved in stays.
func DropImport(app core.App, by By, id string) error {
	err := act(app, by, id, "import.forget", []string{ImportTried, ImportStopped, ImportFailed, ImportDone}, func(tx core.App) error {
		_, err := tx.DB().Delete("_library_imports", dbx.HashExp{"id": id}).Execute()
		return err
	})
	if err != nil {
		return err
	}
	return os.RemoveAll(folderOf(app, id))
}

// ErrState means that an import is not in a state for what was asked.
var ErrState = errors.New("this import can't do that now")

func act(app core.App, by By, id, action string, from []string, do func(tx core.App) error) error {
	err := app.RunInTransaction(func(tx core.App) error {
		m, err := FindImport(tx, id)
		if err != nil {
			return err
		}
		for _, state := range from {
			if m.State == state {
				if err := do(tx); err != nil {
					return err
				}
				return audit.Write(tx, by.Actor, action, "", id, map[string]string{"kind": m.Kind, "name": m.Name})
			}
		}
		return ErrState
	})
	return wrap(action, err)
}

// forgetImports deletes the oldest uploads that nothing waits for.
func forgetImports(app core.App) {
	list, err := ListImports(app)
	if err != nil {
		app.Logger().Error("old imports can't be listed", "error", err)
		return
	}
	for _, m := range list[min(maxImports, len(list)):] {
		if m.Busy() {
			continue
		}
		if _, err := app.NonconcurrentDB().Delete("_library_imports", dbx.HashExp{"id": m.ID}).Execute(); err == nil {
			err = os.RemoveAll(folderOf(app, m.ID))
		}
		if err != nil {
			app.Logger().Error("an old import can't be deleted", "error", err)
		}
	}
}
