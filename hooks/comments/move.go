package comments

import (
	"database/sql"
	"errors"
	"fmt"

	"bungalow/hooks/kit/address"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// bindMoves lets a thread follow its post or page to another address, in the
// transaction that moves it. A page that is deleted keeps its thread: it is
// there again when the page is.
func bindMoves(app core.App) {
	app.OnRecordUpdate(schema.Posts, schema.Pages).BindFunc(func(e *core.RecordEvent) error {
		if !e.App.HasTable("_comment_threads") {
			return e.Next()
		}
		return inOne(e, func() error {
			from, err := placeOf(e.App, e.Record.Collection().Name, e.Record.Id)
			if err != nil {
				return err
			}
			if err := e.Next(); err != nil || from == "" {
				return err
			}
			to, err := placeOf(e.App, e.Record.Collection().Name, e.Record.Id)
			if err != nil || from == to {
				return err
			}
			return Move(e.App, from, to)
		})
	})
}

// placeOf is the stored address of a post or page, "" where there is none.
func placeOf(app core.App, collection, id string) (string, error) {
	site, err := settings.LoadSite(app)
	if err != nil {
		return "", err
	}
	slug := "slug"
	if collection == schema.Pages {
		slug = "path"
	}
	var locale, name string
	err = app.NonconcurrentDB().Select("locale", slug).From(collection).Where(dbx.HashExp{"id": id}).Row(&locale, &name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read an address: %w", err)
	}
	if collection == schema.Pages {
		return Normalize(address.Page(site, locale, name)), nil
	}
	return Normalize(address.Post(site, locale, name)), nil
}

// Move gives the comments at one address to another. What is there already stays.
func Move(app core.App, from, to string) error {
	bind := dbx.Params{"from": from, "to": to}
	for _, query := range []string{
		`UPDATE comments SET thread = {:to} WHERE thread = {:from}`,
		`INSERT OR IGNORE INTO _comment_threads (thread, policy, title) SELECT {:to}, policy, title FROM _comment_threads WHERE thread = {:from}`,
		`DELETE FROM _comment_threads WHERE thread = {:from}`,
	} {
		if _, err := app.NonconcurrentDB().NewQuery(query).Bind(bind).Execute(); err != nil {
			return fmt.Errorf("move a thread: %w", err)
		}
	}
	bumpThreads(app, from, to)
	return nil
}
