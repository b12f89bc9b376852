package theme

import (
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"path"
	"strings"
	"sync"
)

// sectionLayout is the template that a whole page of a section is.
const sectionLayout = "base"

// shelf holds the parsed pages of a section such as _theme/desk. They are
// parsed when they are first asked for: a visitor's first page must not wait
// for pages that only staff see.
type shelf struct {
	mu     sync.Mutex
	shared map[string]*template.Template // by section and locale
	pages  map[string]*template.Template // by locale and page
}

// RenderSection writes a page that lies in a section of the theme with layouts
// and partials of its own: "desk/posts/list.html" is in the section "desk".
// block "" is the whole page; else only that block of it is written. In its
// templates T translates an English text into locale, and N does with one text
// for one and another for any other number. Nothing is written if it fails, and
// a fault of a template is an *Error.
func (t *Theme) RenderSection(w io.Writer, locale, page, block string, data any) error {
	p := t.current.Load()
	if t.opts.Dev {
		var err error
		if p, err = t.reload(); err != nil {
			return err
		}
	}
	set, err := t.sectionPage(&p.shelf, locale, page)
	if err != nil {
		return err
	}
	if block == "" {
		block = sectionLayout
	}
	if set.Lookup(block) == nil {
		return fmt.Errorf("%s has no block %q", page, block)
	}
	var out strings.Builder
	if err := set.ExecuteTemplate(&out, block, data); err != nil {
		return t.fault(err)
	}
	_, err = io.WriteString(w, out.String())
	return err
}

// SectionPages lists the pages of a section, such as "desk/posts/list.html".
func (t *Theme) SectionPages(section string) ([]string, error) {
	var pages []string
	base := path.Join(root, section)
	err := fs.WalkDir(t.fsys, base, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := strings.TrimPrefix(file, root+"/")
		if d.IsDir() && (name == section+"/layouts" || name == section+"/partials") {
			return fs.SkipDir
		}
		if !d.IsDir() && path.Ext(file) == ".html" {
			pages = append(pages, name)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("list the pages of %s: %w", section, err)
	}
	return pages, nil
}

// CheckSection parses every page of a section and gives the first fault.
func (t *Theme) CheckSection(section string) error {
	pages, err := t.SectionPages(section)
	if err != nil {
		return err
	}
	for _, page := range pages {
		if _, err := t.sectionPage(&t.current.Load().shelf, fallback, page); err != nil {
			return err
		}
	}
	return nil
}

func (t *Theme) sectionPage(s *shelf, locale, page string) (*template.Template, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if set := s.pages[locale+" "+page]; set != nil {
		return set, nil
	}
	section, _, _ := strings.Cut(page, "/")
	shared, err := t.sectionShared(s, locale, section)
	if err != nil {
		return nil, err
	}
	set, err := shared.Clone()
	if err != nil {
		return nil, fmt.Errorf("copy the layouts of %s: %w", section, err)
	}
	if err := t.add(set, path.Join(root, page)); err != nil {
		return nil, err
	}
	if s.pages == nil {
		s.pages = map[string]*template.Template{}
	}
	s.pages[locale+" "+page] = set
	return set, nil
}

// sectionShared parses what all pages of a section have in common.
func (t *Theme) sectionShared(s *shelf, locale, section string) (*template.Template, error) {
	key := locale + " " + section
	if set := s.shared[key]; set != nil {
		return set, nil
	}
	set := template.New("").Funcs(t.Funcs()).Funcs(template.FuncMap{
		"T": func(english string, args ...any) string { return t.Text(locale, section, english, args...) },
		"N": func(n int, one, other string) string {
			if n == 1 {
				return t.Text(locale, section, one, n)
			}
			return t.Text(locale, section, other, n)
		},
		"locale": func() string { return locale },
	})
	for _, dir := range []string{"layouts", "partials"} {
		files, err := fs.Glob(t.fsys, path.Join(root, section, dir, "*.html"))
		if err != nil {
			return nil, fmt.Errorf("list the %s of %s: %w", dir, section, err)
		}
		for _, file := range files {
			if err := t.add(set, file); err != nil {
				return nil, err
			}
		}
	}
	if s.shared == nil {
		s.shared = map[string]*template.Template{}
	}
	s.shared[key] = set
	return set, nil
}

// Text translates an English text of a section: _theme/strings/SECTION.LOCALE.json
// holds it by the English; where it is missing the English stays. %s and %d
// stand for the args in order.
func (t *Theme) Text(locale, section, english string, args ...any) string {
	language, _, _ := strings.Cut(locale, "-")
	known := t.current.Load().strings
	for _, l := range [...]string{locale, language} {
		if m, ok := known[section+"."+l][english]; ok {
			return fill(m.other, args)
		}
	}
	return fill(english, args)
}
