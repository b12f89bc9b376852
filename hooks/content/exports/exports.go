// Package exports is the way out: a site as plain files that other systems,
// and import markdown, read.
//
// It promises that every post and page, whatever its status, every file and
// every redirect is in the export or named in the report with the reason, and
// that it takes memory for one of them at a time. It never writes over a file
// that is there, and never writes a password or a token.
package exports

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/core"
)

// Sink takes the files of an export. Names have slashes and stay below its
// root; a writer is used until the next is made.
type Sink interface {
	Create(name string, at time.Time) (io.Writer, error)
	Close() error
}

// Report says what an export holds.
type Report struct {
	Counts  map[string]int // by collection
	Skipped []string       // what is not in it, and why
}

func (r *Report) skip(what, why string) { r.Skipped = append(r.Skipped, what+": "+why) }

// Kind is one sort of export.
type Kind struct {
	Name, Short string
	Do          func(ctx context.Context, app core.App, to Sink) (*Report, error)
}

// Kinds are the exports that there are.
func Kinds() []Kind {
	return []Kind{
		{"markdown", "Posts, pages, files and redirects as Markdown with front matter", Markdown},
		{"all", "The same, and every record of every collection as JSON", All},
	}
}

// ErrNotEmpty means that the folder for an export holds something already.
var ErrNotEmpty = errors.New("the folder is not empty; name a new one")

// folder is a Sink in a folder of this machine.
type folder struct {
	root *os.Root
	open *os.File
}

// Folder makes a sink of a new or empty folder. It may be ErrNotEmpty.
func Folder(dir string) (Sink, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder: %w", err)
	}
	there, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("look into the folder: %w", err)
	}
	if len(there) > 0 {
		return nil, ErrNotEmpty
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	return &folder{root: root}, nil
}

func (f *folder) Create(name string, _ time.Time) (io.Writer, error) {
	if err := f.done(); err != nil {
		return nil, err
	}
	local := filepath.FromSlash(name)
	if err := f.root.MkdirAll(filepath.Dir(local), 0o755); err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	file, err := f.root.OpenFile(local, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	f.open = file
	return file, nil
}

func (f *folder) done() error {
	if f.open == nil {
		return nil
	}
	err := f.open.Close()
	f.open = nil
	if err != nil {
		return fmt.Errorf("write a file: %w", err)
	}
	return nil
}

func (f *folder) Close() error { return errors.Join(f.done(), f.root.Close()) }

// zipped is a Sink that streams a ZIP archive.
type zipped struct{ w *zip.Writer }

// Zip makes a sink that streams an archive to out.
func Zip(out io.Writer) Sink { return zipped{zip.NewWriter(out)} }

func (z zipped) Create(name string, at time.Time) (io.Writer, error) {
	header := &zip.FileHeader{Name: name, Method: zip.Deflate, Modified: at}
	switch strings.ToLower(path.Ext(name)) {
	case ".jpg", ".jpeg", ".png", ".webp", ".gif", ".mp4", ".webm", ".mp3", ".zip":
		header.Method = zip.Store // they are as small as they get
	}
	w, err := z.w.CreateHeader(header)
	if err != nil {
		return nil, fmt.Errorf("write %s: %w", name, err)
	}
	return w, nil
}

func (z zipped) Close() error {
	if err := z.w.Close(); err != nil {
		return fmt.Errorf("end the archive: %w", err)
	}
	return nil
}
