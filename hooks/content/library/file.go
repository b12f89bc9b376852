package library

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"bungalow/hooks/content/media"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// replaceBody is what a replacement may be, in bytes, with its form.
const replaceBody = 65 << 20

// filePage is the page of one file.
type filePage struct {
	File
	Caption string
	Focal   media.Focal
	Owner   string
	Picture bool // its point can be chosen
	Shown   []Shown
	Total   int
	Errors  map[string]string
	BinDays int
}

// showFile shows one file with its words and uses.
func showFile(e *desk.Event) error {
	record, err := FindFile(e.App, by(e), e.Request.PathValue("id"))
	if err != nil {
		return refuse(e, err)
	}
	return drawFile(e, http.StatusOK, record, nil)
}

// drawFile draws the page of a file, with what is wrong beside the fields.
func drawFile(e *desk.Event, status int, record *core.Record, faults map[string]string) error {
	data := filePage{File: Describe(record), Caption: record.GetString("caption"), Errors: faults, BinDays: BinDays}
	data.Focal, _ = media.ParseFocal(record.GetString("focal"))
	data.Picture = data.Kind == media.KindImage && record.GetString("file") != "" && !data.Binned
	if owner, err := e.App.FindRecordById(schema.Staff, record.GetString("owner")); err == nil {
		data.Owner = owner.GetString("name")
	}
	var err error
	if data.Shown, data.Total, err = ShownIn(e.App, by(e), record.Id); err != nil {
		return err
	}
	data.Uses = data.Total
	return e.RenderStatus(status, "desk/library/file.html", data.Name, data, styles, scripts)
}

// fileItself shows the picture of a file in the bin to those who may see it.
func fileItself(e *desk.Event) error {
	record, err := FindFile(e.App, by(e), e.Request.PathValue("id"))
	if err != nil {
		return refuse(e, err)
	}
	return media.Show(e.RequestEvent, record)
}

func saveFile(e *desk.Event) error {
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	id := e.Request.PathValue("id")
	w := Words{Alt: strings.TrimSpace(form.Get("alt")), Caption: strings.TrimSpace(form.Get("caption")), Focal: media.Middle}
	x, errX := strconv.Atoi(form.Get("focal_x"))
	y, errY := strconv.Atoi(form.Get("focal_y"))
	if errX == nil && errY == nil {
		w.Focal = media.Focal{X: x, Y: y}
	}
	_, err = Write(e.App, by(e), id, w)
	var invalid validation.Errors
	if errors.As(err, &invalid) {
		record, err := FindFile(e.App, by(e), id)
		if err != nil {
			return refuse(e, err)
		}
		record.Set("alt", w.Alt)
		record.Set("caption", w.Caption)
		return drawFile(e, http.StatusUnprocessableEntity, record, beside(e, invalid))
	}
	if err != nil {
		return refuse(e, err)
	}
	return e.Done(desk.Href("media/"+id), "What you wrote about the file is saved.")
}

// beside gives each fault as a sentence by the name of its field.
func beside(e *desk.Event, invalid validation.Errors) map[string]string {
	faults := map[string]string{}
	for field, err := range invalid {
		faults[field] = e.T(sentence(validation.Errors{field: err}))
	}
	return faults
}

func replaceFile(e *desk.Event) error {
	if _, err := web.Read(e.RequestEvent); err != nil {
		return err
	}
	id := e.Request.PathValue("id")
	record, err := FindFile(e.App, by(e), id)
	if err != nil {
		return refuse(e, err)
	}
	files := filesOf(e.Request)
	if len(files) != 1 {
		return drawFile(e, http.StatusUnprocessableEntity, record, map[string]string{"file": e.T("Choose the file that takes the place of this one.")})
	}
	file, err := filesystem.NewFileFromMultipart(files[0])
	if err != nil {
		return fmt.Errorf("read an upload: %w", err)
	}
	_, err = Replace(e.App, by(e), id, file)
	var invalid validation.Errors
	if errors.As(err, &invalid) {
		return drawFile(e, http.StatusUnprocessableEntity, record, beside(e, invalid))
	}
	if err != nil {
		return refuse(e, err)
	}
	return e.Done(desk.Href("media/"+id), "The file is replaced. Its address stays, and every page shows the new one.")
}

// idsOf are the files of a form: ticked boxes, or a list in the address, as a
// button that takes something back has it.
func idsOf(e *desk.Event) ([]string, error) {
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return nil, err
	}
	ids := form["id"]
	if list := e.Request.URL.Query().Get("ids"); list != "" {
		ids = append(ids, strings.Split(list, ",")...)
	}
	return ids, nil
}

// bulk does something with the files of a form and goes back to the library.
func bulk(e *desk.Event, do func(core.App, By, []string) ([]string, error), one, many, undo string) error {
	ids, err := idsOf(e)
	if err != nil {
		return err
	}
	done, err := do(e.App, by(e), ids)
	if err != nil {
		return err
	}
	notice := desk.Notice{Kind: "warning", Text: e.T("Nothing was changed. Tick the files first.")}
	switch len(done) {
	case 0:
	case 1:
		notice = desk.Notice{Text: e.T(one)}
	default:
		notice = desk.Notice{Text: e.T(many, len(done))}
	}
	if undo != "" && len(done) > 0 {
		notice.Undo = desk.Href(undo) + "?ids=" + url.QueryEscape(strings.Join(done, ","))
	}
	return e.Leave(back(e, "media"), notice)
}

// back is the list that a form was on, with its filter.
func back(e *desk.Event, list string) string {
	from, err := url.Parse(e.Request.Referer())
	if err != nil || from.Host != e.Request.Host || from.Path != desk.Href(list) {
		return desk.Href(list)
	}
	return from.RequestURI()
}

func binFiles(e *desk.Event) error {
	return bulk(e, Bin, "The file is in the bin.", "%d files are in the bin.", "media/restore")
}

func restoreFiles(e *desk.Event) error {
	return bulk(e, Unbin, "The file is back.", "%d files are back.", "")
}

func deleteFiles(e *desk.Event) error {
	return bulk(e, Purge, "The file is deleted for good.", "%d files are deleted for good.", "")
}
