package text

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// tidy reduces the attributes of an allowed element to those that it may have
// and says whether the element still has a point: a link without an address
// and an image without a source have none.
func tidy(n *html.Node, extra []string, used ids) bool {
	align := alignment(n)
	if n.Data == "a" && !hasAttr(n, "id") {
		// Old editors named the targets of links so.
		if name := attr(n, "name"); idPattern.MatchString(name) {
			setAttr(n, "id", name)
		}
	}
	kept := n.Attr[:0]
	for _, a := range n.Attr {
		if a.Namespace != "" || !slices.Contains(commonAttrs, a.Key) && !slices.Contains(extra, a.Key) {
			continue
		}
		a.Val = dropControls(a.Val)
		switch a.Key {
		case "class":
			a.Val = tidyClasses(a.Val)
		case "id":
			a.Val = used.claim(a.Val)
		case "aria-describedby", "headers":
			a.Val = safeID(a.Val)
		case "open", "reversed", "controls", "loop", "muted", "default", "checked", "disabled", "playsinline":
			kept = append(kept, html.Attribute{Key: a.Key})
			continue
		case "width", "height":
			a.Val = strings.TrimSuffix(strings.TrimSpace(a.Val), "px")
		}
		if re := attrPatterns[a.Key]; re != nil && !re.MatchString(a.Val) {
			continue
		}
		kept = append(kept, a)
	}
	n.Attr = kept
	if align != "" {
		addClass(n, "align-"+align)
	}
	return tidyKind(n)
}

// tidyKind does what only one kind of element needs.
func tidyKind(n *html.Node) bool {
	switch n.Data {
	case "a":
		return tidyLink(n)
	case "img":
		if !tidyURLAttr(n, "src", imageURL) {
			return false
		}
		tidySources(n)
		if !hasAttr(n, "alt") {
			setAttr(n, "alt", "")
		}
		setAttr(n, "loading", "lazy")
		setAttr(n, "decoding", "async")
	case "audio", "video":
		tidyURLAttr(n, "src", playableURL)
		tidyURLAttr(n, "poster", fileURL)
		setAttr(n, "controls", "")
		if !hasAttr(n, "preload") {
			setAttr(n, "preload", "metadata")
		}
	case "source":
		if n.Parent != nil && n.Parent.Data == "picture" {
			removeAttr(n, "src")
			tidySources(n)
			return hasAttr(n, "srcset")
		}
		removeAttr(n, "srcset")
		return tidyURLAttr(n, "src", playableURL)
	case "track":
		return tidyURLAttr(n, "src", playableURL)
	case "blockquote", "q", "ins", "del":
		tidyURLAttr(n, "cite", linkURL)
	case "input":
		return tidyTask(n)
	case "label":
		return n.FirstChild != nil && n.FirstChild.Data == "input"
	case "pre":
		setAttr(n, "tabindex", "0")
	case "div":
		if !hasClass(n, "table-wrap") {
			removeAttr(n, "tabindex")
		}
	}
	return true
}

var linkRelations = set("nofollow sponsored ugc noopener noreferrer author tag license external me bookmark")

func tidyLink(n *html.Node) bool {
	if !tidyURLAttr(n, "href", linkURL) {
		removeAttr(n, "rel")
		removeAttr(n, "target")
		// An anchor without an address may still be the target of another link.
		return attr(n, "id") != ""
	}
	var rel []string
	for _, r := range strings.Fields(strings.ToLower(attr(n, "rel"))) {
		if linkRelations[r] && !slices.Contains(rel, r) {
			rel = append(rel, r)
		}
	}
	if (external(attr(n, "href")) || hasAttr(n, "target")) && !slices.Contains(rel, "noopener") {
		rel = append(rel, "noopener")
	}
	if removeAttr(n, "rel"); len(rel) > 0 {
		setAttr(n, "rel", strings.Join(rel, " "))
	}
	return true
}

// tidyTask keeps a checkbox as the mark of a list item, never as a control.
func tidyTask(n *html.Node) bool {
	p := n.Parent
	for p != nil && (p.Data == "p" || p.Data == "label") {
		p = p.Parent
	}
	if attr(n, "type") != "checkbox" || p == nil || p.Data != "li" {
		return false
	}
	checked := hasAttr(n, "checked")
	n.Attr = []html.Attribute{{Key: "type", Val: "checkbox"}, {Key: "disabled"}}
	if checked {
		n.Attr = append(n.Attr, html.Attribute{Key: "checked"})
	}
	return true
}

func tidySources(n *html.Node) {
	if !hasAttr(n, "srcset") {
		removeAttr(n, "sizes")
		return
	}
	if s := tidySrcset(attr(n, "srcset")); s != "" {
		setAttr(n, "srcset", s)
		return
	}
	removeAttr(n, "srcset")
	removeAttr(n, "sizes")
}

// tidyURLAttr replaces an address by its safe form and removes it where there
// is none; it says whether one is left.
func tidyURLAttr(n *html.Node, key string, safe func(string) string) bool {
	if u := safe(attr(n, key)); u != "" {
		setAttr(n, key, u)
		return true
	}
	removeAttr(n, key)
	return false
}

// alignment reads align="…" and text-align, which old editors write.
func alignment(n *html.Node) string {
	if n.Data == "img" || n.Data == "table" {
		return ""
	}
	value := attr(n, "align")
	for _, rule := range strings.Split(attr(n, "style"), ";") {
		if name, v, ok := strings.Cut(rule, ":"); ok && strings.EqualFold(strings.TrimSpace(name), "text-align") {
			value = v
		}
	}
	switch value = strings.ToLower(strings.TrimSpace(value)); value {
	case "left", "center", "right":
		return value
	}
	return ""
}

// tidyClasses keeps at most 20 plain class names, without those that scripts
// of the site listen to.
func tidyClasses(value string) string {
	var kept []string
	for _, c := range strings.Fields(value) {
		if len(c) <= 64 && attrPatterns["class"].MatchString(c) && !strings.HasPrefix(c, "js-") && !strings.HasPrefix(c, "htmx-") && len(kept) < 20 {
			kept = append(kept, c)
		}
	}
	return strings.Join(kept, " ")
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key && a.Namespace == "" {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, key string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func setAttr(n *html.Node, key, value string) {
	for i := range n.Attr {
		if n.Attr[i].Key == key {
			n.Attr[i].Val = value
			return
		}
	}
	n.Attr = append(n.Attr, html.Attribute{Key: key, Val: value})
}

func removeAttr(n *html.Node, key string) {
	n.Attr = slices.DeleteFunc(n.Attr, func(a html.Attribute) bool { return a.Key == key })
}

func hasClass(n *html.Node, class string) bool {
	return slices.Contains(strings.Fields(attr(n, "class")), class)
}

func addClass(n *html.Node, class string) {
	if !hasClass(n, class) {
		setAttr(n, "class", tidyClasses(class+" "+attr(n, "class")))
	}
}
