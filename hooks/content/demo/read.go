package demo

import (
	"cmp"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"
)

// texts are the sample's posts and pages, one Markdown file each, read in the
// order of their names.
//
//go:embed site
var texts embed.FS

// piece is one post or page as it is written in a file.
type piece struct {
	slug   string
	fields map[string]string // title, date, tags …
	body   string
}

// read returns the pieces of a folder of texts.
func read(folder string) ([]piece, error) {
	files, err := fs.ReadDir(texts, path.Join("site", folder))
	if err != nil {
		return nil, fmt.Errorf("read sample: %w", err)
	}
	var pieces []piece
	for _, f := range files {
		raw, err := fs.ReadFile(texts, path.Join("site", folder, f.Name()))
		if err != nil {
			return nil, fmt.Errorf("read sample: %w", err)
		}
		p, err := parse(string(raw))
		if err != nil {
			return nil, fmt.Errorf("read sample %s: %w", f.Name(), err)
		}
		if p.slug = p.fields["slug"]; p.slug == "" {
			p.slug = strings.TrimSuffix(f.Name(), ".md")
		}
		pieces = append(pieces, p)
	}
	return pieces, nil
}

// parse splits a file into its lines of "key: value" and, after the first
// empty line, its body.
func parse(raw string) (piece, error) {
	head, body, ok := strings.Cut(strings.ReplaceAll(raw, "\r\n", "\n"), "\n\n")
	if !ok {
		return piece{}, fmt.Errorf("there is no empty line after the fields")
	}
	p := piece{fields: map[string]string{}, body: body}
	for line := range strings.Lines(head) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
		if !ok {
			return piece{}, fmt.Errorf("%q is no field", line)
		}
		p.fields[key] = value
	}
	return p, nil
}

// opening is the date of the pages, which name none.
const opening = "2025-09-01 09:00"

// date is when the piece was published.
func (p piece) date() (time.Time, error) {
	return time.Parse("2006-01-02 15:04", cmp.Or(p.fields["date"], opening))
}

// yearsBack is by how many years the sample's dates move into the past, so
// that on a machine whose calendar is earlier everything published is out.
func yearsBack(pieces []piece, now time.Time) (int, error) {
	var newest time.Time
	for _, p := range pieces {
		at, err := p.date()
		if err != nil {
			return 0, err
		}
		if p.fields["status"] == "" && at.After(newest) {
			newest = at
		}
	}
	years := 0
	for newest.AddDate(-years, 0, 0).After(now) {
		years++
	}
	return years, nil
}
