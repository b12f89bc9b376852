package text

import (
	"strings"
	"unicode"

	"golang.org/x/net/html"
)

var blocks = set(`p h1 h2 h3 h4 h5 h6 div section article aside header footer hgroup address main br hr center
	figure figcaption dl dt dd summary details caption thead tbody tfoot tr td th table blockquote pre ul ol li`)

func isBlock(n *html.Node) bool {
	return n.Type == html.ElementNode && blocks[n.Data]
}

// plain returns the words of a tree, one line per block, without the marks of
// footnotes.
func plain(root *html.Node) string {
	var b strings.Builder
	collect(&b, root)
	var lines []string
	for line := range strings.Lines(b.String()) {
		if line = strings.Join(strings.Fields(line), " "); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}

func collect(b *strings.Builder, n *html.Node) {
	if n.Type == html.TextNode {
		b.WriteString(n.Data)
		return
	}
	if n.Data == "a" && (hasClass(n, "footnote-ref") || hasClass(n, "footnote-backref")) {
		return
	}
	block := isBlock(n)
	if block {
		b.WriteByte('\n')
	}
	for c := range n.ChildNodes() {
		collect(b, c)
	}
	if block {
		b.WriteByte('\n')
	}
}

// textOf returns the words of one element on one line.
func textOf(n *html.Node) string {
	return strings.Join(strings.Fields(plain(n)), " ")
}

// contents lists the headings of level 2 and 3.
func contents(root *html.Node) []Heading {
	var toc []Heading
	for n := range root.Descendants() {
		if isHeading(n) && (n.Data == "h2" || n.Data == "h3") {
			if words := textOf(n); words != "" {
				toc = append(toc, Heading{Level: int(n.Data[1] - '0'), ID: attr(n, "id"), Text: words})
			}
		}
	}
	return toc
}

// CountWords counts words; each Chinese or Japanese character counts as one.
func CountWords(text string) int {
	count, inside := 0, false
	for _, r := range text {
		switch {
		case unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana):
			count++
			inside = false
		case unicode.IsLetter(r), unicode.IsNumber(r):
			if !inside {
				count++
			}
			inside = true
		case inside && (r == '\'' || r == '’' || r == '-' || unicode.IsMark(r)):
		default:
			inside = false
		}
	}
	return count
}

// Minutes returns the reading time of so many words at 200 a minute, rounded,
// at least 1.
func Minutes(words int) int {
	return max(1, (words+100)/200)
}
