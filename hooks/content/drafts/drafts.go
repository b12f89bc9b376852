// Package drafts is where posts and pages are written: the next version of
// what is published, its history, its preview, and the bin.
//
// It promises that a published text stays as it is until its next version is
// published, that nobody overwrites what somebody else has saved without
// having seen it, that each act is one transaction with a line in the audit,
// and that whoever may not edit a text can neither read, preview, restore nor
// delete any version of it. It never deletes a text at once: that goes to the
// bin, by whatever door it was deleted, and stays there for 30 days. It knows
// no HTTP.
package drafts

import (
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	// MaxRevisions is how many earlier versions of one text are kept.
	MaxRevisions = 50
	// MaxRevisionBytes is how much they take together; the newest stays even
	// if it alone is larger.
	MaxRevisionBytes = 16 << 20
	// BinDays is how long a deleted text can be brought back.
	BinDays = 30
	// PreviewDays is how long a link to a preview works.
	PreviewDays = 7
)

// Errors whose text may be shown. A text that is not there and one that the
// person may not edit are the same error, so that nobody learns of it.
var (
	ErrMissing = errors.New("this text is not here any more, or it is not yours")
	ErrNoDraft = errors.New("there are no changes that wait to be published")
	ErrThere   = errors.New("this text is back already")
)

// By is who does something: the signed-in record, staff or superuser, which
// decides what may be done, and the same person for the audit.
type By struct {
	Person *core.Record
	Actor  audit.Actor
}

// Register binds the bin, and the clock that publishes changes and empties
// the bin. It comes after content.Register, whose transaction it joins.
func Register(app core.App) error {
	written := []string{schema.Posts, schema.Pages}
	app.OnRecordDeleteRequest(written...).BindFunc(func(e *core.RecordRequestEvent) error {
		markDeleter(e.Record, e.Auth)
		return e.Next()
	})
	app.OnRecordDelete(written...).BindFunc(keepInBin)
	app.Cron().MustAdd("bungalow_drafts", "* * * * *", func() {
		if app.HasTable(schema.Revisions) {
			logged(app, "publish changes that are due", PublishDue(app, time.Now()))
		}
	})
	app.Cron().MustAdd("bungalow_bin", "17 3 * * *", func() {
		if app.HasTable(schema.Revisions) {
			logged(app, "empty the bin", EmptyBin(app, time.Now()))
		}
	})
	return nil
}

func logged(app core.App, act string, err error) {
	if err != nil {
		app.Logger().Error("a task of the drafts failed", "task", act, "error", err)
	}
}

// EditsAll reports whether the person may edit everybody's posts and pages.
func EditsAll(person *core.Record) bool { return roles.Allows(person, roles.ContentEdit) }

// May reports whether the person may edit a post or page: editors all, an
// author the posts that have the author's own name on them.
func May(app core.App, person, record *core.Record) (bool, error) {
	if EditsAll(person) {
		return true, nil
	}
	if record.Collection().Name != schema.Posts {
		return false, nil
	}
	mine, err := AuthorIDs(app, person)
	if err != nil {
		return false, err
	}
	return overlap(mine, record.GetStringSlice("authors")), nil
}

func overlap(a, b []string) bool {
	return slices.ContainsFunc(a, func(id string) bool { return slices.Contains(b, id) })
}

// AuthorIDs are the authors that the person signs as, none for who may not write.
func AuthorIDs(app core.App, person *core.Record) ([]string, error) {
	if !roles.Allows(person, roles.ContentWrite) {
		return nil, nil
	}
	var ids []string
	err := app.DB().Select("id").From(schema.Authors).Where(dbx.HashExp{"staff": person.Id}).OrderBy("created", "id").Column(&ids)
	if err != nil {
		return nil, fmt.Errorf("find a person's author names: %w", err)
	}
	return ids, nil
}

// Open gives a post or page that the person may edit, else ErrMissing.
func Open(app core.App, person *core.Record, collection, id string) (*core.Record, error) {
	if collection != schema.Posts && collection != schema.Pages {
		return nil, ErrMissing
	}
	record, err := app.FindRecordById(collection, id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrMissing
	}
	if err != nil {
		return nil, fmt.Errorf("open a text: %w", err)
	}
	may, err := May(app, person, record)
	if err != nil {
		return nil, err
	}
	if !may {
		return nil, ErrMissing
	}
	return record, nil
}

// EnsureAuthor gives the id of the author that the person signs as, and makes
// one from the account's name where there is none. A superuser who has no
// account among the staff signs as nobody: "".
func EnsureAuthor(app core.App, person *core.Record) (string, error) {
	ids, err := AuthorIDs(app, person)
	if err != nil || len(ids) > 0 {
		return first(ids), err
	}
	if person == nil || person.Collection().Name != schema.Staff {
		return "", nil
	}
	c, err := app.FindCachedCollectionByNameOrId(schema.Authors)
	if err != nil {
		return "", fmt.Errorf("make an author: %w", err)
	}
	author := core.NewRecord(c)
	author.Set("name", nameOf(person))
	author.Set("staff", person.Id)
	if err := app.Save(author); err != nil {
		return "", fmt.Errorf("make an author: %w", err)
	}
	return author.Id, nil
}

func first(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return ids[0]
}

// nameOf is how a person is called in lists: never by the whole address.
func nameOf(person *core.Record) string {
	if person == nil {
		return ""
	}
	if name := person.GetString("name"); name != "" {
		return name
	}
	name, _, _ := strings.Cut(person.Email(), "@")
	return name
}

// told writes the audit line of an act on a post or page.
func told(tx core.App, by By, act string, record *core.Record, detail any) error {
	return audit.Write(tx, by.Actor, kind(record.Collection().Name)+"."+act, record.Collection().Name, record.Id, detail)
}

func kind(collection string) string {
	if collection == schema.Pages {
		return "page"
	}
	return "post"
}
