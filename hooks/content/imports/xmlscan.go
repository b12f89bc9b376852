package imports

import (
	"bufio"
	"errors"
	"fmt"
	"html"
	"io"
	"regexp"
	"strings"
)

// maxToken is the longest text or tag of an export in bytes.
const maxToken = 32 << 20

type tokenKind int

const (
	startTag tokenKind = iota
	endTag
	textToken
	cdataToken
)

// xmlToken is one piece of an export. raw is a tag as it was written.
type xmlToken struct {
	kind  tokenKind
	name  string
	attrs string
	text  string
	raw   string
	empty bool // <name/>
	line  int
}

// xmlScanner cuts an export into tags and text. It is no XML parser: exports
// are seldom broken in ways that matter, and one that a strict parser refuses
// at the first stray "<" or "&" still holds a person's writing. It knows no
// DTD, so that an entity can't stand for anything but a character.
type xmlScanner struct {
	r    *bufio.Reader
	line int
	held *xmlToken
}

// errCut says that the file ends inside a tag or a CDATA section.
var errCut = errors.New("the file ends early")

func newXMLScanner(r io.Reader) *xmlScanner {
	return &xmlScanner{r: bufio.NewReaderSize(r, 64<<10), line: 1}
}

// push gives a token back, to be read again.
func (s *xmlScanner) push(t xmlToken) { s.held = &t }

// next returns the next token, io.EOF at a clean end, errCut at an unclean one.
func (s *xmlScanner) next() (xmlToken, error) {
	if s.held != nil {
		t := *s.held
		s.held = nil
		return t, nil
	}
	for {
		line := s.line
		head, err := s.r.Peek(9)
		if len(head) == 0 {
			if err == io.EOF {
				return xmlToken{}, io.EOF
			}
			return xmlToken{}, fmt.Errorf("line %d: %w", s.line, err)
		}
		h := string(head)
		switch {
		case h == "<![CDATA[":
			s.r.Discard(9)
			body, err := s.until("]]>")
			return xmlToken{kind: cdataToken, text: body, line: line}, err
		case strings.HasPrefix(h, "<!--"):
			s.r.Discard(4)
			if _, err := s.until("-->"); err != nil {
				return xmlToken{}, err
			}
		case strings.HasPrefix(h, "<?"), strings.HasPrefix(h, "<!"):
			if _, err := s.until(">"); err != nil {
				return xmlToken{}, err
			}
		case h[0] == '<' && len(h) > 1 && (isLetter(h[1]) || h[1] == '/' && len(h) > 2 && isLetter(h[2])):
			raw, err := s.tag()
			return parseTag(raw, line), err
		default:
			body, err := s.text()
			return xmlToken{kind: textToken, text: html.UnescapeString(body), raw: body, line: line}, err
		}
	}
}

// until reads up to and past a mark and returns what stands before it.
func (s *xmlScanner) until(mark string) (string, error) {
	var b strings.Builder
	last := mark[len(mark)-1]
	for {
		part, err := s.r.ReadSlice(last)
		s.line += strings.Count(string(part), "\n")
		b.Write(part)
		if err == nil && strings.HasSuffix(tail(&b, len(mark)), mark) {
			all := b.String()
			return all[:len(all)-len(mark)], nil
		}
		if b.Len() > maxToken {
			return "", fmt.Errorf("line %d: one element is longer than %d MB", s.line, maxToken>>20)
		}
		if err == io.EOF {
			return b.String(), errCut
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return b.String(), fmt.Errorf("line %d: %w", s.line, err)
		}
	}
}

func tail(b *strings.Builder, n int) string {
	all := b.String()
	return all[max(0, len(all)-n):]
}

// tag reads a tag with its brackets; a ">" inside a quoted value does not end it.
func (s *xmlScanner) tag() (string, error) {
	var b strings.Builder
	quote := byte(0)
	for {
		c, err := s.r.ReadByte()
		if err == io.EOF {
			return b.String(), errCut
		}
		if err != nil {
			return b.String(), fmt.Errorf("line %d: %w", s.line, err)
		}
		if c == '\n' {
			s.line++
		}
		b.WriteByte(c)
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case (c == '"' || c == '\'') && strings.HasSuffix(strings.TrimSpace(b.String()[:b.Len()-1]), "="):
			quote = c
		case c == '>':
			return b.String(), nil
		}
		// No tag of an export is longer: this was a stray "<" in text.
		if b.Len() > 4096 {
			return b.String(), nil
		}
	}
}

// text reads up to the next tag.
func (s *xmlScanner) text() (string, error) {
	var b strings.Builder
	for {
		c, err := s.r.ReadByte()
		if err == io.EOF {
			return b.String(), nil
		}
		if err != nil {
			return b.String(), fmt.Errorf("line %d: %w", s.line, err)
		}
		if c == '\n' {
			s.line++
		}
		b.WriteByte(c)
		if b.Len() > maxToken {
			return "", fmt.Errorf("line %d: one element is longer than %d MB", s.line, maxToken>>20)
		}
		if next, _ := s.r.Peek(3); len(next) > 1 && next[0] == '<' &&
			(isLetter(next[1]) || next[1] == '!' || next[1] == '?' || next[1] == '/' && len(next) > 2 && isLetter(next[2])) {
			return b.String(), nil
		}
	}
}

func isLetter(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

func parseTag(raw string, line int) xmlToken {
	t := xmlToken{kind: startTag, raw: raw, line: line}
	inner := strings.TrimSuffix(strings.TrimPrefix(raw, "<"), ">")
	if rest, ok := strings.CutPrefix(inner, "/"); ok {
		t.kind, inner = endTag, rest
	}
	if rest, ok := strings.CutSuffix(inner, "/"); ok {
		t.empty, inner = t.kind == startTag, rest
	}
	end := strings.IndexAny(inner, " \t\r\n/")
	if end < 0 {
		end = len(inner)
	}
	t.name, t.attrs = inner[:end], inner[end:]
	return t
}

var attrPattern = regexp.MustCompile(`([A-Za-z_][\w:.-]*)\s*=\s*("[^"]*"|'[^']*')`)

// attributes reads the attributes of a start tag.
func (t xmlToken) attributes() map[string]string {
	m := map[string]string{}
	for _, a := range attrPattern.FindAllStringSubmatch(t.attrs, 100) {
		m[a[1]] = html.UnescapeString(a[2][1 : len(a[2])-1])
	}
	return m
}
