package media

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"github.com/gabriel-vasile/mimetype"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// Register binds what the package does to the records of the collection media:
// a file is judged and cleaned before it is stored, and its sizes are made by
// the queue after the commit. Every app has it once.
func Register(app core.App) error {
	app.OnRecordCreateRequest(schema.Media).BindFunc(owned)
	app.OnRecordUpdateRequest(schema.Media).BindFunc(owned)
	app.OnFileDownloadRequest(schema.Media).BindFunc(notBinned)
	app.OnRecordCreate(schema.Media).BindFunc(accept)
	app.OnRecordUpdate(schema.Media).BindFunc(accept)
	app.OnRecordCreateExecute(schema.Media).BindFunc(withJob)
	app.OnRecordUpdateExecute(schema.Media).BindFunc(withJob)
	bindUses(app)
	queue.Register(app, sizesKind())
	return bindSweep(app)
}

// accept runs describe, for a change in one transaction with the save: a job
// may note new sizes at the same time, and what it notes must not be lost.
func accept(e *core.RecordEvent) error {
	if e.Record.IsNew() {
		return describe(e)
	}
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		return describe(e)
	})
}

// describe cleans a new file and keeps the fields that describe the file true,
// whatever the caller wrote into them.
func describe(e *core.RecordEvent) error {
	if err := focus(e.Record); err != nil {
		return err
	}
	s, former := state{}, []string(nil)
	if !e.Record.IsNew() {
		stored, err := current(e.App, e.Record)
		if err != nil {
			return fmt.Errorf("read media: %w", err)
		}
		if s = stateOf(stored); s.File != "" {
			former = append([]string{s.File}, s.Former...)
		}
	}
	switch files := e.Record.GetUnsavedFiles("file"); {
	case len(files) > 0:
		file := files[len(files)-1]
		info, err := cleaned(file)
		if err != nil {
			return refuse(err)
		}
		s = state{File: file.Name, Format: info.Format, Width: info.Width, Height: info.Height, Bytes: file.Size, Animated: info.Animated, Former: former}
	case e.Record.GetString("file") == "":
		s = state{Former: former}
	}
	if n := len(s.Former); n > maxFormer { // the first address is the one that was told most
		s.Former = append(s.Former[:maxFormer-1:maxFormer-1], s.Former[n-1])
	}
	e.Record.Set("sizes", s)
	e.Record.Set("width", s.Width)
	e.Record.Set("height", s.Height)
	e.Record.Set("bytes", s.Bytes)
	e.Record.Set("kind", s.kind(e.Record.GetString("source_url")))
	return e.Next()
}

// refuse puts what people can mend beside the field.
func refuse(err error) error {
	for _, known := range []error{ErrFormat, ErrBroken, ErrTruncated, ErrTooManyBytes, ErrTooManyPixels} {
		if errors.Is(err, known) {
			text := strings.ToUpper(known.Error()[:1]) + known.Error()[1:] + "."
			return validation.Errors{"file": validation.NewError("validation_invalid_picture", text)}
		}
	}
	return err
}

// cleaned replaces a picture by its form without metadata and gives its name
// the ending of what it is. A file that is no picture is left alone.
func cleaned(file *filesystem.File) (Info, error) {
	r, err := file.Reader.Open()
	if err != nil {
		return Info{}, fmt.Errorf("open upload: %w", err)
	}
	defer r.Close()
	head := make([]byte, 3072)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return Info{}, fmt.Errorf("read upload: %w", err)
	}
	if !claimsPicture(file.Name, head[:n]) {
		return Info{}, nil
	}
	if file.Size > MaxBytes {
		return Info{}, ErrTooManyBytes
	}
	data, err := readAll(io.MultiReader(bytes.NewReader(head[:n]), r))
	if err != nil {
		return Info{}, err
	}
	clean, info, err := StripMetadata(data)
	if err != nil {
		return Info{}, err
	}
	file.Reader, file.Size = &filesystem.BytesReader{Bytes: clean}, int64(len(clean))
	if ext := path.Ext(file.Name); !slices.Contains(endings(info.Format), strings.ToLower(ext)) {
		file.Name = strings.TrimSuffix(file.Name, ext) + info.Format.Extension()
	}
	return info, nil
}

// claimsPicture reports whether the file says, by its name or by its content,
// that it is a picture; such a file must be one.
func claimsPicture(name string, head []byte) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg", ".svgz", ".avif", ".heic", ".heif", ".bmp", ".tif", ".tiff", ".ico", ".jxl":
		return true
	}
	return strings.HasPrefix(mimetype.Detect(head).String(), "image/")
}

func endings(f Format) []string {
	if f == JPEG {
		return []string{".jpg", ".jpeg"}
	}
	return []string{f.Extension()}
}
