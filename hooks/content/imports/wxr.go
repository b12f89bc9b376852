package imports

import (
	"errors"
	"fmt"
	"io"
	"strings"
)

// wxrFields are the elements whose text is read; what is in neither table is
// passed through to what it contains.
var wxrFields = setOf(`title link pubDate language guid description category dc:creator content:encoded excerpt:encoded
	wp:wxr_version wp:base_site_url wp:base_blog_url
	wp:author_id wp:author_login wp:author_email wp:author_display_name wp:author_first_name wp:author_last_name
	wp:term_id wp:category_nicename wp:category_parent wp:cat_name wp:category_description wp:tag_slug wp:tag_name wp:tag_description
	wp:term_taxonomy wp:term_slug wp:term_parent wp:term_name wp:term_description
	wp:post_id wp:post_date wp:post_date_gmt wp:post_modified wp:post_modified_gmt wp:comment_status wp:ping_status wp:post_name
	wp:status wp:post_parent wp:menu_order wp:post_type wp:post_password wp:is_sticky wp:attachment_url wp:meta_key wp:meta_value
	wp:comment_id wp:comment_author wp:comment_author_email wp:comment_author_url wp:comment_author_IP wp:comment_date
	wp:comment_date_gmt wp:comment_content wp:comment_approved wp:comment_type wp:comment_parent wp:comment_user_id`)

var wxrContainers = setOf("rss channel item wp:author wp:category wp:tag wp:term wp:comment wp:postmeta wp:commentmeta wp:termmeta")

func setOf(names string) map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(names) {
		m[n] = true
	}
	return m
}

// wxrNode is one container of an export: an item, an author, a term.
type wxrNode struct {
	name       string
	line       int
	fields     map[string]string
	categories []wxrCategory
	meta       map[string]string
	comments   []wxrNode
}

type wxrCategory struct{ domain, slug, name string }

func (n *wxrNode) get(name string) string { return strings.TrimSpace(n.fields[name]) }

// wxrReader reads the containers of an export one after the other.
type wxrReader struct {
	s      *xmlScanner
	prefix map[string]string
	head   wxrNode // the fields of the channel itself
	seen   bool    // an element of an export was met
	ended  bool    // the end of the channel was met
}

func newWXRReader(r io.Reader) (*wxrReader, error) {
	clean, err := utf8Reader(r)
	if err != nil {
		return nil, err
	}
	return &wxrReader{s: newXMLScanner(clean), prefix: map[string]string{}, head: newNode("channel", 1)}, nil
}

func newNode(name string, line int) wxrNode {
	return wxrNode{name: name, line: line, fields: map[string]string{}, meta: map[string]string{}}
}

// next returns the next author, term or item. At the end it returns io.EOF, or
// an error that names the line where the file breaks off.
func (r *wxrReader) next() (wxrNode, error) {
	for {
		t, err := r.s.next()
		if err != nil {
			return wxrNode{}, r.atEnd(err)
		}
		name := r.canonical(t.name)
		if t.kind == endTag && (name == "channel" || name == "rss") {
			r.ended = true
		}
		if t.kind != startTag {
			continue
		}
		switch name {
		case "rss", "channel":
			r.seen = true
			r.learnPrefixes(t)
		case "item", "wp:author", "wp:category", "wp:tag", "wp:term":
			r.seen, r.ended = true, false
			if t.empty {
				continue
			}
			return r.container(t, name)
		default:
			if wxrFields[name] {
				value, _, err := r.field(t, name)
				if err != nil {
					return wxrNode{}, r.atEnd(err)
				}
				if r.head.fields[name] == "" {
					r.head.fields[name] = value
				}
			}
		}
	}
}

// atEnd turns the end of the input into what the report is to say.
func (r *wxrReader) atEnd(err error) error {
	switch {
	case errors.Is(err, io.EOF) && !r.seen:
		return errors.New("this is not a WordPress export: it has no <rss> and no <item>. In WordPress, choose Tools → Export")
	case errors.Is(err, io.EOF) && r.ended:
		return io.EOF
	case errors.Is(err, io.EOF), errors.Is(err, errCut):
		return fmt.Errorf("the file ends early, at line %d; what stands before was read. Export again to get the rest", r.s.line)
	}
	return err
}

// canonical gives an element the prefix by which it is known here, whatever
// the file calls its namespaces and whether it declares them or not.
func (r *wxrReader) canonical(name string) string {
	prefix, local, found := strings.Cut(name, ":")
	if !found {
		if wxrFields["wp:"+name] && !wxrFields[name] {
			return "wp:" + name
		}
		return name
	}
	if known := r.prefix[prefix]; known != "" {
		return known + ":" + local
	}
	return name
}

func (r *wxrReader) learnPrefixes(t xmlToken) {
	for key, uri := range t.attributes() {
		prefix, ok := strings.CutPrefix(key, "xmlns:")
		switch {
		case !ok:
		case strings.Contains(uri, "wordpress.org/export") && strings.Contains(uri, "excerpt"):
			r.prefix[prefix] = "excerpt"
		case strings.Contains(uri, "wordpress.org/export"):
			r.prefix[prefix] = "wp"
		case strings.Contains(uri, "purl.org/rss/1.0/modules/content"):
			r.prefix[prefix] = "content"
		case strings.Contains(uri, "purl.org/dc/elements"):
			r.prefix[prefix] = "dc"
		}
	}
}

// container reads one item, author, term, comment or meta entry.
func (r *wxrReader) container(start xmlToken, name string) (wxrNode, error) {
	n := newNode(name, start.line)
	for {
		t, err := r.s.next()
		if err != nil {
			if errors.Is(err, io.EOF) || errors.Is(err, errCut) {
				return n, fmt.Errorf("the file ends early, at line %d, inside %s; what stands before was read. Export again to get the rest", r.s.line, n.describe())
			}
			return n, err
		}
		tag := r.canonical(t.name)
		switch {
		case t.kind == endTag && tag == name:
			return n, nil
		case t.kind == endTag && (tag == "item" || tag == "channel" || tag == "rss"),
			t.kind == startTag && (tag == "item" || tag == "channel") || t.kind == startTag && tag == name:
			// The closing tag is missing.
			r.s.push(t)
			return n, nil
		case t.kind != startTag || t.empty:
		case tag == "wp:comment" || tag == "wp:postmeta" || tag == "wp:commentmeta":
			child, err := r.container(t, tag)
			if err != nil {
				return n, err
			}
			n.adopt(child)
		case wxrFields[tag]:
			value, attrs, err := r.field(t, tag)
			if err != nil {
				return n, fmt.Errorf("the file ends early, at line %d, inside %s; what stands before was read. Export again to get the rest", r.s.line, n.describe())
			}
			if tag == "category" {
				n.categories = append(n.categories, wxrCategory{attrs["domain"], attrs["nicename"], strings.TrimSpace(value)})
			} else if n.fields[tag] == "" {
				n.fields[tag] = value
			}
		}
	}
}

// adopt keeps what a nested container says.
func (n *wxrNode) adopt(child wxrNode) {
	switch child.name {
	case "wp:comment":
		n.comments = append(n.comments, child)
	case "wp:postmeta":
		if key := child.get("wp:meta_key"); key != "" && n.meta[key] == "" {
			n.meta[key] = child.get("wp:meta_value")
		}
	}
}

func (n *wxrNode) describe() string {
	if title := n.get("title"); title != "" {
		return fmt.Sprintf("the item %q that begins at line %d", title, n.line)
	}
	return fmt.Sprintf("what begins at line %d", n.line)
}

// field reads the text of an element. Markup that is neither escaped nor in a
// CDATA section is taken as it stands; a missing closing tag ends at the next
// element of an export.
func (r *wxrReader) field(start xmlToken, name string) (string, map[string]string, error) {
	var attrs map[string]string
	if name == "category" {
		attrs = start.attributes()
	}
	if start.empty {
		return "", attrs, nil
	}
	var b strings.Builder
	for {
		t, err := r.s.next()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = errCut
			}
			return b.String(), attrs, err
		}
		tag := r.canonical(t.name)
		switch {
		case t.kind == endTag && tag == name:
			return strings.TrimSuffix(b.String(), "]]>"), attrs, nil
		case (t.kind == startTag || t.kind == endTag) && (wxrContainers[tag] || strings.Contains(tag, ":") && wxrFields[tag]):
			r.s.push(t)
			return b.String(), attrs, nil
		case t.kind == startTag || t.kind == endTag:
			b.WriteString(t.raw)
		default:
			b.WriteString(t.text)
		}
		if b.Len() > maxToken {
			return "", attrs, fmt.Errorf("line %d: one element is longer than %d MB", r.s.line, maxToken>>20)
		}
	}
}
