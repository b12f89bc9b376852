package library

import (
	"errors"
	"net/http"
	"strconv"
	"strings"

	"bungalow/hooks/content"
	"bungalow/hooks/content/media"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// namedPages are those of tags and those of authors, which are alike.
func namedPages() []desk.Page {
	var pages []desk.Page
	for collection, menu := range map[string]*desk.Menu{
		schema.Tags:    {Group: desk.GroupContent, Label: "Tags", Icon: "tags", Order: 40},
		schema.Authors: {Group: desk.GroupContent, Label: "Authors", Icon: "users", Order: 45},
	} {
		do := func(handler func(*desk.Event, string) error) func(*desk.Event) error {
			return func(e *desk.Event) error { return handler(e, collection) }
		}
		pages = append(pages,
			desk.Page{Path: collection, Access: edit, Do: do(namedList), Menu: menu},
			desk.Page{Path: collection + "/{id}", Access: edit, Do: do(namedForm)},
			desk.Page{Method: http.MethodPost, Path: collection, Access: edit, Body: replaceBody, Do: do(saveNamed)},
			desk.Page{Method: http.MethodPost, Path: collection + "/{id}", Access: edit, Body: replaceBody, Do: do(saveNamed)},
			desk.Page{Method: http.MethodPost, Path: collection + "/{id}/merge", Access: edit, Do: do(mergeNamed)},
			desk.Page{Method: http.MethodPost, Path: collection + "/{id}/delete", Access: edit, Do: do(dropNamed)},
		)
	}
	return pages
}

// namedWords are the words of the two kinds.
type namedWords struct{ Title, One, New, Text, Empty, Saved, Merged, Deleted string }

var namedTexts = map[string]namedWords{
	schema.Tags: {"Tags", "Tag", "New tag", "Description", "Tags group posts. They can also be made while writing a post.",
		"The tag is saved.", "The tags are one now. %d posts were moved.", "The tag is deleted."},
	schema.Authors: {"Authors", "Author", "New author", "About", "Authors stand below their posts. Each person who writes gets one with the first post.",
		"The author is saved.", "The authors are one now. %d posts were moved.", "The author is deleted."},
}

// namedPage is a list, with the form for a new one.
type namedPage struct {
	Collection   string
	Words        namedWords
	Items        []Named
	Pager        desk.Pager
	Query, Order string
	Form         namedFields
}

// namedFields is the form of one tag or author.
type namedFields struct {
	ID, Collection string
	Words          namedWords
	NamedFields
	Address string
	Photo   File
	Staff   []choice
	Others  []string // names to merge with
	Errors  map[string]string
}

type choice struct{ Value, Label string }

func namedList(e *desk.Event, collection string) error {
	return drawNamedList(e, http.StatusOK, collection, namedFields{Collection: collection, Words: namedTexts[collection]})
}

func drawNamedList(e *desk.Event, status int, collection string, form namedFields) error {
	q := e.Request.URL.Query()
	page, _ := strconv.Atoi(q.Get("page"))
	data := namedPage{Collection: collection, Words: namedTexts[collection], Query: q.Get("q"), Order: q.Get("sort"), Form: form}
	items, total, err := ListNamed(e.App, collection, data.Query, data.Order, page, perPage)
	if err != nil {
		return err
	}
	data.Items, data.Pager = items, desk.Pages(e.Request.URL, page, perPage, total)
	return e.RenderStatus(status, "desk/library/names.html", e.T(data.Words.Title), data, styles, scripts)
}

func namedForm(e *desk.Event, collection string) error {
	record, err := find(e.App, collection, e.Request.PathValue("id"))
	if err != nil {
		return refuse(e, err)
	}
	return drawNamed(e, http.StatusOK, record, fieldsOf(record), nil)
}

func fieldsOf(r *core.Record) NamedFields {
	f := NamedFields{Name: r.GetString("name"), Slug: r.GetString("slug"), Text: r.GetString("description")}
	if r.Collection().Name == schema.Authors {
		f.Text, f.URL, f.Staff, f.Avatar = r.GetString("bio"), r.GetString("url"), r.GetString("staff"), r.GetString("avatar")
	}
	return f
}

// maxOthers is how many names are offered to merge with; others can be typed.
const maxOthers = 500

func drawNamed(e *desk.Event, status int, record *core.Record, fields NamedFields, faults map[string]string) error {
	collection := record.Collection().Name
	data := namedFields{ID: record.Id, Collection: collection, Words: namedTexts[collection], NamedFields: fields, Errors: faults}
	site, err := settings.LoadSite(e.App)
	if err != nil {
		return err
	}
	data.Address = content.NamedAddress(site, site.Locale, record)
	err = e.App.DB().Select("name").From(collection).Where(dbx.Not(dbx.HashExp{"id": record.Id})).OrderBy("name").Limit(maxOthers).Column(&data.Others)
	if err != nil {
		return err
	}
	if collection == schema.Authors {
		if photo, err := e.App.FindRecordById(schema.Media, fields.Avatar); err == nil {
			data.Photo = Describe(photo)
		}
		if data.Staff, err = staffChoices(e); err != nil {
			return err
		}
	}
	return e.RenderStatus(status, "desk/library/name.html", record.GetString("name"), data, styles, scripts, "/assets/js/desk-pick.js")
}

// staffChoices are the accounts that may write.
func staffChoices(e *desk.Event) ([]choice, error) {
	var rows []struct {
		ID   string `db:"id"`
		Name string `db:"name"`
	}
	err := e.App.DB().Select("id", "name").From(schema.Staff).
		Where(dbx.In("role", "owner", "editor", "author")).OrderBy("name").Limit(maxOthers).All(&rows)
	choices := []choice{{"", e.T("Nobody")}}
	for _, r := range rows {
		choices = append(choices, choice{r.ID, r.Name})
	}
	return choices, err
}

// saveNamed adds one, or changes the one in the path. A photo that comes along
// becomes a file of the library.
func saveNamed(e *desk.Event, collection string) error {
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	id := e.Request.PathValue("id")
	f := NamedFields{Name: strings.TrimSpace(form.Get("name")), Slug: strings.TrimSpace(form.Get("slug")), Text: strings.TrimSpace(form.Get("text")),
		URL: strings.TrimSpace(form.Get("url")), Staff: form.Get("staff"), Avatar: form.Get("avatar")}
	if form.Get("no_photo") == "true" {
		f.Avatar = ""
	}
	err = withPhoto(e, &f)
	if err == nil {
		_, err = SaveNamed(e.App, by(e), collection, id, f)
	}
	var invalid validation.Errors
	if errors.As(err, &invalid) {
		return drawNamedAgain(e, collection, id, f, invalid)
	}
	if err != nil {
		return refuse(e, err)
	}
	return e.Done(desk.Href(collection), namedTexts[collection].Saved)
}

// withPhoto keeps a picture that was chosen from the person's machine.
func withPhoto(e *desk.Event, f *NamedFields) error {
	files := filesOf(e.Request)
	if len(files) == 0 {
		return nil
	}
	file, err := filesystem.NewFileFromMultipart(files[0])
	if err != nil {
		return err
	}
	photo, err := Upload(e.App, by(e), file, "")
	if err == nil && photo.GetString("kind") != media.KindImage {
		err = takenBy("file", media.ErrFormat.Error())
	}
	if err == nil {
		f.Avatar = photo.Id
	}
	return err
}

// drawNamedAgain shows the form filled, with what is wrong beside the fields.
func drawNamedAgain(e *desk.Event, collection, id string, f NamedFields, invalid validation.Errors) error {
	faults := beside(e, invalid)
	for _, own := range []string{"description", "bio"} {
		if faults[own] != "" {
			faults["text"] = faults[own]
		}
	}
	if id == "" {
		return drawNamedList(e, http.StatusUnprocessableEntity, collection, namedFields{Collection: collection, Words: namedTexts[collection], NamedFields: f, Errors: faults})
	}
	record, err := find(e.App, collection, id)
	if err != nil {
		return refuse(e, err)
	}
	return drawNamed(e, http.StatusUnprocessableEntity, record, f, faults)
}

func mergeNamed(e *desk.Event, collection string) error {
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	record, err := find(e.App, collection, e.Request.PathValue("id"))
	if err != nil {
		return refuse(e, err)
	}
	target, err := FindNamed(e.App, collection, strings.TrimSpace(form.Get("into")))
	var moved int
	var undoAt string
	if err == nil {
		moved, undoAt, err = Merge(e.App, by(e), collection, record.Id, target.Id)
	}
	if errors.Is(err, ErrMissing) || errors.Is(err, content.ErrSame) {
		return drawNamed(e, http.StatusUnprocessableEntity, record, fieldsOf(record), map[string]string{"into": e.T("Choose the name of another one from the list.")})
	}
	if err != nil {
		return err
	}
	return e.Leave(desk.Href(collection), desk.Notice{Text: e.T(namedTexts[collection].Merged, moved), Undo: undoAt})
}

func dropNamed(e *desk.Event, collection string) error {
	undoAt, err := Drop(e.App, by(e), collection, e.Request.PathValue("id"))
	if err != nil {
		return refuse(e, err)
	}
	return e.Leave(desk.Href(collection), desk.Notice{Text: e.T(namedTexts[collection].Deleted), Undo: undoAt})
}
