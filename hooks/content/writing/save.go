package writing

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"bungalow/hooks/content"
	"bungalow/hooks/content/drafts"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// What the buttons of the editor do.
const (
	doSave     = "save"
	doPublish  = "publish"
	doSchedule = "schedule"
	doPreview  = "preview"
)

func (k kind) create(e *desk.Event) error {
	f, err := k.read(e, nil, isScript(e))
	if err != nil {
		return err
	}
	site, err := settings.LoadSite(e.App)
	if err != nil {
		return err
	}
	record, err := drafts.Create(e.App, by(e), k.collection, k.defaults(site).With(f.version))
	if err == nil && f.do != "" && f.do != doSave && !isScript(e) {
		f.base = "" // it was made a moment ago, by this person
		return k.act(e, record.Id, f)
	}
	if invalid := (validation.Errors)(nil); errors.As(err, &invalid) && !isScript(e) {
		return k.show(e, http.StatusUnprocessableEntity, nil, f.version, invalid)
	}
	if err != nil {
		return err
	}
	if isScript(e) {
		base, err := drafts.Base(record)
		if err != nil {
			return err
		}
		return e.JSON(http.StatusCreated, map[string]any{"href": k.href(record.Id), "base": base})
	}
	return e.Done(k.href(record.Id), "The draft is saved.")
}

// isScript reports whether the editor's script asks, which wants JSON.
func isScript(e *desk.Event) bool {
	return strings.Contains(e.Request.Header.Get("Accept"), "application/json")
}

func (k kind) save(e *desk.Event) error {
	id := e.Request.PathValue("id")
	stored, err := drafts.Open(e.App, e.Auth, k.collection, id)
	if err != nil {
		return err
	}
	f, err := k.read(e, stored, false)
	if invalid := (validation.Errors)(nil); errors.As(err, &invalid) {
		return k.show(e, http.StatusUnprocessableEntity, stored, f.version, invalid)
	}
	if err != nil {
		return err
	}
	return k.act(e, id, f)
}

// act does what a button of the editor says.
func (k kind) act(e *desk.Event, id string, f form) error {
	var record *core.Record
	var err error
	who := by(e)
	if f.do == doPublish && f.at.After(time.Now()) {
		f.do = doSchedule // publishing at a time to come must not take away what is there
	}
	switch f.do {
	case doPublish:
		record, err = drafts.Publish(e.App, who, k.collection, id, f.base, f.version, f.at)
	case doSchedule:
		record, err = drafts.Schedule(e.App, who, k.collection, id, f.base, f.version, f.at)
	case doPreview:
		if _, _, err = drafts.Autosave(e.App, who, k.collection, id, f.base, f.version); err == nil {
			return e.Redirect(http.StatusSeeOther, k.href(id, "preview")+"?go=1")
		}
	default:
		record, err = drafts.Save(e.App, who, k.collection, id, f.base, f.version)
	}
	var conflict *drafts.Conflict
	var invalid validation.Errors
	switch {
	case errors.As(err, &conflict):
		return k.keepAside(e, id, f)
	case errors.As(err, &invalid):
		stored, openErr := drafts.Open(e.App, e.Auth, k.collection, id)
		if openErr != nil {
			return openErr
		}
		return k.show(e, http.StatusUnprocessableEntity, stored, f.version, invalid)
	case err != nil:
		return err
	}
	return e.Done(k.href(id), saved(f.do, record))
}

// saved is the sentence after a save.
func saved(do string, record *core.Record) string {
	live := record.GetString("status") == schema.StatusPublished
	switch {
	case do == doSchedule && live:
		return "The changes will be published at their time. Until then visitors see the present version."
	case record.GetString("status") == schema.StatusScheduled:
		return "It will be published at its time."
	case do == doPublish:
		return "It is published."
	case live:
		return "Your changes are saved. Visitors see the present version until you publish them."
	}
	return "The draft is saved."
}

// keepAside keeps what can't be saved as the person's draft and shows both
// versions.
func (k kind) keepAside(e *desk.Event, id string, f form) error {
	if _, _, err := drafts.Autosave(e.App, by(e), k.collection, id, f.base, f.version); err != nil {
		return err
	}
	q := url.Values{"do": {f.do}}
	if !f.at.IsZero() {
		q.Set("at", f.at.UTC().Format(time.RFC3339))
	}
	return e.Redirect(http.StatusSeeOther, k.href(id, "conflict")+"?"+q.Encode())
}

func (k kind) autosave(e *desk.Event) error {
	id := e.Request.PathValue("id")
	stored, err := drafts.Open(e.App, e.Auth, k.collection, id)
	if err != nil {
		return err
	}
	f, err := k.read(e, stored, true)
	if err != nil {
		return err
	}
	_, stale, err := drafts.Autosave(e.App, by(e), k.collection, id, f.base, f.version)
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]any{"stale": stale, "conflict": k.href(id, "conflict")})
}

func (k kind) unpublish(e *desk.Event) error {
	id := e.Request.PathValue("id")
	if _, err := drafts.Unpublish(e.App, by(e), k.collection, id); err != nil {
		return err
	}
	return e.Done(k.href(id), "Visitors don't see it any more. It is a draft now.")
}

func (k kind) discard(e *desk.Event) error {
	id := e.Request.PathValue("id")
	if _, err := drafts.Discard(e.App, by(e), k.collection, id); err != nil {
		return err
	}
	return e.Done(k.href(id), "Your changes are discarded.")
}

func (k kind) translate(e *desk.Event) error {
	if err := e.Request.ParseForm(); err != nil {
		return e.BadRequestError("", err)
	}
	made, err := drafts.Translate(e.App, by(e), k.collection, e.Request.PathValue("id"), e.Request.PostForm.Get("locale"))
	if err != nil {
		return err
	}
	return e.Done(k.href(made.Id), "This is the translation. It begins with the words of the first language.")
}

// preview gives a link that can be passed on; with go=1 it leads there at once.
func (k kind) preview(e *desk.Event) error {
	record, err := drafts.Open(e.App, e.Auth, k.collection, e.Request.PathValue("id"))
	if err != nil {
		return err
	}
	token, err := drafts.PreviewToken(e.App, e.Auth, record, time.Now())
	if err != nil {
		return err
	}
	site, err := settings.LoadSite(e.App)
	if err != nil {
		return err
	}
	link := content.Address(site, record) + "?preview=" + token
	if e.Request.URL.Query().Get("go") != "" {
		return e.Redirect(http.StatusSeeOther, link)
	}
	if isScript(e) {
		return e.JSON(http.StatusOK, map[string]any{"href": link})
	}
	scheme := "http://"
	if e.IsTLS() {
		scheme = "https://"
	}
	return e.Render("desk/writing/preview.html", e.T("Preview"), previewView{
		Back: k.href(record.Id), Title: record.GetString("title"), Link: link, Whole: scheme + e.Request.Host + link,
		Until: time.Now().AddDate(0, 0, drafts.PreviewDays).In(site.Location()),
	})
}

type previewView struct {
	Back, Title, Link, Whole string
	Until                    time.Time
}
