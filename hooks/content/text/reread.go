package text

import (
	"regexp"
	"strings"

	"golang.org/x/net/html"
)

// Plain returns the words of HTML that Render made, one line per block.
func Plain(body string) string {
	root, err := parse(body)
	if err != nil {
		return ""
	}
	return plain(root)
}

// Contents lists the headings of HTML that Render made.
func Contents(body string) []Heading {
	root, err := parse(body)
	if err != nil {
		return nil
	}
	return contents(root)
}

// Prose returns the running text of HTML that Render made: its paragraphs,
// without headings, code, tables, pictures, notes and shortcodes. It is what an excerpt is
// made of. A body without paragraphs gives all its words.
func Prose(body string) string {
	root, err := parse(body)
	if err != nil {
		return ""
	}
	var lines []string
	paragraphs(root, &lines)
	if len(lines) == 0 {
		return plain(root)
	}
	return strings.Join(lines, "\n")
}

// shortcode is a paragraph that a page replaces by something else.
var shortcode = regexp.MustCompile(`^\s*\{\{\s*[a-z][a-z0-9_-]*(\s+"[^"<>{}]*")*\s*\}\}\s*$`)

var notProse = set(`pre table figure aside nav dl details`)

func paragraphs(n *html.Node, lines *[]string) {
	if n.Type == html.ElementNode {
		if notProse[n.Data] || hasClass(n, "footnotes") {
			return
		}
		if n.Data == "p" {
			if line := textOf(n); line != "" && !shortcode.MatchString(line) {
				*lines = append(*lines, line)
			}
			return
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		paragraphs(c, lines)
	}
}
