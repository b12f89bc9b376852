package inbox

import (
	"fmt"
	netmail "net/mail"
	"regexp"
	"slices"
	"strings"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

var mention = regexp.MustCompile(`(?:^|[\s(,;:])@([\pL\pN][\pL\pN._-]{0,60})`)

const maxMentions = 20

// Handle is what a person is mentioned by: the name without spaces, in lower
// case.
func Handle(person *core.Record) string {
	name := person.GetString("name")
	if name == "" {
		name, _, _ = strings.Cut(person.Email(), "@")
	}
	return strings.ToLower(strings.Join(strings.Fields(name), "."))
}

// Team lists the active staff who may answer the inbox.
func Team(app core.App) ([]*core.Record, error) {
	list, err := app.FindRecordsByFilter(schema.Staff, "active = true", "name,email", 500, 0)
	if err != nil {
		return nil, fmt.Errorf("list the team: %w", err)
	}
	return slices.DeleteFunc(list, func(r *core.Record) bool { return !roles.Allows(r, roles.InboxAnswer) }), nil
}

// mentioned finds the people of the team that a note names, by the whole
// handle or by its first part where that is one person's alone.
func mentioned(team []*core.Record, text string) []*core.Record {
	var out []*core.Record
	for _, match := range mention.FindAllStringSubmatch(text, maxMentions) {
		handle := strings.ToLower(strings.TrimRight(match[1], "._-"))
		var found []*core.Record
		for _, p := range team {
			h := Handle(p)
			first, _, _ := strings.Cut(h, ".")
			if h == handle {
				found = []*core.Record{p}
				break
			}
			if first == handle {
				found = append(found, p)
			}
		}
		if len(found) == 1 && !slices.Contains(out, found[0]) {
			out = append(out, found[0])
		}
	}
	return out
}

// tellMentioned sends a mail to those whom a note names, but for its writer.
func tellMentioned(tx core.App, by audit.Actor, c, m *core.Record) error {
	team, err := Team(tx)
	if err != nil {
		return err
	}
	for _, person := range mentioned(team, m.GetString("text")) {
		if person.Id == by.ID {
			continue
		}
		err := mail.Send(tx, mail.Message{
			To:       netmail.Address{Name: person.GetString("name"), Address: person.Email()},
			Template: "inbox-mention", Key: "inbox-mention/" + m.Id + "/" + person.Id,
			Data: map[string]any{
				"By": nameOf(by.Name), "Number": c.GetInt("number"), "Subject": c.GetString("subject"),
				"Text": cut(m.GetString("text"), 2000), "Link": link(tx, c.Id),
			},
		})
		if err != nil {
			return fmt.Errorf("tell who was mentioned: %w", err)
		}
	}
	return nil
}

// Participants gives the addresses that take part, for the conversation's page.
func Participants(conversation *core.Record) []string { return participants(conversation) }

// link is the address of a conversation in the desk.
func link(app core.App, conversation string) string {
	return strings.TrimRight(app.Settings().Meta.AppURL, "/") + Path(conversation)
}

// Path is the page of a conversation in the desk.
func Path(conversation string) string { return "/desk/inbox/" + conversation + "/" }

// Earlier gives the other conversations of the same contact, newest first.
func Earlier(app core.App, c *core.Record, limit int) ([]*core.Record, error) {
	if c.GetString("email") == "" {
		return nil, nil
	}
	list, err := app.FindRecordsByFilter(schema.Conversations, "email = {:email} && id != {:id}", "-last_at", limit, 0,
		dbx.Params{"email": c.GetString("email"), "id": c.Id})
	if err != nil {
		return nil, fmt.Errorf("find earlier conversations: %w", err)
	}
	return list, nil
}
