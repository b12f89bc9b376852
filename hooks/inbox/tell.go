package inbox

import (
	"errors"
	"fmt"
	netmail "net/mail"

	"bungalow/hooks/inbox/receive"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// tellStaff sends what follows from a mail that came in: a notice to those who
// want one, and the automatic answer to a new conversation.
func tellStaff(tx core.App, c, m *core.Record, parsed *receive.Mail, isNew bool) error {
	if c.GetString("status") == schema.ConversationSpam || parsed.Kind == receive.Return {
		return nil
	}
	o, err := Load(tx)
	if err != nil {
		return err
	}
	told := map[string]netmail.Address{}
	for _, address := range o.Notify {
		told[normal(address)] = netmail.Address{Address: address}
	}
	if id := c.GetString("assignee"); id != "" {
		if person, err := tx.FindRecordById(schema.Staff, id); err == nil && person.GetBool("active") {
			told[normal(person.Email())] = netmail.Address{Name: person.GetString("name"), Address: person.Email()}
		}
	}
	for address, to := range told {
		if address == normal(parsed.From.Address) {
			continue
		}
		err := mail.Send(tx, mail.Message{
			To: to, Template: "inbox-message", Key: "inbox-notice/" + m.Id + "/" + address,
			Data: map[string]any{
				"From": m.GetString("from"), "Number": c.GetInt("number"), "Subject": c.GetString("subject"),
				"Text": cut(m.GetString("text"), 4000), "Link": link(tx, c.Id),
			},
		})
		if err != nil && !errors.Is(err, mail.ErrAddress) {
			return fmt.Errorf("tell the staff of a mail: %w", err)
		}
	}
	return answerAutomatically(tx, o, c, m, parsed, isNew)
}

// answerAutomatically confirms a new conversation, once a day at most for one
// address and never to a machine or a list (RFC 3834, section 2).
func answerAutomatically(tx core.App, o Options, c, m *core.Record, parsed *receive.Mail, isNew bool) error {
	if o.AutoReply == "" || !isNew || parsed.Kind != receive.Person || c.GetString("email") == "" {
		return nil
	}
	if ours, err := IsOurs(tx, c.GetString("email")); err != nil || ours {
		return err
	}
	replyTo, err := ReplyAddress(tx, c.Id)
	if err != nil {
		return err
	}
	_, err = mail.Answer(tx, mail.Message{
		To: netmail.Address{Name: c.GetString("name"), Address: c.GetString("email")}, ReplyTo: replyTo, Template: "inbox-received",
		InReplyTo: m.GetString("message_id"), References: []string{m.GetString("message_id")},
		Data: map[string]any{"Subject": c.GetString("subject"), "Text": o.AutoReply, "Paragraphs": paragraphs(o.AutoReply)},
	})
	if err != nil {
		return fmt.Errorf("answer a mail automatically: %w", err)
	}
	return nil
}
