package inbox

import (
	"cmp"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/inbox/receive"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// What comes in by mail is bounded: one mail in bytes, and all mails of 24
// hours in number and bytes.
const (
	MaxMail       = 25 << 20
	MaxDailyMails = 5000
	MaxDailyBytes = 1 << 30
)

// Envelope is what is known of a mail besides its content.
type Envelope struct {
	To []string // the recipients that the sender's server named
	IP string   // the sender's server, where it is known
}

// Received says what became of a mail.
type Received struct {
	Conversation string       `json:"conversation"` // "" for a report about a mail of no conversation
	Message      string       `json:"message"`
	Duplicate    bool         `json:"duplicate"` // it was here already
	Kind         receive.Kind `json:"kind"`
}

// ReceiveMail stores a mail (RFC 5322) once: into the conversation that it
// names, if its sender takes part in it, or else into a new one. Errors:
// ErrTooLarge, ErrFull, what a handler of inbox.OnMessage refuses, or the
// database's; after an error nothing is stored and the mail may be tried again.
func ReceiveMail(app core.App, raw []byte, env Envelope) (Received, error) {
	if len(raw) > MaxMail {
		return Received{}, ErrTooLarge
	}
	m := receive.Parse(raw)
	out := Received{Kind: m.Kind}
	reasons, err := weigh(app, m, env)
	if err != nil {
		return Received{}, fmt.Errorf("weigh a mail: %w", err)
	}
	err = app.RunInTransaction(func(tx core.App) error {
		known, err := duplicate(tx, m)
		if err != nil || known.Duplicate {
			known.Kind = m.Kind
			out = known
			return err
		}
		if err := room(tx, len(raw)); err != nil {
			return err
		}
		if m.Kind == receive.Return {
			if done, err := bounced(tx, m); err != nil || done {
				return err
			}
		}
		out, err = file(tx, m, env, reasons, len(raw))
		return err
	})
	if err != nil {
		return Received{}, fmt.Errorf("receive a mail: %w", err)
	}
	return out, nil
}

// dedupe is the same for a mail however it comes: its Message-ID with its
// content. Programs that use an id twice for two mails lose neither.
func dedupe(m *receive.Mail) string {
	sum := sha256.Sum256([]byte(strings.Trim(m.MessageID, "<>") + "\x00" + m.Hash))
	return hex.EncodeToString(sum[:])
}

// duplicate finds a mail that is here already: it came before, or it is one of
// ours that came back.
func duplicate(tx core.App, m *receive.Mail) (Received, error) {
	var row struct {
		ID           string `db:"id"`
		Conversation string `db:"conversation"`
	}
	err := tx.DB().NewQuery(`SELECT id, conversation FROM {{messages}} WHERE dedupe = {:key}`).Bind(dbx.Params{"key": dedupe(m)}).One(&row)
	if err == nil {
		return Received{Conversation: row.Conversation, Message: row.ID, Duplicate: true}, nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return Received{}, fmt.Errorf("look for a mail that is here already: %w", err)
	}
	if m.Kind == receive.Return {
		return Received{}, nil
	}
	if conversation, message := fromMessageID(tx, m.MessageID); conversation != "" {
		return Received{Conversation: conversation, Message: message, Duplicate: true}, nil
	}
	if m.MessageID == "" {
		return Received{}, nil
	}
	ours, err := mail.IsOurs(tx, m.MessageID)
	return Received{Duplicate: ours}, err
}

// room refuses what would be more than a day may bring.
func room(tx core.App, size int) error {
	var day struct {
		N     int   `db:"n"`
		Bytes int64 `db:"bytes"`
	}
	err := tx.DB().NewQuery(`SELECT count(*) AS n, coalesce(sum(size), 0) AS bytes FROM {{messages}} WHERE direction = 'in' AND dedupe != '' AND created > {:since}`).
		Bind(dbx.Params{"since": now(tx).Add(-24 * time.Hour).Format(timeStamp)}).One(&day)
	if err != nil {
		return fmt.Errorf("count the mails of a day: %w", err)
	}
	if day.N >= MaxDailyMails || day.Bytes+int64(size) > MaxDailyBytes {
		return ErrFull
	}
	return nil
}

// bounced notes on our mail that it came back, and reports whether there is
// nothing left to store.
func bounced(tx core.App, m *receive.Mail) (bool, error) {
	if !m.Bounce.Permanent {
		return false, nil
	}
	for _, id := range m.Bounce.MessageIDs {
		known, err := mail.MarkBounced(tx, id, m.Bounce.Reason)
		if err != nil {
			return false, err
		}
		if conversation, _ := fromMessageID(tx, id); known && conversation == "" {
			return true, nil // a notice of ours, which has no conversation
		}
	}
	return false, nil
}

// file stores a mail in its conversation.
func file(tx core.App, m *receive.Mail, env Envelope, reasons []string, size int) (Received, error) {
	place, err := locate(tx, m, env)
	if err != nil {
		return Received{}, err
	}
	c, isNew := place.conversation, false
	if c == nil {
		if c, err = beginByMail(tx, m, place, reasons); err != nil {
			return Received{}, err
		}
		isNew = true
	}
	if err := welcome(tx, c, m, isNew); err != nil {
		return Received{}, err
	}
	record, err := mailMessage(tx, c, m, size)
	if err != nil {
		return Received{}, err
	}
	if err := announce(tx, c, record, isNew, core.App.Save); err != nil {
		return Received{}, err
	}
	for _, other := range place.joins { // what was waiting for this very mail to connect it
		source, err := Find(tx, other)
		if err != nil {
			return Received{}, err
		}
		if source.Id == c.Id {
			continue
		}
		if err := merge(tx, source, c); err != nil {
			return Received{}, err
		}
	}
	if err := tellStaff(tx, c, record, m, isNew); err != nil {
		return Received{}, err
	}
	return Received{Conversation: c.Id, Message: record.Id, Kind: m.Kind}, nil
}

// beginByMail makes the conversation of a mail that belongs to none.
func beginByMail(tx core.App, m *receive.Mail, p place, reasons []string) (*core.Record, error) {
	status := schema.ConversationOpen
	if len(reasons) > 0 {
		status, p.hint = schema.ConversationSpam, cmp.Or(p.hint, why(reasons))
	}
	if m.Kind == receive.Return { // about a mail that is not ours: most are spam's echo
		status = schema.ConversationClosed
	}
	email := ""
	if isAddress(m.From.Address) {
		email = normal(m.From.Address)
	}
	return begin(tx, map[string]any{
		"subject": cmp.Or(m.Subject, "No subject"), "name": m.From.Name, "email": email,
		"origin": "mail", "status": status, "unread": status == schema.ConversationOpen, "linked": p.linked, "hint": p.hint,
	})
}

// welcome changes a conversation by what came in: who takes part, and whether
// the staff must look.
func welcome(tx core.App, c *core.Record, m *receive.Mail, isNew bool) error {
	people := []string{m.From.Address}
	for _, a := range slices.Concat(m.To, m.Cc) {
		people = append(people, a.Address)
	}
	if m.Kind == receive.Person || isNew && m.Kind != receive.Return {
		if err := admit(tx, c, people...); err != nil {
			return err
		}
	}
	if isNew || m.Kind == receive.Auto || m.Kind == receive.Return {
		return nil // a machine's answer opens nothing; a bounce did so by its state
	}
	if c.GetString("status") != schema.ConversationSpam {
		c.Set("status", schema.ConversationOpen)
		c.Set("unread", true)
		c.Set("snoozed_until", "")
	}
	return nil
}

// mailMessage makes the record of a mail.
func mailMessage(tx core.App, c *core.Record, m *receive.Mail, size int) (*core.Record, error) {
	record, err := message(tx, c, map[string]any{
		"direction": "in", "kind": string(m.Kind), "state": "received", "from": line(show(m.From), 600),
		"to": addresses(m.To), "cc": addresses(m.Cc), "subject": m.Subject, "text": m.Text, "quoted": m.Quoted, "html": m.HTML,
		"message_id": m.MessageID, "in_reply_to": first(m.InReplyTo), "references": cut(strings.Join(references(m), " "), 30_000),
		"dedupe": dedupe(m), "size": size,
	})
	if err != nil {
		return nil, err
	}
	parts := Attachments{Left: m.Left}
	var files []*filesystem.File
	for _, f := range m.Files {
		stored, err := filesystem.NewFileFromBytes(f.Data, f.Name)
		if err != nil {
			parts.Left = append(parts.Left, fmt.Sprintf("The file %q was left out because it is empty.", f.Name))
			continue
		}
		files = append(files, stored)
		parts.Files = append(parts.Files, File{Name: f.Name, Stored: stored.Name, Type: f.Type, Size: int64(len(f.Data)), CID: f.CID})
	}
	if len(files) > 0 {
		record.Set("attachments", files)
	}
	record.Set("parts", parts)
	return record, nil
}

func addresses(list []netmail.Address) string {
	shown := make([]string, len(list))
	for i, a := range list {
		shown[i] = show(a)
	}
	return cut(strings.Join(shown, ", "), 10_000)
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// references are all Message-IDs that a mail names, those of In-Reply-To last.
func references(m *receive.Mail) []string {
	var ids []string
	for _, id := range slices.Concat(m.References, m.InReplyTo) {
		if !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}
