package desk

import (
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// Key is a key, or two in turn, that does something in the desk.
type Key struct {
	Where string // English: the part of the page of shortcuts
	Keys  string // as data-key has it: "/", "g p"
	Does  string // English
	Path  string // the page that it leads to, below the desk; it is bound where the menu shows it
}

// Each lists the single keys, for a template.
func (k Key) Each() []string { return strings.Fields(k.Keys) }

// Keys is the one table of keys: the menu binds those with a Path, the layout
// and the pages the others.
var Keys = []Key{
	{"Everywhere", "/", "Search the desk", ""},
	{"Everywhere", "?", "Show these shortcuts", ""},
	{"Everywhere", "Escape", "Close what is open", ""},
	{"Go to", "g o", "Overview", ""},
	{"Go to", "g p", "Posts", "posts"},
	{"Go to", "g a", "Pages", "pages"},
	{"Go to", "g m", "Media", "media"},
	{"Go to", "g c", "Comments", "comments"},
	{"Go to", "g i", "Inbox", "inbox"},
	{"Go to", "g f", "Forms", "forms"},
	{"Go to", "g e", "Mail", "mail"},
	{"Go to", "g j", "Jobs", "jobs"},
	{"Go to", "g s", "Settings", "settings"},
	{"In lists of what waits", "j", "Next", ""},
	{"In lists of what waits", "k", "Previous", ""},
	{"In lists of what waits", "Enter", "Open", ""},
	{"In lists of what waits", "a", "Approve", ""},
	{"In lists of what waits", "s", "Spam", ""},
}

// keyOf is the key that leads to a page, "" for none.
func keyOf(path string) string {
	if path == "" {
		return "g o"
	}
	for _, k := range Keys {
		if k.Path == path {
			return k.Keys
		}
	}
	return ""
}

// KeysFor lists the keys that do something for a person: those of pages that
// the menu does not show are left out.
func KeysFor(app core.App, person *core.Record) []Key {
	shown := map[string]bool{}
	for _, group := range Of(app).Menu(person, "") {
		for _, item := range group.Items {
			shown[item.Href] = true
		}
	}
	var keys []Key
	for _, k := range Keys {
		if k.Path == "" || shown[Href(k.Path)] {
			keys = append(keys, k)
		}
	}
	return keys
}
