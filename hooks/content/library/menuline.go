package library

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"bungalow/hooks/content"
	"bungalow/hooks/kit/web"
)

// maxLevel is how deep the lines of a menu nest, from 0.
const maxLevel = 2

// MenuLine is a line of a menu as its form has it: the lines stand one below
// another, and the level says how far to the right.
type MenuLine struct {
	Label, URL string
	Level      int
	Nowhere    bool // nothing of this site is at the address
}

// flat lists the lines of a menu.
func flat(items []content.MenuItem, level int) []MenuLine {
	var lines []MenuLine
	for _, item := range items {
		lines = append(lines, MenuLine{Label: item.Label, URL: item.URL, Level: level})
		lines = append(lines, flat(item.Children, level+1)...)
	}
	return lines
}

// nested is the opposite of flat.
func nested(lines []MenuLine) []content.MenuItem {
	lines = straight(lines)
	items, _ := nest(lines, 0)
	return items
}

func nest(lines []MenuLine, level int) (items []content.MenuItem, rest []MenuLine) {
	items = []content.MenuItem{}
	for len(lines) > 0 && lines[0].Level >= level {
		item := content.MenuItem{Label: lines[0].Label, URL: lines[0].URL}
		item.Children, lines = nest(lines[1:], level+1)
		if len(item.Children) == 0 {
			item.Children = nil
		}
		items = append(items, item)
	}
	return items, lines
}

// straight keeps each level within one step of the line above.
func straight(lines []MenuLine) []MenuLine {
	out := slices.Clone(lines)
	above := -1
	for i := range out {
		out[i].Level = max(0, min(out[i].Level, above+1, maxLevel))
		above = out[i].Level
	}
	return out
}

// block is the end of the line i with all that lies below it.
func block(lines []MenuLine, i int) int {
	end := i + 1
	for end < len(lines) && lines[end].Level > lines[i].Level {
		end++
	}
	return end
}

// before is the line that the line i lies beside or below, -1 for the first.
func before(lines []MenuLine, i int) int {
	p := i - 1
	for p >= 0 && lines[p].Level > lines[i].Level {
		p--
	}
	return p
}

// Arrange does one step with a line: "up", "down", "in", "out" or "remove". A
// step that leads nowhere changes nothing. A line takes along what lies below.
func Arrange(lines []MenuLine, act string, i int) []MenuLine {
	lines = straight(lines)
	if i < 0 || i >= len(lines) {
		return lines
	}
	end, p := block(lines, i), before(lines, i)
	switch act {
	case "remove":
		lines = slices.Delete(lines, i, end)
	case "in":
		if p >= 0 && lines[p].Level == lines[i].Level && deepest(lines[i:end]) < maxLevel {
			shift(lines[i:end], 1)
		}
	case "out":
		shift(lines[i:end], -1)
	case "up":
		if p < 0 {
			return lines
		}
		if lines[p].Level < lines[i].Level { // the first below its parent: it comes before that
			shift(lines[i:end], -1)
		}
		lines = slices.Concat(lines[:p], lines[i:end], lines[p:i], lines[end:])
	case "down":
		switch {
		case end < len(lines) && lines[end].Level == lines[i].Level:
			lines = slices.Concat(lines[:i], lines[end:block(lines, end)], lines[i:end], lines[block(lines, end):])
		default:
			shift(lines[i:end], -1) // the last below its parent: it comes after that
		}
	}
	return straight(lines)
}

func deepest(lines []MenuLine) int {
	most := 0
	for _, l := range lines {
		most = max(most, l.Level)
	}
	return most
}

func shift(lines []MenuLine, by int) {
	if by < 0 && lines[0].Level == 0 {
		return
	}
	for i := range lines {
		lines[i].Level += by
	}
}

// linesOf reads the lines of a form.
func linesOf(form web.Values) []MenuLine {
	lines := make([]MenuLine, len(form["label"]))
	for i, label := range form["label"] {
		lines[i].Label = strings.TrimSpace(label)
		if i < len(form["url"]) {
			lines[i].URL = strings.TrimSpace(form["url"][i])
		}
		if i < len(form["level"]) {
			lines[i].Level, _ = strconv.Atoi(form["level"][i])
		}
	}
	return straight(lines)
}

// step reads a button such as "up:3".
func step(button string) (act string, line int) {
	act, at, _ := strings.Cut(button, ":")
	line, err := strconv.Atoi(at)
	if err != nil {
		line = -1
	}
	return act, line
}

// itemsOf reads the lines that a record has.
func itemsOf(raw string) ([]MenuLine, error) {
	var items []content.MenuItem
	if raw != "" && raw != "null" {
		if err := json.Unmarshal([]byte(raw), &items); err != nil {
			return nil, fmt.Errorf("read a menu: %w", err)
		}
	}
	return flat(items, 0), nil
}
