package library

import (
	"errors"
	"fmt"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/web"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/router"
)

const (
	// uploadBody is what one request may bring, in bytes.
	uploadBody = 200 << 20
	// maxUpload is how many files one request may bring.
	maxUpload = 50
)

// uploaded is what became of one file: its File, or no more than its name and
// the reason why not.
type uploaded struct {
	File
	Error string `json:"error,omitempty"`
}

// upload takes one file or many. A script gets JSON, one entry for each file;
// a plain form goes back to the library. 422 is said where nothing was kept.
func upload(e *desk.Event) error {
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	files := filesOf(e.Request)
	if len(files) == 0 || len(files) > maxUpload {
		return router.NewApiError(http.StatusUnprocessableEntity, fmt.Sprintf("Choose at least one file and at most %d at once.", maxUpload), nil)
	}
	out := make([]uploaded, 0, len(files))
	for _, fh := range files {
		one, err := keep(e, fh, form.Get("alt"))
		if err != nil {
			return err
		}
		out = append(out, one)
	}
	return answerUpload(e, out)
}

// filesOf lists the files of a request, whatever their fields are called.
func filesOf(r *http.Request) []*multipart.FileHeader {
	if r.MultipartForm == nil {
		return nil
	}
	var fields []string
	for name := range r.MultipartForm.File {
		fields = append(fields, name)
	}
	slices.Sort(fields)
	var files []*multipart.FileHeader
	for _, name := range fields {
		for _, fh := range r.MultipartForm.File[name] {
			if fh.Filename != "" { // an empty file field of a browser
				files = append(files, fh)
			}
		}
	}
	return files
}

// keep stores one file. What a person can mend is told in the answer; any
// other error ends the request.
func keep(e *desk.Event, fh *multipart.FileHeader, alt string) (uploaded, error) {
	file, err := filesystem.NewFileFromMultipart(fh)
	if err != nil {
		return uploaded{}, fmt.Errorf("read an upload: %w", err)
	}
	record, err := Upload(e.App, by(e), file, alt)
	var invalid validation.Errors
	if errors.As(err, &invalid) {
		return uploaded{File: File{Name: fh.Filename}, Error: e.T(sentence(invalid))}, nil
	}
	if err != nil {
		return uploaded{}, err
	}
	return uploaded{File: Describe(record)}, nil
}

// sentence is the first thing that a refusal says.
func sentence(invalid validation.Errors) string {
	for _, err := range invalid {
		text := strings.TrimRight(err.Error(), ".") + "."
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return ""
}

func answerUpload(e *desk.Event, out []uploaded) error {
	kept := 0
	var faults []string
	for _, u := range out {
		if u.Error == "" {
			kept++
		} else {
			faults = append(faults, u.Name+": "+u.Error)
		}
	}
	if !strings.Contains(e.Request.Header.Get("Accept"), "text/html") {
		status := http.StatusOK
		if kept == 0 {
			status = http.StatusUnprocessableEntity
		}
		return e.JSON(status, out)
	}
	notice := desk.Notice{Text: e.T("%s files are here.", strconv.Itoa(kept))}
	if kept == 1 {
		notice.Text = e.T("The file is here.")
	}
	if len(faults) > 0 {
		notice.Kind, notice.Text = "warning", notice.Text+" "+strings.Join(faults, " ")
	}
	if kept == 0 {
		notice.Kind, notice.Text = "error", strings.Join(faults, " ")
	}
	return e.Leave(desk.Href("media"), notice)
}
