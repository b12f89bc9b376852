package text

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// maxRounds is how often the output is read again until it no longer changes.
// Unwrapping an element can leave a nesting that a browser would repair; only
// HTML that a parser reads back as itself is safe from such repairs (mXSS).
const maxRounds = 5

// maxCopies limits how many elements unclosed formatting tags may make a parser
// invent: 500 open <b> before 100,000 paragraphs would be 50 million.
const maxCopies = 1 << 20

// sanitize returns body in its safe, final form and its tree.
func sanitize(body string) (string, *html.Node, error) {
	last := body
	for range maxRounds {
		root, err := parse(last)
		if err != nil {
			return "", nil, err
		}
		rewrite(root)
		written, err := write(root)
		if err != nil {
			return "", nil, err
		}
		next := policy().Sanitize(written)
		if next == last {
			return next, root, nil
		}
		last = next
	}
	// It never came to rest: show it as the text that it is.
	escaped := asText(body)
	root, err := parse(escaped)
	return escaped, root, err
}

// parse reads an HTML fragment into a div that stands for the page's article.
func parse(body string) (*html.Node, error) {
	if len(body) > 8*MaxBody {
		return nil, ErrTooLong
	}
	if err := bounded(body); err != nil {
		return nil, err
	}
	context := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	nodes, err := html.ParseFragment(strings.NewReader(body), context)
	if err != nil {
		return nil, ErrTooDeep
	}
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	return root, nil
}

var formatting = set("a b big code em font i nobr s small strike strong tt u")

// bounded refuses input whose tree would be out of proportion to its length.
func bounded(body string) error {
	open, copies := 0, 0
	for z := html.NewTokenizer(strings.NewReader(body)); ; {
		switch z.Next() {
		case html.ErrorToken:
			return nil
		case html.StartTagToken:
			name, _ := z.TagName()
			copies += open
			if formatting[string(name)] {
				open++
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); open > 0 && formatting[string(name)] {
				open--
			}
		}
		if copies > maxCopies {
			return ErrTooDeep
		}
	}
}

func write(root *html.Node) (string, error) {
	var b strings.Builder
	for c := range root.ChildNodes() {
		if err := html.Render(&b, c); err != nil {
			return "", fmt.Errorf("write html: %w", err)
		}
	}
	return b.String(), nil
}

// asText shows a whole input as text, without reading its structure.
func asText(body string) string {
	if len(body) > MaxBody {
		body = strings.ToValidUTF8(body[:MaxBody], "")
	}
	return html.EscapeString(dropControls(body))
}

// rewrite makes the tree what the policy lets through, and better: alignment
// becomes a class, frames become links, images load lazily, headings get ids.
func rewrite(root *html.Node) {
	used := ids{}
	prune(root, used)
	nameHeadings(root, used)
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "a" {
			if frag, ok := strings.CutPrefix(attr(n, "href"), "#"); ok && !used[frag] && used[safeID(frag)] {
				setAttr(n, "href", "#"+safeID(frag))
			}
		}
	}
	labelTasks(root)
	emptyHeaders(root)
	frameTables(root)
}

// prune removes and unwraps what is not allowed below parent.
func prune(parent *html.Node, used ids) {
	for n, next := parent.FirstChild, (*html.Node)(nil); n != nil; n = next {
		next = n.NextSibling
		switch {
		case n.Type == html.TextNode:
			// An entity may stand for a control character.
			n.Data = dropControls(n.Data)
		case n.Type != html.ElementNode, n.Namespace != "", removed[n.Data]:
			parent.RemoveChild(n)
		case framed[n.Data] != "":
			frameToLink(n)
		default:
			if attrs, ok := elements[n.Data]; ok && tidy(n, attrs, used) {
				prune(n, used)
				continue
			}
			prune(n, used)
			unwrap(n)
		}
	}
}

func unwrap(n *html.Node) {
	for c := n.FirstChild; c != nil; c = n.FirstChild {
		n.RemoveChild(c)
		n.Parent.InsertBefore(c, n)
	}
	n.Parent.RemoveChild(n)
}

// frameToLink replaces a frame by a link to what it showed.
func frameToLink(n *html.Node) {
	defer func(parent *html.Node) { parent.RemoveChild(n) }(n.Parent)
	src := linkURL(attr(n, framed[n.Data]))
	if !external(src) {
		return
	}
	if strings.HasPrefix(src, "//") {
		src = "https:" + src
	}
	words := strings.TrimSpace(attr(n, "title"))
	if words == "" {
		words = src
	}
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == "a" {
			return
		}
	}
	link := &html.Node{Type: html.ElementNode, Data: "a", DataAtom: atom.A, Attr: []html.Attribute{
		{Key: "class", Val: "embed"}, {Key: "href", Val: src}, {Key: "rel", Val: "noopener"},
	}}
	link.AppendChild(&html.Node{Type: html.TextNode, Data: words})
	n.Parent.InsertBefore(link, n)
}

// labelTasks puts the words of a task beside its checkbox into a label, so that
// a screen reader can say what is ticked.
func labelTasks(root *html.Node) {
	var boxes []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "input" && n.Parent.Data != "label" {
			boxes = append(boxes, n)
		}
	}
	for _, box := range boxes {
		label := &html.Node{Type: html.ElementNode, Data: "label", DataAtom: atom.Label}
		box.Parent.InsertBefore(label, box)
		for n := box; n != nil && !isBlock(n) && (n == box || n.Data != "input"); n = label.NextSibling {
			n.Parent.RemoveChild(n)
			label.AppendChild(n)
		}
		for li := label.Parent; li != nil; li = li.Parent {
			if li.Data == "li" {
				addClass(li, "task")
				break
			}
		}
	}
}

// emptyHeaders makes plain cells of header cells that say nothing, such as the
// corner of a Markdown table: a screen reader would announce them.
func emptyHeaders(root *html.Node) {
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "th" && (n.FirstChild == nil || n.FirstChild.NextSibling == nil && n.FirstChild.Type == html.TextNode && strings.TrimSpace(n.FirstChild.Data) == "") {
			n.Data, n.DataAtom = "td", atom.Td
			n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == "scope" })
		}
	}
}

// frameTables puts each table into a box that scrolls and can be reached by
// the keyboard, so that a wide table does not widen the page.
func frameTables(root *html.Node) {
	var tables []*html.Node
	for n := range root.Descendants() {
		if n.Type == html.ElementNode && n.Data == "table" && !inTable(n) {
			tables = append(tables, n)
		}
	}
	for _, t := range tables {
		box := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div, Attr: []html.Attribute{
			{Key: "class", Val: "table-wrap"}, {Key: "tabindex", Val: "0"},
		}}
		t.Parent.InsertBefore(box, t)
		t.Parent.RemoveChild(t)
		box.AppendChild(t)
	}
}

func inTable(n *html.Node) bool {
	for p := n.Parent; p != nil; p = p.Parent {
		if p.Data == "table" || hasClass(p, "table-wrap") {
			return true
		}
	}
	return false
}
