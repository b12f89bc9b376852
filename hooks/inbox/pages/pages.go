// Package pages is the inbox in the desk: the list of conversations, one
// conversation, canned replies, settings.
//
// It promises that every act works without JavaScript, that whoever answers is
// told when somebody else wrote meanwhile, and that a visitor's HTML and files
// are shown in a sandbox alone.
package pages

import (
	"errors"
	"net/http"
	"strconv"

	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

const (
	answer = web.Access(roles.InboxAnswer)
	root   = "/desk/inbox/"
	// maxReply is the largest answer with its files, in bytes.
	maxReply = 30 << 20
)

// Part is what the inbox gives the desk.
func Part(app core.App) desk.Part {
	return desk.Part{
		Pages: append(deliveryPages(), []desk.Page{
			{Path: "inbox", Access: answer, Do: list, Menu: &desk.Menu{Group: desk.GroupTalk, Label: "Inbox", Icon: "inbox", Order: 1, Count: waiting}},
			{Path: "inbox/live", Access: answer, Do: stream},
			{Method: http.MethodPost, Path: "inbox/bulk", Access: answer, Do: bulk},
			{Method: http.MethodPost, Path: "inbox/views", Access: answer, Do: saveView, Quiet: "a person's own filter changes nothing for others"},
			{Path: "inbox/{id}", Access: answer, Do: show},
			{Method: http.MethodPost, Path: "inbox/{id}/reply", Access: answer, Body: maxReply, Do: reply},
			{Method: http.MethodPost, Path: "inbox/{id}/note", Access: answer, Do: writeNote},
			{Method: http.MethodPost, Path: "inbox/{id}/act", Access: answer, Do: act},
			{Method: http.MethodPost, Path: "inbox/{id}/typing", Access: answer, Do: typing, Quiet: "it is kept in memory for some seconds"},
			{Method: http.MethodPost, Path: "inbox/{id}/messages/{message}/undo", Access: answer, Do: undo},
			{Method: http.MethodPost, Path: "inbox/{id}/messages/{message}/split", Access: answer, Do: split},
			{Path: "inbox/{id}/messages/{message}/html", Access: answer, Do: showHTML},
			{Path: "inbox/{id}/messages/{message}/files/{file}", Access: answer, Do: showFile},
			{Path: "canned-replies", Access: answer, Do: canned, Menu: &desk.Menu{Group: desk.GroupTalk, Label: "Canned replies", Icon: "quote", Order: 3}},
			{Method: http.MethodPost, Path: "canned-replies", Access: answer, Do: saveCanned},
		}...),
		Settings: []desk.Setting{setting(app)},
		Cards:    []desk.Card{{Title: "Inbox", Icon: "inbox", Order: 10, Access: answer, Do: card}},
		Searches: []desk.Search{{Name: "Conversations", Access: answer, Find: find}},
	}
}

// waiting counts what nobody has read yet, for the menu.
func waiting(app core.App, _ *core.Record) (int, error) {
	var n int
	err := app.DB().NewQuery(`SELECT count(*) FROM {{conversations}} WHERE status = 'open' AND unread = TRUE`).Row(&n)
	return n, err
}

func card(app core.App, person *core.Record) (*desk.Figure, error) {
	open, err := inbox.Count(app, inbox.Filter{})
	if err != nil {
		return nil, err
	}
	mine, err := inbox.Count(app, inbox.Filter{View: inbox.ViewMine, Person: person.Id})
	if err != nil {
		return nil, err
	}
	f := &desk.Figure{Value: strconv.Itoa(open), Label: "open conversations", Href: root}
	if mine > 0 {
		f.Lines = []string{strconv.Itoa(mine) + " · " + person.GetString("name")}
	}
	return f, nil
}

func find(app core.App, _ *core.Record, query string, limit int) ([]desk.Hit, error) {
	ids, err := inbox.Search(app, query, limit)
	if err != nil {
		return nil, err
	}
	var hits []desk.Hit
	for _, id := range ids {
		c, err := inbox.Find(app, id)
		if errors.Is(err, inbox.ErrNotFound) {
			continue // erased since
		}
		if err != nil {
			return nil, err
		}
		hits = append(hits, desk.Hit{Title: c.GetString("subject"), Note: "#" + c.GetString("number") + " · " + who(c), Href: inbox.Path(c.Id)})
	}
	return hits, nil
}

// who is the contact of a conversation as people call it.
func who(c *core.Record) string {
	for _, name := range []string{c.GetString("name"), c.GetString("email")} {
		if name != "" {
			return name
		}
	}
	return "Somebody"
}

// refuse turns the inbox's named errors into answers.
func refuse(e *desk.Event, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, inbox.ErrNotFound):
		return e.NotFoundError(sentence(inbox.ErrNotFound), err)
	}
	for _, known := range []error{inbox.ErrEmpty, inbox.ErrTooLong, inbox.ErrNoAddress, inbox.ErrSame, inbox.ErrWrongMessage} {
		if errors.Is(err, known) {
			return router.NewApiError(http.StatusUnprocessableEntity, sentence(known), nil)
		}
	}
	if errors.Is(err, inbox.ErrSlow) {
		return router.NewApiError(http.StatusServiceUnavailable, sentence(inbox.ErrSlow), nil)
	}
	if errors.Is(err, inbox.ErrTooLate) {
		return router.NewApiError(http.StatusConflict, sentence(inbox.ErrTooLate), nil)
	}
	return web.Refuse(e.RequestEvent, err)
}

// sentence is a named error as a sentence.
func sentence(err error) string {
	text := err.Error()
	return string(text[0]-'a'+'A') + text[1:] + "."
}
