package comments

import (
	"context"
	"fmt"
	"strings"

	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"

	sitemail "bungalow/hooks/kit/mail"
)

// Erase removes everything that is kept of a mail address: comments without
// answers are deleted, those with answers lose their text and their author;
// reactions, what the address said about mail, and the mails to it are gone.
func Erase(app core.App, email string) (erased int, err error) {
	email = strings.ToLower(tidyLine(email))
	if email == "" {
		return 0, nil
	}
	err = app.RunInTransaction(func(tx core.App) error {
		var all []*core.Record
		if err := tx.RecordQuery(schema.Comments).AndWhere(dbx.HashExp{"email": email}).OrderBy("created DESC").All(&all); err != nil {
			return fmt.Errorf("find a person's comments: %w", err)
		}
		if err := eraseReactions(tx, email, all); err != nil {
			return err
		}
		for _, r := range all { // the newest first, so that whole branches go
			if r, err = tx.FindRecordById(schema.Comments, r.Id); err != nil {
				return fmt.Errorf("find a person's comment: %w", err)
			}
			if err := remove(tx, r); err != nil {
				return err
			}
		}
		for _, query := range []string{
			`DELETE FROM _comment_mail WHERE email = {:e} AND state != 'refused'`, // a no stays a no
			`DELETE FROM _comment_blocked WHERE value = 'mail:' || {:e}`,
		} {
			if _, err := tx.NonconcurrentDB().NewQuery(query).Bind(dbx.Params{"e": email}).Execute(); err != nil {
				return fmt.Errorf("erase a person: %w", err)
			}
		}
		if _, err := sitemail.Forget(tx, email); err != nil {
			return err
		}
		bumpAfter(tx, blockedKey)
		erased = len(all)
		return nil
	})
	return erased, err
}

// eraseReactions takes back what the person reacted to: by the account with
// that address, and from where the comments came.
func eraseReactions(tx core.App, email string, comments []*core.Record) error {
	var people []any
	for _, r := range comments {
		if user := r.GetString("user"); user != "" {
			people = append(people, "user:"+user)
		}
		if address := r.GetString("address"); address != "" {
			people = append(people, address)
		}
	}
	if user, err := tx.FindAuthRecordByEmail("users", email); err == nil {
		people = append(people, "user:"+user.Id)
	}
	if len(people) == 0 {
		return nil
	}
	var touched []string
	err := tx.NonconcurrentDB().Select("comment").Distinct(true).From("_comment_reactions").Where(dbx.In("person", people...)).Column(&touched)
	if err != nil {
		return fmt.Errorf("find a person's reactions: %w", err)
	}
	for _, id := range touched {
		_, had, err := reactionsOf(tx, id)
		if err != nil {
			return err
		}
		if _, err := tx.NonconcurrentDB().Delete("_comment_reactions", dbx.And(dbx.HashExp{"comment": id}, dbx.In("person", people...))).Execute(); err != nil {
			return fmt.Errorf("erase a person's reactions: %w", err)
		}
		r, err := tx.FindRecordById(schema.Comments, id)
		if err != nil {
			return fmt.Errorf("find a comment: %w", err)
		}
		counts, has, err := reactionsOf(tx, id)
		if err != nil {
			return err
		}
		r.Set("reactions", counts)
		r.Set("votes", r.GetInt("votes")+has-had)
		if err := tx.SaveWithContext(quietly(context.Background()), r); err != nil {
			return fmt.Errorf("count the reactions anew: %w", err)
		}
	}
	return nil
}

// bindErase takes part when a person is erased everywhere.
func bindErase(app core.App) {
	events.OnErase(app).BindFunc(func(e *events.EraseEvent) error {
		if e.App.HasTable("_comment_mail") {
			n, err := Erase(e.App, e.Email)
			if err != nil {
				return err
			}
			if e.Removed != nil {
				e.Removed[schema.Comments] += n
			}
		}
		return e.Next()
	})
}
