package drafts

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"bungalow/hooks/content"
	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/schema"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Create makes a new draft. A person who edits own posts only signs it.
func Create(app core.App, by By, collection string, v Version) (*core.Record, error) {
	made, err := rendered(v)
	if err != nil {
		return nil, err
	}
	var record *core.Record
	err = app.RunInTransaction(func(tx core.App) error {
		c, err := tx.FindCachedCollectionByNameOrId(collection)
		if err != nil {
			return fmt.Errorf("make a text: %w", err)
		}
		record = core.NewRecord(c)
		v.apply(record)
		made.Give(record)
		record.Set("status", schema.StatusDraft)
		if err := dropLost(tx, record); err != nil {
			return err
		}
		if collection == schema.Posts && len(record.GetStringSlice("authors")) == 0 || !EditsAll(by.Person) {
			author, err := EnsureAuthor(tx, by.Person)
			if err != nil {
				return err
			}
			if author != "" && !overlap([]string{author}, record.GetStringSlice("authors")) {
				record.Set("authors", append(record.GetStringSlice("authors"), author))
			}
		}
		may, err := May(tx, by.Person, record)
		if err != nil {
			return err
		}
		if !may {
			return ErrMissing
		}
		if err := tx.Save(record); err != nil {
			return err
		}
		if err := keep(tx, record, by.Person, ""); err != nil {
			return err
		}
		return told(tx, by, "create", record, map[string]string{"title": record.GetString("title")})
	})
	return record, err
}

// Autosave keeps what the person has typed as the person's one draft of the
// text. The record stays as it is. stale reports that the record was changed
// since base; the draft is kept all the same. A draft that says what the
// record says is dropped, and the answer is nil.
func Autosave(app core.App, by By, collection, id, base string, v Version) (draft *Revision, stale bool, err error) {
	err = app.RunInTransaction(func(tx core.App) error {
		record, err := Open(tx, by.Person, collection, id)
		if err != nil {
			return err
		}
		var conflict *Conflict
		if err := held(record, base, v); errors.As(err, &conflict) {
			stale = true
		} else if err != nil {
			return err
		}
		row, err := hold(tx, by, record, base, v, schema.RevisionDraft, time.Time{})
		if err == nil && row != nil {
			r := revisionOf(row)
			draft = &r
		}
		return err
	})
	return draft, stale, err
}

// hold writes the person's version in the making; only its first save has a
// line in the audit, because more follow every few seconds.
func hold(tx core.App, by By, record *core.Record, base string, v Version, state string, due time.Time) (*core.Record, error) {
	if body, _ := v["body"].(string); len(body) > text.MaxBody {
		return nil, validation.Errors{"body": validation.NewError("validation_too_long", "The text is longer than 2 MB. Split it into several.")}
	}
	full := VersionOf(record).With(v)
	equal, err := same(record, full, VersionOf(record))
	if err != nil {
		return nil, err
	}
	row, err := draftRow(tx, record, by.Person.Id)
	if err != nil {
		return nil, err
	}
	if equal && state == schema.RevisionDraft {
		return nil, dropDraft(tx, record, by.Person)
	}
	began := row == nil || row.GetString("state") != state
	if base == "" {
		if base, err = Base(record); err != nil {
			return nil, err
		}
	}
	fields := map[string]any{"base": base, "due": "", "note": ""}
	if !due.IsZero() {
		fields["due"], _ = types.ParseDateTime(due)
	}
	shown := record.Clone()
	full.apply(shown)
	fields["title"] = shown.GetString("title")
	row, err = put(tx, row, record, state, by.Person, VersionOf(shown), fields)
	if err != nil || !began || state != schema.RevisionDraft {
		return row, err
	}
	return row, told(tx, by, "draft", record, nil)
}

// Save saves what was written: into the text itself while no visitor can see
// it, else as the person's draft of its next version. It gives the record, or
// a *Conflict where somebody saved the text since base.
func Save(app core.App, by By, collection, id, base string, v Version) (*core.Record, error) {
	return change(app, by, collection, id, base, v, func(tx core.App, record *core.Record) error {
		if isLive(record) {
			if err := held(record, base, v); err != nil {
				return err
			}
			_, err := hold(tx, by, record, base, v, schema.RevisionDraft, time.Time{})
			return err
		}
		return write(tx, by, record, base, v, "save", nil)
	})
}

// Publish puts the version before visitors, at once or with the time given. A
// zero time is now for what was never published and else leaves the time.
func Publish(app core.App, by By, collection, id, base string, v Version, at time.Time) (*core.Record, error) {
	return change(app, by, collection, id, base, v, func(tx core.App, record *core.Record) error {
		return write(tx, by, record, base, v, "publish", func() {
			switch {
			case !at.IsZero():
				record.Set("published_at", at.UTC())
			case record.GetDateTime("published_at").Time().After(time.Now()):
				record.Set("published_at", types.NowDateTime())
			}
			record.Set("status", schema.StatusPublished)
		})
	})
}

// Schedule publishes the version later: a text that visitors don't see yet
// appears then, one that they see is changed then.
func Schedule(app core.App, by By, collection, id, base string, v Version, at time.Time) (*core.Record, error) {
	if !at.After(time.Now()) {
		return nil, validation.Errors{"published_at": validation.NewError("validation_past", "Choose a time that is still to come.")}
	}
	return change(app, by, collection, id, base, v, func(tx core.App, record *core.Record) error {
		if !isLive(record) {
			return write(tx, by, record, base, v, "schedule", func() {
				record.Set("published_at", at.UTC())
				record.Set("status", schema.StatusScheduled)
			})
		}
		if err := held(record, base, v); err != nil {
			return err
		}
		if _, err := hold(tx, by, record, base, v, schema.RevisionScheduled, at); err != nil {
			return err
		}
		return told(tx, by, "schedule", record, map[string]string{"at": at.UTC().Format(time.RFC3339)})
	})
}

// Unpublish takes a text away from visitors; it becomes a draft.
func Unpublish(app core.App, by By, collection, id string) (*core.Record, error) {
	return change(app, by, collection, id, "", nil, func(tx core.App, record *core.Record) error {
		return write(tx, by, record, "", nil, "unpublish", func() { record.Set("status", schema.StatusDraft) })
	})
}

// Discard drops the person's version in the making; ErrNoDraft where there is none.
func Discard(app core.App, by By, collection, id string) (*core.Record, error) {
	return change(app, by, collection, id, "", nil, func(tx core.App, record *core.Record) error {
		row, err := draftRow(tx, record, by.Person.Id)
		if err != nil {
			return err
		}
		if row == nil {
			return ErrNoDraft
		}
		if err := tx.Delete(row); err != nil {
			return fmt.Errorf("discard a draft: %w", err)
		}
		return told(tx, by, "discard", record, nil)
	})
}

// Restore makes an earlier version the present one, as Save would: of a text
// that visitors see it becomes the person's draft, so nothing is lost.
func Restore(app core.App, by By, revision string) (*core.Record, error) {
	r, v, _, err := Find(app, by.Person, revision)
	if err != nil {
		return nil, err
	}
	return change(app, by, r.Collection, r.Record, "", v, func(tx core.App, record *core.Record) error {
		if isLive(record) {
			if _, err := hold(tx, by, record, "", v, schema.RevisionDraft, time.Time{}); err != nil {
				return err
			}
			return told(tx, by, "restore", record, map[string]string{"revision": revision})
		}
		return write(tx, by, record, "", v, "restore", nil)
	})
}

// change runs act on a text that the person may edit, in one transaction.
func change(app core.App, by By, collection, id, base string, v Version, act func(tx core.App, record *core.Record) error) (*core.Record, error) {
	made, err := rendered(v)
	if err != nil {
		return nil, err
	}
	var changed *core.Record
	err = app.RunInTransaction(func(tx core.App) error {
		record, err := Open(tx, by.Person, collection, id)
		if err != nil {
			return err
		}
		made.Give(record)
		changed = record
		return act(tx, record)
	})
	if err != nil {
		return nil, err
	}
	return changed, nil
}

// rendered renders a version's body while nobody waits for the database.
func rendered(v Version) (*content.Rendering, error) {
	body, _ := v["body"].(string)
	format, _ := v["format"].(string)
	return content.RenderBody(format, body)
}

// write saves a version into the record itself, with its history and its line
// in the audit. set changes what is not the version's.
func write(tx core.App, by By, record *core.Record, base string, v Version, act string, set func()) error {
	if err := held(record, base, v); err != nil {
		return err
	}
	if err := keepBefore(tx, record); err != nil {
		return err
	}
	follow, was := followsTitle(record), record.GetString("slug")
	title := record.GetString("title")
	v.apply(record)
	if follow && record.GetString("slug") == was && record.GetString("title") != title {
		record.Set("slug", "") // made anew from the title
	}
	if set != nil {
		set()
	}
	if err := dropLost(tx, record); err != nil {
		return err
	}
	if err := signed(tx, by.Person, record); err != nil {
		return err
	}
	if err := tx.Save(record); err != nil {
		return err
	}
	if v != nil {
		if err := dropDraft(tx, record, by.Person); err != nil {
			return err
		}
	}
	if err := keep(tx, record, by.Person, ""); err != nil {
		return err
	}
	return told(tx, by, act, record, map[string]string{"title": record.GetString("title")})
}

// followsTitle reports whether a text's address was made from its title and
// nobody knows it yet: then it changes with the title.
func followsTitle(record *core.Record) bool {
	made := text.Slug(record.GetString("title"))
	rest, ok := strings.CutPrefix(record.GetString("slug"), made)
	number := strings.Trim(strings.TrimPrefix(rest, "-"), "0123456789") == ""
	return ok && number && record.GetDateTime("announced_at").IsZero() && !isLive(record)
}

// isLive reports whether visitors see the text.
func isLive(record *core.Record) bool { return record.GetString("status") == schema.StatusPublished }
