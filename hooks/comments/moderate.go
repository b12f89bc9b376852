package comments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// ErrStatus says that a status is none of those that a comment may have.
var ErrStatus = errors.New("a comment is pending, approved, spam or trash")

// Decide gives comments a status, as a moderator does, in one transaction. It
// returns how many changed; those that are gone meanwhile are passed over.
func Decide(app core.App, by audit.Actor, status string, ids ...string) (changed int, err error) {
	if !knownStatus(status) {
		return 0, ErrStatus
	}
	err = app.RunInTransaction(func(tx core.App) error {
		changed = 0
		records, err := tx.FindRecordsByIds(schema.Comments, ids)
		if err != nil {
			return fmt.Errorf("read the comments: %w", err)
		}
		for _, r := range records {
			if r.GetString("status") == status || r.GetBool("removed") {
				continue
			}
			was := r.GetString("status")
			r.Set("status", status)
			if err := tx.Save(r); err != nil {
				return fmt.Errorf("save the comment: %w", err)
			}
			err := audit.Write(tx, by, "comment."+verbs[status], schema.Comments, r.Id, map[string]string{"was": was})
			if err != nil {
				return err
			}
			changed++
		}
		return nil
	})
	return changed, err
}

// verbs name in the audit what a status means.
var verbs = map[string]string{
	schema.CommentApproved: "approve", schema.CommentSpam: "spam",
	schema.CommentTrash: "trash", schema.CommentPending: "hold",
}

// Pin puts a comment at the top of its thread, or takes it from there.
func Pin(app core.App, by audit.Actor, id string, pinned bool) error {
	return change(app, by, "comment.pin", id, func(r *core.Record) error {
		r.Set("pinned", pinned)
		return nil
	})
}

// Edit changes a comment's text, as a moderator does.
func Edit(app core.App, by audit.Actor, id, body string) error {
	return change(app, by, "comment.edit", id, func(r *core.Record) error { return setBody(app, r, body) })
}

// setBody gives a comment another text.
func setBody(app core.App, r *core.Record, body string) error {
	s := Submission{Body: tidy(body), Author: "-"}
	if err := s.validate(Options{}); err != nil {
		return err
	}
	r.Set("body", s.Body)
	r.Set("html", Render(s.Body, optionsOf(app).Images))
	r.Set("edited", types.NowDateTime())
	return nil
}

// change saves a moderator's change of one comment with its line in the audit.
func change(app core.App, by audit.Actor, action, id string, do func(r *core.Record) error) error {
	return app.RunInTransaction(func(tx core.App) error {
		r, err := tx.FindRecordById(schema.Comments, id)
		if err != nil {
			return err
		}
		if err := do(r); err != nil {
			return err
		}
		if err := tx.Save(r); err != nil {
			return fmt.Errorf("save the comment: %w", err)
		}
		return audit.Write(tx, by, action, schema.Comments, id, nil)
	})
}

// Block files what this person writes from now on: by the mail address, and
// by the hash of the network's address until its key is thrown away.
func Block(app core.App, by audit.Actor, id string) error {
	return app.RunInTransaction(func(tx core.App) error {
		r, err := tx.FindRecordById(schema.Comments, id)
		if err != nil {
			return err
		}
		for kind, value := range map[string]string{"mail:": r.GetString("email"), "address:": r.GetString("address")} {
			if value == "" {
				continue
			}
			_, err := tx.NonconcurrentDB().NewQuery(`INSERT OR IGNORE INTO _comment_blocked (value, at) VALUES ({:v}, {:at})`).
				Bind(dbx.Params{"v": kind + value, "at": time.Now().Unix()}).Execute()
			if err != nil {
				return fmt.Errorf("block a person: %w", err)
			}
		}
		bumpAfter(tx, blockedKey)
		return audit.Write(tx, by, "comment.block", schema.Comments, id, nil)
	})
}

// Unblock lets a person write again.
func Unblock(app core.App, by audit.Actor, email string) error {
	return app.RunInTransaction(func(tx core.App) error {
		_, err := tx.NonconcurrentDB().NewQuery(`DELETE FROM _comment_blocked WHERE value = {:v} OR value IN (
			SELECT 'address:' || address FROM comments WHERE email = {:e} AND email != '' AND address != '')`).
			Bind(dbx.Params{"v": "mail:" + email, "e": email}).Execute()
		if err != nil {
			return fmt.Errorf("unblock a person: %w", err)
		}
		bumpAfter(tx, blockedKey)
		return audit.Write(tx, by, "comment.unblock", schema.Comments, "", nil)
	})
}

// Answer writes a reply in the name of a member of staff. A comment that
// waits is approved by answering it.
func Answer(app core.App, by audit.Actor, person *core.Record, id, body string) (*core.Record, error) {
	up, err := app.FindRecordById(schema.Comments, id)
	if err != nil {
		return nil, err
	}
	if up.GetString("status") != schema.CommentApproved {
		if _, err := Decide(app, by, schema.CommentApproved, id); err != nil {
			return nil, err
		}
	}
	s := Submission{Body: tidy(body), Author: firstOf(person.GetString("name"), "Staff"), Person: person}
	if err := s.validate(Options{}); err != nil {
		return nil, err
	}
	if up.GetInt("depth") >= maxBelow {
		return nil, validation.Errors{"parent": validation.NewError("validation_depth", "This branch is too deep. Answer a comment further up.")}
	}
	c := up.Collection()
	r := core.NewRecord(c)
	for name, value := range map[string]any{
		"thread": up.GetString("thread"), "parent": id, "author": s.Author, "email": person.Email(), "staff": person.Id, "badge": "author",
		"body": s.Body, "html": Render(s.Body, optionsOf(app).Images), "status": schema.CommentApproved,
	} {
		r.Set(name, value)
	}
	return r, app.RunInTransaction(func(tx core.App) error {
		if _, err := store(tx, r, false, once{}); err != nil {
			return err
		}
		return audit.Write(tx, by, "comment.answer", schema.Comments, r.Id, map[string]string{"to": id})
	})
}

// Sweep deletes old spam and trash that nobody answered, forgets user agents
// after 30 days and hashes whose key is gone.
func Sweep(app core.App) error {
	if !app.HasTable("_comment_threads") {
		return nil
	}
	days := optionsOf(app).KeepSpamDays
	var old []*core.Record
	err := app.RecordQuery(schema.Comments).
		AndWhere(dbx.In("status", schema.CommentSpam, schema.CommentTrash)).
		AndWhere(dbx.NewExp("updated < {:t}", dbx.Params{"t": before(days)})).
		AndWhere(dbx.NewExp("NOT EXISTS (SELECT 1 FROM comments below WHERE below.parent = comments.id)")).
		Limit(5000).All(&old)
	if err != nil {
		return fmt.Errorf("find old spam: %w", err)
	}
	for _, r := range old {
		if err := app.DeleteWithContext(quietly(context.Background()), r); err != nil {
			return fmt.Errorf("delete old spam: %w", err)
		}
	}
	for _, query := range []string{
		`UPDATE comments SET agent = '' WHERE agent != '' AND created < {:month}`,
		`UPDATE comments SET once = '', digest = '' WHERE once != '' AND created < {:yesterday}`,
		`UPDATE comments SET address = '' WHERE address != '' AND created < {:quarter}`,
		`DELETE FROM _comment_blocked WHERE value LIKE 'address:%' AND at < {:unix}`,
		`DELETE FROM _comment_mail WHERE state = 'asked' AND at < {:unix}`,
	} {
		_, err := app.NonconcurrentDB().NewQuery(query).Bind(dbx.Params{
			"yesterday": before(1), "month": before(30), "quarter": before(62), "unix": time.Now().AddDate(0, 0, -62).Unix(),
		}).Execute()
		if err != nil {
			return fmt.Errorf("forget what is old: %w", err)
		}
	}
	bumpThreads(app)
	bumpAfter(app, blockedKey)
	return nil
}

// before is the moment so many days ago, as PocketBase stores it.
func before(days int) string {
	return time.Now().UTC().AddDate(0, 0, -days).Format(types.DefaultDateLayout)
}
