package inbox

import (
	"cmp"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	// MaxParticipants bounds who may take part in one conversation.
	MaxParticipants = 50
	// maxRefs bounds how many Message-IDs of one mail are remembered.
	maxRefs = 60
	preview = 140 // characters of the last message in the list
)

// numberConversation gives a new conversation the next number, in the same
// transaction: a rollback takes the number back, so there are no gaps.
func numberConversation(e *core.RecordEvent) error {
	return inTransaction(e, func() error {
		_, err := e.App.NonconcurrentDB().NewQuery(`UPDATE inbox_numbers SET last = last + 1 WHERE id = 1`).Execute()
		if err != nil {
			return fmt.Errorf("number a conversation: %w", err)
		}
		var n int
		if err := e.App.NonconcurrentDB().NewQuery(`SELECT last FROM inbox_numbers WHERE id = 1`).Row(&n); err != nil {
			return fmt.Errorf("number a conversation: %w", err)
		}
		e.Record.Set("number", n)
		if e.Record.GetDateTime("last_at").IsZero() {
			e.Record.Set("last_at", now(e.App))
		}
		return e.Next()
	})
}

// noteMessage keeps references and search in step with a new message.
func noteMessage(e *core.RecordEvent) error {
	return inTransaction(e, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		if err := remember(e.App, e.Record); err != nil {
			return err
		}
		return index(e.App, e.Record)
	})
}

// remember stores the hashes of the Message-IDs that a message has and names.
func remember(app core.App, m *core.Record) error {
	if m.GetString("direction") == "note" {
		return nil
	}
	own := m.GetString("message_id")
	ids := append(strings.Fields(m.GetString("references")), m.GetString("in_reply_to"))
	if len(ids) > maxRefs { // the first tell how it began, the last what it answers
		ids = slices.Concat(ids[:maxRefs/3], ids[len(ids)-maxRefs*2/3:])
	}
	for i, id := range append(ids, own) {
		if id == "" || id == own && i < len(ids) {
			continue
		}
		_, err := app.NonconcurrentDB().NewQuery(`INSERT INTO inbox_refs (hash, message, own) VALUES ({:hash}, {:message}, {:own}) ON CONFLICT DO NOTHING`).
			Bind(dbx.Params{"hash": refHash(id), "message": m.Id, "own": i == len(ids)}).Execute()
		if err != nil {
			return fmt.Errorf("remember the references of a message: %w", err)
		}
	}
	return nil
}

func forgetMessage(e *core.RecordEvent) error {
	return inTransaction(e, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		_, err := e.App.NonconcurrentDB().NewQuery(`DELETE FROM inbox_refs WHERE message = {:id}`).Bind(dbx.Params{"id": e.Record.Id}).Execute()
		if err != nil {
			return fmt.Errorf("forget the references of a message: %w", err)
		}
		return unindex(e.App, e.Record.Id)
	})
}

func forgetConversation(e *core.RecordEvent) error {
	return inTransaction(e, func() error {
		_, err := e.App.NonconcurrentDB().NewQuery(`DELETE FROM inbox_aliases WHERE now = {:id}`).Bind(dbx.Params{"id": e.Record.Id}).Execute()
		if err != nil {
			return fmt.Errorf("forget where conversations went: %w", err)
		}
		if err := spam.Unlearn(e.App, spam.Mail, e.Record.Id); err != nil {
			return err
		}
		return e.Next()
	})
}

// Find gives a conversation by its id, also one that was merged into another.
// ErrNotFound says that there is none.
func Find(app core.App, id string) (*core.Record, error) {
	for range 10 { // merged into one that was merged, and so on
		record, err := app.FindRecordById(schema.Conversations, id)
		if err == nil {
			return record, nil
		}
		if !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("find a conversation: %w", err)
		}
		var next string
		err = app.DB().NewQuery(`SELECT now FROM inbox_aliases WHERE old = {:id}`).Bind(dbx.Params{"id": id}).Row(&next)
		if err != nil || next == id {
			return nil, ErrNotFound
		}
		id = next
	}
	return nil, ErrNotFound
}

// Messages gives the messages of a conversation, the oldest first.
func Messages(app core.App, conversation string) ([]*core.Record, error) {
	list, err := app.FindRecordsByFilter(schema.Messages, "conversation = {:id}", "created,@rowid", 2000, 0, dbx.Params{"id": conversation})
	if err != nil {
		return nil, fmt.Errorf("find the messages of a conversation: %w", err)
	}
	return list, nil
}

// begin makes a conversation that is not saved yet.
func begin(app core.App, fields map[string]any) (*core.Record, error) {
	c, err := app.FindCachedCollectionByNameOrId(schema.Conversations)
	if err != nil {
		return nil, fmt.Errorf("begin a conversation: %w", err)
	}
	r := core.NewRecord(c)
	r.Set("id", core.GenerateDefaultRandomId())
	r.Set("status", schema.ConversationOpen)
	r.Set("unread", true)
	r.Load(fields)
	return r, nil
}

// message makes a message of the conversation that is not saved yet.
func message(app core.App, conversation *core.Record, fields map[string]any) (*core.Record, error) {
	c, err := app.FindCachedCollectionByNameOrId(schema.Messages)
	if err != nil {
		return nil, fmt.Errorf("make a message: %w", err)
	}
	r := core.NewRecord(c)
	r.Set("id", core.GenerateDefaultRandomId())
	r.Set("conversation", conversation.Id)
	r.Load(fields)
	return r, nil
}

// saving is app.Save, or app.SaveNoValidate for what can't be wrong.
type saving func(app core.App, model core.Model) error

// store saves the conversation with what the message changes of it, and the
// message.
func store(tx core.App, conversation, m *core.Record, save saving) error {
	conversation.Set("last_at", now(tx))
	begun := m.GetString("kind") == "form" && conversation.GetString("preview") != "" // by the form's own gist
	if text := firstLine(cmp.Or(m.GetString("text"), m.GetString("subject"))); text != "" && !begun {
		conversation.Set("preview", text)
	}
	if err := save(tx, conversation); err != nil {
		return fmt.Errorf("save a conversation: %w", err)
	}
	if err := save(tx, m); err != nil {
		return fmt.Errorf("save a message: %w", err)
	}
	return nil
}

func firstLine(text string) string {
	return cut(strings.Join(strings.Fields(cut(text, 4*preview)), " "), preview)
}

// cut shortens a text to n characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// line makes a text fit for one line: controls and text-direction overrides
// become spaces.
func line(s string, n int) string {
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return strings.TrimSpace(cut(strings.Join(strings.Fields(s), " "), n))
}

// body makes a text of several lines fit to be kept.
func body(s string, n int) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	return cut(strings.TrimSpace(s), n)
}

// participants are the addresses that may add to a conversation.
func participants(conversation *core.Record) []string {
	var list []string
	_ = conversation.UnmarshalJSONField("participants", &list) // empty or made by hand: nobody
	if email := normal(conversation.GetString("email")); email != "" && !slices.Contains(list, email) {
		list = append(list, email)
	}
	return list
}

// admit adds addresses to those who take part; ours never do.
func admit(app core.App, conversation *core.Record, addresses ...string) error {
	list := participants(conversation)
	for _, a := range addresses {
		if a = normal(a); a == "" || slices.Contains(list, a) || len(list) >= MaxParticipants {
			continue
		}
		if ours, err := IsOurs(app, a); err != nil {
			return err
		} else if !ours {
			list = append(list, a)
		}
	}
	conversation.Set("participants", list)
	return nil
}
