package pb_migrations

import (
	"fmt"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

func init() {
	add(&Inbox, "1764001200_inbox_create.go", func(app core.App) error {
		staff, err := id(app, schema.Staff)
		if err != nil {
			return err
		}
		if err := create(app, conversations(app, staff)); err != nil {
			return err
		}
		talk, err := id(app, schema.Conversations)
		if err != nil {
			return err
		}
		if err := create(app, messages(talk, staff)); err != nil {
			return err
		}
		return inboxTables(app)
	}, func(app core.App) error {
		for _, table := range []string{"inbox_search", "inbox_search_docs", "inbox_refs", "inbox_aliases", "inbox_numbers", "inbox_mailboxes"} {
			if _, err := app.DB().NewQuery("DROP TABLE IF EXISTS " + table).Execute(); err != nil {
				return fmt.Errorf("drop %s: %w", table, err)
			}
		}
		return drop(app, schema.Messages, schema.Conversations)
	})
}

// conversations are read by those who answer the inbox. What changes one goes
// through the desk, which keeps number, participants and audit right; so the
// REST API lets staff change only what is theirs to sort by.
func conversations(app core.App, staff string) *core.Collection {
	c := core.NewBaseCollection(schema.Conversations)
	answer := roles.Rule(roles.InboxAnswer)
	sort := answer
	for _, kept := range []string{"number", "form", "subject", "name", "email", "participants", "linked", "hint", "origin", "last_at", "preview"} {
		sort += " && @request.body." + kept + ":changed = false"
	}
	rules{list: &answer, view: &answer, create: nil, update: &sort, delete: nil}.set(c)
	c.Fields.Add(
		&core.NumberField{Name: "number", OnlyInt: true},
		&core.TextField{Name: "subject", Max: 300, Presentable: true},
		&core.TextField{Name: "name", Max: 200},
		&core.TextField{Name: "email", Max: 320},
		&core.SelectField{Name: "status", MaxSelect: 1, Required: true, Values: []string{
			schema.ConversationOpen, schema.ConversationWaiting, schema.ConversationClosed, schema.ConversationSpam}},
		&core.RelationField{Name: "assignee", CollectionId: staff, MaxSelect: 1},
		&core.JSONField{Name: "tags", MaxSize: 4_000},
		&core.BoolField{Name: "unread"},
		&core.DateField{Name: "snoozed_until"},
		&core.DateField{Name: "last_at"},
		&core.TextField{Name: "preview", Max: 300},
		// participants are the addresses that may add to this conversation.
		&core.JSONField{Name: "participants", MaxSize: 40_000},
		&core.SelectField{Name: "origin", MaxSelect: 1, Values: []string{"form", "mail", "staff"}},
		// linked is the conversation that this one was split from, or answers to
		// without being let in; hint says which of them.
		&core.TextField{Name: "linked", Max: 30},
		&core.TextField{Name: "hint", Max: 300},
	)
	if forms, err := app.FindCollectionByNameOrId(schema.Forms); err == nil {
		c.Fields.Add(&core.RelationField{Name: "form", CollectionId: forms.Id, MaxSelect: 1})
	} else { // switched off
		c.Fields.Add(&core.TextField{Name: "form", Max: 100})
	}
	stamps(c)
	c.AddIndex("idx_conversations_number", true, "number", "")
	c.AddIndex("idx_conversations_status", false, "status, last_at", "")
	c.AddIndex("idx_conversations_assignee", false, "assignee, status, last_at", "")
	c.AddIndex("idx_conversations_email", false, "email, last_at", "")
	c.AddIndex("idx_conversations_form", false, "form, created", "")
	c.AddIndex("idx_conversations_snoozed", false, "snoozed_until", "snoozed_until != ''")
	return c
}

// messages are written by the inbox alone.
func messages(conversations, staff string) *core.Collection {
	c := core.NewBaseCollection(schema.Messages)
	answer := roles.Rule(roles.InboxAnswer)
	rules{list: &answer, view: &answer, create: nil, update: nil, delete: nil}.set(c)
	c.Fields.Add(
		&core.RelationField{Name: "conversation", CollectionId: conversations, MaxSelect: 1, Required: true, CascadeDelete: true},
		&core.SelectField{Name: "direction", MaxSelect: 1, Required: true, Values: []string{"in", "out", "note"}},
		&core.SelectField{Name: "kind", MaxSelect: 1, Values: []string{"form", "mail", "reply", "note", "auto", "bounce", "list"}},
		&core.TextField{Name: "from", Max: 600},
		&core.TextField{Name: "to", Max: 10_000},
		&core.TextField{Name: "cc", Max: 10_000},
		&core.TextField{Name: "subject", Max: 300, Presentable: true},
		&core.TextField{Name: "text", Max: 300_000},
		// quoted is what the writer's mail program repeated of earlier mails.
		&core.TextField{Name: "quoted", Max: 300_000},
		&core.TextField{Name: "html", Max: 1_000_000},
		&core.TextField{Name: "message_id", Max: 1_000},
		&core.TextField{Name: "in_reply_to", Max: 1_000},
		&core.TextField{Name: "references", Max: 30_000},
		&core.SelectField{Name: "state", MaxSelect: 1, Values: []string{
			"received", "noted", "scheduled", "queued", "sent", "deferred", "failed", "bounced", "cancelled"}},
		&core.TextField{Name: "error", Max: 1_100},
		&core.RelationField{Name: "author", CollectionId: staff, MaxSelect: 1},
		&core.TextField{Name: "author_name", Max: 300},
		&core.FileField{Name: "attachments", MaxSelect: 20, MaxSize: 25 << 20, Protected: true},
		// submission is the record of submissions that a form's message stands for;
		// parts says how the attachments were called and what was left out.
		&core.TextField{Name: "submission", Max: 30},
		&core.JSONField{Name: "parts", MaxSize: 40_000},
		&core.TextField{Name: "dedupe", Max: 100, Hidden: true},
		&core.NumberField{Name: "size", OnlyInt: true},
		&core.DateField{Name: "send_at"},
	)
	stamps(c)
	c.AddIndex("idx_messages_conversation", false, "conversation, created", "")
	c.AddIndex("idx_messages_message_id", false, "message_id", "message_id != ''")
	c.AddIndex("idx_messages_dedupe", true, "dedupe", "dedupe != ''")
	c.AddIndex("idx_messages_submission", false, "submission", "submission != ''")
	c.AddIndex("idx_messages_day", false, "direction, created, size", "")
	return c
}

func inboxTables(app core.App) error {
	for _, q := range []string{
		// The last number that was given, so that none is given twice.
		`CREATE TABLE IF NOT EXISTS inbox_numbers (id INTEGER PRIMARY KEY CHECK (id = 1), last INTEGER NOT NULL) STRICT`,
		`INSERT INTO inbox_numbers (id, last) VALUES (1, 0) ON CONFLICT DO NOTHING`,
		// Where a conversation went that was merged into another.
		`CREATE TABLE IF NOT EXISTS inbox_aliases (old TEXT PRIMARY KEY, now TEXT NOT NULL, number INTEGER NOT NULL) STRICT`,
		`CREATE INDEX IF NOT EXISTS idx_inbox_aliases_now ON inbox_aliases (now)`,
		// Every Message-ID that a message has or names, as a hash.
		`CREATE TABLE IF NOT EXISTS inbox_refs (hash TEXT NOT NULL, message TEXT NOT NULL, own INTEGER NOT NULL,
			PRIMARY KEY (hash, message)) STRICT, WITHOUT ROWID`,
		`CREATE INDEX IF NOT EXISTS idx_inbox_refs_message ON inbox_refs (message)`,
		// One row for each message; its id is the rowid of the full-text row.
		`CREATE TABLE IF NOT EXISTS inbox_search_docs (id INTEGER PRIMARY KEY, message TEXT NOT NULL UNIQUE) STRICT`,
		`CREATE VIRTUAL TABLE IF NOT EXISTS inbox_search USING fts5(
			subject, people, body, prefix='2 3', tokenize="unicode61 remove_diacritics 2")`,
		// How far a mailbox was read.
		`CREATE TABLE IF NOT EXISTS inbox_mailboxes (name TEXT PRIMARY KEY, validity INTEGER NOT NULL, last INTEGER NOT NULL) STRICT`,
	} {
		if _, err := app.DB().NewQuery(q).Execute(); err != nil {
			return fmt.Errorf("create the inbox: %w", err)
		}
	}
	return nil
}
