package sample_test

import (
	"testing"
	"time"

	"bungalow/hooks/inbox"
	"bungalow/hooks/inbox/sample"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// The sample shows conversations in every state, in the order of their times,
// and leaves nothing to be sent.
func TestTheSampleShowsALivingInbox(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	person, _ := sitetest.Staff(t, app, roles.Owner)
	err := app.RunInTransaction(func(tx core.App) error {
		return sample.Seed(tx, person, func(name, email, message string) (string, error) {
			c, err := inbox.Receive(tx, inbox.Submission{Name: name, Email: email, Subject: "Contact: " + name, Text: message})
			if err != nil {
				return "", err
			}
			return c.Id, nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	states, kinds := map[string]int{}, map[string]int{}
	list, err := app.FindAllRecords(schema.Conversations)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		states[c.GetString("status")]++
		messages, err := inbox.Messages(app, c.Id)
		if err != nil || len(messages) == 0 {
			t.Fatalf("%d messages, %v", len(messages), err)
		}
		last := messages[len(messages)-1]
		if !c.GetDateTime("last_at").Time().Equal(last.GetDateTime("created").Time()) || last.GetDateTime("created").Time().After(time.Now()) {
			t.Errorf("%s: last at %v, its last message at %v", c.GetString("subject"), c.GetDateTime("last_at"), last.GetDateTime("created"))
		}
		for _, m := range messages {
			kinds[m.GetString("kind")]++
			if m.GetString("state") == "scheduled" {
				t.Errorf("%s: an answer would go out", c.GetString("subject"))
			}
			if m.GetString("text") == "" {
				t.Errorf("%s: a message without text", c.GetString("subject"))
			}
		}
	}
	if states["open"] < 4 || states["waiting"] != 1 || states["closed"] != 2 || states["spam"] != 1 {
		t.Errorf("the conversations are %v", states)
	}
	for _, kind := range []string{"form", "mail", "reply", "note", "auto"} {
		if kinds[kind] == 0 {
			t.Errorf("there is no %s among the messages: %v", kind, kinds)
		}
	}
}
