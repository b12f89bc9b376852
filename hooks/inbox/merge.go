package inbox

import (
	"errors"
	"fmt"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// ErrWrongMessage says that a conversation can't be split there.
var ErrWrongMessage = errors.New("a conversation can be split at any message but its first")

// Merge moves every message of one conversation into another and takes the
// first away; its number and its tokens lead to the other from then on.
// Errors: ErrNotFound, ErrSame.
func Merge(app core.App, by audit.Actor, from, into string) error {
	err := app.RunInTransaction(func(tx core.App) error {
		source, err := Find(tx, from)
		if err != nil {
			return err
		}
		target, err := Find(tx, into)
		if err != nil {
			return err
		}
		if source.Id == target.Id {
			return ErrSame
		}
		if err := merge(tx, source, target); err != nil {
			return err
		}
		return note(tx, by, "conversation.merge", target, map[string]any{"number": source.GetInt("number")})
	})
	if err != nil {
		return fmt.Errorf("merge conversations: %w", err)
	}
	return nil
}

// merge does it within a transaction, and saves the target.
func merge(tx core.App, source, target *core.Record) error {
	moved, err := Messages(tx, source.Id)
	if err != nil {
		return err
	}
	for _, m := range moved {
		m.Set("conversation", target.Id)
		if err := tx.Save(m); err != nil {
			return err
		}
	}
	if err := admit(tx, target, participants(source)...); err != nil {
		return err
	}
	if source.GetDateTime("last_at").After(target.GetDateTime("last_at")) {
		target.Set("last_at", source.GetDateTime("last_at"))
		target.Set("preview", source.GetString("preview"))
	}
	if source.GetString("status") == schema.ConversationOpen {
		target.Set("status", schema.ConversationOpen)
	}
	target.Set("unread", target.GetBool("unread") || source.GetBool("unread"))
	if err := tx.Save(target); err != nil {
		return err
	}
	params := dbx.Params{"old": source.Id, "now": target.Id, "number": source.GetInt("number")}
	for _, q := range []string{
		`UPDATE inbox_aliases SET now = {:now} WHERE now = {:old}`,
		`INSERT INTO inbox_aliases (old, now, number) VALUES ({:old}, {:now}, {:number})
			ON CONFLICT (old) DO UPDATE SET now = excluded.now`,
	} {
		if _, err := tx.NonconcurrentDB().NewQuery(q).Bind(params).Execute(); err != nil {
			return fmt.Errorf("note where a conversation went: %w", err)
		}
	}
	return tx.Delete(source)
}

// Split moves a message and all after it into a new conversation, which is
// linked to the old one, and returns that. Errors: ErrNotFound, ErrWrongMessage.
func Split(app core.App, by audit.Actor, messageID string) (*core.Record, error) {
	var c *core.Record
	err := app.RunInTransaction(func(tx core.App) error {
		first, err := tx.FindRecordById(schema.Messages, messageID)
		if err != nil {
			return ErrNotFound
		}
		old, err := Find(tx, first.GetString("conversation"))
		if err != nil {
			return err
		}
		all, err := Messages(tx, old.Id)
		if err != nil {
			return err
		}
		at := 0
		for i, m := range all {
			if m.Id == first.Id {
				at = i
			}
		}
		if at == 0 {
			return ErrWrongMessage
		}
		if c, err = moveTail(tx, old, first, all[at:]); err != nil {
			return err
		}
		last := all[at-1]
		old.Set("preview", firstLine(last.GetString("text")))
		old.Set("last_at", last.GetDateTime("created"))
		if err := tx.Save(old); err != nil {
			return err
		}
		return note(tx, by, "conversation.split", c, map[string]any{"from": old.GetInt("number")})
	})
	if err != nil {
		return nil, fmt.Errorf("split a conversation: %w", err)
	}
	return c, nil
}

func moveTail(tx core.App, old, first *core.Record, tail []*core.Record) (*core.Record, error) {
	last := tail[len(tail)-1]
	c, err := begin(tx, map[string]any{
		"form": old.GetString("form"), "subject": first.GetString("subject"), "name": old.GetString("name"), "email": old.GetString("email"),
		"participants": participants(old), "origin": old.GetString("origin"), "status": old.GetString("status"),
		"assignee": old.GetString("assignee"), "linked": old.Id, "unread": old.GetBool("unread"),
		"hint":    fmt.Sprintf("Split from conversation #%d.", old.GetInt("number")),
		"preview": firstLine(last.GetString("text")), "last_at": last.GetDateTime("created"),
	})
	if err != nil {
		return nil, err
	}
	if err := tx.Save(c); err != nil {
		return nil, err
	}
	for _, m := range tail {
		m.Set("conversation", c.Id)
		if err := tx.Save(m); err != nil {
			return nil, err
		}
	}
	return c, nil
}
