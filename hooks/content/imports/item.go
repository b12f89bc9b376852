// Package imports moves other systems' content in: WordPress exports, Ghost
// exports and folders of Markdown.
//
// It promises that reading takes memory for one item and small tables of names
// (never for the whole file), that every item is either written or named in
// the report with the reason, that running an import again changes only what
// changed at the source and never what was edited here since, and that nothing
// that was not public becomes public. It never overwrites or removes what it
// did not bring.
package imports

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"iter"
	"strings"
	"time"
)

// Kind says what an item is to become.
type Kind string

// Kinds of items, in the order of the report.
const (
	KindPost     Kind = "posts"
	KindPage     Kind = "pages"
	KindTag      Kind = "tags"
	KindAuthor   Kind = "authors"
	KindMedia    Kind = "media"
	KindMenu     Kind = "menus"
	KindComment  Kind = "comments"
	KindRedirect Kind = "redirects"
	KindOther    Kind = "other" // what has no counterpart here; always skipped
)

// kinds is the order in which the report counts.
var kinds = []Kind{KindPost, KindPage, KindTag, KindAuthor, KindMedia, KindMenu, KindComment, KindRedirect, KindOther}

// Ref names something that another item describes, well enough to make it
// where that item is missing.
type Ref struct{ Key, Name, Slug string }

// Item is one thing to move in, in no system's own terms. Fields that its kind
// has no use for are empty.
type Item struct {
	Kind Kind
	Key  string // source key, unique over all sources
	Name string // what the report calls it
	// Skip is the reason why nothing is made of the item.
	Skip string
	// Notes tell what the item loses or where it changes on the way.
	Notes []string

	Title, Slug    string
	Status         string // a status of schema
	PublishedAt    time.Time
	Timed          bool // the source was to publish it at PublishedAt
	Format, Body   string
	Excerpt        string
	Featured       bool
	CommentsOpen   bool
	SEOTitle       string
	SEODescription string
	Canonical      string
	Tags, Authors  []Ref
	Cover          string // address of the picture
	Parent         string // key of the page above
	Position       int
	Old            []string // paths, with their query, that led to it

	URL     string // of a media file, an author's site
	File    string // of a media file on this machine
	Alt     string
	Caption string // of a media file; an author's bio; a tag's description
	// Images are addresses in the body of files that lie on this machine.
	Images map[string]string

	Menu    []MenuEntry
	Comment *Comment

	renamed string // by the writer, because its address was taken
	orphan  bool   // the page above it never came
}

// MenuEntry is one line of a menu. Target is the key of what it leads to; where
// it is empty or unknown, URL holds.
type MenuEntry struct {
	Label, URL, Target string
	Children           []MenuEntry
}

// Comment is one comment of another system.
type Comment struct {
	Key    string
	Thread string // key of the post; the writer makes it the path that readers see
	Parent string // key of the comment that it answers, "" at the top
	Author string
	Email  string
	URL    string
	HTML   string // not yet sanitized
	Status string // a comment status of schema
	At     time.Time
}

// Stream yields items until the source ends. An error says what could not be
// read; it is the last thing yielded.
type Stream = iter.Seq2[Item, error]

// opener opens a source again, for each pass over it.
type opener func() (io.ReadCloser, error)

// note adds a remark once.
func (i *Item) note(remark string) {
	for _, n := range i.Notes {
		if n == remark {
			return
		}
	}
	i.Notes = append(i.Notes, remark)
}

// shortHash makes a key part out of what may be long.
func shortHash(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:12])
}
