package inbox

import (
	"fmt"
	netmail "net/mail"
	"strings"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Erased says what an erasure removed.
type Erased struct {
	Conversations, Messages, Mails int
}

// EraseContact deletes every conversation of an address with its messages and
// files, its messages in conversations of others, and our mails to it. The line
// in the audit does not name the address.
func EraseContact(app core.App, by audit.Actor, email string) (Erased, error) {
	email = normal(email)
	var out Erased
	if !isAddress(email) {
		return out, ErrNotFound
	}
	err := app.RunInTransaction(func(tx core.App) error {
		out = Erased{}
		for {
			list, err := tx.FindRecordsByFilter(schema.Conversations, "email = {:email}", "", 100, 0, dbx.Params{"email": email})
			if err != nil {
				return err
			}
			if len(list) == 0 {
				break
			}
			for _, c := range list {
				n, err := tx.CountRecords(schema.Messages, dbx.HashExp{"conversation": c.Id})
				if err != nil {
					return err
				}
				if err := tx.Delete(c); err != nil {
					return err
				}
				out.Conversations++
				out.Messages += int(n)
			}
		}
		if err := eraseElsewhere(tx, email, &out); err != nil {
			return err
		}
		var err error
		if out.Mails, err = mail.Forget(tx, email); err != nil {
			return err
		}
		if err := note(tx, by, "contact.erase", nil, out); err != nil {
			return err
		}
		// What other features keep of the person goes with it.
		return events.OnErase(tx).Trigger(&events.EraseEvent{App: tx, By: by, Email: email,
			Removed: map[string]int{schema.Conversations: out.Conversations, schema.Messages: out.Messages}})
	})
	if err != nil {
		return Erased{}, fmt.Errorf("erase a contact: %w", err)
	}
	return out, nil
}

// eraseElsewhere deletes what the contact wrote in conversations of others, and
// takes the address out of those.
func eraseElsewhere(tx core.App, email string, out *Erased) error {
	var ids []string
	err := tx.DB().NewQuery(`SELECT id FROM {{messages}} WHERE instr(lower("from"), {:email}) > 0 AND direction = 'in'`).
		Bind(dbx.Params{"email": email}).Column(&ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		m, err := tx.FindRecordById(schema.Messages, id)
		if err != nil {
			return err
		}
		if from, err := netmail.ParseAddress(m.GetString("from")); err != nil || normal(from.Address) != email {
			continue
		}
		if err := tx.Delete(m); err != nil {
			return err
		}
		out.Messages++
	}
	ids = nil
	err = tx.DB().NewQuery(`SELECT c.id FROM {{conversations}} c, json_each(CASE WHEN json_valid(c.participants) THEN c.participants ELSE '[]' END) p
		WHERE p.value = {:email}`).Bind(dbx.Params{"email": email}).Column(&ids)
	if err != nil {
		return err
	}
	for _, id := range ids {
		c, err := tx.FindRecordById(schema.Conversations, id)
		if err != nil {
			return err
		}
		var left []string
		for _, p := range participants(c) {
			if p != email {
				left = append(left, p)
			}
		}
		c.Set("participants", left)
		if err := tx.Save(c); err != nil {
			return err
		}
	}
	return nil
}

// contactName is the left side of an address, for a mail without a name.
func contactName(email string) string {
	local, _, _ := strings.Cut(email, "@")
	return local
}

// bindErase has the inbox erase with the other features. Where the inbox itself
// began, its own part is done already.
func bindErase(app core.App) {
	events.OnErase(app).BindFunc(func(e *events.EraseEvent) error {
		if _, done := e.Removed[schema.Conversations]; !done && isAddress(e.Email) {
			out, err := EraseContact(e.App, e.By, e.Email)
			if err != nil {
				return err
			}
			e.Removed[schema.Conversations], e.Removed[schema.Messages] = out.Conversations, out.Messages
		}
		return e.Next()
	})
}
