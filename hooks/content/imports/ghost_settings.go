package imports

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// ghostLeft are the tables that hold something a person made and that have no
// counterpart here; the report counts their rows.
var ghostLeft = setOf("newsletters snippets members offers recommendations custom_theme_settings")

// setting reads one row of Ghost's settings: its navigation becomes menus.
func (g *ghost) setting(raw json.RawMessage) {
	var row struct {
		Key   string `json:"key"`
		Value any    `json:"value"`
	}
	if json.Unmarshal(raw, &row) != nil {
		return
	}
	value, _ := row.Value.(string)
	switch row.Key {
	case "title", "db_hash":
		g.site += value
	case "navigation":
		g.menu("Navigation", value)
	case "secondary_navigation":
		g.menu("Secondary navigation", value)
	}
}

func (g *ghost) menu(name, value string) {
	var lines []struct {
		Label string `json:"label"`
		URL   string `json:"url"`
	}
	if json.Unmarshal([]byte(value), &lines) != nil || len(lines) == 0 {
		return
	}
	i := Item{Kind: KindMenu, Name: name, Title: name}
	for _, l := range lines {
		i.Menu = append(i.Menu, MenuEntry{Label: l.Label, URL: strings.ReplaceAll(l.URL, "__GHOST_URL__", "")})
	}
	g.menus = append(g.menus, i)
}

// rest lists what comes after the posts: the menus, and what is left behind.
func (g *ghost) rest() []Item {
	items := g.menus
	for n := range items {
		items[n].Key = "ghost:menu:" + shortHash(g.site, items[n].Name)
	}
	for _, table := range slices.Sorted(maps.Keys(g.left)) {
		items = append(items, Item{Kind: KindOther, Name: table + " (" + strconv.Itoa(g.left[table]) + ")", Skip: "its table in Ghost has no counterpart here"})
	}
	return items
}
