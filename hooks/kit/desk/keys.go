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
	Path  string // the page that it leads to or works on, below the desk; for whoever has that page in the menu
}

// Each lists the single keys, for a template: of "g p" and of "Ctrl+S" two.
func (k Key) Each() []string {
	return strings.FieldsFunc(k.Keys, func(r rune) bool { return r == ' ' || r == '+' })
}

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
	{"In a list", "f", "Search the list", ""},
	{"In a list", "n", "Begin a new one", ""},
	{"In a list", "s", "Save what is open", ""},
	{"In the editor", "Ctrl+S", "Save", ""},
	{"In the editor", "Ctrl+K", "Make a link", ""},
	{"In the editor", "Ctrl+B", "Bold", ""},
	{"In the editor", "Ctrl+I", "Italic", ""},
	{"In the queue of comments", "j", "Next", "comments"},
	{"In the queue of comments", "k", "Previous", "comments"},
	{"In the queue of comments", "x", "Tick", "comments"},
	{"In the queue of comments", "a", "Approve", "comments"},
	{"In the queue of comments", "s", "Spam", "comments"},
	{"In the queue of comments", "d", "Trash", "comments"},
	{"In the queue of comments", "e", "Edit", "comments"},
	{"In the queue of comments", "r", "Answer", "comments"},
	{"In the queue of comments", "u", "Undo", "comments"},
	{"In the inbox", "j", "Next", "inbox"},
	{"In the inbox", "k", "Previous", "inbox"},
	{"In the inbox", "o", "Open", "inbox"},
	{"In the inbox", "x", "Tick", "inbox"},
	{"In the inbox", "e", "Close", "inbox"},
	{"In the inbox", "a", "Take", "inbox"},
	{"In the inbox", "s", "Spam", "inbox"},
	{"In the inbox", "u", "Unread", "inbox"},
	{"In a conversation", "r", "Answer", "inbox"},
	{"In a conversation", "n", "Note for the team", "inbox"},
	{"In a conversation", "Ctrl+Enter", "Send", "inbox"},
	{"In a conversation", "z", "Undo", "inbox"},
	{"In a conversation", "b", "Back", "inbox"},
	{"In a form's message", "a", "Not spam", "submissions"},
	{"In a form's message", "s", "Spam", "submissions"},
}

// keyOf is the key that leads to a page, "" for none.
func keyOf(path string) string {
	if path == "" {
		return "g o"
	}
	for _, k := range Keys {
		if k.Where == "Go to" && k.Path == path {
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
