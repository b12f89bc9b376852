package imports

import (
	"html"
	"sort"
	"strconv"
	"strings"
)

// menuLines collects the lines of menus, which an export scatters over its
// items, until the end.
type menuLines struct {
	names map[string]string
	lines []menuLine
}

type menuLine struct {
	menu, id, parent string
	position         int
	entry            MenuEntry
}

func (m *menuLines) name(slug, name string) {
	if m.names == nil {
		m.names = map[string]string{}
	}
	if name != "" {
		m.names[slug] = name
	}
}

// add keeps one line. Those that lead to a post, a page or a tag keep its key;
// the writer knows where that lives now.
func (m *menuLines) add(w *wordpress, n *wxrNode) {
	menu := ""
	for _, c := range n.categories {
		if c.domain == "nav_menu" {
			menu = c.slug
			m.name(menu, html.UnescapeString(c.name))
		}
	}
	if menu == "" {
		menu = "menu"
	}
	line := menuLine{menu: menu, id: n.get("wp:post_id"), parent: n.meta["_menu_item_menu_item_parent"]}
	line.position, _ = strconv.Atoi(n.get("wp:menu_order"))
	line.entry.Label = strings.TrimSpace(plainText(n.get("title")))
	object := n.meta["_menu_item_object_id"]
	switch n.meta["_menu_item_type"] {
	case "post_type":
		line.entry.Target = w.key("post", object)
	case "taxonomy":
		ref, ok := w.terms[object]
		if !ok {
			// Older exports number no terms; the title is mostly the name.
			ref = w.termRef(wxrCategory{name: line.entry.Label})
		}
		line.entry.Target = ref.Key
	default:
		line.entry.URL = w.inside(n.meta["_menu_item_url"])
	}
	m.lines = append(m.lines, line)
}

// finishMenus builds the menus out of their lines.
func (w *wordpress) finishMenus() []Item {
	byMenu := map[string][]menuLine{}
	var order []string
	for _, l := range w.menus.lines {
		if byMenu[l.menu] == nil {
			order = append(order, l.menu)
		}
		byMenu[l.menu] = append(byMenu[l.menu], l)
	}
	var items []Item
	for _, menu := range order {
		lines := byMenu[menu]
		sort.SliceStable(lines, func(a, b int) bool { return lines[a].position < lines[b].position })
		name := w.menus.names[menu]
		if name == "" {
			name = menu
		}
		items = append(items, Item{Kind: KindMenu, Key: w.key("menu", menu), Name: name, Title: name, Menu: nest(lines)})
	}
	return items
}

// nest puts lines below their parents; one whose parent is missing or below
// itself stands at the top.
func nest(lines []menuLine) []MenuEntry {
	known := map[string]int{}
	for i, l := range lines {
		if l.id != "" {
			known[l.id] = i
		}
	}
	children := map[int][]int{}
	for i, l := range lines {
		up := -1
		if p, ok := known[l.parent]; ok && !circular(lines, known, i) {
			up = p
		}
		children[up] = append(children[up], i)
	}
	var build func(at int) []MenuEntry
	build = func(at int) []MenuEntry {
		var out []MenuEntry
		for _, i := range children[at] {
			e := lines[i].entry
			e.Children = build(i)
			out = append(out, e)
		}
		return out
	}
	return build(-1)
}

func circular(lines []menuLine, known map[string]int, from int) bool {
	at := from
	for range 100 {
		p, ok := known[lines[at].parent]
		if !ok {
			return false
		}
		if at = p; at == from {
			return true
		}
	}
	return true
}
