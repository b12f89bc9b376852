package inbox

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/spam"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

const maxTags = 20

// lessons are the acts from which the filter learns.
var lessons = map[string]spam.Label{"conversation.spam": spam.Bad, "conversation.not_spam": spam.Good}

// change does one thing to one conversation, with its line of the audit.
func change(app core.App, by audit.Actor, conversation, action string, detail any, do func(c *core.Record) error) error {
	err := app.RunInTransaction(func(tx core.App) error {
		c, err := Find(tx, conversation)
		if err != nil {
			return err
		}
		if err := do(c); err != nil {
			return err
		}
		if err := tx.Save(c); err != nil {
			return err
		}
		if label, ok := lessons[action]; ok {
			if err := learn(tx, c, label); err != nil {
				return err
			}
		}
		return note(tx, by, action, c, detail)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", action, err)
	}
	return nil
}

// Assign gives a conversation to a member of staff, or to nobody ("").
func Assign(app core.App, by audit.Actor, conversation, staff string) error {
	if staff != "" {
		person, err := app.FindRecordById(schema.Staff, staff)
		if err != nil || !roles.Allows(person, roles.InboxAnswer) {
			return validation.Errors{"assignee": validation.NewError("validation_assignee", "Choose somebody who may answer the inbox.")}
		}
	}
	return change(app, by, conversation, "conversation.assign", map[string]any{"to": staff}, func(c *core.Record) error {
		c.Set("assignee", staff)
		return nil
	})
}

// Close ends a conversation; the visitor's next message opens it again.
func Close(app core.App, by audit.Actor, conversation string) error {
	return change(app, by, conversation, "conversation.close", nil, func(c *core.Record) error {
		c.Set("status", schema.ConversationClosed)
		c.Set("unread", false)
		c.Set("snoozed_until", types.DateTime{})
		return nil
	})
}

// Reopen puts a closed or waiting conversation back among the open ones.
func Reopen(app core.App, by audit.Actor, conversation string) error {
	return change(app, by, conversation, "conversation.reopen", nil, func(c *core.Record) error {
		c.Set("status", schema.ConversationOpen)
		return nil
	})
}

// Snooze takes a conversation out of sight until a time in the next year.
func Snooze(app core.App, by audit.Actor, conversation string, until time.Time) error {
	if wait := until.Sub(now(app)); wait <= 0 || wait > 366*24*time.Hour {
		return validation.Errors{"until": validation.NewError("validation_time", "Choose a time in the next twelve months.")}
	}
	return change(app, by, conversation, "conversation.snooze", map[string]any{"until": until.UTC()}, func(c *core.Record) error {
		c.Set("snoozed_until", until.UTC())
		c.Set("unread", false)
		return nil
	})
}

// Wake ends a snooze.
func Wake(app core.App, by audit.Actor, conversation string) error {
	return change(app, by, conversation, "conversation.wake", nil, func(c *core.Record) error {
		c.Set("snoozed_until", types.DateTime{})
		return nil
	})
}

// Tag sets the tags of a conversation: at most 20, lower case, each once.
func Tag(app core.App, by audit.Actor, conversation string, tags []string) error {
	clean := []string{}
	for _, t := range tags {
		if t = strings.ToLower(line(strings.TrimLeft(t, "#"), 40)); t != "" && !slices.Contains(clean, t) {
			clean = append(clean, t)
		}
	}
	if len(clean) > maxTags {
		return validation.Errors{"tags": validation.NewError("validation_length", "A conversation may have 20 tags.")}
	}
	slices.Sort(clean)
	return change(app, by, conversation, "conversation.tag", map[string]any{"tags": clean}, func(c *core.Record) error {
		c.Set("tags", clean)
		return nil
	})
}

// Spam files a conversation under spam; NotSpam brings it back.
func Spam(app core.App, by audit.Actor, conversation string) error {
	return change(app, by, conversation, "conversation.spam", nil, func(c *core.Record) error {
		c.Set("status", schema.ConversationSpam)
		c.Set("unread", false)
		return nil
	})
}

// NotSpam brings a conversation back from the spam.
func NotSpam(app core.App, by audit.Actor, conversation string) error {
	return change(app, by, conversation, "conversation.not_spam", nil, func(c *core.Record) error {
		c.Set("status", schema.ConversationOpen)
		c.Set("unread", true)
		return nil
	})
}

// MarkRead notes that staff have seen the last message. It leaves no line in
// the audit and touches a conversation that is unread only.
func MarkRead(app core.App, conversation string, unread bool) error {
	c, err := Find(app, conversation)
	if err != nil || c.GetBool("unread") == unread {
		return err
	}
	c.Set("unread", unread)
	if err := app.Save(c); err != nil {
		return fmt.Errorf("note that a conversation was read: %w", err)
	}
	return nil
}
