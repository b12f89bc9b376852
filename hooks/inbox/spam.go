package inbox

import (
	"errors"
	"fmt"
	"strings"

	"bungalow/hooks/inbox/receive"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// keepSpam is for how many days a conversation stays among the spam.
const keepSpam = 30

// weigh asks the filter about a stranger's mail and gives the reasons why it is
// spam, none where it is not. Who takes part in a conversation, and whom staff
// have written to, is no stranger. It stands outside of the transaction, because
// the filter remembers what it has seen.
func weigh(app core.App, m *receive.Mail, env Envelope) ([]string, error) {
	if m.Spam {
		return []string{"A filter on the way said that this is spam."}, nil
	}
	if m.Kind != receive.Person && m.Kind != receive.List {
		return nil, nil
	}
	if known, err := duplicate(app, m); err != nil || known.Duplicate {
		return nil, err
	}
	if p, err := locate(app, m, env); err != nil || p.conversation != nil {
		return nil, err
	}
	if met, err := writtenTo(app, m.From.Address); err != nil || met {
		return nil, err
	}
	v, err := spam.Judge(app, asSubmission(m.From.Name, m.From.Address, m.Subject, m.Text, env.IP))
	if err != nil || !v.Certain() {
		return nil, err
	}
	var reasons []string
	for _, r := range v.Reasons {
		reasons = append(reasons, r.Detail)
	}
	return reasons, nil
}

// asSubmission is a mail as the filter judges it and learns from it. A mail has
// neither a form's time nor its proof of work.
func asSubmission(name, email, subject, text, ip string) spam.Submission {
	return spam.Submission{Purpose: spam.Mail, Key: "mail", IP: ip, Author: name, Email: normal(email), Text: subject + "\n" + text, Known: true}
}

// writtenTo reports whether staff have ever written to an address.
func writtenTo(app core.App, address string) (bool, error) {
	var n int
	err := app.DB().NewQuery(`SELECT count(*) FROM (SELECT 1 FROM {{conversations}} c JOIN {{messages}} m ON m.conversation = c.id
		WHERE c.email = {:email} AND c.email != '' AND m.direction = 'out' LIMIT 1)`).Bind(dbx.Params{"email": normal(address)}).Row(&n)
	if err != nil {
		return false, fmt.Errorf("look whether somebody was written to: %w", err)
	}
	return n > 0, nil
}

// learn tells the filter what staff said of a conversation that came by mail;
// with those of forms the forms do so.
func learn(tx core.App, c *core.Record, label spam.Label) error {
	if c.GetString("origin") != "mail" {
		return nil
	}
	list, err := Messages(tx, c.Id)
	if err != nil || len(list) == 0 || list[0].GetString("direction") != "in" {
		return err
	}
	m := list[0]
	return spam.Learn(tx, c.Id, asSubmission(c.GetString("name"), c.GetString("email"), m.GetString("subject"), m.GetString("text"), ""), label)
}

// sweepSpam deletes what has lain among the spam for long, some at a time.
func sweepSpam(app core.App) error {
	before := now(app).AddDate(0, 0, -keepSpam).Format(timeStamp)
	for {
		var ids []string
		err := app.DB().NewQuery(`SELECT id FROM {{conversations}} WHERE status = {:spam} AND last_at < {:before} LIMIT 100`).
			Bind(dbx.Params{"spam": schema.ConversationSpam, "before": before}).Column(&ids)
		if err != nil {
			return fmt.Errorf("look for old spam: %w", err)
		}
		if len(ids) == 0 {
			return nil
		}
		err = app.RunInTransaction(func(tx core.App) error {
			for _, id := range ids {
				c, err := Find(tx, id)
				if errors.Is(err, ErrNotFound) {
					continue
				}
				if err == nil {
					err = tx.Delete(c)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return fmt.Errorf("delete old spam: %w", err)
		}
	}
}

// why is what a conversation among the spam says of itself.
func why(reasons []string) string { return line(strings.Join(reasons, " "), 300) }
