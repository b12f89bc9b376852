package drafts

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"bungalow/hooks/content"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// deleterKey is where a record that is about to be deleted carries who does it.
const deleterKey = "bungalow_deleter"

func markDeleter(record, person *core.Record) { record.SetRaw(deleterKey, person) }

// keepInBin keeps a whole post or page as a revision before it is deleted, in
// the same transaction. Its history stays where it is.
func keepInBin(e *core.RecordEvent) error {
	person, _ := e.Record.GetRaw(deleterKey).(*core.Record)
	stored, err := e.App.FindRecordById(e.Record.Collection(), e.Record.Id)
	if err != nil {
		return e.Next() // it is gone already
	}
	if _, err := put(e.App, nil, stored, schema.RevisionBinned, person, stored.FieldsData(), nil); err != nil {
		return err
	}
	return e.Next()
}

// Bin deletes a post or page. It can be brought back for BinDays days; its
// address is free for others at once, and its comments stay.
func Bin(app core.App, by By, collection, id string) (*core.Record, error) {
	return change(app, by, collection, id, "", nil, func(tx core.App, record *core.Record) error {
		markDeleter(record, by.Person)
		if err := tx.Delete(record); err != nil {
			return err
		}
		return told(tx, by, "bin", record, map[string]string{"title": record.GetString("title")})
	})
}

// mayBinned is May for a text that is in the bin, by its authors of then.
func mayBinned(app core.App, person *core.Record, r Revision) (bool, error) {
	if EditsAll(person) {
		return true, nil
	}
	mine, err := AuthorIDs(app, person)
	return r.Collection == schema.Posts && overlap(mine, r.Authors), err
}

// binned finds the newest row of a text in the bin that the person may see.
func binned(app core.App, person *core.Record, collection, id string) (*core.Record, error) {
	row := &core.Record{}
	err := app.RecordQuery(schema.Revisions).AndWhere(dbx.HashExp{"collection": collection, "record": id, "state": schema.RevisionBinned}).
		OrderBy("at DESC", "created DESC").Limit(1).One(row)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, fmt.Errorf("look into the bin: %w", err)
	}
	may, err := mayBinned(app, person, revisionOf(row))
	if err != nil {
		return nil, err
	}
	if !may {
		return nil, ErrMissing
	}
	return row, nil
}

// Binned lists what is in the bin for the person, the newest first, and how
// many there are.
func Binned(app core.App, person *core.Record, collection string, page, perPage int) ([]Revision, int, error) {
	where := dbx.And(dbx.HashExp{"state": schema.RevisionBinned, "collection": collection})
	if !EditsAll(person) {
		mine, err := AuthorIDs(app, person)
		if err != nil {
			return nil, 0, err
		}
		if len(mine) == 0 || collection != schema.Posts {
			return nil, 0, nil
		}
		where = dbx.And(where, HasAny("revisions.authors", mine))
	}
	var total int
	if err := app.DB().Select("count(*)").From(schema.Revisions).Where(where).Row(&total); err != nil {
		return nil, 0, fmt.Errorf("count the bin: %w", err)
	}
	var list []Revision
	err := app.DB().Select(columns...).From(schema.Revisions).Where(where).OrderBy("at DESC", "id").
		Limit(int64(perPage)).Offset(int64((page - 1) * perPage)).All(&list)
	if err != nil {
		return nil, 0, fmt.Errorf("list the bin: %w", err)
	}
	return list, total, nil
}

// HasAny selects the rows whose list in column holds one of the ids.
func HasAny(column string, ids []string) dbx.Expression {
	values := make([]any, len(ids))
	for i, id := range ids {
		values[i] = id
	}
	in := dbx.In("j.value", values...)
	return dbx.Exists(inList{column, in})
}

// inList is the subquery of HasAny.
type inList struct {
	column string
	in     dbx.Expression
}

func (l inList) Build(db *dbx.DB, params dbx.Params) string {
	return "SELECT 1 FROM json_each(CASE WHEN json_valid(" + l.column + ") THEN " + l.column + " ELSE '[]' END) j WHERE " + l.in.Build(db, params)
}

// Unbin brings a text back as it was, with its id, its dates and its status.
// Where its address is taken by now it gets another; a page whose parent is
// gone comes to the top; one that was to be published meanwhile is a draft.
func Unbin(app core.App, by By, collection, id string) (*core.Record, error) {
	var back *core.Record
	err := app.RunInTransaction(func(tx core.App) error {
		row, err := binned(tx, by.Person, collection, id)
		if err != nil {
			return err
		}
		c, err := tx.FindCachedCollectionByNameOrId(collection)
		if err != nil {
			return fmt.Errorf("bring a text back: %w", err)
		}
		if there, err := tx.FindRecordsByIds(c, []string{id}); err != nil || len(there) > 0 {
			return errors.Join(err, ErrThere)
		}
		back = core.NewRecord(c)
		if err := refill(tx, back, row); err != nil {
			return err
		}
		if err := tx.Save(back); err != nil {
			return err
		}
		if err := tx.Delete(row); err != nil {
			return fmt.Errorf("take out of the bin: %w", err)
		}
		return told(tx, by, "unbin", back, map[string]string{"title": back.GetString("title")})
	})
	return back, err
}

// refill loads what the bin kept into a new record.
func refill(tx core.App, back, row *core.Record) error {
	data, err := decode(row.GetString("data"))
	if err != nil {
		return err
	}
	back.Id = row.GetString("record")
	for _, f := range back.Collection().Fields {
		value, ok := data[f.GetName()]
		if !ok || f.Type() == core.FieldTypeFile || f.GetName() == "id" {
			continue
		}
		if f.Type() == core.FieldTypeAutodate {
			at, err := types.ParseDateTime(value)
			if err == nil {
				back.SetRaw(f.GetName(), at)
			}
			continue
		}
		back.Set(f.GetName(), value)
	}
	if err := dropLost(tx, back); err != nil {
		return err
	}
	if back.GetString("status") == schema.StatusScheduled && !back.GetDateTime("published_at").Time().After(time.Now()) {
		back.Set("status", schema.StatusDraft)
	}
	site, err := settings.LoadSite(tx)
	if err != nil {
		return err
	}
	if !slices.Contains(site.AllLocales(), back.GetString("locale")) {
		back.Set("locale", site.Locale)
	}
	free, err := content.FreeSlug(tx, site, back, back.GetString("slug"))
	if err != nil {
		return err
	}
	back.Set("slug", free)
	if key := back.GetString("source_key"); key != "" {
		n, err := tx.CountRecords(back.Collection(), dbx.HashExp{"source_key": key})
		if err != nil {
			return fmt.Errorf("look for an imported text: %w", err)
		}
		if n > 0 {
			back.Set("source_key", "") // it was imported again meanwhile
		}
	}
	return nil
}

// Purge deletes a text in the bin for good, with its history.
func Purge(app core.App, by By, collection, id string) error {
	return app.RunInTransaction(func(tx core.App) error {
		row, err := binned(tx, by.Person, collection, id)
		if err != nil {
			return err
		}
		c, err := tx.FindCachedCollectionByNameOrId(collection)
		if err != nil {
			return fmt.Errorf("empty the bin: %w", err)
		}
		record := core.NewRecord(c)
		record.Id = id
		if err := forget(tx, row); err != nil {
			return err
		}
		return told(tx, by, "purge", record, map[string]string{"title": row.GetString("title")})
	})
}

// EmptyBin deletes for good what has been in the bin for more than BinDays.
func EmptyBin(app core.App, now time.Time) error {
	var old []string
	before := now.AddDate(0, 0, -BinDays).UTC().Format(types.DefaultDateLayout)
	err := app.DB().Select("id").From(schema.Revisions).Where(dbx.HashExp{"state": schema.RevisionBinned}).
		AndWhere(dbx.NewExp("at < {:before}", dbx.Params{"before": before})).Column(&old)
	if err != nil {
		return fmt.Errorf("find what is old in the bin: %w", err)
	}
	for _, id := range old {
		err := app.RunInTransaction(func(tx core.App) error {
			row, err := tx.FindRecordById(schema.Revisions, id)
			if err != nil {
				return nil //nolint:nilerr // brought back meanwhile
			}
			return forget(tx, row)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// forget deletes a row of the bin, and the text's history unless it lives on.
func forget(tx core.App, row *core.Record) error {
	collection, id := row.GetString("collection"), row.GetString("record")
	rows := []*core.Record{row}
	there, err := tx.FindRecordsByIds(collection, []string{id})
	if err != nil {
		return fmt.Errorf("empty the bin: %w", err)
	}
	if len(there) == 0 {
		rows, err = tx.FindAllRecords(schema.Revisions, dbx.HashExp{"collection": collection, "record": id})
		if err != nil {
			return fmt.Errorf("empty the bin: %w", err)
		}
	}
	for _, r := range rows {
		if err := tx.Delete(r); err != nil {
			return fmt.Errorf("empty the bin: %w", err)
		}
	}
	return nil
}
