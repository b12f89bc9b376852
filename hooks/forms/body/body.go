// Package body reads what a form was sent as: form-encoded, multipart or JSON,
// with files.
//
// It promises that a body from a stranger costs at most the memory and the disk
// that Limits say, that text comes out as it was sent (checking it is not the
// reader's business), and that every refusal is an ApiError from 400 to 499. It
// never unpacks a file and never believes its name or its declared type.
package body

import (
	"encoding/json/v2"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"
	"strings"

	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/tools/router"
)

// Limits of a body, whatever its form.
const (
	// MaxText is the most bytes of all text together, names included.
	MaxText = 300_000
	// MaxPairs is how many values a body may have.
	MaxPairs = 500
	// MaxName is the most bytes of a field's name.
	MaxName = 100
	// MaxFiles is how many files a body may have.
	MaxFiles = 25
	// MaxFileBytes is the most bytes of all files together.
	MaxFileBytes = 60_000_000
	// overhead is what boundaries, percent signs and JSON's escapes may add.
	overhead = 4 * MaxText
)

// MaxBytes is the largest body at all.
const MaxBytes = MaxFileBytes + overhead

// Take says how large a file of a field may be and how many it takes; no for a
// field that takes none.
type Take func(field string) (maxBytes int64, count int, ok bool)

// Body is what was read. Close it.
type Body struct {
	Values map[string][]string
	Files  []File
	// JSON says that it came as JSON.
	JSON bool

	dir string
}

// Faults of a file that the reader finds.
const (
	TooLarge = "too large"
	TooMany  = "too many"
	Unasked  = "unasked"
	Empty    = "empty"
)

// File is one file, or what became of it.
type File struct {
	Field string
	// Name is what the sender called it: one line without a path.
	Name string
	// Fault is why the file was not kept, "" if it was.
	Fault string
	Path  string // of a temporary copy that ends with Close
	Size  int64
	Sum   [32]byte // SHA-256
	Head  []byte   // the first bytes, to tell the type by
}

// Close removes the temporary files.
func (b *Body) Close() {
	if b != nil && b.dir != "" {
		_ = os.RemoveAll(b.dir)
	}
}

// reader is one reading.
type reader struct {
	take  Take
	temp  string // where temporary files may lie
	body  *Body
	text  int
	pairs int
	bytes int64
}

// Read reads the request's body. temp is a folder for temporary files; files
// tells whether the form asks for any, because then a body may be large. The
// error is an ApiError: 400 for what can't be read, 413 for too much, 415 for
// another type. Where the disk fails us it is another error.
func Read(w http.ResponseWriter, r *http.Request, temp string, files bool, take Take) (*Body, error) {
	most := int64(overhead)
	if files {
		most = MaxBytes
	}
	if r.ContentLength > most {
		drain(r.Body)
		return nil, tooMuch()
	}
	source := http.MaxBytesReader(w, r.Body, most)
	rd := &reader{take: take, temp: temp, body: &Body{Values: map[string][]string{}}}
	err := rd.read(r.Header.Get("Content-Type"), source)
	if err == nil {
		return rd.body, nil
	}
	rd.body.Close()
	var large *http.MaxBytesError
	var api *router.ApiError
	switch {
	case errors.Is(err, errKeep):
		return nil, err
	case errors.As(err, &large):
		drain(r.Body)
		return nil, tooMuch()
	case errors.As(err, &api):
		if api.Status == http.StatusRequestEntityTooLarge {
			drain(source)
		}
		return nil, api
	}
	return nil, router.NewBadRequestError("The form could not be read.", err)
}

// drained is how much of a refused body is read, so that a client that sends
// first and reads later gets the answer and not a broken connection.
const drained = 16 << 20

func drain(r io.Reader) { _, _ = io.CopyN(io.Discard, r, drained) }

func tooMuch() *router.ApiError {
	return router.NewApiError(http.StatusRequestEntityTooLarge, "This is too much at once. Please send less.", nil)
}

func (rd *reader) read(contentType string, source io.Reader) error {
	kind, params, err := mime.ParseMediaType(contentType)
	if err != nil && contentType != "" {
		return err
	}
	switch kind {
	case "application/json":
		return rd.json(source)
	case "application/x-www-form-urlencoded", "":
		return rd.encoded(source)
	case "multipart/form-data":
		return rd.multipart(source, params["boundary"])
	}
	return router.NewApiError(http.StatusUnsupportedMediaType, "Send the fields as a form or as JSON.", nil)
}

// add counts and keeps one value.
func (rd *reader) add(name, value string) error {
	if name == "" {
		return nil // a control without a name is never sent on purpose
	}
	if len(name) > MaxName {
		return router.NewBadRequestError(fmt.Sprintf("The name of a field may have at most %d bytes.", MaxName), nil)
	}
	if rd.pairs++; rd.pairs > MaxPairs {
		return router.NewBadRequestError(fmt.Sprintf("A form may have at most %d values.", MaxPairs), nil)
	}
	if rd.text += len(name) + len(value); rd.text > MaxText {
		return tooMuch()
	}
	rd.body.Values[name] = append(rd.body.Values[name], value)
	return nil
}

func (rd *reader) encoded(source io.Reader) error {
	raw, err := io.ReadAll(source)
	if err != nil {
		return err
	}
	if len(raw) == 0 {
		return nil
	}
	for pair := range strings.SplitSeq(string(raw), "&") {
		if strings.Contains(pair, ";") {
			return errors.New("a semicolon between pairs")
		}
		k, v, _ := strings.Cut(pair, "=")
		name, err := url.QueryUnescape(k)
		if err != nil {
			return err
		}
		value, err := url.QueryUnescape(v)
		if err != nil {
			return err
		}
		if err := rd.add(name, value); err != nil {
			return err
		}
	}
	return nil
}

func (rd *reader) json(source io.Reader) error {
	rd.body.JSON = true
	var object map[string]any
	if err := json.UnmarshalRead(source, &object); err != nil {
		return err
	}
	for name, v := range object {
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, one := range list {
			value, ok := web.Scalar(one)
			if !ok {
				return router.NewBadRequestError(fmt.Sprintf("The field %.40q must be a text, a number, true or false, or a list of those.", name), nil)
			}
			if err := rd.add(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}
