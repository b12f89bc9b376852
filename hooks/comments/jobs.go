package comments

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"sync"
	"time"

	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/spam"

	sitemail "bungalow/hooks/kit/mail"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// The jobs of the feature. Each may run twice and does its work once.
const (
	jobReplies = "comments.replies" // tells those above that somebody answered
	jobHeld    = "comments.held"    // tells moderators that a comment waits
	jobConfirm = "comments.confirm" // asks an address whether it wants mail
	jobAkismet = "comments.akismet" // asks Akismet, and publishes or files
)

const (
	// maxAsked is how many addresses are asked in an hour: strangers choose them.
	maxAsked = 100
	// maxHeld is how many mails about waiting comments one moderator gets in an hour.
	maxHeld = 30
)

func bindJobs(app core.App) {
	for name, do := range map[string]func(core.App, *core.Record) error{
		jobReplies: tellReplies, jobHeld: tellModerators, jobConfirm: askAddress,
	} {
		queue.Register(app, queue.Kind{Name: name, Do: about(do), Concurrency: 2})
	}
	queue.Register(app, queue.Kind{Name: jobAkismet, Do: askAkismet, Attempts: 4, Dead: func(tx core.App, payload []byte, _ error) error {
		r, err := commentOf(tx, payload)
		if err != nil || r == nil || !optionsOf(tx).MailModerators {
			return err
		}
		return queue.Enqueue(tx, jobHeld, commentJob{ID: r.Id}) // it waits for a person then
	}})
}

// about makes a job's handler of what is to be done with one comment. A comment
// that is gone needs nothing.
func about(do func(app core.App, r *core.Record) error) func(context.Context, core.App, []byte) error {
	return func(_ context.Context, app core.App, payload []byte) error {
		r, err := commentOf(app, payload)
		if err != nil || r == nil {
			return err
		}
		return do(app, r)
	}
}

func commentOf(app core.App, payload []byte) (*core.Record, error) {
	var job commentJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return nil, queue.NoRetry(err)
	}
	r, err := app.FindRecordById(schema.Comments, job.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return r, err
}

// tellReplies writes to those above a comment who asked for it and whose
// address is confirmed, each once.
func tellReplies(app core.App, r *core.Record) error {
	if r.GetString("status") != schema.CommentApproved || !optionsOf(app).MailReplies {
		return nil
	}
	above, err := askedFor(app, r)
	if err != nil {
		return err
	}
	told := map[string]bool{r.GetString("email"): true}
	for _, up := range above {
		if told[up.Email] {
			continue
		}
		told[up.Email] = true
		state, err := mailState(app, up.Email)
		if err != nil {
			return err
		}
		if state != mailConfirmed {
			continue
		}
		if err := tellOne(app, r, up); err != nil {
			return err
		}
	}
	return nil
}

// asker is a comment whose author wants to know of answers.
type asker struct {
	Author string `db:"author"`
	Email  string `db:"email"`
	Body   string `db:"body"`
	Locale string `db:"locale"`
}

// askedFor finds those above a comment whose author asked for mail, the
// nearest first. Whether they confirmed their address is not looked at.
func askedFor(app core.App, r *core.Record) ([]asker, error) {
	var above []asker
	err := app.DB().NewQuery(`WITH RECURSIVE up(id, parent, n) AS (
			SELECT id, parent, 0 FROM comments WHERE id = {:parent}
			UNION ALL SELECT c.id, c.parent, up.n + 1 FROM comments c JOIN up ON c.id = up.parent WHERE up.n < {:most})
		SELECT c.author, c.email, c.body, c.locale FROM up JOIN comments c ON c.id = up.id WHERE c.notify AND c.email != '' ORDER BY up.n`).
		Bind(dbx.Params{"parent": r.GetString("parent"), "most": maxBelow}).All(&above)
	if err != nil {
		return nil, fmt.Errorf("find who is to be told of an answer: %w", err)
	}
	return above, nil
}

func tellOne(app core.App, r *core.Record, up asker) error {
	leave, err := link(app, order{Do: orderLeave, Email: up.Email})
	if err != nil {
		return err
	}
	err = sitemail.Send(app, sitemail.Message{
		To: mail.Address{Name: up.Author, Address: up.Email}, Template: "comment-reply", Locale: firstOf(up.Locale, siteLocale(app)),
		Key: "comment-reply/" + r.Id + "/" + up.Email, Unsubscribe: leave,
		Data: map[string]any{"Author": r.GetString("author"), "Text": r.GetString("body"), "Yours": up.Body,
			"Link": permalink(app, r), "Leave": leave},
	})
	return ignoreAddress(err)
}

// ignoreAddress passes over an address that can't receive mail.
func ignoreAddress(err error) error {
	if errors.Is(err, sitemail.ErrAddress) {
		return nil
	}
	return err
}

// permalink is the absolute address of a comment.
func permalink(app core.App, r *core.Record) string {
	base := strings.TrimRight(app.Settings().Meta.AppURL, "/")
	return absolute(base, r.GetString("thread")) + "?comment=" + r.Id + "#c-" + r.Id
}

// siteLocale is the site's own language.
func siteLocale(app core.App) string {
	site, err := serviceOf(app).loadSite()
	if err != nil {
		return ""
	}
	return site.Locale
}

// tellModerators writes that a comment waits, with links that decide.
func tellModerators(app core.App, r *core.Record) error {
	if r.GetString("status") != schema.CommentPending {
		return nil
	}
	people, err := moderators(app)
	if err != nil {
		return err
	}
	data := map[string]any{
		"Author": r.GetString("author"), "Email": r.GetString("email"), "Text": r.GetString("body"), "Thread": r.GetString("thread"),
		"Link": permalink(app, r), "Desk": strings.TrimRight(app.Settings().Meta.AppURL, "/") + "/desk/comments/", "Reasons": reasonsOf(r),
	}
	for name, status := range map[string]string{"Approve": schema.CommentApproved, "Spam": schema.CommentSpam, "Trash": schema.CommentTrash} {
		if data[name], err = link(app, order{Do: orderDecide, Comment: r.Id, Status: status}); err != nil {
			return err
		}
	}
	for _, email := range people {
		var n int
		err := app.DB().NewQuery(`SELECT count(*) FROM _mails WHERE template = 'comment-held' AND recipient LIKE {:e} AND created > {:t}`).
			Bind(dbx.Params{"e": "%" + email + "%", "t": time.Now().Add(-time.Hour).UnixMilli()}).Row(&n)
		if err != nil {
			return fmt.Errorf("count the mails to moderators: %w", err)
		}
		if n >= maxHeld {
			continue // the desk shows the rest
		}
		err = sitemail.Send(app, sitemail.Message{To: mail.Address{Address: email}, Template: "comment-held",
			Key: "comment-held/" + r.Id + "/" + email, Data: data})
		if err := ignoreAddress(err); err != nil {
			return err
		}
	}
	return nil
}

// moderators lists who is written to.
func moderators(app core.App) ([]string, error) {
	if o := optionsOf(app); len(o.Moderators) > 0 {
		return o.Moderators[:min(len(o.Moderators), 20)], nil
	}
	var values []any
	for _, role := range roles.With(roles.CommentsModerate) {
		values = append(values, string(role))
	}
	var people []string
	err := app.DB().Select("email").From(schema.Staff).Where(dbx.HashExp{"active": true, "role": values}).Limit(20).Column(&people)
	if err != nil {
		return nil, fmt.Errorf("find the moderators: %w", err)
	}
	return slices.DeleteFunc(people, func(e string) bool { return e == "" }), nil
}

// reasonsOf are the sentences of a comment's verdict.
func reasonsOf(r *core.Record) []string {
	var v spam.Verdict
	_ = r.UnmarshalJSONField("verdict", &v)
	var out []string
	for _, reason := range v.Reasons {
		out = append(out, reason.Detail)
	}
	return out
}

// States of an address in _comment_mail.
const (
	mailAsked     = "asked"
	mailConfirmed = "confirmed"
	mailRefused   = "refused"
)

// mailState is what is known of an address, "" where nothing is.
func mailState(app core.App, email string) (string, error) {
	var state string
	err := app.DB().NewQuery(`SELECT state FROM _comment_mail WHERE email = {:e}`).Bind(dbx.Params{"e": email}).Row(&state)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("read what an address wants: %w", err)
	}
	return state, nil
}

func setMailState(app core.App, email, state string) error {
	_, err := app.NonconcurrentDB().NewQuery(`INSERT INTO _comment_mail (email, state, at) VALUES ({:e}, {:s}, {:t})
		ON CONFLICT (email) DO UPDATE SET state = excluded.state, at = excluded.at`).
		Bind(dbx.Params{"e": email, "s": state, "t": time.Now().Unix()}).Execute()
	if err != nil {
		return fmt.Errorf("save what an address wants: %w", err)
	}
	return nil
}

// askAddress asks an address once whether it wants to be written to.
func askAddress(app core.App, r *core.Record) error {
	email := r.GetString("email")
	if !r.GetBool("notify") || email == "" || r.GetString("status") == schema.CommentSpam {
		return nil
	}
	return app.RunInTransaction(func(tx core.App) error {
		var known, lately int
		err := tx.NonconcurrentDB().NewQuery(`SELECT (SELECT count(*) FROM _comment_mail WHERE email = {:e}),
			(SELECT count(*) FROM _comment_mail WHERE state = 'asked' AND at > {:t})`).
			Bind(dbx.Params{"e": email, "t": time.Now().Add(-time.Hour).Unix()}).Row(&known, &lately)
		if err != nil {
			return fmt.Errorf("read what an address wants: %w", err)
		}
		if known > 0 || lately >= maxAsked {
			return nil
		}
		if err := setMailState(tx, email, mailAsked); err != nil {
			return err
		}
		yes, err := link(tx, order{Do: orderConfirm, Email: email})
		if err != nil {
			return err
		}
		no, err := link(tx, order{Do: orderLeave, Email: email})
		if err != nil {
			return err
		}
		return ignoreAddress(sitemail.Send(tx, sitemail.Message{
			To: mail.Address{Address: email}, Template: "comment-confirm", Locale: firstOf(r.GetString("locale"), siteLocale(tx)), Unsubscribe: no,
			Key: "comment-confirm/" + email + "/" + time.Now().Format("2006-01-02"), Data: map[string]any{"Yes": yes, "No": no, "Thread": r.GetString("thread")},
		}))
	})
}

// agents remembers for Akismet what is stored nowhere: the address and the
// browser of those whose comment is being asked about.
type agents struct {
	mu    sync.Mutex
	by    map[string][2]string
	order []string
}

func (a *agents) put(id, ip, agent string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.by == nil {
		a.by = map[string][2]string{}
	}
	for len(a.order) >= 1000 {
		delete(a.by, a.order[0])
		a.order = a.order[1:]
	}
	a.by[id] = [2]string{ip, agent}
	a.order = append(a.order, id)
}

func (a *agents) get(id string) (ip, agent string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.by[id][0], a.by[id][1]
}

// askAkismet publishes or files a comment as Akismet says.
func askAkismet(ctx context.Context, app core.App, payload []byte) error {
	r, err := commentOf(app, payload)
	if err != nil || r == nil || r.GetString("status") != schema.CommentPending {
		return err
	}
	ip, agent := serviceOf(app).agents.get(r.Id)
	base := strings.TrimRight(app.Settings().Meta.AppURL, "/")
	isSpam, _, err := spam.AskAkismet(ctx, app, spam.Question{
		Site: base, Permalink: absolute(base, r.GetString("thread")), Kind: "comment", Author: r.GetString("author"),
		Email: r.GetString("email"), URL: r.GetString("url"), Text: r.GetString("body"), IP: ip, UserAgent: agent,
	})
	if err != nil {
		return err
	}
	var v spam.Verdict
	_ = r.UnmarshalJSONField("verdict", &v)
	v.Reasons = slices.DeleteFunc(v.Reasons, func(reason spam.Reason) bool { return reason.Layer == spam.LayerAkismet })
	r.Set("status", schema.CommentApproved)
	if isSpam {
		v.Add(spam.LayerAkismet, spam.FileAt, "Akismet takes it for spam.")
		r.Set("status", schema.CommentSpam)
	}
	r.Set("verdict", v)
	r.Set("score", v.Points())
	return app.SaveWithContext(quietly(ctx), r)
}
