package web

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

const (
	// maxFields and maxFieldName bound a form from a stranger.
	maxFields    = 200
	maxFieldName = 100
	// formMemory is how much of a multipart body is held in memory, in bytes.
	formMemory = 1 << 20
)

// Values are the fields of a form by name, each with all its values in order.
type Values map[string][]string

// Get is a field's first value, "" where there is none.
func (v Values) Get(name string) string {
	if len(v[name]) == 0 {
		return ""
	}
	return v[name][0]
}

// Read gives the fields of a body that is JSON, form-encoded or multipart, as
// any door does at which a plain HTML form may knock. In JSON a value is a
// string, a number, a boolean, or a list of those. The error is an ApiError:
// 400 for what can't be read, 413 for too much, 415 for another type.
func Read(e *core.RequestEvent) (Values, error) {
	kind, _, err := mime.ParseMediaType(e.Request.Header.Get("Content-Type"))
	if err != nil && e.Request.Header.Get("Content-Type") != "" {
		return nil, unreadable(err)
	}
	var values Values
	switch kind {
	case "application/json":
		values, err = readJSON(e.Request)
	case "application/x-www-form-urlencoded", "":
		if err = e.Request.ParseForm(); err == nil {
			values = Values(e.Request.PostForm)
		}
	case "multipart/form-data":
		if err = e.Request.ParseMultipartForm(formMemory); err == nil {
			values = Values(e.Request.MultipartForm.Value)
		}
	default:
		return nil, router.NewApiError(http.StatusUnsupportedMediaType, "Send the fields as a form or as JSON.", nil)
	}
	var tooLarge *http.MaxBytesError
	var api *router.ApiError
	switch {
	case errors.As(err, &tooLarge):
		return nil, router.NewApiError(http.StatusRequestEntityTooLarge, "This is too much at once. Please send less.", nil)
	case errors.As(err, &api):
		return nil, api
	case err != nil:
		return nil, unreadable(err)
	}
	return tidy(values)
}

func unreadable(err error) error {
	return router.NewBadRequestError("The form could not be read.", err)
}

// tidy bounds the fields and refuses what no text may hold.
func tidy(values Values) (Values, error) {
	if len(values) > maxFields {
		return nil, router.NewBadRequestError(fmt.Sprintf("A form may have at most %d fields.", maxFields), nil)
	}
	out := make(Values, len(values))
	for name, list := range values {
		if len(name) > maxFieldName || len(list) > maxFields {
			return nil, router.NewBadRequestError("The form has a field that is too long.", nil)
		}
		clean := make([]string, len(list))
		for i, v := range list {
			clean[i] = strings.ToValidUTF8(v, "\uFFFD")
		}
		if strings.Contains(name, "\x00") || slices.ContainsFunc(list, func(v string) bool { return strings.Contains(v, "\x00") }) {
			return nil, router.NewBadRequestError("The form holds a character (NUL) that no text may have.", nil)
		}
		out[strings.ToValidUTF8(name, "\uFFFD")] = clean
	}
	return out, nil
}

func readJSON(r *http.Request) (Values, error) {
	var body map[string]any
	if err := json.UnmarshalRead(r.Body, &body); err != nil {
		return nil, err
	}
	values := make(Values, len(body))
	for name, v := range body {
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, one := range list {
			s, ok := Scalar(one)
			if !ok {
				return nil, fmt.Errorf("the field %q is neither text nor a number nor a list of those", name)
			}
			values[name] = append(values[name], s)
		}
	}
	return values, nil
}

// Scalar is a value of JSON as a form would have sent it; false for what a form
// can't send.
func Scalar(v any) (string, bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), true
	case nil:
		return "", true
	}
	return "", false
}
