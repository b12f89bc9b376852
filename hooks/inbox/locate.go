package inbox

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"bungalow/hooks/inbox/receive"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// place is where a mail belongs. Without a conversation it begins a new one,
// with a link and a hint where it named one that its sender has no part in.
type place struct {
	conversation *core.Record
	joins        []string // conversations that this mail shows to be the same one
	linked, hint string
}

// maxCandidates bounds the conversations that one mail may name.
const maxCandidates = 20

// locate finds the conversation of a mail. It is named by a token in an address
// it was sent to, by a token in a Message-ID it answers, or by a Message-ID of a
// mail that is here; never by its subject. Its sender must take part in it.
func locate(tx core.App, m *receive.Mail, env Envelope) (place, error) {
	ids, err := candidates(tx, m, env)
	if err != nil {
		return place{}, err
	}
	var p place
	for _, id := range ids {
		c, err := Find(tx, id)
		if errors.Is(err, ErrNotFound) {
			continue // erased
		}
		if err != nil {
			return p, err
		}
		switch {
		case !takesPart(c, m):
			if p.linked == "" {
				p.linked = c.Id
				p.hint = fmt.Sprintf("This mail answers conversation #%d, but %s does not take part in it.", c.GetInt("number"), line(m.From.Address, 150))
			}
		case p.conversation == nil:
			p.conversation = c
		case c.Id != p.conversation.Id && !slices.Contains(p.joins, c.Id):
			fits, err := untouched(tx, c)
			if err != nil {
				return p, err
			}
			if fits {
				p.joins = append(p.joins, c.Id)
			}
		}
	}
	if p.conversation != nil {
		p.linked, p.hint = "", ""
	}
	return oldestFirst(tx, p)
}

// oldestFirst keeps the conversation with the lowest number where several turn
// out to be one and the chosen one was made by mail alone.
func oldestFirst(tx core.App, p place) (place, error) {
	if p.conversation == nil || len(p.joins) == 0 {
		return p, nil
	}
	fits, err := untouched(tx, p.conversation)
	if err != nil || !fits {
		return p, err
	}
	for i, id := range p.joins {
		c, err := Find(tx, id)
		if err != nil {
			return p, err
		}
		if c.GetInt("number") < p.conversation.GetInt("number") {
			p.joins[i], p.conversation = p.conversation.Id, c
		}
	}
	return p, nil
}

// takesPart reports whether the sender may add to a conversation. A report
// about a mail of ours comes from a server, and its token is proof enough.
func takesPart(c *core.Record, m *receive.Mail) bool {
	return m.Kind == receive.Return || slices.Contains(participants(c), normal(m.From.Address))
}

// untouched reports whether a conversation was begun by mail and no member of
// staff has written in it: then it can be joined to another without surprise.
func untouched(tx core.App, c *core.Record) (bool, error) {
	if c.GetString("origin") != "mail" {
		return false, nil
	}
	n, err := tx.CountRecords(schema.Messages, dbx.HashExp{"conversation": c.Id}, dbx.NewExp("direction != 'in'"))
	return n == 0, err
}

// candidates lists the ids of conversations that a mail names, tokens first.
func candidates(tx core.App, m *receive.Mail, env Envelope) ([]string, error) {
	var ids []string
	add := func(id string) {
		if id != "" && !slices.Contains(ids, id) && len(ids) < maxCandidates {
			ids = append(ids, id)
		}
	}
	for _, address := range slices.Concat(env.To, m.Recipients) {
		add(fromAddress(tx, address))
	}
	named := references(m)
	if m.Kind == receive.Return {
		named = append(named, m.Bounce.MessageIDs...)
	}
	slices.Reverse(named) // what it answers is last
	for _, id := range named {
		conversation, _ := fromMessageID(tx, id)
		add(conversation)
	}
	if m.Kind == receive.Return {
		return ids, nil
	}
	hashes := make([]string, 0, len(named)+1)
	if m.MessageID != "" {
		named = append(named, m.MessageID)
	}
	for _, id := range named {
		hashes = append(hashes, "'"+refHash(id)+"'") // hexadecimal
	}
	if len(hashes) == 0 {
		return ids, nil
	}
	var found []string
	err := tx.DB().NewQuery(`SELECT m.conversation FROM inbox_refs r JOIN {{messages}} m ON m.id = r.message
		WHERE r.hash IN (` + strings.Join(hashes, ", ") + `) GROUP BY m.conversation ORDER BY max(r.own) DESC, min(m.created) LIMIT 50`).Column(&found)
	if err != nil {
		return nil, fmt.Errorf("look for the conversation of a mail: %w", err)
	}
	for _, id := range found {
		add(id)
	}
	return ids, nil
}
