package library

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

const (
	// undoLife is for how long something can be taken back.
	undoLife = 24 * time.Hour
	// maxUndo is how much one entry may hold, in bytes of JSON.
	maxUndo = 16 << 20
)

// ErrTooLate means that something can't be taken back any more.
var ErrTooLate = errors.New("this can't be taken back any more")

// undo is what takes a change back.
type undo struct {
	Restore []former  `json:"restore,omitzero"` // records to make again
	Set     []setting `json:"set,omitzero"`     // fields to set back
	Delete  []place   `json:"delete,omitzero"`  // records to delete, made by the change
	Back    string    `json:"back"`             // the page to which taking back leads
}

// former is a record as it was.
type former struct {
	Collection string         `json:"collection"`
	ID         string         `json:"id"`
	Fields     map[string]any `json:"fields"`
}

// setting is a field before and after. It is set back only where it is still
// as the change left it.
type setting struct {
	Collection string `json:"collection"`
	ID         string `json:"id"`
	Field      string `json:"field"`
	Before     any    `json:"before"`
	After      any    `json:"after"`
}

type place struct {
	Collection string `json:"collection"`
	ID         string `json:"id"`
}

// formerly reads a record for undo.Restore.
func formerly(record *core.Record) former {
	fields := map[string]any{}
	for _, f := range record.Collection().Fields {
		if name := f.GetName(); name != "updated" {
			fields[name] = record.Get(name)
		}
	}
	return former{record.Collection().Name, record.Id, fields}
}

// keepUndo writes down how to take a change back, in its transaction, and
// gives the address of the button; "" where it would be too much.
func keepUndo(tx core.App, by By, u undo) (string, error) {
	raw, err := json.Marshal(u)
	if err != nil {
		return "", fmt.Errorf("keep what was: %w", err)
	}
	if len(raw) > maxUndo {
		return "", nil
	}
	id := core.GenerateDefaultRandomId()
	_, err = tx.DB().Insert("_library_undo", dbx.Params{"id": id, "actor": by.Person.Id, "data": string(raw), "created": time.Now().Unix()}).Execute()
	if err != nil {
		return "", fmt.Errorf("keep what was: %w", err)
	}
	return desk.Href("library/undo") + "?id=" + url.QueryEscape(id), nil
}

// TakeBack takes back what the person did, once, and gives the page to go to.
// ErrTooLate means that it is gone, or that something else stands in its place.
func TakeBack(app core.App, by By, id string) (back string, err error) {
	err = app.RunInTransaction(func(tx core.App) error {
		var raw string
		err := tx.DB().Select("data").From("_library_undo").
			Where(dbx.HashExp{"id": id, "actor": by.Person.Id}).
			AndWhere(dbx.NewExp("created > {:since}", dbx.Params{"since": time.Now().Add(-undoLife).Unix()})).Row(&raw)
		if errors.Is(err, sql.ErrNoRows) {
			return ErrTooLate
		}
		if err != nil {
			return err
		}
		var u undo
		if err := json.Unmarshal([]byte(raw), &u); err != nil {
			return err
		}
		back = u.Back
		if _, err := tx.DB().Delete("_library_undo", dbx.HashExp{"id": id}).Execute(); err != nil {
			return err
		}
		detail := map[string]int{"brought back": len(u.Restore), "set back": len(u.Set), "taken away": len(u.Delete)}
		if err := audit.Write(tx, by.Actor, "library.undo", "", "", detail); err != nil {
			return err
		}
		return u.apply(tx)
	})
	if err != nil {
		return "", fmt.Errorf("take back: %w", err)
	}
	return back, nil
}

// apply does it in an order that never breaks a relation: what the change made
// goes, what it deleted comes, then fields are set back.
func (u undo) apply(tx core.App) error {
	for _, p := range u.Delete {
		record, err := tx.FindRecordById(p.Collection, p.ID)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return err
		}
		if err := tx.Delete(record); err != nil {
			return err
		}
	}
	for _, f := range u.Restore {
		if err := f.restore(tx); err != nil {
			return err
		}
	}
	for _, s := range u.Set {
		if err := s.back(tx); err != nil {
			return err
		}
	}
	return nil
}

func (f former) restore(tx core.App) error {
	c, err := tx.FindCachedCollectionByNameOrId(f.Collection)
	if err != nil {
		return err
	}
	if there, err := tx.FindRecordsByIds(c, []string{f.ID}); err != nil || len(there) > 0 {
		return err // it is back already
	}
	record := core.NewRecord(c)
	record.Load(f.Fields)
	record.Id = f.ID
	if created, err := types.ParseDateTime(f.Fields["created"]); err == nil {
		record.SetRaw("created", created) // a plain Set leaves such a field alone
	}
	if err := tx.Save(record); err != nil {
		return fmt.Errorf("%w: %w", ErrTooLate, err)
	}
	return nil
}

func (s setting) back(tx core.App) error {
	record, err := tx.FindRecordById(s.Collection, s.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	if !sameValue(record.Get(s.Field), s.After) {
		return nil
	}
	record.Set(s.Field, s.Before)
	return tx.Save(record)
}

// sameValue compares what a record holds with what came out of JSON.
func sameValue(a, b any) bool {
	rawA, errA := json.Marshal(a)
	rawB, errB := json.Marshal(b)
	return errA == nil && errB == nil && slices.Equal(rawA, rawB)
}

// forgetUndo drops what can't be taken back any more.
func forgetUndo(app core.App, now time.Time) error {
	_, err := app.NonconcurrentDB().Delete("_library_undo", dbx.NewExp("created <= {:before}", dbx.Params{"before": now.Add(-undoLife).Unix()})).Execute()
	if err != nil {
		return fmt.Errorf("forget what can't be taken back: %w", err)
	}
	return nil
}

// takeBack is the button "Undo" of the library.
func takeBack(e *desk.Event) error {
	back, err := TakeBack(e.App, by(e), e.Request.URL.Query().Get("id"))
	if errors.Is(err, ErrTooLate) {
		return e.Leave(desk.Root, desk.Notice{Kind: "warning", Text: e.T("This can't be taken back any more: it is too long ago, or something else stands in its place.")})
	}
	if err != nil {
		return err
	}
	return e.Done(back, "It is as it was.")
}
