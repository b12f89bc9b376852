package imports

import (
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

var (
	membersOnly = regexp.MustCompile(`<!--\s*members-only\s*-->`)
	gatedBlock  = regexp.MustCompile(`<!--\s*kg-gated-block:begin([^>]*)-->`)
	cardPlayer  = regexp.MustCompile(`\bkg-(?:audio|video|signup|toggle)-card\b`)
)

// forMembers reports whether Ghost kept a part of a public text from those who
// were not signed in: what follows a mark, or a block that is gated.
func forMembers(body string) bool {
	for _, m := range gatedBlock.FindAllStringSubmatch(body, -1) {
		if !strings.Contains(m[1], "nonMember:true") {
			return true
		}
	}
	return membersOnly.MatchString(body)
}

// controls are the classes of what only Ghost's scripts bring to life: players
// drawn beside the browser's own, and buttons.
var controls = []string{"kg-audio-thumbnail", "kg-audio-player", "kg-video-overlay", "kg-video-player-container", "kg-toggle-card-icon"}

// withoutControls takes the drawn players and forms out of Ghost's cards, whose
// buttons would be left as loose words.
func withoutControls(i *Item, body string) string {
	if !cardPlayer.MatchString(body) {
		return body
	}
	nodes, err := html.ParseFragment(strings.NewReader(body), &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div})
	if err != nil {
		return body
	}
	root := &html.Node{Type: html.ElementNode, Data: "div", DataAtom: atom.Div}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	var gone []*html.Node
	for n := range root.Descendants() {
		classes := classesOf(n)
		if slices.Contains(classes, "kg-signup-card") {
			i.note("its sign-up form is left out")
			gone = append(gone, n)
		} else if slices.ContainsFunc(classes, func(c string) bool { return slices.Contains(controls, c) }) {
			gone = append(gone, n)
		}
	}
	for _, n := range gone {
		if n.Parent != nil {
			n.Parent.RemoveChild(n)
		}
	}
	var b strings.Builder
	for c := range root.ChildNodes() {
		if err := html.Render(&b, c); err != nil {
			return body
		}
	}
	return b.String()
}

func classesOf(n *html.Node) []string {
	for _, a := range n.Attr {
		if a.Key == "class" {
			return strings.Fields(a.Val)
		}
	}
	return nil
}
