package forms

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"bungalow/hooks/forms/field"
	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// deskAssets are what the builder's pages need besides the desk's own.
var deskAssets = []string{"/assets/css/desk-forms.css", "/assets/js/desk-forms.js"}

func listForms(e *desk.Event) error { return formsListed(e, http.StatusOK, "", "") }

func formsListed(e *desk.Event, status int, title, wrong string) error {
	s, err := of(e.App)
	if err != nil {
		return err
	}
	all, err := numbersOf(e.App, s.now(), 0)
	if err != nil {
		return err
	}
	return e.RenderStatus(status, "desk/forms/list.html", e.T("Forms"),
		map[string]any{"Forms": all, "Title": title, "Error": wrong, "Answers": e.Can(roles.InboxAnswer)}, deskAssets...)
}

// newForm makes a form with the fields that most begin with.
func newForm(e *desk.Event) error {
	title := oneLine(e.Request.PostFormValue("title"), maxLine)
	if title == "" {
		return formsListed(e, http.StatusUnprocessableEntity, title, e.T("A form needs a title."))
	}
	var id string
	err := e.App.RunInTransaction(func(tx core.App) error {
		slug, err := freeSlug(tx, title)
		if err != nil {
			return err
		}
		c, err := tx.FindCollectionByNameOrId(schema.Forms)
		if err != nil {
			return err
		}
		r := core.NewRecord(c)
		r.Set("title", title)
		r.Set("slug", slug)
		r.Set("open", true)
		r.Set("fields", string(fieldsJSON([]draftField{
			{Name: "name", Type: field.Text, Label: e.T("Your name"), Required: true, Autocomplete: "name"},
			{Name: "email", Type: field.Email, Label: e.T("Your e-mail address"), Required: true},
			{Name: "message", Type: field.Textarea, Label: e.T("Your message"), Required: true},
		})))
		if err := tx.Save(r); err != nil {
			return err
		}
		id = r.Id
		return audit.Write(tx, e.Actor(), "form.create", schema.Forms, r.Id, map[string]string{"slug": slug})
	})
	if err != nil {
		return err
	}
	return e.Done("/desk/forms/"+id+"/", "The form is there. It can be used at once, and changed at any time.")
}

// builderPage is the data of the builder.
type builderPage struct {
	Record *core.Record
	Fields []draftField
	Errors map[string]string
	Types  []choice
	Kinds  []string
	// Policies are the choices of the spam policy.
	Policies []map[string]string
	At       int // the field that was moved or added, -1 for none
	Changed  bool
	Preview  *View
	Answers  bool
}

// Text is a text of the form's record, for the template.
func (p builderPage) Text(name string) string { return p.Record.GetString(name) }

// On is a switch of the form's record.
func (p builderPage) On(name string) bool { return p.Record.GetBool(name) }

// Number is a number of the form's record, "" for none.
func (p builderPage) Number(name string) string {
	if n := p.Record.GetInt(name); n != 0 {
		return count(n)
	}
	return ""
}

// builder makes the page of a form, with the fields as they are being changed.
func builder(e *desk.Event, r *core.Record, fields []draftField) builderPage {
	p := builderPage{Record: r, Fields: fields, Kinds: field.KindNames(), At: -1, Errors: map[string]string{}, Answers: e.Can(roles.InboxAnswer)}
	for _, policy := range [][2]string{{SpamFile, "File what is spam beyond doubt"}, {SpamStrict, "File what is doubtful too"}, {SpamOff, "File nothing"}} {
		p.Policies = append(p.Policies, map[string]string{"Value": policy[0], "Label": e.T(policy[1])})
	}
	for _, t := range field.Types {
		p.Types = append(p.Types, choice{Value: t, Label: labelOf[t]})
	}
	return p
}

func (p builderPage) render(e *desk.Event, status int) error {
	if e.IsHTMX() {
		return e.Fragment("desk/forms/edit.html", "fields", p)
	}
	return e.RenderStatus(status, "desk/forms/edit.html", p.Text("title"), p, deskAssets...)
}

func editForm(e *desk.Event) error {
	r, err := e.App.FindRecordById(schema.Forms, e.Request.PathValue("id"))
	if err != nil {
		return err
	}
	fields, err := field.Parse([]byte(r.GetString("fields")))
	if err != nil { // written by somebody who knew better; shown as far as it can be
		fields = nil
	}
	drafts := make([]draftField, len(fields))
	for i, f := range fields {
		drafts[i] = draftOf(f)
	}
	return builder(e, r, drafts).render(e, http.StatusOK)
}

// posted reads the builder's form into the form's record, unsaved.
func posted(e *desk.Event, app core.App) (*core.Record, []draftField, url.Values, error) {
	if err := e.Request.ParseForm(); err != nil {
		return nil, nil, nil, router.NewBadRequestError("The form could not be read.", err)
	}
	r, err := app.FindRecordById(schema.Forms, e.Request.PathValue("id"))
	if err != nil {
		return nil, nil, nil, err
	}
	drafts := readDraft(e.Request.PostForm)
	if do := e.Request.PostForm.Get("do"); do == "" || do == "save" {
		drafts = named(drafts)
	}
	fillForm(r, e.Request.PostForm, drafts)
	return r, drafts, e.Request.PostForm, nil
}

// saveForm saves, or does to the fields what another button says and shows the
// builder again without saving.
func saveForm(e *desk.Event) error {
	var record *core.Record
	var drafts []draftField
	var invalid validation.Errors
	err := e.App.RunInTransaction(func(tx core.App) error {
		r, fields, form, err := posted(e, tx)
		if err != nil {
			return err
		}
		record, drafts = r, fields
		if do := form.Get("do"); do != "" && do != "save" {
			return errNotSaved
		}
		if err := tx.Save(r); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "form.save", schema.Forms, r.Id, map[string]string{"slug": r.GetString("slug")})
	})
	switch {
	case errors.Is(err, errNotSaved):
		p := builder(e, record, drafts)
		p.Fields, p.At = change(drafts, e.Request.PostForm.Get("do"))
		p.Changed = true
		return p.render(e, http.StatusOK)
	case errors.As(err, &invalid):
		p := builder(e, record, drafts)
		for name, problem := range invalid {
			p.Errors[name] = e.T(problem.Error())
		}
		return p.render(e, http.StatusUnprocessableEntity)
	case err != nil:
		return err
	}
	return e.Done("/desk/forms/"+record.Id+"/", "The form is saved.")
}

// errNotSaved ends the transaction of a change that is only shown.
var errNotSaved = errors.New("not saved")

// previewForm draws the form as the builder has it, for the preview beside it.
func previewForm(e *desk.Event) error {
	r, _, _, err := posted(e, e.App)
	if err != nil {
		return err
	}
	form, err := FromRecord(r)
	if err != nil {
		return e.HTML(http.StatusUnprocessableEntity, "")
	}
	lang, err := language(e.App, form)
	if err != nil {
		return err
	}
	html, err := draw(e.App, "form", view(e.App, form, lang, nil, nil))
	if err != nil {
		return err
	}
	return e.HTML(http.StatusOK, string(html))
}

// copyForm shows what to paste into other sites.
func copyForm(e *desk.Event) error {
	r, err := e.App.FindRecordById(schema.Forms, e.Request.PathValue("id"))
	if err != nil {
		return err
	}
	form, err := FromRecord(r)
	if err != nil {
		return err
	}
	base := strings.TrimRight(e.App.Settings().Meta.AppURL, "/")
	return e.Render("desk/forms/html.html", e.T("Use this form"), map[string]any{
		"ID": r.Id, "Form": form, "HTML": StaticHTML(form, base), "Shortcode": `{{ form "` + form.Slug + `" }}`, "URL": base + action(form),
		"JSON": curl(form, base),
	}, deskAssets...)
}

func askDelete(e *desk.Event) error { return deleteAsked(e, http.StatusOK, "") }

func deleteAsked(e *desk.Event, status int, wrong string) error {
	r, err := e.App.FindRecordById(schema.Forms, e.Request.PathValue("id"))
	if err != nil {
		return err
	}
	n, err := countOf(e.App, filter{Form: r.Id})
	if err != nil {
		return err
	}
	return e.RenderStatus(status, "desk/forms/delete.html", e.T("Delete a form"), map[string]any{
		"ID": r.Id, "Title": r.GetString("title"), "Slug": r.GetString("slug"), "Count": n, "Error": wrong, "Answers": e.Can(roles.InboxAnswer)}, deskAssets...)
}

func deleteForm(e *desk.Event) error {
	r, err := e.App.FindRecordById(schema.Forms, e.Request.PathValue("id"))
	if err != nil {
		return err
	}
	n, err := countOf(e.App, filter{Form: r.Id})
	if err != nil {
		return err
	}
	switch {
	case n > 0 && !e.Can(roles.InboxAnswer):
		return router.NewForbiddenError("Messages came through this form. Somebody who may read them has to delete it.", nil)
	case strings.TrimSpace(e.Request.PostFormValue("slug")) != r.GetString("slug"):
		return deleteAsked(e, http.StatusUnprocessableEntity, e.T("Write the name as it stands above."))
	}
	if err := RemoveForm(e.App, e.Actor(), r.Id); err != nil {
		return err
	}
	return e.Done("/desk/forms/", "The form is deleted.")
}
