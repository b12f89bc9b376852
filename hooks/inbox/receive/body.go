package receive

import (
	"fmt"
	"path"
	"regexp"
	"strings"
	"sync"
	"unicode"

	"github.com/jhillyerd/enmime/v2"
	"github.com/microcosm-cc/bluemonday"
)

// readBody takes text, HTML and attachments out of a mail.
func readBody(m *Mail, env *enmime.Envelope) {
	text, html := env.Text, env.HTML
	files := collect(m, env)
	for _, f := range files {
		switch {
		case isTNEF(f):
			unpacked := tnef(f.Data)
			if strings.TrimSpace(text) == "" {
				text = unpacked.text
			}
			if html == "" {
				html = unpacked.html
			}
			for _, inner := range unpacked.files {
				m.keep(inner)
			}
			if len(unpacked.files) == 0 && unpacked.text == "" && unpacked.html == "" {
				m.keep(f)
			}
		default:
			m.keep(f)
		}
	}
	if len(html) > 4*maxHTML {
		html = strings.ToValidUTF8(html[:4*maxHTML], "")
		m.Left = append(m.Left, "The formatted text was too long and was cut.")
	}
	if strings.TrimSpace(text) == "" && html != "" {
		text = Plain(html)
	}
	if clean := cut(Sanitize(html), maxHTML); strings.TrimSpace(clean) != "" {
		m.HTML = clean
	}
	text = multiline(text)
	if cut(text, MaxText) != text {
		text = cut(text, MaxText)
		m.Left = append(m.Left, "The text was longer than 200,000 characters and was cut.")
	}
	m.Text, m.Quoted = Split(text)
	if invite := invitation(env); invite != "" {
		m.Text = strings.TrimSpace(m.Text + "\n\n" + invite)
	}
}

// keep adds an attachment within the limits.
func (m *Mail) keep(f File) {
	switch {
	case len(m.Files) >= MaxFiles:
		if len(m.Left) == 0 || !strings.HasPrefix(m.Left[len(m.Left)-1], "More than") {
			m.Left = append(m.Left, fmt.Sprintf("More than %d files were attached; the others were left out.", MaxFiles))
		}
	case len(f.Data) > MaxFile:
		m.Left = append(m.Left, fmt.Sprintf("The file %q was left out because it is larger than %d MB.", f.Name, MaxFile>>20))
	default:
		m.Files = append(m.Files, f)
	}
}

// collect lists the attachments and the pictures within the text.
func collect(m *Mail, env *enmime.Envelope) []File {
	var files []File
	for _, group := range [][]*enmime.Part{env.Attachments, env.Inlines, env.OtherParts} {
		for _, p := range group {
			if strings.HasPrefix(p.ContentType, "multipart/") || len(p.Content) == 0 && p.FileName == "" {
				continue
			}
			if p.ContentType == "message/delivery-status" || p.ContentType == "text/rfc822-headers" {
				continue // it is in the report's text
			}
			files = append(files, File{
				Name: fileName(p.FileName, p.ContentType, len(files)+1), Type: line(p.ContentType, 100),
				CID: line(strings.Trim(p.ContentID, "<>"), 200), Data: p.Content,
			})
		}
	}
	return files
}

var extensions = map[string]string{
	"text/calendar": "ics", "message/rfc822": "eml", "text/plain": "txt", "text/html": "html", "image/png": "png",
	"image/jpeg": "jpg", "image/gif": "gif", "application/pdf": "pdf", "application/pgp-signature": "asc", "application/ms-tnef": "dat",
}

// fileName makes a name without a path that any system takes.
func fileName(name, kind string, n int) string {
	name = path.Base(strings.ReplaceAll(line(name, 150), `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || strings.ContainsRune(`<>:"/|?*`, r) {
			return '_'
		}
		return r
	}, name)
	if name = strings.TrimLeft(name, ". "); name != "" && name != "_" {
		return name
	}
	if ext := extensions[kind]; ext != "" {
		return fmt.Sprintf("file-%d.%s", n, ext)
	}
	return fmt.Sprintf("file-%d", n)
}

// multiline normalises line ends and drops what no text may hold.
func multiline(s string) string {
	s = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\x00", "", "\u00a0", " ").Replace(strings.ToValidUTF8(s, "\uFFFD"))
	s = strings.Map(func(r rune) rune {
		if unicode.In(r, unicode.Bidi_Control) || r < ' ' && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, s)
	lines := strings.Split(s, "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " \t")
	}
	return strings.TrimSpace(strings.Join(lines, "\n"))
}

// policy is what the HTML of a mail may be: text, lists, tables, links and
// pictures. Nothing in it can act or look like a part of our page.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "div", "span", "em", "strong", "b", "i", "u", "s", "del", "ins", "sub", "sup", "small", "code", "pre", "blockquote",
		"ul", "ol", "li", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "center",
		"table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption")
	p.AllowAttrs("href").OnElements("a")
	p.AllowAttrs("src").OnElements("img")
	p.AllowAttrs("alt").OnElements("img")
	p.AllowAttrs("width", "height").Matching(regexp.MustCompile(`^[0-9]{1,4}%?$`)).OnElements("img", "table", "td", "th")
	p.AllowAttrs("colspan", "rowspan").Matching(bluemonday.Integer).OnElements("td", "th")
	p.AllowAttrs("align").Matching(regexp.MustCompile(`^(left|right|center)$`)).OnElements("td", "th", "p", "div")
	p.AllowURLSchemes("http", "https", "mailto", "tel", "cid")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(false)
	p.RequireNoReferrerOnLinks(true)
	p.RequireNoFollowOnLinks(true)
	p.AddTargetBlankToFullyQualifiedLinks(true)
	p.SkipElementsContent("style", "script", "title", "head", "iframe", "object", "noscript", "template")
	return p
})

// Sanitize reduces the HTML of a mail to what may be shown in a sandbox.
func Sanitize(html string) string { return policy().Sanitize(html) }
