package drafts

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Revision is one version of a text, without the text.
type Revision struct {
	ID         string                  `db:"id"`
	Collection string                  `db:"collection"`
	Record     string                  `db:"record"`
	State      string                  `db:"state"`
	Title      string                  `db:"title"`
	Actor      string                  `db:"actor"` // the account's id, "" for changes from elsewhere
	Name       string                  `db:"name"`  // of the person, "" for changes from elsewhere
	Note       string                  `db:"note"`
	Base       string                  `db:"base"`
	Authors    types.JSONArray[string] `db:"authors"`
	At         types.DateTime          `db:"at"`
	Due        types.DateTime          `db:"due"`
}

var columns = []string{"id", "collection", "record", "state", "title", "actor", "name", "note", "base", "authors", "at", "due"}

// working are the states of a version that is still being written.
var working = []any{schema.RevisionDraft, schema.RevisionScheduled}

// put saves a version as a revision: into row, or as a new one for nil.
func put(tx core.App, row *core.Record, record *core.Record, state string, person *core.Record, v any, fields map[string]any) (*core.Record, error) {
	if row == nil {
		c, err := tx.FindCachedCollectionByNameOrId(schema.Revisions)
		if err != nil {
			return nil, fmt.Errorf("keep a version: %w", err)
		}
		row = core.NewRecord(c)
	}
	raw, err := encode(v)
	if err != nil {
		return nil, err
	}
	row.Set("collection", record.Collection().Name)
	row.Set("record", record.Id)
	row.Set("state", state)
	row.Set("title", record.GetString("title"))
	row.Set("authors", record.GetStringSlice("authors"))
	row.Set("data", types.JSONRaw(raw))
	row.Set("at", types.NowDateTime())
	if person != nil {
		row.Set("actor", person.Id)
		row.Set("name", nameOf(person))
		if person.Collection().Name == schema.Staff {
			row.Set("staff", person.Id)
		}
	}
	for name, value := range fields {
		row.Set(name, value)
	}
	if err := tx.Save(row); err != nil {
		return nil, fmt.Errorf("keep a version: %w", err)
	}
	return row, nil
}

// keep adds the state of a record to its history and cuts the history to its
// limits.
func keep(tx core.App, record *core.Record, person *core.Record, note string) error {
	state := schema.RevisionKept
	if record.GetString("status") == schema.StatusPublished {
		state = schema.RevisionPublished
	}
	if _, err := put(tx, nil, record, state, person, VersionOf(record), map[string]any{"note": note}); err != nil {
		return err
	}
	return prune(tx, record)
}

// keepBefore adds the state that a record has before it is changed here, where
// the history does not end with it: it was changed elsewhere, by an import or
// through the API.
func keepBefore(tx core.App, record *core.Record) error {
	last := &core.Record{}
	err := tx.RecordQuery(schema.Revisions).AndWhere(ofRecord(record)).AndWhere(history).
		OrderBy("at DESC", "created DESC").Limit(1).One(last)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("find the last version: %w", err)
	}
	if err == nil {
		v, err := decode(last.GetString("data"))
		if err != nil {
			return err
		}
		if equal, err := same(record, v, VersionOf(record)); equal || err != nil {
			return err
		}
	}
	state := schema.RevisionKept
	if record.GetString("status") == schema.StatusPublished {
		state = schema.RevisionPublished
	}
	_, err = put(tx, nil, record, state, nil, VersionOf(record), map[string]any{"at": record.GetDateTime("updated")})
	return err
}

var history = dbx.In("state", schema.RevisionKept, schema.RevisionPublished)

func ofRecord(record *core.Record) dbx.Expression {
	return dbx.HashExp{"collection": record.Collection().Name, "record": record.Id}
}

// prune deletes the oldest earlier versions beyond MaxRevisions and
// MaxRevisionBytes.
func prune(tx core.App, record *core.Record) error {
	var rows []struct {
		ID   string `db:"id"`
		Size int    `db:"size"`
	}
	err := tx.DB().Select("id", "length(CAST(data AS BLOB)) AS size").From(schema.Revisions).Where(ofRecord(record)).AndWhere(history).
		OrderBy("at DESC", "created DESC").All(&rows)
	if err != nil {
		return fmt.Errorf("measure the versions of a text: %w", err)
	}
	total := 0
	for i, row := range rows {
		total += row.Size
		if i == 0 || i < MaxRevisions && total <= MaxRevisionBytes {
			continue
		}
		old, err := tx.FindRecordById(schema.Revisions, row.ID)
		if err == nil {
			err = tx.Delete(old)
		}
		if err != nil {
			return fmt.Errorf("drop an old version: %w", err)
		}
	}
	return nil
}

// draftRow is the person's version in the making, nil where there is none.
func draftRow(app core.App, record *core.Record, actor string) (*core.Record, error) {
	row := &core.Record{}
	err := app.RecordQuery(schema.Revisions).AndWhere(ofRecord(record)).
		AndWhere(dbx.HashExp{"actor": actor}).AndWhere(dbx.In("state", working...)).Limit(1).One(row)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find a draft: %w", err)
	}
	return row, nil
}

func dropDraft(tx core.App, record, person *core.Record) error {
	row, err := draftRow(tx, record, person.Id)
	if err != nil || row == nil {
		return err
	}
	if err := tx.Delete(row); err != nil {
		return fmt.Errorf("drop a draft: %w", err)
	}
	return nil
}

// Draft gives the person's own version in the making with what it began from.
// Without one it is nil, and the version is that of the record.
func Draft(app core.App, person, record *core.Record) (*Revision, Version, error) {
	row, err := draftRow(app, record, person.Id)
	if err != nil {
		return nil, nil, err
	}
	if row == nil {
		return nil, VersionOf(record), nil
	}
	v, err := decode(row.GetString("data"))
	if err != nil {
		return nil, nil, err
	}
	r := revisionOf(row)
	return &r, VersionOf(record).With(v), nil
}

func revisionOf(row *core.Record) Revision {
	return Revision{
		ID: row.Id, Collection: row.GetString("collection"), Record: row.GetString("record"), State: row.GetString("state"),
		Title: row.GetString("title"), Actor: row.GetString("actor"), Name: row.GetString("name"), Note: row.GetString("note"),
		Base: row.GetString("base"), Authors: row.GetStringSlice("authors"), At: row.GetDateTime("at"), Due: row.GetDateTime("due"),
	}
}

// History lists the versions of a text that the person may see, the newest
// first: everybody who may edit it sees what it was, only editors see what
// others are still writing.
func History(app core.App, person *core.Record, collection, id string) ([]Revision, error) {
	record, err := Open(app, person, collection, id)
	if err != nil {
		return nil, err
	}
	var list []Revision
	err = app.DB().Select(columns...).From(schema.Revisions).Where(ofRecord(record)).
		AndWhere(dbx.Not(dbx.HashExp{"state": schema.RevisionBinned})).OrderBy("at DESC", "created DESC", "id").Limit(200).All(&list)
	if err != nil {
		return nil, fmt.Errorf("list the versions of a text: %w", err)
	}
	if EditsAll(person) {
		return list, nil
	}
	return slices.DeleteFunc(list, func(r Revision) bool { return r.isWorking() && r.Actor != person.Id }), nil
}

func (r Revision) isWorking() bool {
	return r.State == schema.RevisionDraft || r.State == schema.RevisionScheduled
}

// Find gives one version with its text and the record that it belongs to, by
// the same rules as History; else ErrMissing.
func Find(app core.App, person *core.Record, id string) (Revision, Version, *core.Record, error) {
	row, err := app.FindRecordById(schema.Revisions, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Revision{}, nil, nil, ErrMissing
	}
	if err != nil {
		return Revision{}, nil, nil, fmt.Errorf("find a version: %w", err)
	}
	r := revisionOf(row)
	record, err := Open(app, person, r.Collection, r.Record)
	if err != nil {
		return Revision{}, nil, nil, err
	}
	if r.State == schema.RevisionBinned || r.isWorking() && r.Actor != person.Id && !EditsAll(person) {
		return Revision{}, nil, nil, ErrMissing
	}
	v, err := decode(row.GetString("data"))
	if err != nil {
		return Revision{}, nil, nil, err
	}
	return r, VersionOf(record).With(v), record, nil
}
