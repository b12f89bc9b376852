package pages

import (
	"errors"
	"net/http"

	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/web"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/tools/router"
)

const cannedPage = "desk/inbox/canned.html"

var (
	errWhen    = router.NewApiError(http.StatusUnprocessableEntity, "Choose a time in the next twelve months.", nil)
	errConfirm = router.NewApiError(http.StatusUnprocessableEntity, "To erase this contact, write the e-mail address exactly as it stands.", nil)
)

type cannedData struct {
	Items  []inbox.Canned
	Edit   inbox.Canned
	Errors map[string]string
}

func canned(e *desk.Event) error {
	return showCanned(e, http.StatusOK, cannedData{Edit: inbox.Canned{ID: e.Request.URL.Query().Get("edit")}})
}

func showCanned(e *desk.Event, status int, data cannedData) error {
	items, err := inbox.CannedReplies(e.App)
	if err != nil {
		return refuse(e, err)
	}
	data.Items = items
	for _, item := range items {
		if item.ID == data.Edit.ID && data.Errors == nil {
			data.Edit = item
		}
	}
	return e.RenderStatus(status, cannedPage, e.T("Canned replies"), data, "/assets/css/desk-inbox.css")
}

func saveCanned(e *desk.Event) error {
	values, err := web.Read(e.RequestEvent)
	if err != nil {
		return refuse(e, err)
	}
	if values.Get("delete") != "" {
		if err := inbox.DeleteCanned(e.App, e.Actor(), values.Get("delete")); err != nil {
			return refuse(e, err)
		}
		return e.Done("/desk/canned-replies/", "Deleted.")
	}
	c := inbox.Canned{ID: values.Get("id"), Title: values.Get("title"), Text: values.Get("text")}
	err = inbox.SaveCanned(e.App, e.Actor(), c)
	var invalid validation.Errors
	if errors.As(err, &invalid) {
		faults := map[string]string{}
		for field, fault := range invalid {
			faults[field] = e.T(fault.Error())
		}
		return showCanned(e, http.StatusUnprocessableEntity, cannedData{Edit: c, Errors: faults})
	}
	if err != nil {
		return refuse(e, err)
	}
	return e.Done("/desk/canned-replies/", "Saved.")
}
