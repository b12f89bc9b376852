package inbox

import (
	"cmp"
	"errors"
	"fmt"

	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// Submission is what a form hands over. What is too long is cut.
type Submission struct {
	ID        string // of the form's own record of it
	Form      string // the form's id
	FormTitle string
	Subject   string
	Name      string // the visitor's
	Email     string // the visitor's, "" where the form asks for none
	Text      string // every answer, readable as a message
	Gist      string // what of it the list shows, "" for its beginning
	Files     []File // they stay with the form
	Spam      bool
	Reasons   []string // why it is spam
}

// File is a file that somebody sent.
type File struct {
	Name   string `json:"name"` // as its sender called it
	Stored string `json:"file"` // as it is stored
	Type   string `json:"type"` // by its content
	Size   int64  `json:"size"` // bytes
	// CID is the Content-ID of a picture within a mail's HTML.
	CID string `json:"cid,omitempty"`
	// Path is where staff fetch a file that is not ours but a form's.
	Path string `json:"path,omitempty"`
}

// Attachments is what messages.parts holds: the files, and what was left out.
type Attachments struct {
	Files []File   `json:"files"`
	Left  []string `json:"left"` // sentences: what was left out, and why
}

// Limits of a message, in characters and in number.
const (
	maxText  = 200_000
	maxFiles = 20
)

// Receive makes a conversation of a form's submission, in app's transaction
// where it has one, and returns the conversation.
func Receive(app core.App, s Submission) (*core.Record, error) {
	status, hint := schema.ConversationOpen, ""
	if s.Spam {
		status, hint = schema.ConversationSpam, why(s.Reasons)
	}
	text := body(s.Text, maxText)
	email := line(s.Email, 320)
	if !isAddress(email) {
		email = ""
	}
	var conversation *core.Record
	err := app.RunInTransaction(func(tx core.App) (err error) {
		conversation, err = begin(tx, map[string]any{
			"form": s.Form, "subject": line(cmp.Or(s.Subject, s.FormTitle, "No subject"), 300),
			"name": line(s.Name, 200), "email": normal(email), "origin": "form", "status": status, "unread": !s.Spam,
			"hint": hint, "preview": firstLine(body(s.Gist, maxText)),
		})
		if err != nil {
			return err
		}
		m, err := message(tx, conversation, map[string]any{
			"direction": "in", "kind": "form", "state": "received", "from": line(sender(s.Name, email), 600),
			"subject": conversation.GetString("subject"), "text": text, "submission": s.ID, "size": len(text),
			"parts": Attachments{Files: s.Files[:min(len(s.Files), maxFiles)]},
		})
		if err != nil {
			return err
		}
		save := core.App.SaveNoValidate // every value was cut above, and the form is there
		if events.OnMessage(tx).Length() > 0 {
			save = core.App.Save
		}
		return announce(tx, conversation, m, true, save)
	})
	if err != nil {
		return nil, fmt.Errorf("receive a form: %w", err)
	}
	return conversation, nil
}

// Judge moves a conversation to the spam or back because the form's own page
// said so. An unknown conversation is no error.
func Judge(app core.App, conversation string, spam bool) error {
	c, err := Find(app, conversation)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil || (c.GetString("status") == schema.ConversationSpam) == spam {
		return err
	}
	c.Set("status", schema.ConversationOpen)
	c.Set("unread", !spam)
	if spam {
		c.Set("status", schema.ConversationSpam)
	}
	if err := app.Save(c); err != nil {
		return fmt.Errorf("judge a conversation: %w", err)
	}
	return nil
}

// announce fires inbox.OnMessage around the storing of an incoming message. An
// error of a handler is ErrRefused, so that a mail server does not try again.
func announce(tx core.App, conversation, m *core.Record, isNew bool, save saving) error {
	event := &events.MessageEvent{App: tx, Conversation: conversation, Message: m, New: isNew}
	stored := false
	var fault error
	err := events.OnMessage(tx).Trigger(event, func(e *events.MessageEvent) error {
		stored = true
		fault = store(e.App, e.Conversation, e.Message, save)
		return fault
	})
	if err == nil && !stored || err != nil && fault == nil {
		return errors.Join(ErrRefused, err)
	}
	return err
}

func sender(name, email string) string {
	if email == "" {
		return name
	}
	if name == "" {
		return email
	}
	return name + " <" + email + ">"
}
