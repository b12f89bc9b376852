package receive

import (
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// plainer turns HTML into text with a tokenizer, so that no depth of nesting
// costs more than its length.
type plainer struct {
	out    strings.Builder
	line   strings.Builder
	quotes int // open blockquotes
	skip   int // open elements whose content is no text
	pre    int
	blank  bool // an empty line was just written
	space  bool
	href   string
}

const maxQuotes = 20

// Plain gives the text of HTML. What stands in a blockquote gets "> " before
// each line, as in a text mail.
func Plain(source string) string {
	p := &plainer{blank: true}
	z := html.NewTokenizer(strings.NewReader(source))
	z.SetMaxBuf(1 << 20)
	for {
		switch z.Next() {
		case html.ErrorToken:
			p.flush()
			return strings.TrimSpace(p.out.String())
		case html.TextToken:
			if p.skip == 0 {
				p.text(string(z.Text()))
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			p.open(z.Token())
		case html.EndTagToken:
			p.close(z.Token().DataAtom)
		}
	}
}

func (p *plainer) text(s string) {
	s = html.UnescapeString(s)
	if p.pre > 0 {
		for i, l := range strings.Split(s, "\n") {
			if i > 0 {
				p.flush()
			}
			p.line.WriteString(l)
		}
		return
	}
	for _, r := range s {
		if r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\u00a0' {
			p.space = p.space || p.line.Len() > 0
			continue
		}
		if p.space {
			p.line.WriteByte(' ')
			p.space = false
		}
		p.line.WriteRune(r)
	}
}

// flush ends a line, if there is one.
func (p *plainer) flush() {
	p.space = false
	if p.line.Len() == 0 {
		return
	}
	p.out.WriteString(strings.Repeat("> ", p.quotes) + p.line.String() + "\n")
	p.line.Reset()
	p.blank = false
}

// gap ends a paragraph.
func (p *plainer) gap() {
	p.flush()
	if !p.blank {
		p.out.WriteString(strings.TrimRight(strings.Repeat("> ", p.quotes), " ") + "\n")
		p.blank = true
	}
}

func (p *plainer) open(t html.Token) {
	switch t.DataAtom {
	case atom.Script, atom.Style, atom.Head, atom.Title, atom.Template:
		if t.Type == html.StartTagToken {
			p.skip++
		}
	case atom.Body: // a head that was never closed ends here
		p.skip = 0
	case atom.Br:
		if p.line.Len() == 0 {
			p.gap()
		}
		p.flush()
	case atom.P, atom.Table, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6, atom.Hr:
		p.gap()
	case atom.Div, atom.Tr, atom.Dt, atom.Dd:
		p.flush()
	case atom.Td, atom.Th:
		p.space = p.line.Len() > 0
	case atom.Ul, atom.Ol:
		p.flush()
	case atom.Li:
		p.flush()
		p.line.WriteString("- ")
	case atom.Blockquote:
		p.gap()
		p.quotes = min(p.quotes+1, maxQuotes)
	case atom.Pre:
		p.gap()
		p.pre++
	case atom.A:
		p.href = attribute(t, "href")
	case atom.Img:
		if alt := attribute(t, "alt"); alt != "" && p.skip == 0 {
			p.text("[" + alt + "]")
		}
	}
}

func (p *plainer) close(a atom.Atom) {
	switch a {
	case atom.Script, atom.Style, atom.Head, atom.Title, atom.Template:
		p.skip = max(0, p.skip-1)
	case atom.P, atom.Table, atom.H1, atom.H2, atom.H3, atom.H4, atom.H5, atom.H6:
		p.gap()
	case atom.Div, atom.Tr, atom.Li, atom.Dt, atom.Dd, atom.Ul, atom.Ol:
		p.flush()
	case atom.Blockquote:
		p.flush()
		p.quotes = max(0, p.quotes-1)
		p.blank = false
		p.gap()
	case atom.Pre:
		p.flush()
		p.pre = max(0, p.pre-1)
	case atom.A:
		if strings.HasPrefix(p.href, "http") && p.skip == 0 && !strings.Contains(p.line.String(), strings.TrimSuffix(p.href, "/")) {
			p.text(" (" + p.href + ")")
		}
		p.href = ""
	}
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return cut(a.Val, 2000)
		}
	}
	return ""
}
