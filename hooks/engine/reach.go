package engine

import (
	"net/url"
	"slices"
	"strings"

	"github.com/ganigeorgiev/fexpr"
	"github.com/pocketbase/pocketbase/tools/search"
)

// reach says what a rule, a filter or a sort may look at.
type reach int

const (
	// near: the collection's own rows, and the fields of whoever asks.
	near reach = iota
	// wide: rows of any collection.
	wide
	// beyond: the clock, chance, or parts of the request that are not in its
	// address.
	beyond
)

// reachOf reads an expression as PocketBase does. What it does not know is
// beyond.
func reachOf(expression string) reach {
	if strings.TrimSpace(expression) == "" {
		return near
	}
	groups, err := fexpr.Parse(expression)
	if err != nil {
		return beyond
	}
	return groupsReach(groups)
}

func groupsReach(groups []fexpr.ExprGroup) reach {
	far := near
	for _, g := range groups {
		switch item := g.Item.(type) {
		case fexpr.Expr:
			far = max(far, tokenReach(item.Left), tokenReach(item.Right))
		case fexpr.ExprGroup:
			far = max(far, groupsReach([]fexpr.ExprGroup{item}))
		case []fexpr.ExprGroup:
			far = max(far, groupsReach(item))
		default:
			return beyond
		}
	}
	return far
}

func tokenReach(t fexpr.Token) reach {
	switch t.Type {
	case fexpr.TokenText, fexpr.TokenNumber:
		return near
	case fexpr.TokenIdentifier:
		return nameReach(t.Literal)
	default: // functions may ask for the time
		return beyond
	}
}

func nameReach(name string) reach {
	switch {
	case strings.HasPrefix(name, "@request.auth."):
		if strings.Count(name, ".") == 2 {
			return near
		}
		return wide
	case strings.HasPrefix(name, "@collection."):
		return wide
	case strings.HasPrefix(name, "@"):
		return beyond
	case strings.Contains(name, "."):
		return wide
	default:
		return near
	}
}

func sortReach(sort string) reach {
	far := near
	if strings.TrimSpace(sort) == "" {
		return far
	}
	for _, field := range search.ParseSortFromString(sort) {
		if field.Name != "@rowid" {
			far = max(far, nameReach(field.Name))
		}
	}
	return far
}

// address is the query with its names in order, which changes no answer:
// PocketBase reads the first value of each.
func address(query url.Values) string {
	if len(query) == 0 {
		return ""
	}
	names := make([]string, 0, len(query))
	for name := range query {
		names = append(names, name)
	}
	slices.Sort(names)
	var b strings.Builder
	for _, name := range names {
		b.WriteString(url.QueryEscape(name))
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(query[name][0]))
		b.WriteByte('&')
	}
	return b.String()
}
