package forms

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"bungalow/hooks/forms/body"
	"bungalow/hooks/forms/field"
	"github.com/gabriel-vasile/mimetype"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
	"github.com/pocketbase/pocketbase/tools/security"
)

// typeOf is the media type of a content by its first bytes.
func typeOf(head []byte) *mimetype.MIME { return mimetype.Detect(head) }

// accepts reports whether the field takes a file that begins like this. What is
// accepted is the type itself, not a more general one that it belongs to: an
// HTML page is also a text, and a program may be a zip.
func accepts(q *field.Field, head []byte) bool {
	kind := typeOf(head)
	return q.Takes(func(mediaType string) bool { return kind.Is(mediaType) })
}

// fileSpec is what the reader of a body asks of the form.
func (f *Form) fileSpec(name string) (maxBytes int64, count int, ok bool) {
	q := f.Field(name)
	if q == nil || q.Type != field.File {
		return 0, 0, false
	}
	return q.MaxBytes(), q.MaxFiles(), true
}

var unsafeInName = regexp.MustCompile(`[^a-zA-Z0-9_-]+`)

// storedName is a name for the storage: harmless, and not to be guessed. Its
// ending is that of the content, so that no server of files is misled.
func storedName(file *body.File, kind *mimetype.MIME) string {
	base := strings.TrimSuffix(file.Name, path.Ext(file.Name))
	base = strings.Trim(unsafeInName.ReplaceAllString(base, "_"), "_")
	if base == "" {
		base = "file"
	}
	return base[:min(len(base), 60)] + "_" + security.PseudorandomString(10) + kind.Extension()
}

// keepFiles puts the files into the app's storage, below the record that is to
// be. They go there before the transaction, because the storage may be on
// another machine; undo removes them where the record does not come to be.
func keepFiles(app core.App, record *core.Record, files []body.File) (kept []File, undo func(), err error) {
	undo = func() {}
	if len(files) == 0 {
		return nil, undo, nil
	}
	storage, err := app.NewFilesystem()
	if err != nil {
		return nil, undo, fmt.Errorf("open the storage: %w", err)
	}
	prefix := record.BaseFilesPath() + "/"
	undo = func() {
		storage, err := app.NewFilesystem()
		if err != nil {
			app.Logger().Error("the files of a refused submission stay", "error", err)
			return
		}
		defer func() { _ = storage.Close() }()
		for _, err := range storage.DeletePrefix(prefix) {
			app.Logger().Error("a file of a refused submission stays", "error", err)
		}
	}
	defer func() { _ = storage.Close() }()
	for i := range files {
		file := &files[i]
		kind := typeOf(file.Head)
		stored := storedName(file, kind)
		upload, err := filesystem.NewFileFromPath(file.Path)
		if err != nil {
			return nil, undo, fmt.Errorf("read an upload: %w", err)
		}
		upload.Name, upload.OriginalName = stored, file.Name
		if err := storage.UploadFile(upload, prefix+stored); err != nil {
			return nil, undo, fmt.Errorf("keep an upload: %w", err)
		}
		kept = append(kept, File{Field: file.Field, Name: file.Name, Stored: stored, Path: prefix + stored,
			Type: mediaType(kind), Size: file.Size})
	}
	return kept, undo, nil
}

// mediaType is the type without parameters.
func mediaType(kind *mimetype.MIME) string {
	t, _, _ := strings.Cut(kind.String(), ";")
	return t
}
