package comments

import (
	"database/sql"
	"errors"
	"fmt"
	"html/template"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/theme"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// threadView is what the theme's thread is rendered with.
type threadView struct {
	Lang    string
	Thread  Thread
	Path    string
	Listing Listing
	Options Options
	Notice  string // "", "sent", "held", "changed" or "deleted"
	Own     string // where the visitor may change what he has just sent
	Error   string // why the form is shown again, beside the fields
	Form    formAgain
	Reply   *Item // whom the form answers
	Sort    string
	Sorts   []choice
	Pager   []choice // pages of the thread
	FeedURL string
}

// choice is a link among others.
type choice struct {
	Label, URL string
	Current    bool
}

// nodeView is one comment in the template.
type nodeView struct {
	*Item
	V     *threadView
	Level int
}

// Children are the answers, as the template draws them.
func (n nodeView) Children() []nodeView {
	out := make([]nodeView, len(n.Item.Replies))
	for i, r := range n.Item.Replies {
		out[i] = nodeView{r, n.V, n.Level + 1}
	}
	return out
}

// Picture is the comment's generated avatar.
func (n nodeView) Picture() template.HTML { return Avatar(n.Avatar) }

// Body is the comment's text, which was made safe when it was stored.
func (n nodeView) Body() template.HTML { return template.HTML(n.HTML) }

// Emoji lists the reactions that are offered, with how many gave each.
func (n nodeView) Emoji() []emoji {
	out := make([]emoji, len(n.V.Options.Reactions))
	for i, kind := range n.V.Options.Reactions {
		out[i] = emoji{kind, n.Reactions[kind]}
	}
	return out
}

type emoji struct {
	Kind string
	N    int
}

// Roots are the comments at the top.
func (v *threadView) Roots() []nodeView {
	out := make([]nodeView, len(v.Listing.Items))
	for i, item := range v.Listing.Items {
		out[i] = nodeView{item, v, 1}
	}
	return out
}

// bindTheme draws the thread below posts and pages.
func bindTheme(app core.App) {
	events.OnRender(app).BindFunc(func(e *events.RenderEvent) error {
		if e.Record != nil && (e.Page == "post" || e.Page == "page") {
			if err := draw(e); err != nil {
				return err
			}
		}
		return e.Next()
	})
}

func draw(e *events.RenderEvent) error {
	t, err := FindThread(e.App, e.Path)
	if errors.Is(err, sql.ErrNoRows) || errors.Is(err, ErrThread) {
		return nil // a preview, or an address that no comment can name
	}
	if err != nil {
		return err
	}
	e.Uses(threadKey, t.Address)
	e.Uses(schema.Settings)
	if !t.ClosesAt.IsZero() {
		e.Until(t.ClosesAt)
	}
	v, err := view(e, t)
	if err != nil {
		return err
	}
	if v.Listing.Count == 0 && !t.Open() {
		return nil
	}
	var out strings.Builder
	if err := theme.Of(e.App).RenderSection(&out, e.Locale, "comments/thread.html", "thread", v); err != nil {
		return fmt.Errorf("draw the comments: %w", err)
	}
	e.Comments = template.HTML(out.String())
	th := theme.Of(e.App)
	e.Scripts = append(e.Scripts, th.Asset("/assets/js/comments.js"), th.Asset("/assets/js/challenge.js"))
	e.Feeds = append(e.Feeds, events.Feed{Title: t.Title + " – " + th.Text(e.Locale, "comments", "Comments"), Type: "application/atom+xml", URL: v.FeedURL})
	return nil
}

// view reads what the request asks for: a page of the thread, an order, a
// comment to be shown or answered, and what an earlier try left.
func view(e *events.RenderEvent, t Thread) (*threadView, error) {
	q := e.Request.URL.Query()
	v := &threadView{Lang: e.Locale, Thread: t, Path: e.Path, Options: optionsOf(e.App), FeedURL: feedOf(t)}
	v.Sort = v.Options.Sort
	if orders[q.Get("sort")] != "" {
		v.Sort = q.Get("sort")
	}
	if notice, ok := strings.CutPrefix(q.Get("notice"), "comment-"); ok && slices.Contains([]string{"sent", "held", "changed", "deleted"}, notice) {
		v.Notice = notice
		if id, token, ok := strings.Cut(q.Get("own"), "."); ok {
			if _, err := mine(e.App, id, token); err == nil {
				v.Own = ownPath(id, token)
			}
		}
	}
	if again, ok := e.Request.Context().Value(againKey{}).(formAgain); ok {
		v.Form, v.Error = again, again.Message
	}
	page, _ := strconv.Atoi(q.Get("comments"))
	if id := q.Get("comment"); id != "" && len(id) <= 15 {
		n, err := pageOf(e.App, t, v, id)
		if err != nil {
			return nil, err
		}
		page = n
	}
	var err error
	if v.Listing, err = List(e.App, t, page, v.Sort); err != nil {
		return nil, err
	}
	if id := firstOf(q.Get("reply"), v.Form.Parent); id != "" && len(id) <= 15 {
		if v.Reply, err = answerable(e.App, t, id); err != nil {
			return nil, err
		}
	}
	v.links()
	return v, nil
}

// links makes the pager and the choice of orders.
func (v *threadView) links() {
	pages := (v.Listing.TotalItems + v.Listing.PerPage - 1) / v.Listing.PerPage
	at := func(page int, sort string) string {
		q := url.Values{}
		if page > 1 {
			q.Set("comments", strconv.Itoa(page))
		}
		if sort != v.Options.Sort {
			q.Set("sort", sort)
		}
		if len(q) == 0 {
			return v.Path + "#comments"
		}
		return v.Path + "?" + q.Encode() + "#comments"
	}
	for n := 1; n <= pages && pages > 1; n++ {
		if n == 1 || n == pages || n >= v.Listing.Page-1 && n <= v.Listing.Page+1 {
			v.Pager = append(v.Pager, choice{strconv.Itoa(n), at(n, v.Sort), n == v.Listing.Page})
		}
	}
	if v.Listing.TotalItems > 1 {
		for _, s := range []string{SortOldest, SortNewest, SortBest} {
			v.Sorts = append(v.Sorts, choice{s, at(1, s), s == v.Sort})
		}
	}
}

// pageOf finds the page of the thread on which a comment's branch stands.
func pageOf(app core.App, t Thread, v *threadView, id string) (int, error) {
	var root string
	err := app.DB().Select("root").From(schema.Comments).
		Where(dbx.HashExp{"id": id, "thread": t.Address, "status": schema.CommentApproved}).Row(&root)
	if errors.Is(err, sql.ErrNoRows) {
		return 1, nil
	}
	if err != nil {
		return 1, fmt.Errorf("find a comment's page: %w", err)
	}
	var before int
	err = app.DB().NewQuery(`SELECT n FROM (SELECT c.root AS root, row_number() OVER (ORDER BY ` + orders[v.Sort] + `) AS n FROM ` + byRoot + `) WHERE root = {:r}`).
		Bind(dbx.Params{"t": t.Address, "r": root}).Row(&before)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 1, fmt.Errorf("find a comment's page: %w", err)
	}
	return max(before-1, 0)/v.Options.PerPage + 1, nil
}

// answerable is the comment that the form is to answer, nil where that can't be.
func answerable(app core.App, t Thread, id string) (*Item, error) {
	var r row
	err := app.DB().Select(rowColumns...).From(schema.Comments).
		Where(dbx.HashExp{"id": id, "thread": t.Address, "status": schema.CommentApproved}).One(&r)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("find the comment to answer: %w", err)
	}
	return r.item(app), nil
}

// feedOf is the address of a thread's feed.
func feedOf(t Thread) string {
	if strings.HasPrefix(t.Address, "/blog/") {
		return t.Address + "comments.xml"
	}
	return "/comments.xml?thread=" + url.QueryEscape(t.Address)
}
