package pages

import (
	"errors"
	"strings"
	"time"

	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// maxBulk is how many conversations one act may touch.
const maxBulk = 200

// perform does one act to one conversation and says what was done, and the act
// that takes it back.
func perform(e *desk.Event, id string, values web.Values) (said, undo string, err error) {
	by := e.Actor()
	switch values.Get("act") {
	case "close":
		return "Closed.", "reopen", inbox.Close(e.App, by, id)
	case "reopen":
		return "Open again.", "close", inbox.Reopen(e.App, by, id)
	case "spam":
		return "Moved to the spam.", "not-spam", inbox.Spam(e.App, by, id)
	case "not-spam":
		return "Back in the inbox.", "spam", inbox.NotSpam(e.App, by, id)
	case "assign":
		return "Assigned.", "", inbox.Assign(e.App, by, id, values.Get("to"))
	case "take":
		return "It is yours.", "", inbox.Assign(e.App, by, id, e.Auth.Id)
	case "read":
		return "Marked as read.", "unread", inbox.MarkRead(e.App, id, false)
	case "unread":
		return "Marked as unread.", "read", inbox.MarkRead(e.App, id, true)
	case "tag":
		return "The tags are saved.", "", inbox.Tag(e.App, by, id, strings.Split(values.Get("tags"), ","))
	case "snooze":
		until, err := snoozeTime(values.Get("until"), time.Now())
		if err != nil {
			return "", "", err
		}
		return "Put off until then.", "wake", inbox.Snooze(e.App, by, id, until)
	case "wake":
		return "Back in the inbox.", "", inbox.Wake(e.App, by, id)
	}
	return "", "", e.BadRequestError("This is nothing that can be done to a conversation.", nil)
}

// snoozeTime reads a choice of the form: hours, or a day with a time in UTC.
func snoozeTime(text string, now time.Time) (time.Time, error) {
	switch text {
	case "3h":
		return now.Add(3 * time.Hour), nil
	case "tomorrow", "monday":
		day := now.UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
		for text == "monday" && day.Weekday() != time.Monday {
			day = day.AddDate(0, 0, 1)
		}
		return day.Add(8 * time.Hour), nil
	case "week":
		return now.AddDate(0, 0, 7), nil
	}
	at, err := time.Parse("2006-01-02T15:04", text)
	if err != nil {
		return time.Time{}, errWhen
	}
	return at, nil
}

func act(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return refuse(e, err)
	}
	id := e.Request.PathValue("id")
	if act := e.Request.URL.Query().Get("act"); act != "" && len(values) == 0 { // the button of a notice
		values = web.Values{"act": {act}}
	}
	switch values.Get("act") {
	case "merge":
		return merge(e, id, values.Get("into"))
	case "erase":
		return erase(e, id, values.Get("confirm"))
	}
	said, reverse, err := perform(e, id, values)
	if err != nil {
		return refuse(e, err)
	}
	to := inbox.Path(id)
	if values.Get("back") != "" {
		to = back(values)
	}
	n := desk.Notice{Text: e.T(said)}
	if reverse != "" {
		n.Undo = inbox.Path(id) + "act/?act=" + reverse
	}
	return e.Leave(to, n)
}

// merge takes a number or an id of the conversation to merge into.
func merge(e *desk.Event, id, into string) error {
	into = strings.TrimPrefix(strings.TrimSpace(into), "#")
	if c, err := e.App.FindFirstRecordByData(schema.Conversations, "number", into); err == nil {
		into = c.Id
	}
	if err := inbox.Merge(e.App, e.Actor(), id, into); err != nil {
		return refuse(e, err)
	}
	return e.Done(inbox.Path(into), "The conversations are one now.")
}

// erase deletes everything of a conversation's contact, where the address was
// typed to confirm it.
func erase(e *desk.Event, id, confirm string) error {
	c, err := inbox.Find(e.App, id)
	if err != nil {
		return refuse(e, err)
	}
	if c.GetString("email") == "" || !strings.EqualFold(strings.TrimSpace(confirm), c.GetString("email")) {
		return refuse(e, errConfirm)
	}
	out, err := inbox.EraseContact(e.App, e.Actor(), c.GetString("email"))
	if err != nil {
		return refuse(e, err)
	}
	return e.Done(root, "Erased: %d conversations, %d messages, %d mails.", out.Conversations, out.Messages, out.Mails)
}

// bulk does one act to all ticked conversations.
func bulk(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return refuse(e, err)
	}
	ids := values["id"]
	if len(ids) > maxBulk {
		ids = ids[:maxBulk]
	}
	if len(ids) == 0 {
		return e.Leave(back(values), desk.Notice{Kind: "warning", Text: e.T("Tick some conversations first.")})
	}
	n := 0
	for _, id := range ids {
		_, _, err := perform(e, id, values)
		if errors.Is(err, inbox.ErrNotFound) {
			continue
		}
		if err != nil {
			return refuse(e, err)
		}
		n++
	}
	if n == 1 {
		return e.Done(back(values), "Done for one conversation.")
	}
	return e.Done(back(values), "Done for %d conversations.", n)
}

func split(e *desk.Event) error {
	c, err := inbox.Split(e.App, e.Actor(), e.Request.PathValue("message"))
	if err != nil {
		return refuse(e, err)
	}
	return e.Done(inbox.Path(c.Id), "This is a conversation of its own now.")
}

// lastOf is the id of the last message that the visitor sees, for telling
// whether somebody wrote meanwhile.
func lastOf(app core.App, conversation string) (string, error) {
	var id []string
	err := app.DB().Select("id").From(schema.Messages).Where(dbx.HashExp{"conversation": conversation}).
		AndWhere(dbx.NewExp("direction != 'note'")).OrderBy("created DESC", "rowid DESC").Limit(1).Column(&id)
	if err != nil || len(id) == 0 {
		return "", err
	}
	return id[0], nil
}
