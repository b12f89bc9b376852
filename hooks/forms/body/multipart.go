package body

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"os"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pocketbase/pocketbase/tools/router"
)

const (
	// headSize is how much of a file tells its type.
	headSize = 3072
	// maxFileName is the most characters of a file's name.
	maxFileName = 200
)

func (rd *reader) multipart(source io.Reader, boundary string) error {
	if boundary == "" {
		return http.ErrMissingBoundary
	}
	parts := multipart.NewReader(source, boundary)
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := rd.part(part); err != nil {
			return err
		}
	}
}

func (rd *reader) part(part *multipart.Part) error {
	if !isFile(part) {
		return rd.value(part.FormName(), part)
	}
	return rd.file(part.FormName(), FileName(part.FileName()), part)
}

// isFile reports whether the part is a file: it has a file name, even an empty
// one, which browsers send for a control in which nothing was chosen.
func isFile(part *multipart.Part) bool {
	return strings.Contains(strings.ToLower(part.Header.Get("Content-Disposition")), "filename")
}

func (rd *reader) value(name string, part io.Reader) error {
	raw, err := io.ReadAll(io.LimitReader(part, MaxText+1))
	if err != nil {
		return err
	}
	return rd.add(name, string(raw))
}

// file keeps one file, or notes why not. What is not kept is read and dropped.
func (rd *reader) file(field, name string, part io.Reader) error {
	most, count, ok := rd.take(field)
	for _, other := range rd.body.Files {
		if other.Field == field {
			count--
		}
	}
	f := File{Field: field, Name: name}
	switch {
	case !ok:
		f.Fault, most = Unasked, 0
	case count <= 0:
		f.Fault, most = TooMany, 0
	}
	if err := rd.store(&f, part, most); err != nil {
		return err
	}
	if f.Size == 0 && f.Name == "" {
		return nil // nothing was chosen
	}
	if f.Size == 0 && f.Fault == "" {
		f.Fault = Empty
	}
	if len(rd.body.Files) >= MaxFiles {
		return router.NewBadRequestError(fmt.Sprintf("At most %d files can be sent at once.", MaxFiles), nil)
	}
	rd.body.Files = append(rd.body.Files, f)
	return nil
}

// store copies a part of at most so many bytes to a temporary file; of a larger
// one nothing stays.
func (rd *reader) store(f *File, part io.Reader, most int64) error {
	if f.Fault != "" {
		n, err := io.Copy(io.Discard, part)
		f.Size = n
		return rd.spend(n, err)
	}
	head := make([]byte, headSize)
	n, err := io.ReadFull(part, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	if n == 0 {
		return nil
	}
	f.Head = head[:n]
	out, err := rd.create()
	if err != nil {
		return err
	}
	defer func() { _ = out.Close() }()
	sum := sha256.New()
	both := io.MultiWriter(out, sum)
	if _, err := both.Write(f.Head); err != nil {
		return keep(err)
	}
	rest, err := io.Copy(both, io.LimitReader(part, max(most+1-int64(n), 0)))
	f.Size = int64(n) + rest
	var disk *fs.PathError
	if errors.As(err, &disk) {
		return keep(err)
	}
	if err := rd.spend(f.Size, err); err != nil {
		return err
	}
	if f.Size > most {
		dropped, err := io.Copy(io.Discard, part)
		f.Fault, f.Head = TooLarge, nil
		_ = os.Remove(out.Name())
		return rd.spend(dropped, err)
	}
	f.Path = out.Name()
	sum.Sum(f.Sum[:0])
	return keep(out.Close())
}

// spend counts the bytes of all files.
func (rd *reader) spend(n int64, err error) error {
	if err != nil {
		return err
	}
	if rd.bytes += n; rd.bytes > MaxFileBytes {
		return tooMuch()
	}
	return nil
}

func (rd *reader) create() (*os.File, error) {
	if rd.body.dir == "" {
		if err := os.MkdirAll(rd.temp, 0o700); err != nil {
			return nil, keep(err)
		}
		dir, err := os.MkdirTemp(rd.temp, "form-")
		if err != nil {
			return nil, keep(err)
		}
		rd.body.dir = dir
	}
	f, err := os.CreateTemp(rd.body.dir, "file-")
	return f, keep(err)
}

// errKeep marks what failed on our side of the reading.
var errKeep = errors.New("keep an upload")

func keep(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", errKeep, err)
}

// FileName is a file's name as it may be shown: the last part of a path, on
// one line, without marks that turn the reading direction.
func FileName(name string) string {
	name = path.Base(strings.ReplaceAll(strings.ToValidUTF8(name, "\uFFFD"), `\`, "/"))
	name = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) {
			return -1
		}
		return r
	}, name))
	if name == "." || name == ".." || name == "/" {
		return ""
	}
	if utf8.RuneCountInString(name) > maxFileName {
		ext := path.Ext(name)
		if len(ext) > 20 {
			ext = ""
		}
		name = string([]rune(name)[:maxFileName-20]) + "…" + ext
	}
	return name
}
