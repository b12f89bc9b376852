package imports

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"bungalow/hooks/content/text"
)

// ghostTables are the lists of an export that are read.
var ghostTables = []string{"posts", "tags", "users", "posts_tags", "posts_authors", "posts_meta", "settings"}

// Ghost reads a Ghost export (Settings → Labs → Export) or a file of Ghost's
// migration tools. It reads the file twice, because the lists that say which
// tag and author belongs to which post may stand after the posts.
func Ghost(file string) Stream {
	return readGhost(func() (io.ReadCloser, error) { return os.Open(file) }, filepath.Dir(file))
}

func readGhost(file opener, dir string) Stream {
	return func(yield func(Item, error) bool) {
		g := newGhost(dir)
		// Of a broken file both passes read the same part; the second one says so.
		_ = g.pass(file, g.learn)
		stopped := false
		emit := func(i Item) bool {
			stopped = stopped || !yield(i, nil)
			return !stopped
		}
		for _, ref := range g.people() {
			if !emit(ref) {
				return
			}
		}
		err := g.pass(file, func(table string, raw json.RawMessage) bool {
			return table != "posts" || g.post(raw, emit)
		})
		for _, i := range g.rest() {
			if stopped || !emit(i) {
				return
			}
		}
		if stopped {
			return
		}
		if err == nil && !g.found {
			err = errors.New("this is not a Ghost export: it has no list of posts. In Ghost, choose Settings → Labs → Export your content")
		}
		if err != nil {
			yield(Item{}, err)
		}
	}
}

// ghost holds the small tables of one export.
type ghost struct {
	dir     string
	tags    map[string]ghostName
	users   map[string]ghostName
	tagOf   map[string][]ghostLink // by post
	userOf  map[string][]ghostLink
	meta    map[string]ghostMeta
	menus   []Item
	site    string         // what tells this site's settings from another's
	left    map[string]int // rows of tables that have no counterpart here
	order   []Item
	ordered map[string]bool
	found   bool
}

// ghostName is a tag or an author.
type ghostName struct {
	ID           ghostID `json:"id"`
	Name         string  `json:"name"`
	Slug         string  `json:"slug"`
	Description  string  `json:"description"`
	Bio          string  `json:"bio"`
	Website      string  `json:"website"`
	ProfileImage string  `json:"profile_image"`
	Visibility   string  `json:"visibility"`
}

// ghostLink is a row that joins a post with a tag or an author.
type ghostLink struct {
	Post   ghostID `json:"post_id"`
	Tag    ghostID `json:"tag_id"`
	Author ghostID `json:"author_id"`
	Order  int     `json:"sort_order"`
}

type ghostMeta struct {
	Post            ghostID   `json:"post_id"`
	MetaTitle       string    `json:"meta_title"`
	MetaDescription string    `json:"meta_description"`
	ImageAlt        string    `json:"feature_image_alt"`
	EmailOnly       ghostBool `json:"email_only"`
}

// ghostID is a number in old exports and a string in new ones.
type ghostID string

// UnmarshalJSON reads either.
func (id *ghostID) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	if s == "null" {
		s = ""
	}
	*id = ghostID(s)
	return nil
}

func newGhost(dir string) *ghost {
	return &ghost{
		dir: dir, tags: map[string]ghostName{}, users: map[string]ghostName{}, tagOf: map[string][]ghostLink{},
		userOf: map[string][]ghostLink{}, meta: map[string]ghostMeta{}, ordered: map[string]bool{},
	}
}

// pass hands every element of the known lists to visit, one at a time.
func (g *ghost) pass(open opener, visit func(table string, raw json.RawMessage) bool) error {
	f, err := open()
	if err != nil {
		return fmt.Errorf("open the export: %w", err)
	}
	defer f.Close()
	lines := &lineCounter{r: f}
	clean, err := utf8Reader(bufio.NewReaderSize(lines, 64<<10))
	if err != nil {
		return err
	}
	g.left = map[string]int{}
	d := json.NewDecoder(clean)
	_, err = g.value(d, "", 0, visit)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("the file ends early, at line %d; what stands before was read. Export again to get the rest", lines.n+1)
	}
	if err != nil {
		return fmt.Errorf("the file is no readable JSON near line %d: %w", lines.n+1, err)
	}
	return nil
}

// value walks one JSON value; more says whether visit wants to go on.
func (g *ghost) value(d *json.Decoder, name string, depth int, visit func(string, json.RawMessage) bool) (more bool, err error) {
	t, err := d.Token()
	if err != nil {
		return false, err
	}
	open, ok := t.(json.Delim)
	if !ok {
		return true, nil
	}
	if depth > 200 {
		return false, errors.New("it nests too deeply")
	}
	table := open == '[' && slices.Contains(ghostTables, name)
	for d.More() {
		switch {
		case table:
			var raw json.RawMessage
			if err := d.Decode(&raw); err != nil {
				return false, err
			}
			g.found = g.found || name == "posts"
			if !visit(name, raw) {
				return false, nil
			}
			continue
		case open == '{':
			key, err := d.Token()
			if err != nil {
				return false, err
			}
			inner, _ := key.(string)
			if more, err := g.value(d, inner, depth+1, visit); err != nil || !more {
				return false, err
			}
		default:
			if ghostLeft[name] {
				g.left[name]++
			}
			if more, err := g.value(d, "", depth+1, visit); err != nil || !more {
				return false, err
			}
		}
	}
	if table && name == "posts" {
		g.found = true
	}
	_, err = d.Token()
	return true, err
}

// learn keeps the small tables; a row that can't be read is passed over here
// and reported with its post.
func (g *ghost) learn(table string, raw json.RawMessage) bool {
	raw, _ = unwrap(raw)
	switch table {
	case "tags", "users":
		var n ghostName
		if json.Unmarshal(raw, &n) == nil {
			g.name(table, n)
		}
	case "posts_tags":
		var l ghostLink
		if json.Unmarshal(raw, &l) == nil {
			g.tagOf[string(l.Post)] = append(g.tagOf[string(l.Post)], l)
		}
	case "posts_authors":
		var l ghostLink
		if json.Unmarshal(raw, &l) == nil {
			g.userOf[string(l.Post)] = append(g.userOf[string(l.Post)], l)
		}
	case "posts_meta":
		var m ghostMeta
		if json.Unmarshal(raw, &m) == nil {
			g.meta[string(m.Post)] = m
		}
	case "settings":
		g.setting(raw)
	}
	return true
}

// unwrap takes an element out of the {"url": …, "data": {…}} of Ghost's
// migration tools.
func unwrap(raw json.RawMessage) (json.RawMessage, string) {
	var w struct {
		URL  string          `json:"url"`
		Data json.RawMessage `json:"data"`
	}
	if json.Unmarshal(raw, &w) == nil && len(w.Data) > 1 && w.Data[0] == '{' {
		return w.Data, w.URL
	}
	return raw, ""
}

func (g *ghost) name(table string, n ghostName) Ref {
	kind, known := KindTag, g.tags
	if table == "users" {
		kind, known = KindAuthor, g.users
	}
	if n.Slug == "" {
		n.Slug = text.Slug(n.Name)
	}
	if n.Name == "" {
		n.Name = n.Slug
	}
	if n.ID != "" {
		known[string(n.ID)] = n
	}
	// A tag that begins with # is Ghost's own mark and was never shown.
	ref := Ref{Key: strings.Join([]string{"ghost", string(kind), text.Slug(n.Slug)}, ":"), Name: n.Name, Slug: text.Slug(n.Slug)}
	if !g.ordered[ref.Key] && !n.internal() {
		g.ordered[ref.Key] = true
		about := n.Description
		if kind == KindAuthor {
			about = n.Bio
		}
		g.order = append(g.order, Item{Kind: kind, Key: ref.Key, Name: n.Name, Title: n.Name, Slug: ref.Slug, Caption: about, URL: n.Website})
	}
	return ref
}

func (n ghostName) internal() bool {
	return strings.HasPrefix(n.Name, "#") || strings.HasPrefix(n.Slug, "hash-") || n.Visibility == "internal"
}

// people lists the tags and authors of the tables, once each.
func (g *ghost) people() []Item {
	out := g.order
	g.order = nil
	return out
}

// lineCounter counts the line ends that were read.
type lineCounter struct {
	r io.Reader
	n int
}

// Read implements io.Reader.
func (l *lineCounter) Read(p []byte) (int, error) {
	n, err := l.r.Read(p)
	l.n += strings.Count(string(p[:n]), "\n")
	return n, err
}
