package web

import (
	"database/sql"
	"errors"
	"io/fs"
	"net/http"

	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Refuse is the end of every handler's error path: what the caller can mend is
// told with its status, everything else is logged by PocketBase and answers
// 500 without details. A nil error stays nil.
func Refuse(e *core.RequestEvent, err error) error {
	if err == nil {
		return nil
	}
	var api *router.ApiError
	var invalid validation.Errors
	switch {
	case errors.As(err, &api):
		return api
	case errors.As(err, &invalid):
		return router.NewApiError(http.StatusUnprocessableEntity, "Some fields need another value.", invalid)
	case errors.Is(err, sql.ErrNoRows), errors.Is(err, fs.ErrNotExist):
		return e.NotFoundError("", err)
	default:
		return e.InternalServerError("Something went wrong on our side. Please try again.", err)
	}
}
