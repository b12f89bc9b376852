package inbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	maxQuery   = 500
	maxTerms   = 12
	maxTerm    = 64
	maxIndexed = 100_000 // characters of one message that can be found
	searchTime = 3 * time.Second
)

// index puts a message into the search.
func index(app core.App, m *core.Record) error {
	db := app.NonconcurrentDB()
	// No RETURNING here: it opens a savepoint, and at each of those FTS5 writes
	// out what it has gathered of the transaction.
	made, err := db.NewQuery(`INSERT INTO inbox_search_docs (message) VALUES ({:id})`).Bind(dbx.Params{"id": m.Id}).Execute()
	if err == nil {
		row, _ := made.LastInsertId() // SQLite always knows it
		_, err = db.NewQuery(`INSERT INTO inbox_search (rowid, subject, people, body) VALUES ({:row}, {:subject}, {:people}, {:body})`).Bind(dbx.Params{
			"row": row, "subject": m.GetString("subject"), "body": cut(m.GetString("text"), maxIndexed),
			"people": cut(m.GetString("from")+" "+m.GetString("to")+" "+m.GetString("cc"), 2000),
		}).Execute()
	}
	if err != nil {
		return fmt.Errorf("put a message into the search: %w", err)
	}
	return nil
}

// unindex takes a message out of the search.
func unindex(app core.App, message string) error {
	var id int64
	err := app.NonconcurrentDB().NewQuery(`SELECT id FROM inbox_search_docs WHERE message = {:id}`).Bind(dbx.Params{"id": message}).Row(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	for _, q := range []string{`DELETE FROM inbox_search WHERE rowid = {:id}`, `DELETE FROM inbox_search_docs WHERE id = {:id}`} {
		if err == nil {
			_, err = app.NonconcurrentDB().NewQuery(q).Bind(dbx.Params{"id": id}).Execute()
		}
	}
	if err != nil {
		return fmt.Errorf("take a message out of the search: %w", err)
	}
	return nil
}

// Search finds the ids of conversations by words in subject, people and text,
// best first, spam last. Any text is a valid question; the last word may be a
// beginning. A number, with or without #, finds its conversation first. Errors:
// ErrSlow.
func Search(app core.App, query string, limit int) ([]string, error) {
	ids := []string{}
	match := matchExpression(query)
	if match == "" {
		return ids, nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), searchTime)
	defer cancel()
	number := strings.TrimPrefix(strings.TrimSpace(query), "#")
	err := app.DB().NewQuery(`SELECT id FROM (
			SELECT c.id AS id, -1000000.0 AS rank, 0 AS spam FROM {{conversations}} c WHERE CAST(c.number AS TEXT) = {:number}
			UNION ALL
			SELECT m.conversation, bm25(inbox_search, 5.0, 3.0, 1.0), c.status = {:spam}
			FROM inbox_search JOIN inbox_search_docs d ON d.id = inbox_search.rowid
			JOIN {{messages}} m ON m.id = d.message JOIN {{conversations}} c ON c.id = m.conversation
			WHERE inbox_search MATCH {:match} LIMIT 5000)
		GROUP BY id ORDER BY min(spam), min(rank) LIMIT {:limit}`).
		Bind(dbx.Params{"match": match, "number": number, "spam": schema.ConversationSpam, "limit": limit}).
		WithContext(ctx).Column(&ids)
	if err != nil && ctx.Err() != nil {
		return nil, ErrSlow
	}
	if err != nil {
		return nil, fmt.Errorf("search the inbox: %w", err)
	}
	return ids, nil
}

// matchExpression makes an FTS5 expression from words: each is quoted, so that
// nothing in it is syntax (sqlite.org/fts5.html, section 3.1); all must occur.
func matchExpression(query string) string {
	words := strings.FieldsFunc(cut(strings.ToValidUTF8(query, " "), maxQuery), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsNumber(r) && !unicode.IsMark(r)
	})
	terms := make([]string, 0, maxTerms)
	for _, w := range words[:min(len(words), maxTerms)] {
		terms = append(terms, `"`+cut(w, maxTerm)+`"`)
	}
	if len(terms) == 0 {
		return ""
	}
	return strings.Join(terms, " ") + "*"
}
