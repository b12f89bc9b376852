package media

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"time"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// kindSizes is the queue's name for making the sizes of one picture.
const kindSizes = "media.sizes"

// largePicture is from how many pixels on memory is given back at once.
const largePicture = 4_000_000

// order is the payload of a job: which file of which record, in which formats
// (none means the usual ones).
type order struct {
	ID      string   `json:"id"`
	File    string   `json:"file"`
	Formats []Format `json:"formats,omitzero"`
}

func sizesKind() queue.Kind {
	return queue.Kind{Name: kindSizes, Timeout: 2 * time.Minute, Attempts: 5, Concurrency: 1,
		Do: func(ctx context.Context, app core.App, payload []byte) error {
			var o order
			if err := json.Unmarshal(payload, &o); err != nil {
				return queue.NoRetry(fmt.Errorf("read order of sizes: %w", err))
			}
			return makeSizes(ctx, app, o)
		}}
}

// withJob writes the record and the order for its sizes in one transaction.
func withJob(e *core.RecordEvent) error {
	files := e.Record.GetUnsavedFiles("file")
	if s := unsavedState(e.Record); len(files) == 0 || !s.sizable() {
		return e.Next()
	}
	outer := e.App
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		defer func() { e.App = outer }()
		if err := enqueue(tx, order{ID: e.Record.Id, File: files[len(files)-1].Name}); err != nil {
			return err
		}
		return e.Next()
	})
}

// unsavedState is the state that accept has just set.
func unsavedState(record *core.Record) (s state) {
	_ = record.UnmarshalJSONField("sizes", &s) // what accept wrote reads back
	return s
}

func enqueue(app core.App, o order) error {
	return queue.Enqueue(app, kindSizes, o, queue.Unique(fmt.Sprint(o.ID, "/", o.File, o.Formats)))
}

// makeSizes stores the variants next to the original and then notes them. A
// picture that can't be decoded is noted as such and not tried again. It may
// run twice: the second run writes the same files.
func makeSizes(ctx context.Context, app core.App, o order) error {
	record, err := app.FindRecordById(schema.Media, o.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("find media: %w", err)
	}
	s := stateOf(record)
	if s.File != o.File || !s.sizable() {
		return nil
	}
	if len(o.Formats) == 0 {
		o.Formats = s.formats()
	}
	fsys, err := app.NewFilesystem()
	if err != nil {
		return fmt.Errorf("open storage: %w", err)
	}
	defer fsys.Close()
	fsys.SetContext(ctx)
	original, err := load(fsys, record.BaseFilesPath()+"/"+o.File)
	if err != nil {
		return err
	}
	if s.Width*s.Height > largePicture {
		defer debug.FreeOSMemory() // or the process would keep it for minutes
	}
	var made []string
	err = Resize(ctx, original, o.Formats, func(v Variant) error {
		name := variantName(v.Size, v.Format)
		if err := fsys.Upload(v.Body, variantKey(record, o.File, name)); err != nil {
			return fmt.Errorf("store size: %w", err)
		}
		made = append(made, name)
		return nil
	})
	failure := ""
	if errors.Is(err, ErrBroken) || errors.Is(err, ErrTruncated) || errors.Is(err, ErrFormat) || errors.Is(err, ErrTooManyPixels) {
		app.Logger().Warn("a picture can't be decoded", "media", o.ID, "error", err)
		failure, err = err.Error(), nil
	}
	if err != nil {
		return fmt.Errorf("make sizes: %w", err)
	}
	return note(app, fsys, record, o, made, failure)
}

func load(fsys *filesystem.System, key string) ([]byte, error) {
	r, err := fsys.GetReader(key)
	if err != nil {
		return nil, fmt.Errorf("open original: %w", err)
	}
	defer r.Close()
	var buf bytes.Buffer
	buf.Grow(int(min(r.Size(), MaxBytes)) + bytes.MinRead)
	if _, err := buf.ReadFrom(r); err != nil {
		return nil, fmt.Errorf("read original: %w", err)
	}
	return buf.Bytes(), nil
}

// note writes the made variants with plain SQL, so that no hook fires. When
// the record was deleted or its file replaced meanwhile, the variants go.
func note(app core.App, fsys *filesystem.System, record *core.Record, o order, made []string, failure string) error {
	gone := false
	err := app.RunInTransaction(func(tx core.App) error {
		fresh, err := current(tx, record)
		if errors.Is(err, sql.ErrNoRows) || err == nil && fresh.GetString("file") != o.File {
			gone = true
			return nil
		}
		if err != nil {
			return err
		}
		s := stateOf(fresh)
		s.Error = failure
		s.Formats = union(s.Formats, o.Formats)
		s.Made = union(s.Made, made)
		body, err := json.Marshal(s)
		if err != nil {
			return err
		}
		_, err = tx.NonconcurrentDB().Update(schema.Media, dbx.Params{"sizes": string(body)}, dbx.HashExp{"id": record.Id}).Execute()
		return err
	})
	if err != nil {
		return fmt.Errorf("note sizes: %w", err)
	}
	if gone {
		return errors.Join(fsys.DeletePrefix(variantFolder(record, o.File))...)
	}
	cache.Of(app).Bump(schema.Media, schema.Media+"/"+record.Id)
	return nil
}

// union keeps the order in which things came.
func union[T comparable](a, b []T) []T {
	for _, v := range b {
		if !slices.Contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}
