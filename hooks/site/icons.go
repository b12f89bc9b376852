package site

import (
	"fmt"
	"html/template"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

var iconComment = regexp.MustCompile(`(?s)<!--.*?-->\s*`)

// Icons reads every SVG in dir of fsys and returns the template function
// "icon", which draws one by its file's name without the ending. An icon is
// decoration: it is hidden from screen readers, and the words beside it (or the
// aria-label of its button) say what it means. A name that is not there is an
// error of the template that asks for it. dir holds files of the theme, which
// are trusted as its templates are.
func Icons(fsys fs.FS, dir string) (func(name string) (template.HTML, error), error) {
	files, err := fs.Glob(fsys, path.Join(dir, "*.svg"))
	if err != nil {
		return nil, fmt.Errorf("list icons: %w", err)
	}
	icons := make(map[string]template.HTML, len(files))
	for _, file := range files {
		svg, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, fmt.Errorf("read icon: %w", err)
		}
		icons[strings.TrimSuffix(path.Base(file), ".svg")] = inlineIcon(string(svg))
	}
	return func(name string) (template.HTML, error) {
		icon, ok := icons[name]
		if !ok {
			return "", fmt.Errorf("icon %q: no such file in %s", name, dir)
		}
		return icon, nil
	}, nil
}

// inlineIcon drops the comment and the line breaks of an icon's file and hides
// it from screen readers.
func inlineIcon(svg string) template.HTML {
	svg = iconComment.ReplaceAllString(svg, "")
	svg = strings.Join(strings.Fields(svg), " ")
	return template.HTML(strings.Replace(svg, "<svg ", `<svg aria-hidden="true" `, 1))
}
