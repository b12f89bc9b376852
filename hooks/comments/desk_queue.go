package comments

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// deskPerPage is how many comments one page of the queue has.
const deskPerPage = 25

// filter is what a moderator looks for.
type filter struct {
	Status, Query, Thread, Person string
	MinScore                      int
}

// deskRow is a comment in the queue.
type deskRow struct {
	ID, Author, Email, URL, Thread, Status, Parent string
	HTML                                           template.HTML
	Text                                           string
	At                                             time.Time
	Score                                          int
	Reasons                                        []spam.Reason
	Words                                          []deskWord
	Probability                                    int // per cent
	Pinned, Removed, Badge                         bool
	Avatar                                         template.HTML
	Above                                          string // whom it answers
}

// deskWord is a word that counted, with the side on which it stands.
type deskWord struct {
	Word string
	Spam int // per cent
}

// queueView is what the queue's template gets.
type queueView struct {
	Filter filter
	Tabs   []desk.Tab
	Rows   []deskRow
	Pager  desk.Pager
	Back   string
}

func rowOf(app core.App, r *core.Record) deskRow {
	d := deskRow{
		ID: r.Id, Author: r.GetString("author"), Email: r.GetString("email"), URL: r.GetString("url"), Thread: r.GetString("thread"),
		Status: r.GetString("status"), Parent: r.GetString("parent"), HTML: template.HTML(Clean(r.GetString("html"))),
		Text: r.GetString("body"), At: r.GetDateTime("created").Time(), Score: r.GetInt("score"), Pinned: r.GetBool("pinned"),
		Removed: r.GetBool("removed"), Badge: r.GetString("badge") != "",
		Avatar: Avatar(avatarOf(app, firstOf(r.GetString("email"), r.GetString("author")))),
	}
	var v spam.Verdict
	if err := r.UnmarshalJSONField("verdict", &v); err == nil {
		d.Reasons, d.Probability = v.Reasons, int(v.Probability*100)
		for _, w := range v.Words {
			d.Words = append(d.Words, deskWord{w.Word, int(w.Spam * 100)})
		}
	}
	return d
}

// deskList is the queue.
func deskList(e *desk.Event) error {
	q := e.Request.URL.Query()
	f := filter{Status: firstOf(q.Get("status"), schema.CommentPending), Query: tidyLine(q.Get("q")), Thread: q.Get("thread"), Person: q.Get("person")}
	f.MinScore, _ = strconv.Atoi(q.Get("score"))
	if !knownStatus(f.Status) {
		f.Status = schema.CommentPending
	}
	v := &queueView{Filter: f, Back: e.Request.URL.RequestURI()}
	if err := v.tabs(e); err != nil {
		return err
	}
	query := e.App.RecordQuery(schema.Comments)
	for _, where := range f.where() {
		query.AndWhere(where)
	}
	var total int
	count := e.App.DB().Select("count(*)").From(schema.Comments)
	for _, where := range f.where() {
		count.AndWhere(where)
	}
	if err := count.Row(&total); err != nil {
		return fmt.Errorf("count the comments: %w", err)
	}
	page, _ := strconv.Atoi(q.Get("page"))
	v.Pager = desk.Pages(e.Request.URL, page, deskPerPage, total)
	order := "created DESC"
	if f.Status == schema.CommentPending {
		order = "created" // who waits longest is first
	}
	var records []*core.Record
	err := query.OrderBy(order, "id").Limit(deskPerPage).Offset(int64((v.Pager.Page - 1) * deskPerPage)).All(&records)
	if err != nil {
		return fmt.Errorf("list the comments: %w", err)
	}
	for _, r := range records {
		v.Rows = append(v.Rows, rowOf(e.App, r))
	}
	return e.Render("desk/comments/queue.html", e.T("Comments"), v, deskCSS, deskJS)
}

// where are the conditions of a filter.
func (f filter) where() []dbx.Expression {
	out := []dbx.Expression{dbx.HashExp{"status": f.Status}}
	if f.Thread != "" {
		out = append(out, dbx.HashExp{"thread": f.Thread})
	}
	if f.Person != "" {
		out = append(out, dbx.HashExp{"email": strings.ToLower(f.Person)})
	}
	if f.MinScore > 0 {
		out = append(out, dbx.NewExp("score >= {:score}", dbx.Params{"score": f.MinScore}))
	}
	if f.Query != "" {
		out = append(out, like(f.Query))
	}
	return out
}

// tabs count what has each status.
func (v *queueView) tabs(e *desk.Event) error {
	var rows []struct {
		Status string `db:"status"`
		N      int    `db:"n"`
	}
	if err := e.App.DB().NewQuery(`SELECT status, count(*) AS n FROM comments GROUP BY status`).All(&rows); err != nil {
		return fmt.Errorf("count the comments: %w", err)
	}
	counts := map[string]int{}
	for _, r := range rows {
		counts[r.Status] = r.N
	}
	for _, tab := range [][2]string{{schema.CommentPending, "Waiting"}, {schema.CommentApproved, "Approved"}, {schema.CommentSpam, "Spam"}, {schema.CommentTrash, "Trash"}} {
		v.Tabs = append(v.Tabs, desk.Tab{Label: e.T(tab[1]), Href: deskQueue + "?status=" + tab[0], Count: counts[tab[0]], Current: v.Filter.Status == tab[0]})
	}
	return nil
}

// backTo is where a write leads: a page of the comments, whatever was sent.
func backTo(e *desk.Event) string {
	back := e.Request.FormValue("back")
	if !strings.HasPrefix(back, deskQueue) || strings.ContainsAny(back, "\r\n\\") {
		return deskQueue
	}
	return back
}

// maxBulk is how many comments one click decides.
const maxBulk = 500

// said is what the desk says after a decision, for one and for many.
var said = map[string][2]string{
	schema.CommentApproved: {"The comment is approved.", "%d comments are approved."},
	schema.CommentSpam:     {"The comment is filed as spam.", "%d comments are filed as spam."},
	schema.CommentTrash:    {"The comment is in the trash.", "%d comments are in the trash."},
	schema.CommentPending:  {"The comment waits again.", "%d comments wait again."},
}

// deskDecide gives the ticked comments a status. Undo posts here again with
// the status that they had.
func deskDecide(e *desk.Event) error {
	if err := e.Request.ParseForm(); err != nil {
		return e.BadRequestError("", err)
	}
	ids := e.Request.Form["id"]
	if joined := e.Request.Form.Get("ids"); joined != "" {
		ids = append(ids, strings.Split(joined, ",")...)
	}
	if only := e.Request.URL.Query().Get("only"); only != "" {
		ids = []string{only} // the button of one comment, whatever is ticked
	}
	if len(ids) > maxBulk {
		return router.NewBadRequestError("These are too many at once.", nil)
	}
	status := e.Request.Form.Get("status")
	if !knownStatus(status) {
		return router.NewBadRequestError(sentence(ErrStatus), nil)
	}
	was := ""
	if len(ids) > 0 {
		first, err := e.App.FindRecordById(schema.Comments, ids[0])
		if err == nil {
			was = first.GetString("status")
		}
	}
	n, err := Decide(e.App, e.Actor(), status, ids...)
	if err != nil {
		return err
	}
	if n == 0 {
		return e.Done(backTo(e), "Nothing was ticked, or it was done already.")
	}
	text := e.T(said[status][0])
	if n > 1 {
		text = e.T(said[status][1], n)
	}
	notice := desk.Notice{Text: text}
	if was != "" && was != status && e.Request.Form.Get("undone") == "" {
		notice.Undo = "/desk/comments/decide/?undone=1&status=" + was + "&ids=" + url.QueryEscape(strings.Join(ids[:min(len(ids), 100)], ",")) +
			"&back=" + url.QueryEscape(backTo(e))
	}
	return e.Leave(backTo(e), notice)
}

// deskThread is the page of one thread and its settings.
func deskThread(e *desk.Event) error {
	address := Normalize(e.Request.URL.Query().Get("t"))
	if address == "" {
		return router.NewNotFoundError("", nil)
	}
	t, err := FindThread(e.App, address)
	if isFault(err) {
		return err
	}
	var own string
	_ = e.App.DB().NewQuery(`SELECT policy FROM _comment_threads WHERE thread = {:t}`).Bind(dbx.Params{"t": address}).Row(&own)
	return e.Render("desk/comments/thread.html", e.T("Thread"), map[string]any{
		"Address": address, "Title": firstOf(t.Title, address), "Policy": own, "Site": optionsOf(e.App).Policy, "Reason": t.Reason,
		"Policies": policies, "Gone": err != nil,
	}, deskCSS)
}

func deskSetThread(e *desk.Event) error {
	address := Normalize(e.Request.FormValue("t"))
	policy := e.Request.FormValue("policy")
	err := e.App.RunInTransaction(func(tx core.App) error {
		if err := SetThread(tx, address, policy); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "comment.thread", schema.Comments, "", map[string]string{"thread": address, "policy": policy})
	})
	if errors.Is(err, ErrThread) {
		return router.NewBadRequestError("Choose who may write in this thread.", nil)
	}
	if err != nil {
		return err
	}
	return e.Done("/desk/comments/thread/?t="+url.QueryEscape(address), "The thread's rules are saved.")
}

// deskWords exports what the filter has learned.
func deskWords(e *desk.Event) error {
	e.Response.Header().Set("Content-Type", "application/x-ndjson; charset=utf-8")
	e.Response.Header().Set("Content-Disposition", `attachment; filename="words.jsonl"`)
	e.Response.WriteHeader(http.StatusOK)
	return spam.Export(e.App, spam.Comments, e.Response)
}
