package theme

import (
	"errors"
	"fmt"
	"html"
	"html/template"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Error is a fault in a file of the theme.
type Error struct {
	File    string // on disk, or a path in the built-in theme
	Line    int    // 0 where it is not known
	Message string
	source  []string
	err     error
}

// Error says where and what.
func (e *Error) Error() string {
	if e.Line == 0 {
		return e.File + ": " + e.Message
	}
	return e.File + ":" + strconv.Itoa(e.Line) + ": " + e.Message
}

// Unwrap returns the error of the template engine.
func (e *Error) Unwrap() error { return e.err }

// Page is an HTML page that shows the fault with the lines around it, for
// whoever is writing the theme. Visitors should not get it.
func (e *Error) Page() []byte {
	var b strings.Builder
	b.WriteString("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>A fault in the theme</title></head><body>\n<h1>A fault in the theme</h1>\n<p>")
	b.WriteString(html.EscapeString(e.Error()))
	b.WriteString("</p>\n<pre>")
	for i := max(e.Line-4, 0); i < min(e.Line+3, len(e.source)); i++ {
		mark := "  "
		if i+1 == e.Line {
			mark = "> "
		}
		fmt.Fprintf(&b, "%s%4d  %s\n", mark, i+1, html.EscapeString(e.source[i]))
	}
	b.WriteString("</pre>\n</body></html>\n")
	return []byte(b.String())
}

// The engines write "template: FILE:LINE: …" while parsing, and
// "html/template:FILE:LINE:COLUMN: …" while escaping.
var fault = regexp.MustCompile(`(?s)^(?:html/)?template: ?([^:]+):(\d+)(?::\d+)?: (.*)$`)

// fault turns an error of the template engine into an *Error.
func (t *Theme) fault(err error) error {
	m := fault.FindStringSubmatch(err.Error())
	if m == nil {
		return fmt.Errorf("render the theme: %w", err)
	}
	line, _ := strconv.Atoi(m[2])
	return t.faultAt(path.Join(root, m[1]), line, m[3], err)
}

func (t *Theme) faultAt(name string, line int, message string, err error) *Error {
	e := &Error{File: "built-in " + name, Line: line, Message: message, err: err}
	if t.disk != "" {
		onDisk := filepath.Join(t.disk, filepath.FromSlash(name))
		if _, err := os.Lstat(onDisk); err == nil {
			e.File = onDisk
		}
	}
	if source, err := fs.ReadFile(t.fsys, name); err == nil {
		e.source = strings.Split(string(source), "\n")
	}
	return e
}

func (t *Theme) parse() (*parsed, error) {
	shared := template.New("").Funcs(t.Funcs())
	for _, dir := range []string{"layouts", "partials"} {
		files, err := fs.Glob(t.fsys, path.Join(root, dir, "*.html"))
		if err != nil {
			return nil, fmt.Errorf("list the theme's %s: %w", dir, err)
		}
		for _, file := range files {
			if err := t.add(shared, file); err != nil {
				return nil, err
			}
		}
	}
	p := &parsed{pages: map[string]*template.Template{}}
	err := fs.WalkDir(t.fsys, path.Join(root, "pages"), func(file string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && d == nil {
			return nil
		}
		if err != nil || d.IsDir() || path.Ext(file) != ".html" {
			return err
		}
		set, err := t.page(shared, file)
		if err != nil {
			return err
		}
		p.pages[strings.TrimPrefix(file, root+"/")] = set
		return nil
	})
	if err != nil {
		return nil, err
	}
	p.strings, err = t.readStrings()
	return p, err
}

// add parses file into set under its path in _theme.
func (t *Theme) add(set *template.Template, file string) error {
	source, err := fs.ReadFile(t.fsys, file)
	if err != nil {
		return fmt.Errorf("read the theme: %w", err)
	}
	if _, err := set.New(strings.TrimPrefix(file, root+"/")).Parse(string(source)); err != nil {
		return t.fault(err)
	}
	return nil
}

// page parses one page with a copy of what all share, and returns its layout.
func (t *Theme) page(shared *template.Template, file string) (*template.Template, error) {
	set, err := shared.Clone()
	if err != nil {
		return nil, fmt.Errorf("copy the theme's layouts: %w", err)
	}
	if err := t.add(set, file); err != nil {
		return nil, err
	}
	layout := set.Lookup("base")
	if layout == nil {
		layout = set.Lookup("layouts/base.html")
	}
	if layout == nil {
		return nil, t.faultAt(path.Join(root, "layouts/base.html"), 0, "the layout of "+file+" is missing", fs.ErrNotExist)
	}
	// A template that is called but does not exist, and HTML in which values
	// cannot be escaped, are only found when a template first runs. So it runs
	// here, up to the first byte that it writes.
	var broken *template.Error
	if err := layout.Execute(refusing{}, nil); errors.As(err, &broken) {
		return nil, t.fault(broken)
	}
	return layout, nil
}

// refusing is a writer that ends a template at its first output.
type refusing struct{}

func (refusing) Write([]byte) (int, error) { return 0, errors.New("only checking") }
