package text

import (
	"strconv"
	"strings"

	"golang.org/x/net/html"
)

// taken lists ids that a body may not use as they are: names that scripts read
// as properties of window, document, a form or an element (an element with such
// an id would shadow them), and ids of the page around the body.
var taken = set(`
	location body head forms form images links scripts anchors embeds plugins cookie domain referrer title url documenturi
	documentelement defaultview currentscript activeelement implementation readystate getelementbyid getelementsbyname
	getelementsbytagname getelementsbyclassname queryselector queryselectorall createelement createtextnode write writeln
	open close append prepend remove children childnodes firstchild lastchild parentnode parentelement nextsibling
	previoussibling attributes innerhtml outerhtml innertext textcontent nodename nodetype nodevalue ownerdocument tagname
	classname classlist id name style dataset elements action method target submit reset length item nameditem
	window self top parent frames opener document navigator history screen event alert confirm prompt eval fetch
	localstorage sessionstorage indexeddb caches crypto performance console settimeout setinterval origin status closed
	constructor prototype __proto__ hasownproperty tostring valueof addeventlistener removeeventlistener dispatchevent
	htmx bungalow content main search comments comment menu nav header footer sidebar toc theme accent skip q site page article related toc-title`)

// ids hands out the ids of one body; each is used once.
type ids map[string]bool

// safeID makes an id harmless: one that is taken gets the prefix "h-", one that
// is no id at all becomes "".
func safeID(id string) string {
	id = strings.TrimSpace(id)
	if !idPattern.MatchString(id) {
		id = Fold(id)
		if id == "" {
			return ""
		}
	}
	if taken[strings.ToLower(id)] {
		id = "h-" + id
	}
	return id
}

// claim returns the safe form of an id that was asked for, or "" where it is
// unusable or a second time in the same body.
func (u ids) claim(id string) string {
	id = safeID(id)
	if id == "" || u[id] {
		return ""
	}
	u[id] = true
	return id
}

// invent makes an id for a heading out of its words.
func (u ids) invent(words string) string {
	base := Fold(words)
	if base == "" {
		base = "section"
	}
	base = safeID(base)
	id := base
	for n := 2; u[id]; n++ {
		id = base + "-" + strconv.Itoa(n)
	}
	u[id] = true
	return id
}

// nameHeadings gives every heading below h1 an id.
func nameHeadings(root *html.Node, used ids) {
	for n := range root.Descendants() {
		if isHeading(n) && attr(n, "id") == "" {
			setAttr(n, "id", used.invent(textOf(n)))
		}
	}
}

func isHeading(n *html.Node) bool {
	return n.Type == html.ElementNode && len(n.Data) == 2 && n.Data[0] == 'h' && n.Data[1] >= '1' && n.Data[1] <= '6'
}
