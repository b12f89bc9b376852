package mail

import (
	"database/sql"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Table is the plain table of messages; neither the API nor the dashboard
// sees it.
const Table = "_mails"

// States of a message.
const (
	Queued   = "queued"
	Sent     = "sent"
	Deferred = "deferred" // failed, and will be tried again
	Failed   = "failed"   // for good
	Bounced  = "bounced"  // sent, and returned by a server on the way
)

// keepFor is how long a message that was sent or has failed is remembered.
const keepFor = 90 * 24 * time.Hour

var tableSQL = []string{
	`CREATE TABLE IF NOT EXISTS _mails (
		id         INTEGER PRIMARY KEY AUTOINCREMENT,
		key        TEXT    UNIQUE,
		message_id TEXT    NOT NULL,
		template   TEXT    NOT NULL,
		recipient  TEXT    NOT NULL,
		reply_to   TEXT    NOT NULL DEFAULT '',
		subject    TEXT    NOT NULL,
		text       TEXT    NOT NULL,
		html       TEXT    NOT NULL,
		cc         TEXT    NOT NULL DEFAULT '',
		from_name  TEXT    NOT NULL DEFAULT '',
		headers    TEXT    NOT NULL DEFAULT '',
		state      TEXT    NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'deferred', 'failed', 'bounced')),
		attempts   INTEGER NOT NULL DEFAULT 0,
		next_at    INTEGER NOT NULL DEFAULT 0,
		error      TEXT    NOT NULL DEFAULT '',
		created    INTEGER NOT NULL,
		updated    INTEGER NOT NULL
	) STRICT`,
	`CREATE INDEX IF NOT EXISTS _mails_state ON _mails (state, updated)`,
	`CREATE INDEX IF NOT EXISTS _mails_message_id ON _mails (message_id)`,
}

// Migrate creates the table where it is missing, and brings one of an earlier
// release, which knew no bounces and no threads, up to date.
func Migrate(app core.App) error {
	stmts := tableSQL
	if columns, err := app.TableColumns(Table); err == nil && len(columns) > 0 && !slices.Contains(columns, "headers") {
		stmts = slices.Concat([]string{`ALTER TABLE _mails RENAME TO _mails_before`, `DROP INDEX IF EXISTS _mails_state`}, tableSQL, []string{
			`INSERT INTO _mails (id, key, message_id, template, recipient, reply_to, subject, text, html, state, attempts, next_at, error, created, updated)
				SELECT id, key, message_id, template, recipient, reply_to, subject, text, html, state, attempts, next_at, error, created, updated FROM _mails_before`,
			`DROP TABLE _mails_before`})
	}
	return app.RunInTransaction(func(tx core.App) error { return run(tx, stmts) })
}

func run(app core.App, stmts []string) error {
	for _, stmt := range stmts {
		if _, err := app.NonconcurrentDB().NewQuery(stmt).Execute(); err != nil {
			return fmt.Errorf("create the mail table: %w", err)
		}
	}
	return nil
}

// Unmigrate drops the table with every message in it.
func Unmigrate(app core.App) error {
	if _, err := app.NonconcurrentDB().NewQuery(`DROP TABLE IF EXISTS _mails`).Execute(); err != nil {
		return fmt.Errorf("drop the mail table: %w", err)
	}
	return nil
}

type row struct {
	ID        int64   `db:"id"`
	Key       *string `db:"key"`
	MessageID string  `db:"message_id"`
	Template  string  `db:"template"`
	To        string  `db:"recipient"`
	ReplyTo   string  `db:"reply_to"`
	Subject   string  `db:"subject"`
	Text      string  `db:"text"`
	HTML      string  `db:"html"`
	Cc        string  `db:"cc"`
	FromName  string  `db:"from_name"`
	Headers   string  `db:"headers"`
	State     string  `db:"state"`
	Attempts  int     `db:"attempts"`
	NextAt    int64   `db:"next_at"`
	Error     string  `db:"error"`
	Created   int64   `db:"created"`
	Updated   int64   `db:"updated"`
}

// insert stores a message and returns its id, or 0 where its key is known.
func insert(app core.App, r row, now time.Time) (int64, error) {
	res, err := app.NonconcurrentDB().NewQuery(`INSERT INTO _mails
		(key, message_id, template, recipient, reply_to, subject, text, html, cc, from_name, headers, created, updated)
		VALUES ({:key}, {:mid}, {:template}, {:to}, {:reply}, {:subject}, {:text}, {:html}, {:cc}, {:from}, {:headers}, {:now}, {:now})
		ON CONFLICT (key) DO NOTHING`).Bind(dbx.Params{
		"key": r.Key, "mid": r.MessageID, "template": r.Template, "to": r.To, "reply": r.ReplyTo,
		"subject": r.Subject, "text": r.Text, "html": r.HTML, "now": now.UnixMilli(),
		"cc": r.Cc, "from": r.FromName, "headers": r.Headers,
	}).Execute()
	if err != nil {
		return 0, fmt.Errorf("store mail: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return 0, err
	}
	return res.LastInsertId()
}

// find returns the message, or nil where it was deleted.
func find(app core.App, id int64) (*row, error) {
	var r row
	err := app.ConcurrentDB().NewQuery(`SELECT * FROM _mails WHERE id = {:id}`).Bind(dbx.Params{"id": id}).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find mail: %w", err)
	}
	return &r, nil
}

// mark notes how an attempt went, and tells who asked to know.
func mark(app core.App, id int64, state string, cause error, attempts int, now, next time.Time) error {
	return app.RunInTransaction(func(tx core.App) error {
		_, err := tx.NonconcurrentDB().NewQuery(`UPDATE _mails SET state = {:state}, error = {:error},
			attempts = {:attempts}, next_at = {:next}, updated = {:now} WHERE id = {:id} AND state NOT IN ('sent', 'bounced')`).
			Bind(dbx.Params{
				"id": id, "state": state, "error": errorText(cause), "attempts": attempts,
				"next": next.UnixMilli(), "now": now.UnixMilli(),
			}).Execute()
		if err != nil {
			return err
		}
		return tell(tx, id)
	})
}

// markSent also forgets what is old, so that the table can't grow for ever.
func markSent(app core.App, id int64, attempts int, now time.Time) error {
	err := app.RunInTransaction(func(tx core.App) error {
		_, err := tx.NonconcurrentDB().NewQuery(`UPDATE _mails SET state = 'sent', error = '', next_at = 0,
			attempts = {:attempts}, updated = {:now} WHERE id = {:id} AND state <> 'bounced'`).
			Bind(dbx.Params{"id": id, "attempts": attempts, "now": now.UnixMilli()}).Execute()
		if err != nil {
			return err
		}
		_, err = tx.NonconcurrentDB().NewQuery(`DELETE FROM _mails
			WHERE state IN ('sent', 'failed', 'bounced') AND updated < {:old}`).
			Bind(dbx.Params{"old": now.Add(-keepFor).UnixMilli()}).Execute()
		if err != nil {
			return err
		}
		return tell(tx, id)
	})
	if err != nil {
		return fmt.Errorf("note that a mail was sent: %w", err)
	}
	return nil
}

// Record is a message as the desk lists it. Times are UTC.
type Record struct {
	ID        int64
	Key       string
	MessageID string
	Template  string
	To        string
	Subject   string
	State     string
	Attempts  int
	Error     string    // of the last failed attempt
	Next      time.Time // of the next attempt, where the state is Deferred
	Created   time.Time
	Updated   time.Time
}

// Filter narrows List. The zero value means every message.
type Filter struct {
	State  string
	Key    string
	Before int64 // ids below this one, for the next page
	Limit  int   // at most 500; 0 is 100
}

// List returns the messages that match f, the newest first.
func List(app core.App, f Filter) ([]Record, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	query := app.ConcurrentDB().Select("id", "key", "message_id", "template", "recipient", "subject",
		"state", "attempts", "next_at", "error", "created", "updated").
		From(Table).OrderBy("id DESC").Limit(int64(min(f.Limit, 500)))
	switch {
	case f.State != "" && f.Key != "":
		query.AndWhere(dbx.HashExp{"state": f.State})
	case f.State != "":
		// The newest of a state are found in the index alone, not by sorting
		// whole messages.
		below := f.Before
		if below <= 0 {
			below = math.MaxInt64
		}
		query.AndWhere(dbx.NewExp(`id IN (SELECT id FROM _mails WHERE state = {:state} AND id < {:below} ORDER BY id DESC LIMIT {:most})`,
			dbx.Params{"state": f.State, "below": below, "most": f.Limit}))
	}
	if f.Key != "" {
		query.AndWhere(dbx.HashExp{"key": f.Key})
	}
	if f.Before > 0 {
		query.AndWhere(dbx.NewExp("id < {:before}", dbx.Params{"before": f.Before}))
	}
	var rows []row
	if err := query.All(&rows); err != nil {
		return nil, fmt.Errorf("list mails: %w", err)
	}
	out := make([]Record, len(rows))
	for i, r := range rows {
		out[i] = r.record()
	}
	return out, nil
}

func (r row) record() Record {
	out := Record{
		ID: r.ID, MessageID: r.MessageID, Template: r.Template, To: r.To, Subject: r.Subject, State: r.State,
		Attempts: r.Attempts, Error: r.Error,
		Created: time.UnixMilli(r.Created).UTC(), Updated: time.UnixMilli(r.Updated).UTC(),
	}
	if r.Key != nil {
		out.Key = *r.Key
	}
	if r.NextAt != 0 {
		out.Next = time.UnixMilli(r.NextAt).UTC()
	}
	return out
}

// errorText keeps the first kilobyte of an error.
func errorText(err error) string {
	text := fmt.Sprint(err)
	if len(text) > 1024 {
		text = text[:1024] + "…"
	}
	return strings.ToValidUTF8(text, "")
}
