// Package sample fills the inbox of the sample site with conversations as a shop
// has them: through the form and by mail, with answers, a note, files, an
// invitation, an answer of a machine, and spam.
//
// It promises that they come in by the same doors as real ones. It sends nothing:
// what it answers is marked as sent.
package sample

import (
	"bytes"
	"embed"
	"fmt"
	"text/template"
	"time"

	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Address is where the sample's visitors write to.
const Address = "hello@crumb-and-folio.example"

//go:embed mails/*.eml
var files embed.FS

// mails are templates with the headers that tie a mail to an answer.
var mails = template.Must(template.ParseFS(files, "mails/*.eml"))

// Form sends the contact form as a visitor does and gives the conversation.
type Form func(name, email, message string) (conversation string, err error)

// seeder writes within one transaction.
type seeder struct {
	app  core.App
	by   audit.Actor
	form Form
	now  time.Time
}

// Seed writes the conversations. person is the member of staff who answers.
func Seed(app core.App, person *core.Record, form Form) error {
	o, err := inbox.Load(app)
	if err != nil {
		return err
	}
	o.Address, o.Signature = Address, "Crumb & Folio\n14 Linden Street"
	if err := inbox.SaveOptions(app, o); err != nil {
		return fmt.Errorf("seed the inbox: %w", err)
	}
	s := &seeder{app: app, by: audit.Of(person, ""), form: form, now: time.Now().UTC()}
	for _, talk := range []func() error{s.mill, s.prize, s.ladder, s.school, s.group, s.cake, s.table, s.parking} {
		if err := talk(); err != nil {
			return fmt.Errorf("seed the inbox: %w", err)
		}
	}
	cache.Of(app).Bump(schema.Conversations, schema.Messages)
	return nil
}

// mill is a delivery with a file, read and closed.
func (s *seeder) mill() error {
	c, err := s.mail("mill.eml", 70*time.Hour, "")
	if err != nil {
		return err
	}
	if err := inbox.Tag(s.app, s.by, c, []string{"deliveries"}); err != nil {
		return err
	}
	return inbox.Close(s.app, s.by, c)
}

// prize is spam.
func (s *seeder) prize() error {
	_, err := s.mail("prize.eml", 50*time.Hour, "")
	return err
}

// ladder waits for a visitor who is away.
func (s *seeder) ladder() error {
	c, err := s.mail("ladder.eml", 47*time.Hour, "")
	if err != nil {
		return err
	}
	answer, err := s.reply(c, 44*time.Hour, "You did not dream it. It is on the upper shelf, where one needs a ladder to reach it. Shall I put it aside for you?")
	if err != nil {
		return err
	}
	_, err = s.mail("away.eml", 44*time.Hour-time.Minute, answer)
	return err
}

// school is an invitation that was put off until Monday.
func (s *seeder) school() error {
	c, err := s.mail("school.eml", 30*time.Hour, "")
	if err != nil {
		return err
	}
	if err := s.note(c, 29*time.Hour, "Tomasz has to say whether the small oven is free that morning. I ask him on Monday."); err != nil {
		return err
	}
	return inbox.Snooze(s.app, s.by, c, s.now.Add(3*24*time.Hour))
}

// group is a question through the form that was answered and closed.
func (s *seeder) group() error {
	c, err := s.written(28*time.Hour, "Ben Okafor", "ben.okafor@post.example", "Which book do you read in the reading group this month? I would like to have read it before I come, and not after, like last time.")
	if err != nil {
		return err
	}
	if _, err := s.reply(c, 26*time.Hour, "This month it is the one about the lighthouse. We have four copies left, and it is short."); err != nil {
		return err
	}
	return inbox.Close(s.app, s.by, c)
}

// cake began with the form and goes on by mail.
func (s *seeder) cake() error {
	c, err := s.written(25*time.Hour, "Ellen Marsh", "ellen.marsh@post.example", "Hello, could you bake a cake for twelve people for Saturday? It is my father's birthday.")
	if err != nil {
		return err
	}
	answer, err := s.reply(c, 24*time.Hour, "We would love to. A cake for twelve takes us a day, so Saturday is fine.\n\nPlums or cherries?")
	if err != nil {
		return err
	}
	if _, err := s.mail("cake.eml", 3*time.Hour, answer); err != nil {
		return err
	}
	return inbox.Tag(s.app, s.by, c, []string{"cakes", "saturday"})
}

// table is a new mail in another language and encoding.
func (s *seeder) table() error {
	_, err := s.mail("table.eml", 90*time.Minute, "")
	return err
}

// parking has just come.
func (s *seeder) parking() error {
	_, err := s.written(4*time.Minute, "Lucía Prado", "lucia@prado.example", "Is there somewhere to leave a cargo bicycle with two children in it, while a third one chooses a book?")
	return err
}

// mail brings a mail that came some time ago; answer is the id of ours that it
// answers. It gives the conversation.
func (s *seeder) mail(name string, ago time.Duration, answer string) (string, error) {
	data := map[string]string{"Date": s.now.Add(-ago).Format(time.RFC1123Z), "ReplyTo": Address}
	if answer != "" {
		m, err := s.app.FindRecordById(schema.Messages, answer)
		if err != nil {
			return "", err
		}
		data["Answer"] = m.GetString("message_id")
	}
	var raw bytes.Buffer
	if err := mails.ExecuteTemplate(&raw, name, data); err != nil {
		return "", err
	}
	r, err := inbox.ReceiveMail(s.app, raw.Bytes(), inbox.Envelope{To: []string{Address}})
	if err != nil {
		return "", err
	}
	return r.Conversation, s.date(r.Conversation, ago)
}

// written brings what a visitor wrote into the form some time ago.
func (s *seeder) written(ago time.Duration, name, email, message string) (string, error) {
	c, err := s.form(name, email, message)
	if err != nil {
		return "", err
	}
	return c, s.date(c, ago)
}

// reply answers some time ago, and gives the id of the answer.
func (s *seeder) reply(conversation string, ago time.Duration, text string) (string, error) {
	m, err := inbox.Reply(s.app, s.by, conversation, inbox.Answer{Text: text})
	if err != nil {
		return "", err
	}
	_, err = s.app.NonconcurrentDB().NewQuery(`UPDATE {{messages}} SET state = 'sent', send_at = '' WHERE id = {:id}`).Bind(dbx.Params{"id": m.Id}).Execute()
	if err != nil {
		return "", err
	}
	return m.Id, s.date(conversation, ago)
}

func (s *seeder) note(conversation string, ago time.Duration, text string) error {
	if _, err := inbox.Note(s.app, s.by, conversation, text); err != nil {
		return err
	}
	return s.date(conversation, ago)
}

// date moves the last message of a conversation back in time.
func (s *seeder) date(conversation string, ago time.Duration) error {
	at := dbx.Params{"c": conversation, "at": s.now.Add(-ago).Format(types.DefaultDateLayout)}
	for _, query := range []string{
		`UPDATE {{messages}} SET created = {:at}, updated = {:at} WHERE rowid = (SELECT max(rowid) FROM {{messages}} WHERE conversation = {:c})`,
		`UPDATE {{conversations}} SET last_at = {:at}, created = min(created, {:at}) WHERE id = {:c}`,
	} {
		if _, err := s.app.NonconcurrentDB().NewQuery(query).Bind(at).Execute(); err != nil {
			return err
		}
	}
	return nil
}
