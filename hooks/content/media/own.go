package media

import (
	"path"
	"strings"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// Values of media.kind, as the library filters by them.
const (
	KindImage    = "image"
	KindVideo    = "video"
	KindAudio    = "audio"
	KindDocument = "document"
	KindOther    = "other"
)

// Kinds lists the kinds in the order in which the library offers them.
var Kinds = []string{KindImage, KindVideo, KindAudio, KindDocument, KindOther}

// endingKinds says what a file that is no picture is, by its ending.
var endingKinds = map[string]string{
	".mp4": KindVideo, ".m4v": KindVideo, ".webm": KindVideo, ".mov": KindVideo, ".ogv": KindVideo,
	".mp3": KindAudio, ".m4a": KindAudio, ".ogg": KindAudio, ".oga": KindAudio, ".opus": KindAudio, ".wav": KindAudio, ".flac": KindAudio, ".aac": KindAudio,
	".pdf": KindDocument, ".doc": KindDocument, ".docx": KindDocument, ".odt": KindDocument, ".rtf": KindDocument, ".txt": KindDocument, ".md": KindDocument,
	".xls": KindDocument, ".xlsx": KindDocument, ".ods": KindDocument, ".csv": KindDocument, ".ppt": KindDocument, ".pptx": KindDocument, ".odp": KindDocument, ".epub": KindDocument,
}

// kind is what the library calls the file. One that is still elsewhere is
// taken by the ending of its address.
func (s state) kind(source string) string {
	name := s.File
	if name == "" {
		name, _, _ = strings.Cut(source, "?")
	}
	switch kind := endingKinds[strings.ToLower(path.Ext(name))]; {
	case kind != "":
		return kind
	case s.Format != "" || s.File == "":
		return KindImage
	}
	return KindOther
}

// Binned reports whether a file lies in the bin: it is kept, and served to
// nobody.
func Binned(record *core.Record) bool { return !record.GetDateTime("trashed_at").IsZero() }

// owned makes whoever brings a file its owner. Only those who manage the media
// may give it to somebody else.
func owned(e *core.RecordRequestEvent) error {
	staff := roles.IsActiveStaff(e.Auth)
	switch {
	case e.Auth == nil || !staff:
	case !roles.Allows(e.Auth, roles.MediaManage) && e.Record.IsNew(), e.Record.IsNew() && e.Record.GetString("owner") == "":
		e.Record.Set("owner", e.Auth.Id)
	case !roles.Allows(e.Auth, roles.MediaManage):
		e.Record.Set("owner", e.Record.Original().GetString("owner"))
	}
	return e.Next()
}

// notBinned keeps the bin shut at PocketBase's own address of files too.
func notBinned(e *core.FileDownloadRequestEvent) error {
	if e.Record.Collection().Name == schema.Media && Binned(e.Record) {
		return e.NotFoundError("", nil)
	}
	return e.Next()
}
