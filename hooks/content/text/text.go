// Package text turns what an editor wrote into what a visitor may see.
//
// It promises that the same input always gives the same output, that every
// body, Markdown or HTML, passes one policy, and that no input takes unbounded
// time or memory. It never lets through a script, an event handler, a style
// attribute, a form, SVG, MathML or an address other than http, https, mailto,
// tel and relative ones (images may also be base64 PNG, JPEG, GIF or WebP).
// It knows no database and no HTTP.
package text

import (
	"errors"
	"fmt"
	"strings"
)

// Formats that Render reads.
const (
	HTML     = "html"
	Markdown = "markdown"
)

// MaxBody is the longest body in bytes that Render reads.
const MaxBody = 2 << 20

// Errors of Render whose text may be shown to the person who wrote the body.
var (
	// ErrTooLong says that the body is longer than MaxBody.
	ErrTooLong = errors.New("the text is longer than 2 MB; split it into several pages")
	// ErrTooDeep says that the body nests or leaves open more than can be followed.
	ErrTooDeep = errors.New("the text has too many lists, quotes, tags, notes or table cells inside or after one another; simplify it")
	// ErrFormat says that the format is neither HTML nor Markdown.
	ErrFormat = errors.New("the format must be html or markdown")
)

// Heading is one line of a table of contents.
type Heading struct {
	Level int // 2 or 3
	ID    string
	Text  string
}

// Rendered is a body made ready: safe HTML, plain text for search and
// previews, and what can be counted in it.
type Rendered struct {
	HTML    string
	Text    string
	Words   int // a Chinese or Japanese character counts as a word
	Minutes int // reading time at 200 words a minute, at least 1
	TOC     []Heading
}

// Render makes body, written in format (html or markdown), ready to be shown.
// Its errors are ErrFormat, ErrTooLong and ErrTooDeep.
func Render(format, body string) (Rendered, error) {
	if len(body) > MaxBody {
		return Rendered{}, ErrTooLong
	}
	body = dropControls(body)
	switch format {
	case HTML:
	case Markdown:
		made, err := fromMarkdown(body)
		if err != nil {
			return Rendered{}, err
		}
		body = made
	default:
		return Rendered{}, fmt.Errorf("%w, not %q", ErrFormat, format)
	}
	safe, root, err := sanitize(body)
	if err != nil {
		return Rendered{}, err
	}
	r := Rendered{HTML: safe, Text: plain(root), TOC: contents(root)}
	r.Words = CountWords(r.Text)
	r.Minutes = Minutes(r.Words)
	return r, nil
}

// Sanitize passes html through the policy of the site. What is too long or
// too deep to be read safely comes back as escaped text. Sanitizing twice
// changes nothing more.
func Sanitize(html string) string {
	safe, _, err := sanitize(dropControls(html))
	if err != nil {
		return asText(html)
	}
	return safe
}

// dropControls removes characters that no HTML may hold and makes the string
// valid UTF-8, so that every later step sees the same text.
func dropControls(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	clean := true
	for i := 0; i < len(s) && clean; i++ {
		clean = s[i] >= 0x20 && s[i] != 0x7f || s[i] == '\n' || s[i] == '\t'
	}
	if clean {
		return s
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\r':
			return '\n'
		case r < 0x20 && r != '\n' && r != '\t', r == 0x7f:
			return -1
		}
		return r
	}, s)
}
