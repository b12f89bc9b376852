// Package library is the part of the desk where a site's belongings are kept in
// order: media, menus, redirects, tags and authors, and moving content in and
// out.
//
// It promises that every change is one transaction with its line in the audit,
// that what is deleted can be brought back, and that an author sees and changes
// only the files that are the author's own. It never touches a post's text.
package library

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"bungalow/hooks/content/imports"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// What the pages ask for.
const (
	write = web.Access(roles.ContentWrite)
	edit  = web.Access(roles.ContentEdit)
)

// ErrMissing means that there is no such thing, or none for this person.
var ErrMissing = errors.New("there is no such thing")

// By is who does something: the signed-in account and its name for the audit.
type By struct {
	Person *core.Record
	Actor  audit.Actor
}

// by reads who is at the desk.
func by(e *desk.Event) By { return By{Person: e.Auth, Actor: e.Actor()} }

// all reports whether the person manages everybody's media.
func (b By) all() bool { return roles.Allows(b.Person, roles.MediaManage) }

// told writes the line of the audit.
func told(tx core.App, by By, action string, record *core.Record, detail any) error {
	return audit.Write(tx, by.Actor, action, record.Collection().Name, record.Id, detail)
}

// refuse turns what the domain says into an answer for people.
func refuse(e *desk.Event, err error) error {
	if errors.Is(err, ErrMissing) {
		return e.NotFoundError("It may have been deleted, or it is somebody else's.", err)
	}
	return err
}

// Register binds what the library does by itself: emptying its bin at night,
// and imports in the queue. comments is nil where that feature is off.
func Register(app core.App, comments imports.CommentImporter) error {
	registerImports(app, comments)
	err := app.Cron().Add("bungalow_media_bin", "23 3 * * *", func() {
		if err := EmptyBin(app, time.Now()); err != nil {
			app.Logger().Error("the bin of files can't be emptied", "error", err)
		}
		if err := forgetUndo(app, time.Now()); err != nil {
			app.Logger().Error("what can't be taken back any more stays", "error", err)
		}
	})
	if err != nil {
		return fmt.Errorf("empty the bin at night: %w", err)
	}
	return nil
}

// Desk is what the library gives the desk.
func Desk(core.App) desk.Part {
	return desk.Part{Pages: slices.Concat(mediaPages(), redirectPages(), namedPages(), menuPages(), movePages(), []desk.Page{
		{Method: http.MethodPost, Path: "library/undo", Access: edit, Do: takeBack},
	})}
}

// wrap says what failed; nil stays nil.
func wrap(act string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", act, err)
}
