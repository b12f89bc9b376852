package inbox

import (
	"cmp"
	"fmt"
	"math"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Answer is what a member of staff writes to a visitor.
type Answer struct {
	Text  string
	Cc    []netmail.Address // at most 20
	Files []*filesystem.File
	Close bool // the conversation is closed and not waiting
}

const (
	maxAnswer = 100_000 // characters
	maxCc     = 20
	sendKind  = "inbox.send"
	keyPrefix = "inbox/" // of the keys of our mails
	maxThread = 20       // Message-IDs in References, besides the first
)

type sendJob struct {
	Message string `json:"message"`
}

// Reply stores an answer, which goes out after Undo, and returns it. The
// conversation then waits for the visitor. Errors: ErrNotFound, ErrEmpty,
// ErrTooLong, ErrNoAddress.
func Reply(app core.App, by audit.Actor, conversation string, a Answer) (*core.Record, error) {
	text := body(a.Text, maxAnswer+1)
	if text == "" && len(a.Files) == 0 {
		return nil, ErrEmpty
	}
	if len(text) > maxAnswer && cut(text, maxAnswer) != text || len(a.Cc) > maxCc || len(a.Files) > maxFiles {
		return nil, ErrTooLong
	}
	var m *core.Record
	err := app.RunInTransaction(func(tx core.App) error {
		c, err := Find(tx, conversation)
		if err != nil {
			return err
		}
		if c.GetString("email") == "" {
			return ErrNoAddress
		}
		if m, err = answerTo(tx, by, c, a, text); err != nil {
			return err
		}
		c.Set("status", schema.ConversationWaiting)
		if a.Close {
			c.Set("status", schema.ConversationClosed)
		}
		c.Set("unread", false)
		c.Set("snoozed_until", types.DateTime{})
		if c.GetString("assignee") == "" {
			c.Set("assignee", staffID(by))
		}
		if err := store(tx, c, m, core.App.Save); err != nil {
			return err
		}
		if err := learn(tx, c, spam.Good); err != nil { // what is answered was worth it
			return err
		}
		if err := note(tx, by, "conversation.reply", c, map[string]any{"message": m.Id}); err != nil {
			return err
		}
		return queue.Enqueue(tx, sendKind, sendJob{m.Id}, queue.Unique(m.Id), queue.RunAt(m.GetDateTime("send_at").Time()))
	})
	if err != nil {
		return nil, fmt.Errorf("answer a conversation: %w", err)
	}
	return m, nil
}

// Seconds is how long an answer can still be taken back.
func Seconds(m *core.Record) int {
	return max(0, int(math.Ceil(time.Until(m.GetDateTime("send_at").Time()).Seconds())))
}

// answerTo makes the message of an answer, with the headers of its mail.
func answerTo(tx core.App, by audit.Actor, c *core.Record, a Answer, text string) (*core.Record, error) {
	cc := make([]string, 0, len(a.Cc))
	addresses := make([]string, 0, len(a.Cc))
	for _, person := range a.Cc {
		cc, addresses = append(cc, person.String()), append(addresses, person.Address)
	}
	if err := admit(tx, c, addresses...); err != nil {
		return nil, err
	}
	last, references, err := chain(tx, c.Id)
	if err != nil {
		return nil, err
	}
	o, err := Load(tx)
	if err != nil {
		return nil, err
	}
	from := netmail.Address{Name: cmp.Or(nameOf(by.Name), Address(tx).Name), Address: Address(tx).Address}
	m, err := message(tx, c, map[string]any{
		"direction": "out", "kind": "reply", "state": "scheduled", "author": staffID(by), "author_name": by.Name,
		"from": show(from), "to": show(netmail.Address{Name: c.GetString("name"), Address: c.GetString("email")}),
		"cc": strings.Join(cc, ", "), "subject": reSubject(c.GetString("subject")), "text": text, "size": len(text),
		"in_reply_to": last, "references": strings.Join(references, " "), "send_at": now(tx).Add(time.Duration(o.UndoSeconds) * time.Second),
	})
	if err != nil {
		return nil, err
	}
	id, err := MessageID(tx, c.Id, m.Id)
	if err != nil {
		return nil, err
	}
	m.Set("message_id", id)
	if len(a.Files) > 0 {
		m.Set("attachments", a.Files)
	}
	return m, nil
}

// chain gives what an answer names as In-Reply-To and References (RFC 5322,
// section 3.6.4): the first Message-ID of the conversation and the last ones.
func chain(app core.App, conversation string) (last string, references []string, err error) {
	list, err := Messages(app, conversation)
	if err != nil {
		return "", nil, err
	}
	for _, m := range list {
		id := m.GetString("message_id")
		if id == "" || slices.Contains([]string{"scheduled", "cancelled"}, m.GetString("state")) || m.GetString("kind") == "bounce" {
			continue
		}
		references = append(references, id)
		if m.GetString("direction") == "in" {
			last = id
		}
	}
	if len(references) > maxThread {
		references = append(references[:1:1], references[len(references)-maxThread:]...)
	}
	if last == "" && len(references) > 0 {
		last = references[len(references)-1]
	}
	return last, references, nil
}

var replyPrefix = regexp.MustCompile(`(?i)^\s*(re|aw|sv|vs|antw|ref|rif|r|odp|ynt)\s*(\[\d+\])?\s*:\s*`)

// reSubject puts one Re: before a subject.
func reSubject(subject string) string {
	for replyPrefix.MatchString(subject) {
		subject = replyPrefix.ReplaceAllString(subject, "")
	}
	return cut("Re: "+subject, 300)
}

// nameOf takes the name from an actor's "name <address>".
func nameOf(actor string) string {
	name, _, _ := strings.Cut(actor, " <")
	if strings.Contains(name, "@") {
		return ""
	}
	return name
}

// Retract takes back an answer that has not gone out, deletes it and gives its
// text. Errors: ErrNotFound, ErrTooLate.
func Retract(app core.App, by audit.Actor, messageID string) (conversation, text string, err error) {
	err = app.RunInTransaction(func(tx core.App) error {
		m, err := tx.FindRecordById(schema.Messages, messageID)
		if err != nil {
			return ErrNotFound
		}
		if m.GetString("state") != "scheduled" {
			return ErrTooLate
		}
		c, err := Find(tx, m.GetString("conversation"))
		if err != nil {
			return err
		}
		conversation, text = c.Id, m.GetString("text")
		if err := tx.Delete(m); err != nil {
			return fmt.Errorf("take back an answer: %w", err)
		}
		c.Set("status", schema.ConversationOpen)
		if err := tx.Save(c); err != nil {
			return fmt.Errorf("take back an answer: %w", err)
		}
		return note(tx, by, "conversation.retract", c, nil)
	})
	return conversation, text, err
}

// send hands an answer to the mail queue. It is idempotent: the mail's key is
// the message.
func send(app core.App, id string) error {
	err := app.RunInTransaction(func(tx core.App) error {
		m, err := tx.FindRecordById(schema.Messages, id)
		if err != nil || m.GetString("state") != "scheduled" {
			return nil // taken back, erased, or sent by an attempt before
		}
		c, err := Find(tx, m.GetString("conversation"))
		if err != nil {
			return err
		}
		letter, err := letterOf(tx, c, m)
		if err != nil {
			return err
		}
		if err := mail.Send(tx, letter); err != nil {
			return err
		}
		m.Set("state", mail.Queued)
		return tx.Save(m)
	})
	if err != nil {
		return fmt.Errorf("send an answer: %w", err)
	}
	return nil
}

// letterOf makes the mail of an answer.
func letterOf(app core.App, c, m *core.Record) (mail.Message, error) {
	replyTo, err := ReplyAddress(app, c.Id)
	if err != nil {
		return mail.Message{}, err
	}
	o, err := Load(app)
	if err != nil {
		return mail.Message{}, err
	}
	cc, _ := netmail.ParseAddressList(m.GetString("cc")) // ours, so it reads; none is an error too
	who, quoted := lastWords(app, c.Id)
	letter := mail.Message{
		To:      netmail.Address{Name: c.GetString("name"), Address: c.GetString("email")},
		ReplyTo: replyTo, Template: "inbox-reply", Key: keyPrefix + m.Id, Personal: true, FromName: nameOf(m.GetString("author_name")),
		MessageID: m.GetString("message_id"), InReplyTo: m.GetString("in_reply_to"), References: strings.Fields(m.GetString("references")),
		Data: map[string]any{
			"Subject": m.GetString("subject"), "Text": m.GetString("text"), "Signature": o.Signature,
			"Paragraphs": paragraphs(m.GetString("text")), "Signed": paragraphs(o.Signature),
			"Who": who, "Quoted": quoted,
		},
	}
	for _, a := range cc {
		letter.Cc = append(letter.Cc, *a)
	}
	return letter, nil
}

// lastWords gives who wrote last to us and when, and what, as lines.
func lastWords(app core.App, conversation string) (who string, lines []string) {
	list, err := Messages(app, conversation)
	if err != nil {
		return "", nil
	}
	for _, m := range slices.Backward(list) {
		if m.GetString("direction") != "in" || m.GetString("kind") == "bounce" {
			continue
		}
		lines = strings.Split(cut(m.GetString("text"), 4000), "\n")
		at := m.GetDateTime("created").Time().Format("2 January 2006 15:04 MST")
		return fmt.Sprintf("On %s, %s wrote:", at, m.GetString("from")), lines[:min(len(lines), 60)]
	}
	return "", nil
}

// paragraphs splits a text at empty lines; each paragraph is a list of lines.
func paragraphs(text string) [][]string {
	var out [][]string
	for p := range strings.SplitSeq(text, "\n\n") {
		if p = strings.Trim(p, "\n"); p != "" {
			out = append(out, strings.Split(p, "\n"))
		}
	}
	return out
}

// Note stores what staff tell each other; the visitor never sees it. The
// mentioned (@name) are told by mail. Errors: ErrNotFound, ErrEmpty, ErrTooLong.
func Note(app core.App, by audit.Actor, conversation, text string) (*core.Record, error) {
	text = body(text, maxAnswer+1)
	if text == "" {
		return nil, ErrEmpty
	}
	if cut(text, maxAnswer) != text {
		return nil, ErrTooLong
	}
	var m *core.Record
	err := app.RunInTransaction(func(tx core.App) error {
		c, err := Find(tx, conversation)
		if err != nil {
			return err
		}
		m, err = message(tx, c, map[string]any{
			"direction": "note", "kind": "note", "state": "noted", "author": staffID(by), "author_name": by.Name,
			"from": by.Name, "subject": c.GetString("subject"), "text": text, "size": len(text),
		})
		if err != nil {
			return err
		}
		if err := tx.Save(m); err != nil {
			return err
		}
		if err := tx.Save(c); err != nil { // for those who are looking at it
			return err
		}
		if err := note(tx, by, "conversation.note", c, map[string]any{"message": m.Id}); err != nil {
			return err
		}
		return tellMentioned(tx, by, c, m)
	})
	if err != nil {
		return nil, fmt.Errorf("write a note: %w", err)
	}
	return m, nil
}
