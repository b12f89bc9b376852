package field

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Kinds are what a file may be, by its content. Nothing that a browser or an
// office program would run is among them, but for documents that may hold macros
// in their own format.
var Kinds = map[string][]string{
	"image":    {"image/jpeg", "image/png", "image/gif", "image/webp", "image/avif", "image/heic", "image/heif", "image/tiff", "image/bmp"},
	"pdf":      {"application/pdf"},
	"text":     {"text/plain", "text/csv", "text/tab-separated-values", "text/rtf"},
	"document": {"application/msword", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", "application/vnd.oasis.opendocument.text"},
	"sheet":    {"application/vnd.ms-excel", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "application/vnd.oasis.opendocument.spreadsheet"},
	"slides":   {"application/vnd.ms-powerpoint", "application/vnd.openxmlformats-officedocument.presentationml.presentation", "application/vnd.oasis.opendocument.presentation"},
	"audio":    {"audio/mpeg", "audio/wav", "audio/ogg", "audio/flac", "audio/mp4", "audio/aac"},
	"video":    {"video/mp4", "video/webm", "video/quicktime", "video/x-matroska"},
	"zip":      {"application/zip", "application/gzip", "application/x-7z-compressed", "application/x-tar", "application/x-xz"},
	"calendar": {"text/calendar", "text/vcard"},
}

// defaultKinds are taken where a field names none.
var defaultKinds = []string{"image", "pdf", "text", "document", "sheet"}

// KindNames lists the names of Kinds, sorted.
func KindNames() []string { return slices.Sorted(maps.Keys(Kinds)) }

// Accepted lists the kinds that the field takes.
func (f *Field) Accepted() []string {
	if len(f.Accept) == 0 {
		return defaultKinds
	}
	return f.Accept
}

// Takes reports whether the field takes a file, of whose content is says whether
// it is of a media type.
func (f *Field) Takes(is func(mediaType string) bool) bool {
	for _, kind := range f.Accepted() {
		if slices.ContainsFunc(Kinds[kind], is) {
			return true
		}
	}
	return false
}

// AcceptAttribute is the value of the HTML attribute accept: a help for the
// person, not a check.
func (f *Field) AcceptAttribute() string {
	var out []string
	for _, kind := range f.Accepted() {
		out = append(out, Kinds[kind]...)
	}
	return strings.Join(out, ",")
}

func (f *Field) prepareFile() error {
	if f.Type != File {
		if len(f.Accept) > 0 || f.MaxSize != 0 {
			return fmt.Errorf("accept and max_size go with a field for files")
		}
		return nil
	}
	if f.MaxSize < 0 || f.MaxSize > FileMostMB {
		return fmt.Errorf("max_size is a number of megabytes from 1 to %d", FileMostMB)
	}
	for _, kind := range f.Accept {
		if Kinds[kind] == nil {
			return fmt.Errorf("files can't be %q; there are: %s", shorten(kind), strings.Join(KindNames(), ", "))
		}
	}
	return nil
}
