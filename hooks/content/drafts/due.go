package drafts

import (
	"errors"
	"fmt"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// noteChanged stands at changes that were not published at their time.
const noteChanged = "Not published at its time, because the text was changed meanwhile."

// PublishDue publishes the changes of published texts whose time has come.
// Where the text was changed since, or may not be changed by that person any
// more, they stay as a draft with a note. One that fails holds up no other.
func PublishDue(app core.App, now time.Time) error {
	var due []string
	err := app.DB().Select("id").From(schema.Revisions).Where(dbx.HashExp{"state": schema.RevisionScheduled}).
		AndWhere(dbx.NewExp("due <= {:now}", dbx.Params{"now": now.UTC().Format(types.DefaultDateLayout)})).
		OrderBy("due", "id").Limit(1000).Column(&due)
	if err != nil {
		return fmt.Errorf("find changes that are due: %w", err)
	}
	var failed []error
	for _, id := range due {
		if err := publishDue(app, id, now); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func publishDue(app core.App, id string, now time.Time) error {
	return app.RunInTransaction(func(tx core.App) error {
		row, err := tx.FindRecordById(schema.Revisions, id)
		if err != nil || row.GetString("state") != schema.RevisionScheduled || row.GetDateTime("due").Time().After(now) {
			return nil //nolint:nilerr // it was published, put off or discarded meanwhile
		}
		person, err := accountByID(tx, row.GetString("actor"))
		if err != nil {
			return err
		}
		record, err := Open(tx, person, row.GetString("collection"), row.GetString("record"))
		if errors.Is(err, ErrMissing) {
			return putBack(tx, row)
		}
		if err != nil {
			return err
		}
		v, err := decode(row.GetString("data"))
		if err != nil {
			return err
		}
		by := By{Person: person, Actor: audit.Of(person, "")}
		err = write(tx, by, record, row.GetString("base"), v, "publish", func() { record.Set("status", schema.StatusPublished) })
		var conflict *Conflict
		if errors.As(err, &conflict) {
			return putBack(tx, row)
		}
		return err
	})
}

// putBack makes a draft again of changes that can't be published.
func putBack(tx core.App, row *core.Record) error {
	row.Set("state", schema.RevisionDraft)
	row.Set("due", "")
	row.Set("note", noteChanged)
	if err := tx.Save(row); err != nil {
		return fmt.Errorf("put changes back: %w", err)
	}
	return nil
}

// accountByID finds a person, nil where the account is gone.
func accountByID(app core.App, id string) (*core.Record, error) {
	if id == "" {
		return nil, nil
	}
	for _, collection := range []string{schema.Staff, core.CollectionNameSuperusers} {
		found, err := app.FindRecordsByIds(collection, []string{id})
		if err != nil {
			return nil, fmt.Errorf("find who wrote a version: %w", err)
		}
		if len(found) > 0 {
			return found[0], nil
		}
	}
	return nil, nil
}
