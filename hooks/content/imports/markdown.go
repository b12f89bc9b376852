package imports

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"bungalow/hooks/content/text"
)

// maxMarkdownFiles bounds the table of addresses that links are resolved by.
const maxMarkdownFiles = 200_000

// Folders that hold no content of their own in one system or another.
var notContent = setOf("node_modules vendor _site _layouts _includes _sass _data _plugins archetypes layouts themes resources i18n")

// Folders whose files are posts, dated or not.
var postFolders = setOf("_posts _drafts posts post blog articles news")

// generic are folder names that don't tell one site from another.
var generic = setOf("content posts post blog docs doc pages src _posts site website articles markdown")

// MarkdownFolder reads a folder of Markdown files as Hugo, Jekyll and Astro
// keep them (or one file). It reads the folder twice, because links name files
// whose address stands in their front matter. It follows no link out of the
// folder and reads nothing beside it.
func MarkdownFolder(dir string) Stream {
	return func(yield func(Item, error) bool) {
		s, err := openMarkdown(dir)
		if err != nil {
			yield(Item{}, err)
			return
		}
		defer s.root.Close()
		if err := s.survey(); err != nil {
			yield(Item{}, err)
			return
		}
		if len(s.files) == 0 {
			yield(Item{}, fmt.Errorf("there is no Markdown file in %s", dir))
			return
		}
		for _, skipped := range s.skipped {
			if !yield(skipped, nil) {
				return
			}
		}
		emit := func(i Item) bool { return yield(i, nil) }
		for _, name := range s.order {
			if !s.item(s.files[name], emit) {
				return
			}
		}
	}
}

// markdownSite is one folder while it is read.
type markdownSite struct {
	dir     string // absolute, of the whole site
	content string // where the texts lie, relative to dir, "." for dir itself
	name    string
	root    *os.Root
	jekyll  bool
	pattern string                   // of Jekyll's permalinks, "" for its default
	files   map[string]*markdownFile // by path relative to content
	order   []string
	skipped []Item
	named   map[string]bool // tags and authors already yielded
}

// markdownFile is what the survey remembers of one file.
type markdownFile struct {
	rel     string // with slashes, relative to content
	key     string
	post    bool
	section bool // an _index.md or index.md that stands for its folder
	slug    string
	folder  string // of pages: the path of the page above, as written in the source
	at      string // the address that it gets here unless it is taken
	err     error  // what is wrong with its front matter
}

func openMarkdown(dir string) (*markdownSite, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	only := ""
	if !info.IsDir() {
		abs, only = filepath.Dir(abs), filepath.Base(abs)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	s := &markdownSite{dir: abs, content: ".", root: root, files: map[string]*markdownFile{}, named: map[string]bool{}}
	s.name = siteName(abs)
	s.learnJekyll(filepath.Base(abs))
	if only != "" {
		if !isMarkdown(only) {
			root.Close()
			return nil, fmt.Errorf("%s is no Markdown file; name a folder or a file that ends in .md", only)
		}
		s.order = []string{only}
		return s, nil
	}
	for _, sub := range []string{"src/content", "content"} {
		if i, err := root.Stat(filepath.FromSlash(sub)); err == nil && i.IsDir() {
			s.content = sub
			break
		}
	}
	return s, nil
}

// learnJekyll finds out whether this is a Jekyll site and how it makes addresses.
func (s *markdownSite) learnJekyll(base string) {
	s.jekyll = base == "_posts"
	for _, name := range []string{"_posts", "_config.yml", "_config.yaml"} {
		if _, err := s.root.Stat(name); err == nil {
			s.jekyll = true
		}
	}
	for _, name := range []string{"_config.yml", "_config.yaml"} {
		f, err := s.root.Open(name)
		if err != nil {
			continue
		}
		config, err := io.ReadAll(io.LimitReader(f, maxFrontMatter))
		f.Close()
		if err != nil {
			continue
		}
		if m, err := readMatter(string(config), readYAML); err == nil {
			s.pattern = m.text("permalink")
		}
	}
}

// aboutRepository are files that speak of a folder, not to the site's readers.
var aboutRepository = regexp.MustCompile(`(?i)^(?:readme|license|licence|copying|code_of_conduct|contributing|security|changelog|issue_template|pull_request_template)\.`)

// siteName tells this folder from others in source keys: its name, with that
// of the folder above where many sites have one of that name.
func siteName(abs string) string {
	base := filepath.Base(abs)
	if generic[base] {
		base = filepath.Base(filepath.Dir(abs)) + "-" + base
	}
	return text.Slug(base)
}

func isMarkdown(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".md", ".markdown", ".mdown", ".mkd", ".mdx":
		return true
	}
	return false
}

// survey lists the files and gives each its address.
func (s *markdownSite) survey() error {
	if len(s.order) == 0 {
		if err := s.walk(); err != nil {
			return err
		}
	}
	for _, rel := range s.order {
		source, reason := s.read(rel)
		if reason != "" {
			s.skip(rel, reason)
			continue
		}
		m, _, err := splitMatter(source)
		switch {
		case strings.TrimSpace(source) == "":
			s.skip(rel, "it is empty")
			continue
		case s.jekyll && m == nil && err == nil && aboutRepository.MatchString(rel):
			s.skip(rel, "Jekyll makes no page of it: it has no front matter")
			continue
		}
		f := s.describe(rel, m)
		f.err = err
		s.files[rel] = f
	}
	s.order = slices.DeleteFunc(s.order, func(rel string) bool { return s.files[rel] == nil })
	for _, rel := range s.order {
		f := s.files[rel]
		f.at = s.address(f)
	}
	return nil
}

func (s *markdownSite) walk() error {
	return fs.WalkDir(s.root.FS(), s.content, func(name string, d fs.DirEntry, err error) error {
		rel := strings.TrimPrefix(strings.TrimPrefix(name, s.content), "/")
		switch {
		case err != nil:
			s.skip(rel, "it can't be read: "+oneLine(err))
			if d != nil && d.IsDir() {
				return fs.SkipDir
			}
		case name == s.content:
		case strings.HasPrefix(d.Name(), "."):
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.IsDir():
			if notContent[d.Name()] || d.Name() == "public" && s.content == "." {
				s.skip(rel+"/", "it is a folder of the theme or of the build, not of content")
				return fs.SkipDir
			}
		case d.Type()&fs.ModeSymlink != 0:
			return s.symlink(name, rel)
		case isMarkdown(d.Name()):
			s.order = append(s.order, rel)
		}
		if len(s.order) > maxMarkdownFiles {
			return fmt.Errorf("the folder holds more than %d files; import its parts one after the other", maxMarkdownFiles)
		}
		return nil
	})
}

// symlink takes a link to a file inside the folder for that file; links to
// folders may lead in circles and are left alone.
func (s *markdownSite) symlink(name, rel string) error {
	info, err := s.root.Stat(filepath.FromSlash(name))
	switch {
	case err != nil:
		s.skip(rel, "it is a link that leads nowhere or out of the folder")
	case info.IsDir():
		s.skip(rel, "it is a link to a folder; import that folder by itself")
	case isMarkdown(name):
		s.order = append(s.order, rel)
	}
	return nil
}

func (s *markdownSite) skip(rel, reason string) {
	s.skipped = append(s.skipped, Item{Kind: KindOther, Name: rel, Skip: reason})
}

// read returns a file's text, or the reason why it has none.
func (s *markdownSite) read(rel string) (source, reason string) {
	f, err := s.root.Open(filepath.FromSlash(path.Join(s.content, rel)))
	if err != nil {
		var pathErr *fs.PathError
		if errors.As(err, &pathErr) {
			err = pathErr.Err
		}
		return "", "it can't be read: " + err.Error()
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return "", "it is no regular file"
	}
	if info.Size() > text.MaxBody {
		return "", fmt.Sprintf("it is longer than %d MB", text.MaxBody>>20)
	}
	data, err := io.ReadAll(io.LimitReader(f, text.MaxBody+1))
	if err != nil {
		return "", "it can't be read: " + err.Error()
	}
	if strings.ContainsRune(string(data[:min(len(data), 8000)]), 0) || !utf8.Valid(data) && !textual(data) {
		return "", "it holds no text but binary data"
	}
	clean, err := utf8Reader(strings.NewReader(string(data)))
	if err != nil {
		return "", "it can't be read: " + err.Error()
	}
	all, err := io.ReadAll(clean)
	if err != nil {
		return "", "it can't be read: " + err.Error()
	}
	return string(all), ""
}

// textual reports whether bytes that are no UTF-8 may be text in an older
// encoding: few control characters.
func textual(data []byte) bool {
	control := 0
	for _, b := range data {
		if b < 0x20 && b != '\n' && b != '\t' && b != '\r' {
			control++
		}
	}
	return control*100 < len(data)
}
