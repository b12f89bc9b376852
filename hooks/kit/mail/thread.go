package mail

import (
	"fmt"
	"net/mail"
	"strings"

	"bungalow/hooks/kit/events"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

const (
	autoSubmitted = "Auto-Submitted"
	generated     = "auto-generated" // RFC 3834: no out-of-office answers
	maxCopies     = 50
	// maxReferences keeps the field within one line (RFC 5322, section 2.1.1).
	maxReferences = 900
)

// headers are the fields that a message has besides those of every message.
func (m Message) headers() map[string]string {
	out := map[string]string{}
	if !m.Personal {
		out[autoSubmitted] = generated
	}
	if id := oneID(m.InReplyTo); id != "" {
		out["In-Reply-To"] = id
	}
	if list := references(m.References); list != "" {
		out["References"] = list
	}
	if u := oneLine(m.Unsubscribe); strings.HasPrefix(u, "https://") && !strings.ContainsAny(u, "<> ") {
		out["List-Unsubscribe"] = "<" + u + ">"
		out["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
	}
	return out
}

// oneID gives a Message-ID that is fit for a header, or "".
func oneID(id string) string {
	bare := strings.Trim(oneLine(id), "<> ")
	if bare == "" || len(bare) > 250 || strings.ContainsFunc(bare, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '<' || r == '>' }) {
		return ""
	}
	return "<" + bare + ">"
}

// references joins the ids: the first, and as many of the last as a line holds.
func references(ids []string) string {
	var clean []string
	for _, id := range ids {
		if id = oneID(id); id != "" {
			clean = append(clean, id)
		}
	}
	length := 0
	for i := len(clean) - 1; i > 0; i-- {
		if length += len(clean[i]) + 1; length+len(clean[0]) > maxReferences {
			clean = append(clean[:1:1], clean[i+1:]...)
			break
		}
	}
	return strings.Join(clean, " ")
}

// cleanList checks the addresses and writes them as a header does.
func cleanList(list []mail.Address) (string, error) {
	if len(list) > maxCopies {
		return "", fmt.Errorf("%w: more than %d", ErrAddress, maxCopies)
	}
	parts := make([]string, len(list))
	for i, a := range list {
		clean, err := cleanAddress(a)
		if err != nil {
			return "", err
		}
		parts[i] = clean.String()
	}
	return strings.Join(parts, ", "), nil
}

// StateEvent is what mail.OnState announces.
type StateEvent struct {
	hook.Event
	// App is the transaction's app in which the state changes.
	App       core.App
	Key       string // as given to Send
	MessageID string
	State     string // Deferred, Sent, Failed or Bounced
	Error     string
}

// OnState fires when a message of ours was sent, put off, given up or returned.
// An error is logged and changes nothing.
func OnState(app core.App) *hook.Hook[*StateEvent] {
	return events.Of[*StateEvent](app, "mail.OnState")
}

// tell announces the state of a message.
func tell(tx core.App, id int64) error {
	if OnState(tx).Length() == 0 {
		return nil
	}
	var r row
	err := tx.NonconcurrentDB().NewQuery(`SELECT * FROM _mails WHERE id = {:id}`).Bind(dbx.Params{"id": id}).One(&r)
	if err != nil {
		return fmt.Errorf("find a mail whose state changed: %w", err)
	}
	event := &StateEvent{App: tx, MessageID: r.MessageID, State: r.State, Error: r.Error}
	if r.Key != nil {
		event.Key = *r.Key
	}
	if err := OnState(tx).Trigger(event, func(*StateEvent) error { return nil }); err != nil {
		tx.Logger().Error("a handler of mail.OnState failed", "state", r.State, "error", err)
	}
	return nil
}

// MarkBounced notes that the mail with this Message-ID came back, and reports
// whether it is one of ours. The reason is what the server said.
func MarkBounced(app core.App, messageID, reason string) (bool, error) {
	s, err := serviceOf(app)
	if err != nil {
		return false, err
	}
	known := false
	err = app.RunInTransaction(func(tx core.App) error {
		var ids []int64
		err := tx.NonconcurrentDB().NewQuery(`SELECT id FROM _mails WHERE message_id = {:id}`).
			Bind(dbx.Params{"id": oneID(messageID)}).Column(&ids)
		if err != nil {
			return err
		}
		for _, id := range ids {
			known = true
			_, err := tx.NonconcurrentDB().NewQuery(`UPDATE _mails SET state = 'bounced', error = {:error}, next_at = 0, updated = {:now} WHERE id = {:id}`).
				Bind(dbx.Params{"id": id, "error": errorText(fmt.Errorf("%s", oneLine(reason))), "now": s.cfg.Now().UnixMilli()}).Execute()
			if err != nil {
				return err
			}
			if err := tell(tx, id); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return false, fmt.Errorf("note that a mail came back: %w", err)
	}
	return known, nil
}

// IsOurs reports whether a Message-ID is that of a mail we sent in the last
// 90 days.
func IsOurs(app core.App, messageID string) (bool, error) {
	var n int
	err := app.DB().NewQuery(`SELECT count(*) FROM _mails WHERE message_id = {:id}`).Bind(dbx.Params{"id": oneID(messageID)}).Row(&n)
	if err != nil {
		return false, fmt.Errorf("look for a mail of ours: %w", err)
	}
	return n > 0, nil
}

// Forget deletes every mail to an address, whatever its state, and says how
// many there were. Files in the outbox are not touched.
func Forget(app core.App, address string) (int, error) {
	var rows []row
	err := app.NonconcurrentDB().NewQuery(`SELECT id, recipient FROM _mails WHERE instr(lower(recipient), lower({:address})) > 0`).
		Bind(dbx.Params{"address": address}).All(&rows)
	if err != nil {
		return 0, fmt.Errorf("find mails to forget: %w", err)
	}
	n := 0
	for _, r := range rows {
		to, err := mail.ParseAddress(r.To)
		if err != nil || !strings.EqualFold(to.Address, address) {
			continue
		}
		if _, err := app.NonconcurrentDB().NewQuery(`DELETE FROM _mails WHERE id = {:id}`).Bind(dbx.Params{"id": r.ID}).Execute(); err != nil {
			return n, fmt.Errorf("forget a mail: %w", err)
		}
		n++
	}
	return n, nil
}
