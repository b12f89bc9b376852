package pages

import (
	"errors"
	"net/http"
	netmail "net/mail"
	"strings"

	"bungalow/hooks/inbox"
	"bungalow/hooks/inbox/live"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/router"
)

// reply sends an answer. Where somebody else wrote since the page was opened,
// it shows the page again with that and the draft, once.
func reply(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return refuse(e, err)
	}
	c, err := inbox.Find(e.App, e.Request.PathValue("id"))
	if err != nil {
		return refuse(e, err)
	}
	last, err := lastOf(e.App, c.Id)
	if err != nil {
		return refuse(e, err)
	}
	if seen := values.Get("seen"); seen != "" && seen != last {
		return again(e, c, http.StatusConflict, func(d *viewData) { d.Draft, d.Cc, d.Collision = values.Get("text"), values.Get("cc"), true })
	}
	wrong := func(text string) error {
		return again(e, c, http.StatusUnprocessableEntity, func(d *viewData) { d.Draft, d.Cc, d.Error = values.Get("text"), values.Get("cc"), e.T(text) })
	}
	cc, err := copies(values.Get("cc"))
	if err != nil {
		return wrong("One of the addresses for a copy can't be read. Separate them by commas.")
	}
	files, err := uploads(e.Request)
	if err != nil {
		return wrong("The files can't be read. Choose them again.")
	}
	m, err := inbox.Reply(e.App, e.Actor(), c.Id, inbox.Answer{Text: values.Get("text"), Cc: cc, Files: files, Close: values.Get("close") != ""})
	for _, known := range []error{inbox.ErrEmpty, inbox.ErrTooLong, inbox.ErrNoAddress} {
		if errors.Is(err, known) {
			return wrong(sentence(known))
		}
	}
	if err != nil {
		return refuse(e, err)
	}
	live.Of(e.App).Typing(c.Id, e.Auth.Id, false)
	return e.Leave(inbox.Path(c.Id), desk.Notice{
		Text: e.T("Your answer goes out in %d seconds.", inbox.Seconds(m)), Undo: inbox.Path(c.Id) + "messages/" + m.Id + "/undo/",
	})
}

// again shows a conversation with what was typed.
func again(e *desk.Event, c *core.Record, status int, change func(d *viewData)) error {
	data, err := viewOf(e, c)
	if err != nil {
		return refuse(e, err)
	}
	change(data)
	return render(e, status, data)
}

func copies(text string) ([]netmail.Address, error) {
	if strings.TrimSpace(text) == "" {
		return nil, nil
	}
	if strings.ContainsAny(text, "\r\n") {
		return nil, errors.New("copies are one line")
	}
	list, err := netmail.ParseAddressList(text)
	if err != nil {
		return nil, err
	}
	out := make([]netmail.Address, len(list))
	for i, a := range list {
		out[i] = *a
	}
	return out, nil
}

// uploads are the files of an answer.
func uploads(r *http.Request) ([]*filesystem.File, error) {
	if r.MultipartForm == nil {
		return nil, nil
	}
	var files []*filesystem.File
	for _, header := range r.MultipartForm.File["files"] {
		if header.Size == 0 && header.Filename == "" {
			continue
		}
		f, err := filesystem.NewFileFromMultipart(header)
		if err != nil {
			return nil, err
		}
		files = append(files, f)
	}
	return files, nil
}

func writeNote(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return refuse(e, err)
	}
	id := e.Request.PathValue("id")
	_, err = inbox.Note(e.App, e.Actor(), id, values.Get("text"))
	if errors.Is(err, inbox.ErrEmpty) || errors.Is(err, inbox.ErrTooLong) {
		c, findErr := inbox.Find(e.App, id)
		if findErr != nil {
			return refuse(e, findErr)
		}
		return again(e, c, http.StatusUnprocessableEntity, func(d *viewData) {
			d.NoteDraft, d.Error = values.Get("text"), e.T("A note can't be empty, nor longer than 100,000 characters.")
		})
	}
	if err != nil {
		return refuse(e, err)
	}
	return e.Done(inbox.Path(id), "The note is saved. Only staff see it.")
}

// undo takes an answer back and puts its text into the editor again.
func undo(e *desk.Event) error {
	id, text, err := inbox.Retract(e.App, e.Actor(), e.Request.PathValue("message"))
	if errors.Is(err, inbox.ErrTooLate) {
		return e.Leave(inbox.Path(e.Request.PathValue("id")), desk.Notice{Kind: "warning", Text: e.T(sentence(inbox.ErrTooLate))})
	}
	if err != nil {
		return refuse(e, err)
	}
	c, err := inbox.Find(e.App, id)
	if err != nil {
		return refuse(e, err)
	}
	return again(e, c, http.StatusOK, func(d *viewData) { d.Draft, d.Undoing = text, inbox.Path(id) })
}

func typing(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return refuse(e, err)
	}
	id := e.Request.PathValue("id")
	if len(id) != 15 {
		return router.NewNotFoundError("", nil)
	}
	live.Of(e.App).Typing(id, e.Auth.Id, values.Get("is") == "true")
	return e.NoContent(http.StatusNoContent)
}
