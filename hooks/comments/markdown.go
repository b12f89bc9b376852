package comments

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"unicode"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// policy is what the markup of a comment may be: text, lists, quotes, code and
// links; with pictures where the owner wants them.
var policy = sync.OnceValue(func() *bluemonday.Policy { return newPolicy(false) })

var policyWithImages = sync.OnceValue(func() *bluemonday.Policy { return newPolicy(true) })

func newPolicy(images bool) *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.AllowElements("p", "br", "em", "strong", "b", "i", "s", "del", "code", "pre", "blockquote", "ul", "ol", "li")
	p.AllowAttrs("href").OnElements("a")
	p.AllowURLSchemes("http", "https", "mailto")
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.RequireNoFollowOnLinks(true)
	if images {
		p.AllowAttrs("src").Matching(regexp.MustCompile(`^https://`)).OnElements("img")
		p.AllowAttrs("alt").OnElements("img")
	}
	return p
}

// rel is what every link of a comment says. Quotes inside attributes and text
// are escaped, so the short form stands only where bluemonday put it.
const (
	relShort = ` rel="nofollow"`
	rel      = ` rel="nofollow ugc noopener"`
)

// Clean reduces the HTML of a comment to what a reader may write. Cleaning
// twice changes nothing more.
func Clean(html string) string { return clean(policy(), html) }

func clean(p *bluemonday.Policy, html string) string {
	return strings.ReplaceAll(p.Sanitize(html), relShort, rel)
}

// markdown is the part of Markdown that a comment may use. HTML, headings and
// tables are text in it.
var markdown = sync.OnceValue(func() goldmark.Markdown {
	p := parser.NewParser(
		parser.WithBlockParsers(
			util.Prioritized(parser.NewListParser(), 300),
			util.Prioritized(parser.NewListItemParser(), 400),
			util.Prioritized(parser.NewCodeBlockParser(), 500),
			util.Prioritized(parser.NewFencedCodeBlockParser(), 700),
			util.Prioritized(parser.NewBlockquoteParser(), 800),
			util.Prioritized(parser.NewParagraphParser(), 1000),
		),
		parser.WithInlineParsers(
			util.Prioritized(parser.NewCodeSpanParser(), 100),
			util.Prioritized(parser.NewLinkParser(), 200),
			util.Prioritized(parser.NewAutoLinkParser(), 300),
			util.Prioritized(parser.NewEmphasisParser(), 500),
		),
		parser.WithASTTransformers(util.Prioritized(plainImages{}, 100)),
	)
	return goldmark.New(goldmark.WithParser(p), goldmark.WithExtensions(extension.Strikethrough, extension.Linkify),
		goldmark.WithRendererOptions(html.WithHardWraps()))
})

// plainImages turns pictures into links, so that their text is not lost.
type plainImages struct{}

// Transform is goldmark's.
func (plainImages) Transform(doc *ast.Document, _ text.Reader, pc parser.Context) {
	if pc.Get(withImages) != nil {
		return
	}
	var images []*ast.Image
	_ = ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if image, ok := n.(*ast.Image); ok && entering {
			images = append(images, image)
		}
		return ast.WalkContinue, nil
	})
	for _, image := range images {
		link := ast.NewLink()
		link.Destination = image.Destination
		for c := image.FirstChild(); c != nil; {
			next := c.NextSibling()
			link.AppendChild(link, c)
			c = next
		}
		image.Parent().ReplaceChild(image.Parent(), image, link)
	}
}

var withImages = parser.NewContextKey()

const (
	// MaxBody is the longest comment, in characters.
	MaxBody = 10_000
	// maxNesting is how many quote or list markers one line may begin with.
	maxNesting = 12
	// maxMarks is how many characters that open something one comment may have.
	maxMarks = 2000
)

// Render makes the HTML of what somebody wrote. What would cost a parser more
// than it is worth is shown as it was typed.
func Render(body string, images bool) string {
	body = tidy(body)
	if !simple(body) {
		return "<p>" + strings.ReplaceAll(escape(body), "\n", "<br>") + "</p>"
	}
	pc := parser.NewContext()
	p := policy()
	if images {
		pc.Set(withImages, true)
		p = policyWithImages()
	}
	var out bytes.Buffer
	if err := markdown().Convert([]byte(body), &out, parser.WithContext(pc)); err != nil {
		return "<p>" + escape(body) + "</p>" // a buffer takes everything, so this can't be
	}
	return clean(p, strings.TrimSpace(out.String()))
}

// simple reports whether a Markdown parser reads the text in reasonable time.
func simple(body string) bool {
	for line := range strings.Lines(body) {
		rest := strings.TrimLeft(line, "-*+> \t0123456789.)")
		if strings.Count(line[:len(line)-len(rest)], ">")+strings.Count(line[:len(line)-len(rest)], "-")+
			strings.Count(line[:len(line)-len(rest)], "*")+strings.Count(line[:len(line)-len(rest)], "+") > maxNesting {
			return false
		}
	}
	marks := 0
	for _, c := range body {
		if strings.ContainsRune("[]*_`~<(", c) {
			marks++
		}
	}
	return marks <= maxMarks
}

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", `"`, "&#34;", "'", "&#39;")

func escape(s string) string { return escaper.Replace(s) }

// tidy removes what no page can show: control characters and marks that turn
// the reading direction of what stands beside them.
func tidy(s string) string {
	s = strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\r\n", "\n")
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return r
		case r == '\r':
			return '\n'
		case unicode.IsControl(r), r >= 0x202a && r <= 0x202e, r >= 0x2066 && r <= 0x2069, r == 0xfeff:
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(s)
}

// tidyLine is tidy for what stands on one line.
func tidyLine(s string) string { return strings.Join(strings.Fields(tidy(s)), " ") }
