package comments

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/secret"
	"bungalow/hooks/kit/theme"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// The links in our mails are signed orders. Following one shows a page that
// asks; only posting to it acts. So a scanner that follows every link of a mail
// changes nothing, and a mail program that knows RFC 8058 takes its owner off
// with one click.
const (
	orderConfirm = "confirm"
	orderLeave   = "leave"
	orderDecide  = "decide"

	// orderLife is how long a moderator's link is good. One that takes an
	// address off is good for ever.
	orderLife = 14 * 24 * time.Hour
)

// order is what a link asks for.
type order struct {
	Do      string `json:"d"`
	Email   string `json:"e,omitempty"`
	Comment string `json:"c,omitempty"`
	Status  string `json:"s,omitempty"`
	Until   int64  `json:"u,omitempty"`
}

const orderPath = "/api/site/comments-mail/"

func mailRoutes() []web.Route {
	path := orderPath + "{order}"
	return []web.Route{
		{Method: http.MethodGet, Path: path, Access: web.Public, Do: askOrder},
		{Method: http.MethodPost, Path: path, Access: web.Public, Body: 4 << 10, Do: obeyOrder},
	}
}

// link is the absolute address of an order.
func link(app core.App, o order) (string, error) {
	if o.Do != orderLeave {
		o.Until = time.Now().Add(orderLife).Unix()
	}
	raw, err := json.Marshal(o)
	if err != nil {
		return "", fmt.Errorf("sign a link: %w", err)
	}
	body := base64.RawURLEncoding.EncodeToString(raw)
	sum, err := orderMAC(app, body)
	if err != nil {
		return "", err
	}
	return strings.TrimRight(app.Settings().Meta.AppURL, "/") + orderPath + body + "." + sum, nil
}

func orderMAC(app core.App, body string) (string, error) {
	key, err := secret.Derive(app, "comment mail")
	if err != nil {
		return "", err
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(body))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:16]), nil
}

var errOrder = router.NewNotFoundError("This link is not complete or too old.", nil)

// readOrder checks a link.
func readOrder(app core.App, raw string) (order, error) {
	var o order
	body, sum, _ := strings.Cut(raw, ".")
	want, err := orderMAC(app, body)
	if err != nil {
		return o, err
	}
	if len(raw) > 2000 || !hmac.Equal([]byte(want), []byte(sum)) {
		return o, errOrder
	}
	text, err := base64.RawURLEncoding.DecodeString(body)
	if err != nil || json.Unmarshal(text, &o) != nil || o.Until != 0 && time.Now().Unix() > o.Until {
		return o, errOrder
	}
	return o, nil
}

// words of the pages, in the site's language.
func (o order) words(app core.App) (title, text, button string) {
	t := func(english string, args ...any) string {
		return theme.Of(app).Text(siteLocale(app), "comments", english, args...)
	}
	switch {
	case o.Do == orderConfirm:
		return t("Mail about replies"), t("We write to %s when somebody answers a comment of yours.", o.Email), t("Yes, write to me")
	case o.Do == orderLeave:
		return t("No more mail"), t("We will not write to %s about comments any more.", o.Email), t("Stop writing to me")
	case o.Status == schema.CommentApproved:
		return t("Publish this comment?"), "", t("Publish it")
	case o.Status == schema.CommentSpam:
		return t("Is this comment spam?"), "", t("It is spam")
	}
	return t("Throw this comment away?"), "", t("Throw it away")
}

// askOrder is GET: it shows what would be done and does nothing.
func askOrder(e *core.RequestEvent) error {
	e.Response.Header().Set("Cache-Control", "no-store")
	o, err := readOrder(e.App, e.Request.PathValue("order"))
	if err != nil {
		return refuse(e, err)
	}
	title, text, button := o.words(e.App)
	body := "<p>" + html.EscapeString(text) + "</p>"
	if o.Do == orderDecide {
		r, err := e.App.FindRecordById(schema.Comments, o.Comment)
		if err != nil {
			return refuse(e, errOrder)
		}
		// Clean again: what stands here must be harmless whoever stored it.
		body = "<p><strong>" + html.EscapeString(r.GetString("author")) + "</strong></p><blockquote>" + Clean(r.GetString("html")) + "</blockquote>"
	}
	body += `<form class="form" method="post" action="` + html.EscapeString(e.Request.URL.EscapedPath()) +
		`"><div class="form-foot"><button class="button" type="submit">` + html.EscapeString(button) + `</button></div></form>`
	return note(e, http.StatusOK, title, body)
}

// note shows a page, or where the site is off the bare sentences.
func note(e *core.RequestEvent, status int, title, body string) error {
	if pages := serviceOf(e.App).cfg.Pages; pages != nil {
		return pages.Note(e, status, title, body)
	}
	return e.HTML(status, "<!doctype html><meta charset=utf-8><title>"+html.EscapeString(title)+"</title><h1>"+html.EscapeString(title)+"</h1>"+body)
}

// obeyOrder is POST: it does what the link asks for.
func obeyOrder(e *core.RequestEvent) error {
	e.Response.Header().Set("Cache-Control", "no-store")
	o, err := readOrder(e.App, e.Request.PathValue("order"))
	if err == nil {
		err = o.obey(e.App)
	}
	if err != nil {
		return refuse(e, err)
	}
	if e.Request.FormValue("List-Unsubscribe") != "" { // a mail program, RFC 8058
		return e.NoContent(http.StatusNoContent)
	}
	site := theme.Of(e.App)
	done := site.Text(siteLocale(e.App), "comments", "Done.")
	return note(e, http.StatusOK, done, "<p></p>")
}

func (o order) obey(app core.App) error {
	switch o.Do {
	case orderConfirm:
		state, err := mailState(app, o.Email)
		if err != nil || state == mailRefused {
			return err // who left meanwhile stays away
		}
		return setMailState(app, o.Email, mailConfirmed)
	case orderLeave:
		return setMailState(app, o.Email, mailRefused)
	case orderDecide:
		_, err := Decide(app, audit.System("a link in a mail to the moderators"), o.Status, o.Comment)
		return err
	}
	return errors.New("an order that nobody knows")
}

func rememberAgent(app core.App, id, ip, agent string) {
	if s := serviceOf(app); strings.TrimSpace(ip) != "" {
		s.agents.put(id, ip, agent)
	}
}
