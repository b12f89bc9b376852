package inbox

import (
	"fmt"
	"io"
	"strings"

	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// attachFiles gives the mail of an answer its files, which the mail queue does
// not keep.
func attachFiles(e *mail.SendEvent) error {
	id, ours := strings.CutPrefix(e.Key, keyPrefix)
	if !ours || e.Message == nil {
		return e.Next()
	}
	m, err := e.App.FindRecordById(schema.Messages, id)
	if err != nil {
		return e.Next() // erased since; the text still goes out
	}
	names := m.GetStringSlice("attachments")
	if len(names) == 0 {
		return e.Next()
	}
	system, err := e.App.NewFilesystem()
	if err != nil {
		return fmt.Errorf("open the attachments: %w", err)
	}
	defer system.Close()
	shown := partNames(m)
	e.Message.Attachments = map[string]io.Reader{}
	for _, name := range names {
		file, err := system.GetReader(m.BaseFilesPath() + "/" + name)
		if err != nil {
			return fmt.Errorf("read an attachment: %w", err)
		}
		defer file.Close()
		title := name
		if shown[name] != "" {
			title = shown[name]
		}
		for n := 2; e.Message.Attachments[title] != nil; n++ {
			title = fmt.Sprintf("%d-%s", n, title)
		}
		e.Message.Attachments[title] = file
	}
	return e.Next()
}

// followState keeps a message's state that of its mail.
func followState(e *mail.StateEvent) error {
	id, ours := strings.CutPrefix(e.Key, keyPrefix)
	if !ours {
		return e.Next()
	}
	m, err := e.App.FindRecordById(schema.Messages, id)
	if err != nil {
		return e.Next() // erased since
	}
	m.Set("state", e.State)
	m.Set("error", cut(e.Error, 1000))
	if err := e.App.Save(m); err != nil {
		return fmt.Errorf("note the state of an answer: %w", err)
	}
	if e.State == mail.Bounced || e.State == mail.Failed {
		if err := reopen(e.App, m.GetString("conversation")); err != nil {
			return err
		}
	}
	return e.Next()
}

// reopen brings a conversation whose answer did not arrive back to the staff.
func reopen(app core.App, conversation string) error {
	c, err := Find(app, conversation)
	if err != nil {
		return nil // erased since
	}
	if c.GetString("status") != schema.ConversationSpam {
		c.Set("status", schema.ConversationOpen)
	}
	c.Set("unread", true)
	return app.Save(c)
}

// Parts reads what a message says of its attachments.
func Parts(m *core.Record) Attachments {
	var p Attachments
	_ = m.UnmarshalJSONField("parts", &p) // none, or from another version
	return p
}

func partNames(m *core.Record) map[string]string {
	names := map[string]string{}
	for _, f := range Parts(m).Files {
		names[f.Stored] = f.Name
	}
	return names
}

// wakeSnoozed opens the conversations whose time has come.
func wakeSnoozed(app core.App) error {
	if !app.HasTable(schema.Conversations) {
		return nil
	}
	due, err := app.FindRecordsByFilter(schema.Conversations, "snoozed_until != '' && snoozed_until <= {:now}", "", 200, 0,
		dbx.Params{"now": now(app).Format("2006-01-02 15:04:05.000Z")})
	if err != nil {
		return fmt.Errorf("find conversations that were put off: %w", err)
	}
	for _, c := range due {
		c.Set("snoozed_until", "")
		c.Set("unread", true)
		if c.GetString("status") == schema.ConversationWaiting {
			c.Set("status", schema.ConversationOpen)
		}
		if err := app.Save(c); err != nil {
			return fmt.Errorf("wake a conversation: %w", err)
		}
	}
	return nil
}
