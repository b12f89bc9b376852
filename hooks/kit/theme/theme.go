// Package theme turns the files of pb_public into pages: templates, strings in
// each language, addresses of assets, and shortcodes in what authors wrote.
//
// It promises that a file on disk wins over the built-in one of the same name,
// that a broken template is told with its file and line (at the start, or while
// running in the log, and the last good theme stays), and that nothing of a
// post's body is ever parsed as a template. It never writes, except for Eject
// into the folder that it is given, where it overwrites nothing.
//
// Each file in _theme/pages is a template set of its own with all of
// _theme/layouts and _theme/partials: a page defines the blocks of the layout.
// A template is known by its path under _theme ("partials/footer.html") and by
// the names that it defines. The layout is the template "base", or
// "layouts/base.html" where none is named so.
package theme

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/pocketbase/pocketbase/core"
)

// root is where templates and strings lie, under pb_public.
const root = "_theme"

// Options of a theme.
type Options struct {
	// Dev parses everything again for each page, so that an edit shows at once.
	Dev bool
	// Funcs are more template functions; a name that the theme has is replaced.
	Funcs template.FuncMap
}

// Theme is safe for concurrent use.
type Theme struct {
	disk     string
	embedded fs.FS
	fsys     fs.FS // both, as an overlay
	opts     Options

	current atomic.Pointer[parsed]
	app     atomic.Pointer[core.App]

	mu         sync.RWMutex
	assets     map[string]asset
	shortcodes map[string]func(Place, []string) (template.HTML, error)
	changed    []func()
}

// parsed is one good reading of the files.
type parsed struct {
	pages   map[string]*template.Template
	strings catalogues
	shelf   shelf
}

// Load reads the theme from the folder disk ("" for none) over embedded, both
// as pb_public is laid out. A broken template or catalogue is an *Error.
func Load(disk string, embedded fs.FS, opts Options) (*Theme, error) {
	t := &Theme{
		disk:       disk,
		embedded:   embedded,
		fsys:       Overlay(disk, embedded),
		opts:       opts,
		assets:     map[string]asset{},
		shortcodes: map[string]func(Place, []string) (template.HTML, error){},
	}
	if _, err := t.reload(); err != nil {
		return nil, err
	}
	return t, nil
}

const storeKey = "bungalow.theme"

// Of returns the app's theme, nil before Set.
func Of(app core.App) *Theme {
	t, _ := app.Store().Get(storeKey).(*Theme)
	return t
}

// Set makes t the app's theme.
func Set(app core.App, t *Theme) {
	t.app.Store(&app)
	app.Store().Set(storeKey, t)
}

// FS is pb_public: the disk over what is built in.
func (t *Theme) FS() fs.FS { return t.fsys }

// Pages lists the names that Render knows, sorted.
func (t *Theme) Pages() []string {
	return slices.Sorted(maps.Keys(t.current.Load().pages))
}

// Render writes a page ("pages/post.html") within its layout. Nothing is
// written if it fails, and a fault of a template is an *Error.
func (t *Theme) Render(w io.Writer, page string, data any) error {
	p := t.current.Load()
	if t.opts.Dev {
		var err error
		if p, err = t.reload(); err != nil {
			return err
		}
	}
	set := p.pages[page]
	if set == nil {
		return fmt.Errorf("the theme has no page %q", page)
	}
	out := buffers.Get().(*bytes.Buffer)
	defer buffers.Put(out)
	out.Reset()
	if err := set.Execute(out, data); err != nil {
		return t.fault(err)
	}
	_, err := w.Write(out.Bytes())
	return err
}

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// OnChange has fn called after the theme on disk or an asset of it changed
// while running.
func (t *Theme) OnChange(fn func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.changed = append(slices.Clip(t.changed), fn)
}

func (t *Theme) announce() {
	t.mu.RLock()
	changed := t.changed
	t.mu.RUnlock()
	for _, fn := range changed {
		fn()
	}
}

// reload parses the files and keeps the result if it is good.
func (t *Theme) reload() (*parsed, error) {
	p, err := t.parse()
	if err != nil {
		return nil, err
	}
	t.current.Store(p)
	return p, nil
}

// Funcs returns the functions that templates of the theme have: asset, t,
// date, isodate, dict, and those of Options.
func (t *Theme) Funcs() template.FuncMap {
	funcs := template.FuncMap{
		"asset":   t.Asset,
		"t":       t.translate,
		"date":    t.date,
		"isodate": isodate,
		"dict":    dict,
	}
	maps.Copy(funcs, t.opts.Funcs)
	return funcs
}

// dict makes a map of names and values, for templates that need several.
func dict(pairs ...any) (map[string]any, error) {
	if len(pairs)%2 != 0 {
		return nil, fmt.Errorf("dict needs a value for each name, got %d arguments", len(pairs))
	}
	m := make(map[string]any, len(pairs)/2)
	for i := 0; i < len(pairs); i += 2 {
		name, ok := pairs[i].(string)
		if !ok {
			return nil, fmt.Errorf("dict needs names that are strings, got %T", pairs[i])
		}
		m[name] = pairs[i+1]
	}
	return m, nil
}
