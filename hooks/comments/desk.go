package comments

import (
	"fmt"
	"net/http"
	"strings"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

const (
	moderate  = web.Access(roles.CommentsModerate)
	deskQueue = "/desk/comments/"
	deskCSS   = "/assets/css/desk-comments.css"
	deskJS    = "/assets/js/desk-comments.js"
)

// Desk is what the comments give the desk.
func Desk(core.App) desk.Part {
	page := func(method, path string, do func(e *desk.Event) error) desk.Page {
		return desk.Page{Method: method, Path: path, Access: moderate, Do: do}
	}
	queue := page(http.MethodGet, "comments", deskList)
	queue.Menu = &desk.Menu{Group: desk.GroupTalk, Label: "Comments", Icon: "message-square", Order: 10, Count: waitingCount}
	setting := desk.Options(Feature, "Comments", "Who may write below your pages, and who reads it first.", Defaults())
	setting.Icon = "message-square"
	return desk.Part{
		Pages: []desk.Page{
			queue,
			page(http.MethodPost, "comments/decide", deskDecide),
			page(http.MethodGet, "comments/live", func(e *desk.Event) error { return stream(e.RequestEvent, "") }),
			page(http.MethodGet, "comments/thread", deskThread),
			page(http.MethodPost, "comments/thread", deskSetThread),
			page(http.MethodGet, "comments/person", deskPerson),
			page(http.MethodPost, "comments/person/erase", deskErase),
			page(http.MethodPost, "comments/person/unblock", deskUnblock),
			page(http.MethodGet, "comments/person.json", deskExport),
			page(http.MethodGet, "comments/words.jsonl", deskWords),
			page(http.MethodGet, "comments/{id}", deskOne),
			page(http.MethodPost, "comments/{id}/edit", deskEdit),
			page(http.MethodPost, "comments/{id}/reply", deskReply),
			page(http.MethodPost, "comments/{id}/block", deskBlock),
			page(http.MethodPost, "comments/{id}/pin", deskPin),
		},
		Cards: []desk.Card{{
			Title: "Comments", Icon: "message-square", Order: 20, Access: moderate,
			Do: func(app core.App, person *core.Record) (*desk.Figure, error) {
				n, err := waitingCount(app, person)
				if err != nil || n == 0 {
					return nil, err
				}
				label := "comments are waiting"
				if n == 1 {
					label = "comment is waiting"
				}
				return &desk.Figure{Value: fmt.Sprint(n), Label: label, Href: deskQueue}, nil
			},
		}},
		Settings: []desk.Setting{setting},
		Searches: []desk.Search{{Name: "Comments", Access: moderate, Find: deskSearch}},
	}
}

// waitingCount is how many comments wait for a moderator.
func waitingCount(app core.App, _ *core.Record) (int, error) {
	var n int
	err := app.DB().NewQuery(`SELECT count(*) FROM comments WHERE status = 'pending'`).Row(&n)
	if err != nil {
		return 0, fmt.Errorf("count what waits: %w", err)
	}
	return n, nil
}

// like is a filter for what contains the words that somebody typed.
func like(query string) dbx.Expression {
	escaped := strings.NewReplacer(`\`, `\\`, "%", `\%`, "_", `\_`).Replace(query)
	return dbx.NewExp(`(author LIKE {:q} ESCAPE '\' OR email LIKE {:q} ESCAPE '\' OR body LIKE {:q} ESCAPE '\' OR thread LIKE {:q} ESCAPE '\')`,
		dbx.Params{"q": "%" + escaped + "%"})
}

// deskSearch finds comments by what was typed.
func deskSearch(app core.App, _ *core.Record, query string, limit int) ([]desk.Hit, error) {
	var found []*core.Record
	err := app.RecordQuery(schema.Comments).AndWhere(like(query)).OrderBy("created DESC").Limit(int64(limit)).All(&found)
	if err != nil {
		return nil, fmt.Errorf("search the comments: %w", err)
	}
	hits := make([]desk.Hit, len(found))
	for i, r := range found {
		hits[i] = desk.Hit{
			Title: r.GetString("author") + ": " + excerpt(r.GetString("body"), 80),
			Note:  r.GetString("status") + " · " + r.GetString("thread"), Href: deskQueue + r.Id + "/",
		}
	}
	return hits, nil
}

// excerpt is the beginning of a text on one line.
func excerpt(text string, n int) string {
	runes := []rune(tidyLine(text))
	if len(runes) <= n {
		return string(runes)
	}
	return strings.TrimSpace(string(runes[:n])) + "…"
}
