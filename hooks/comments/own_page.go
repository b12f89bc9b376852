package comments

import (
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/theme"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// Without a script a visitor changes or deletes the own comment on a page of
// its own, to which the notice after sending leads. Its address holds the
// token, which is good for a quarter of an hour, and no cookie is needed.

// ownPath is the address of that page.
func ownPath(id, token string) string {
	return "/api/site/comments/" + url.PathEscape(id) + "/own?edit_token=" + url.QueryEscape(token)
}

// showOwn is GET /api/site/comments/{id}/own.
func showOwn(e *core.RequestEvent) error {
	e.Response.Header().Set("Cache-Control", "no-store")
	token := e.Request.URL.Query().Get("edit_token")
	r, err := mine(e.App, e.Request.PathValue("id"), token)
	if err != nil {
		return refuse(e, err)
	}
	return ownForm(e, http.StatusOK, r, token, r.GetString("body"), "")
}

// ownForm draws the page; fault is what is wrong with the text.
func ownForm(e *core.RequestEvent, status int, r *core.Record, token, body, fault string) error {
	locale := firstOf(r.GetString("locale"), siteLocale(e.App))
	t := func(english string, args ...any) string {
		return html.EscapeString(theme.Of(e.App).Text(locale, "comments", english, args...))
	}
	var out strings.Builder
	open := fmt.Sprintf(`<form class="form" method="post" action="%s"><input type="hidden" name="edit_token" value="%s">`,
		html.EscapeString(e.Request.URL.EscapedPath()), html.EscapeString(token))
	fmt.Fprintf(&out, `<p>%s</p>`, t("You can change or delete it for %d minutes after you sent it.", optionsOf(e.App).EditMinutes))
	out.WriteString(open)
	wrong, described := "", ""
	if fault != "" {
		wrong, described = `<p class="error" id="own-error">`+t(fault)+`</p>`, ` aria-invalid="true" aria-describedby="own-error"`
	}
	fmt.Fprintf(&out, `<div class="field"><label for="own-body">%s</label><textarea id="own-body" name="body" rows="6" required maxlength="%d"%s>%s</textarea>%s</div>`,
		t("Comment"), MaxBody, described, html.EscapeString("\n"+body), wrong) // the first line break of a textarea is dropped
	fmt.Fprintf(&out, `<div class="form-foot"><button class="button" name="do" value="save">%s</button></div></form>`, t("Save"))
	fmt.Fprintf(&out, `%s<div class="form-foot"><button class="button quiet" name="do" value="delete">%s</button></div></form>`, open, t("Delete"))
	return note(e, status, theme.Of(e.App).Text(locale, "comments", "Your comment"), out.String())
}

// changeOwn is POST /api/site/comments/{id}/own.
func changeOwn(e *core.RequestEvent) error {
	e.Response.Header().Set("Cache-Control", "no-store")
	if err := e.Request.ParseForm(); err != nil {
		return e.BadRequestError("The form can't be read.", err)
	}
	id, token, body := e.Request.PathValue("id"), e.Request.PostForm.Get("edit_token"), e.Request.PostForm.Get("body")
	r, err := mine(e.App, id, token)
	if err != nil {
		return refuse(e, err)
	}
	said := "deleted"
	if e.Request.PostForm.Get("do") == "delete" {
		err = DeleteOwn(e.App, id, token, e.RealIP())
	} else {
		said = "changed"
		var changed *core.Record
		if changed, err = EditOwn(e.App, id, token, body, e.RealIP()); err == nil && changed.GetString("status") != schema.CommentApproved {
			said = "held"
		}
	}
	var faults validation.Errors
	if errors.As(err, &faults) && faults["body"] != nil {
		return ownForm(e, http.StatusUnprocessableEntity, r, token, body, faults["body"].Error())
	}
	if err != nil {
		return refuse(e, err)
	}
	thread := r.GetString("thread")
	if !strings.HasPrefix(thread, "/") { // a page of another site can't show our notice
		return note(e, http.StatusOK, theme.Of(e.App).Text(siteLocale(e.App), "comments", "Done."), "<p></p>")
	}
	still := ""
	if said != "deleted" {
		still = "&own=" + id + "." + token
	}
	return e.Redirect(http.StatusSeeOther, thread+"?notice=comment-"+said+still+"#comments")
}
