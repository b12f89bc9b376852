package comments

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/spam"
	"bungalow/hooks/kit/web"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// refuse ends a handler's error path.
func refuse(e *core.RequestEvent, err error) error {
	var many *spam.TooManyError
	switch {
	case errors.As(err, &many):
		e.Response.Header().Set("Retry-After", strconv.Itoa(many.Seconds()))
		return router.NewApiError(http.StatusTooManyRequests, many.Error(), nil)
	case errors.Is(err, ErrThread):
		return web.Refuse(e, validation.Errors{"thread": validation.NewError("validation_thread", sentence(ErrThread))})
	case errors.Is(err, ErrOrigin):
		return router.NewForbiddenError(sentence(ErrOrigin), nil)
	case errors.Is(err, ErrReaction):
		return web.Refuse(e, validation.Errors{"reaction": validation.NewError("validation_reaction", sentence(ErrReaction))})
	case errors.Is(err, sql.ErrNoRows):
		return router.NewNotFoundError("There is no such page or comment.", nil)
	}
	return web.Refuse(e, err)
}

// sentence is an error as people read it.
func sentence(err error) string {
	s := err.Error()
	return strings.ToUpper(s[:1]) + s[1:] + "."
}

// isFault reports whether an error of FindThread is ours and not the asker's.
func isFault(err error) bool {
	return err != nil && !errors.Is(err, ErrThread) && !errors.Is(err, ErrOrigin) && !errors.Is(err, sql.ErrNoRows)
}

// crossOrigin lets only the origins in that the owner allows, instead of
// PocketBase's all. A browser that is on another site is refused outright.
func crossOrigin(do func(e *core.RequestEvent) error) func(e *core.RequestEvent) error {
	return func(e *core.RequestEvent) error {
		h := e.Response.Header()
		for _, name := range []string{"Access-Control-Allow-Origin", "Access-Control-Allow-Credentials", "Access-Control-Expose-Headers"} {
			h.Del(name)
		}
		h.Add("Vary", "Origin")
		// What other sites may read has to be readable there.
		h.Set("Cross-Origin-Resource-Policy", "cross-origin")
		from := e.Request.Header.Get("Origin")
		switch {
		case from == "" || ownOrigin(e, from):
		case slices.Contains(optionsOf(e.App).AllowedOrigins, origin(from)):
			h.Set("Access-Control-Allow-Origin", from)
		default:
			return refuse(e, ErrOrigin)
		}
		return refuse(e, do(e))
	}
}

// ownOrigin reports whether the browser is on this site.
func ownOrigin(e *core.RequestEvent, from string) bool {
	o := origin(from)
	if o == "" { // "null": a sandboxed frame or a file
		return false
	}
	_, host, _ := strings.Cut(o, "://")
	return strings.EqualFold(host, e.Request.Host) || o == origin(e.App.Settings().Meta.AppURL)
}

// threadOf is FindThread for a visitor: what lies on a site that has not opened
// is not told.
func threadOf(e *core.RequestEvent, raw string) (Thread, error) {
	t, err := FindThread(e.App, raw)
	if !t.External && web.Shut(e) && !errors.Is(err, ErrThread) && !errors.Is(err, ErrOrigin) {
		return t, web.NotOpen(e)
	}
	return t, err
}

// listThread is GET /api/site/comments.
func listThread(e *core.RequestEvent) error {
	q := e.Request.URL.Query()
	t, err := threadOf(e, q.Get("thread"))
	if err != nil {
		return err
	}
	page, err := strconv.Atoi(firstOf(q.Get("page"), "1"))
	if err != nil || page < 1 || page > maxPage {
		return validation.Errors{"page": validation.NewError("validation_page", "Pages are numbered from 1.")}
	}
	root, sort := q.Get("root"), q.Get("sort")
	if sort != "" && orders[sort] == "" {
		return validation.Errors{"sort": validation.NewError("validation_sort", "Sort by oldest, newest or best.")}
	}
	key, _ := json.Marshal([]any{t.Address, page, sort, root})
	if root != "" || page > maxKept {
		l, err := Listing{}, error(nil)
		if root != "" {
			l, err = ListBranch(e.App, t, root, page)
		} else {
			l, err = List(e.App, t, page, sort)
		}
		if err != nil {
			return err
		}
		return e.JSON(http.StatusOK, l)
	}
	return fromMemory(e, "comments of "+string(key), &t, func() (any, string, error) {
		l, err := List(e.App, t, page, sort)
		return l, "", err
	})
}

// maxKept is up to which page of a thread answers are kept in memory, so that
// nobody fills it with pages that don't exist.
const maxKept = 50

// fromMemory answers with what make gave, as long as nothing of the thread (of
// any thread where t is nil) has changed. A string of make's is a type with a
// body of bytes; else the answer is JSON.
func fromMemory(e *core.RequestEvent, key string, t *Thread, do func() (any, string, error)) error {
	entry, err := cache.Of(e.App).Do(e.Request.Context(), key, func(deps *cache.Deps) (*cache.Entry, error) {
		deps.Uses(schema.Settings)
		deps.Uses(schema.Posts)
		deps.Uses(schema.Pages)
		if t == nil {
			deps.Uses(threadKey)
		} else {
			deps.Uses(threadKey, t.Address)
			if !t.ClosesAt.IsZero() {
				deps.Until(t.ClosesAt)
			}
		}
		made, kind, err := do()
		if err != nil {
			return nil, err
		}
		entry := &cache.Entry{Header: http.Header{"Content-Type": {firstOf(kind, "application/json")}, "Cache-Control": {"no-cache"}}}
		if body, ok := made.([]byte); ok {
			entry.Body = body
		} else if entry.Body, err = json.Marshal(made); err != nil {
			return nil, err
		}
		return entry, nil
	})
	if err != nil {
		return err
	}
	entry.Serve(e.Response, e.Request)
	return nil
}

// listCounts is GET /api/site/comments/counts.
func listCounts(e *core.RequestEvent) error {
	var threads []string
	for _, raw := range strings.Split(e.Request.URL.Query().Get("threads"), ",") {
		if raw = strings.TrimSpace(raw); raw != "" {
			threads = append(threads, raw)
		}
	}
	if len(threads) > maxCounts {
		return validation.Errors{"threads": validation.NewError("validation_too_many", "Ask for at most 100 threads at once.")}
	}
	if web.Shut(e) {
		threads = slices.DeleteFunc(threads, func(raw string) bool {
			_, err := threadOf(e, raw)
			return err != nil
		})
	}
	counts, err := Counts(e.App, threads)
	if err != nil {
		return err
	}
	e.Response.Header().Set("Cache-Control", "no-cache")
	return e.JSON(http.StatusOK, map[string]any{"counts": counts})
}

// answer is what the author of a comment gets.
type answer struct {
	ID        string `json:"id"`
	Status    string `json:"status"`
	HTML      string `json:"html"`
	EditToken string `json:"edit_token,omitempty"`
}

// postComment is POST /api/site/comments.
func postComment(e *core.RequestEvent) error {
	values, err := web.Read(e)
	if err != nil {
		return err
	}
	s := Submission{
		Thread: values.Get("thread"), Parent: values.Get("parent"), Author: values.Get("author"), Email: values.Get("email"),
		URL: values.Get("url"), Body: values.Get("body"), Notify: isOn(values.Get("notify")), Locale: clipLocale(values.Get("locale")),
		Token: values.Get("_t"), Work: values.Get("_pow"), Honeypot: values.Get("_hp"),
		Key: e.Request.Header.Get("Idempotency-Key"), IP: e.RealIP(), Agent: e.Request.UserAgent(), Person: e.Auth,
	}
	if len(s.Key) > maxKey {
		return router.NewBadRequestError("An Idempotency-Key may have at most "+strconv.Itoa(maxKey)+" bytes.", nil)
	}
	if web.Shut(e) {
		if _, err := threadOf(e, s.Thread); err != nil {
			return err
		}
	}
	r, err := Submit(e.App, s)
	if wantsPage(e) && serviceOf(e.App).cfg.Pages != nil && !strings.Contains(s.Thread, "://") {
		return answerPage(e, s, r, err)
	}
	if err != nil {
		return err
	}
	rememberAgent(e.App, r.Id, s.IP, s.Agent)
	a := answer{ID: r.Id, Status: r.GetString("status"), HTML: r.GetString("html")}
	if a.EditToken, err = EditToken(e.App, r); err != nil {
		return err
	}
	return e.JSON(http.StatusCreated, a)
}

func isOn(v string) bool { return v != "" && v != "0" && v != "false" && v != "off" }

func clipLocale(s string) string {
	if len(s) > 10 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" {
		return ""
	}
	return s
}

// wantsPage reports whether a plain form was sent by a browser.
func wantsPage(e *core.RequestEvent) bool {
	return strings.Contains(e.Request.Header.Get("Accept"), "text/html") && !strings.Contains(e.Request.Header.Get("Content-Type"), "json")
}

// formAgain is what a form that is shown again holds.
type formAgain struct {
	Submission
	Errors  map[string]string
	Message string
}

type againKey struct{}

// answerPage sends the browser of a plain form back to its thread, or shows
// the form again with what is to be changed.
func answerPage(e *core.RequestEvent, s Submission, r *core.Record, err error) error {
	path := Normalize(s.Thread)
	if err == nil {
		rememberAgent(e.App, r.Id, s.IP, s.Agent)
		token, err := EditToken(e.App, r)
		if err != nil {
			return err
		}
		return e.Redirect(http.StatusSeeOther, path+"?notice=comment-"+noticeOf(r)+"&own="+r.Id+"."+token+"#comments")
	}
	var many *spam.TooManyError
	var api *router.ApiError
	again := formAgain{Submission: s, Errors: map[string]string{}}
	status := http.StatusUnprocessableEntity
	switch errs := (validation.Errors)(nil); {
	case errors.As(err, &errs):
		for field, one := range errs {
			again.Errors[field] = one.Error()
		}
	case errors.As(err, &many):
		status, again.Message = http.StatusTooManyRequests, many.Error()
		e.Response.Header().Set("Retry-After", strconv.Itoa(many.Seconds()))
	case errors.As(err, &api):
		status, again.Message = api.Status, api.Message
	default:
		return err
	}
	e.Request = e.Request.WithContext(context.WithValue(e.Request.Context(), againKey{}, again))
	return serviceOf(e.App).cfg.Pages.Again(e, path, status)
}

// noticeOf names the notice that a visitor reads after his comment.
func noticeOf(r *core.Record) string {
	if r.GetString("status") == schema.CommentApproved {
		return "sent"
	}
	return "held"
}

// editComment is PATCH /api/site/comments/{id}.
func editComment(e *core.RequestEvent) error {
	values, err := web.Read(e)
	if err != nil {
		return err
	}
	r, err := EditOwn(e.App, e.Request.PathValue("id"), values.Get("edit_token"), values.Get("body"), e.RealIP())
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, answer{ID: r.Id, Status: r.GetString("status"), HTML: r.GetString("html")})
}

// deleteComment is DELETE /api/site/comments/{id}. The token may stand in the
// query, because not every client sends a body with this method.
func deleteComment(e *core.RequestEvent) error {
	token := e.Request.URL.Query().Get("edit_token")
	if token == "" {
		values, err := web.Read(e)
		if err != nil {
			return err
		}
		token = values.Get("edit_token")
	}
	if err := DeleteOwn(e.App, e.Request.PathValue("id"), token, e.RealIP()); err != nil {
		return err
	}
	return e.NoContent(http.StatusNoContent)
}

// react is POST /api/site/comments/{id}/reactions.
func react(e *core.RequestEvent) error {
	values, err := web.Read(e)
	if err != nil {
		return err
	}
	if err := spam.Of(e.App).Allow(e.RealIP(), "comment reactions"); err != nil {
		return err
	}
	person, err := personKey(e.App, e.Auth, e.RealIP())
	if err != nil {
		return err
	}
	r, err := React(e.App, e.Request.PathValue("id"), person, values.Get("reaction"))
	if err != nil {
		return err
	}
	if wantsPage(e) {
		back := url.URL{Path: r.GetString("thread"), RawQuery: "comment=" + r.Id, Fragment: "c-" + r.Id}
		return e.Redirect(http.StatusSeeOther, back.String())
	}
	counts := map[string]int{}
	_ = r.UnmarshalJSONField("reactions", &counts)
	return e.JSON(http.StatusOK, map[string]any{"id": r.Id, "reactions": counts})
}
