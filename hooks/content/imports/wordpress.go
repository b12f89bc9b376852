package imports

import (
	"errors"
	"fmt"
	"html"
	"io"
	"net"
	"net/url"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/schema"
)

// WordPress reads a WXR file (Tools → Export). It reads the file twice: first
// for the addresses of its files, which galleries and covers name by number.
func WordPress(file string) Stream {
	return readWordPress(func() (io.ReadCloser, error) { return os.Open(file) })
}

func readWordPress(file opener) Stream {
	return func(yield func(Item, error) bool) {
		w := &wordpress{
			files: attachments{byID: map[string]attachment{}, children: map[string][]string{}, reusable: map[string]string{}},
			terms: map[string]Ref{}, above: map[string]string{}, seen: map[string]bool{},
		}
		// Of a broken file both passes read the same part; the second one says so.
		_ = w.pass(file, func(n *wxrNode) bool { w.remember(n); return true })
		stopped := false
		emit := func(i Item) bool {
			stopped = stopped || !yield(i, nil)
			return !stopped
		}
		err := w.pass(file, func(n *wxrNode) bool { return w.node(n, emit) })
		if stopped {
			return
		}
		for _, m := range w.finishMenus() {
			if !emit(m) {
				return
			}
		}
		if err != nil && !errors.Is(err, io.EOF) {
			yield(Item{}, err)
		}
	}
}

// wordpress holds what is known of one export while it is read.
type wordpress struct {
	site  string // host and path, without the scheme
	base  string
	files attachments
	seen  map[string]bool   // keys of authors and terms already yielded
	terms map[string]Ref    // by number
	above map[string]string // categories' parents by slug
	menus menuLines
}

func (w *wordpress) pass(open opener, visit func(*wxrNode) bool) error {
	f, err := open()
	if err != nil {
		return fmt.Errorf("open the export: %w", err)
	}
	defer f.Close()
	r, err := newWXRReader(f)
	if err != nil {
		return err
	}
	for {
		n, err := r.next()
		w.learnSite(r)
		if err != nil {
			return err
		}
		if !visit(&n) {
			return nil
		}
	}
}

func (w *wordpress) learnSite(r *wxrReader) {
	if w.base != "" {
		return
	}
	for _, name := range []string{"wp:base_blog_url", "link", "wp:base_site_url"} {
		if u, err := url.Parse(r.head.get(name)); err == nil && u.Host != "" {
			w.base = strings.TrimRight(r.head.get(name), "/")
			w.site = strings.TrimRight(strings.ToLower(u.Host)+u.Path, "/")
			if name := u.Hostname(); !strings.Contains(name, ".") || net.ParseIP(name) != nil {
				// Many sites are called localhost; their titles tell them apart.
				w.site += "-" + text.Slug(r.head.get("title"))
			}
			return
		}
	}
	w.site = "site"
}

// key makes the source key of something in this export.
func (w *wordpress) key(kind, id string) string {
	if len(id) > 100 {
		id = shortHash(id)
	}
	return strings.Join([]string{"wordpress", w.site[:min(len(w.site), 150)], kind, id}, ":")
}

func (w *wordpress) remember(n *wxrNode) {
	switch n.name {
	case "wp:category":
		w.terms[n.get("wp:term_id")] = w.termRef(wxrCategory{slug: n.get("wp:category_nicename"), name: n.get("wp:cat_name")})
		w.above[n.get("wp:category_nicename")] = n.get("wp:category_parent")
	case "wp:tag":
		w.terms[n.get("wp:term_id")] = w.termRef(wxrCategory{slug: n.get("wp:tag_slug"), name: n.get("wp:tag_name")})
	case "wp:term":
		w.terms[n.get("wp:term_id")] = w.termRef(wxrCategory{slug: n.get("wp:term_slug"), name: n.get("wp:term_name")})
	}
	if n.name == "item" && n.get("wp:post_type") == "wp_block" && n.get("wp:status") == "publish" {
		w.files.reuse(n.get("wp:post_id"), n.fields["content:encoded"])
	}
	if n.name == "item" && n.get("wp:post_type") == "attachment" {
		id := n.get("wp:post_id")
		w.files.byID[id] = attachment{url: attachmentURL(n), alt: n.meta["_wp_attachment_image_alt"], caption: n.get("excerpt:encoded")}
		if p := n.get("wp:post_parent"); p != "" && p != "0" {
			w.files.children[p] = append(w.files.children[p], id)
		}
	}
}

func attachmentURL(n *wxrNode) string {
	if u := n.get("wp:attachment_url"); u != "" {
		return u
	}
	return n.get("guid")
}

// node yields what one element of the export becomes.
func (w *wordpress) node(n *wxrNode, emit func(Item) bool) bool {
	switch n.name {
	case "wp:author":
		login := n.get("wp:author_login")
		name := html.UnescapeString(n.get("wp:author_display_name"))
		return w.ref(KindAuthor, w.authorRef(login, name), "", emit)
	case "wp:category":
		return w.term("category", n.get("wp:category_nicename"), n.get("wp:cat_name"), n.get("wp:category_description"), emit)
	case "wp:tag":
		return w.term("post_tag", n.get("wp:tag_slug"), n.get("wp:tag_name"), n.get("wp:tag_description"), emit)
	case "wp:term":
		switch taxonomy := n.get("wp:term_taxonomy"); taxonomy {
		case "category", "post_tag":
			return w.term(taxonomy, n.get("wp:term_slug"), n.get("wp:term_name"), n.get("wp:term_description"), emit)
		case "nav_menu":
			w.menus.name(n.get("wp:term_slug"), html.UnescapeString(n.get("wp:term_name")))
			return true
		case "post_format":
			return true
		default:
			return emit(Item{Kind: KindOther, Name: taxonomy + " " + n.get("wp:term_name"), Skip: "the taxonomy " + taxonomy + " belongs to a plugin and has no counterpart here"})
		}
	case "item":
		return w.item(n, emit)
	}
	return true
}

func (w *wordpress) term(domain, slug, name, description string, emit func(Item) bool) bool {
	ref := w.termRef(wxrCategory{domain, slug, name})
	if w.seen[ref.Key] || ref.Name == "" {
		return true
	}
	w.seen[ref.Key] = true
	i := Item{Kind: KindTag, Key: ref.Key, Name: ref.Name, Title: ref.Name, Slug: ref.Slug, Caption: plainText(description)}
	if domain == "category" && slug != "" {
		i.Old = []string{w.categoryAddress(slug)}
	}
	return emit(i)
}

// categoryAddress is where WordPress lists a category unless it was told
// otherwise: below the categories above it.
func (w *wordpress) categoryAddress(slug string) string {
	at := slug + "/"
	for up, depth := w.above[slug], 0; up != "" && depth < 20; up, depth = w.above[up], depth+1 {
		at = up + "/" + at
	}
	base := "/"
	if u, err := url.Parse(w.base); err == nil {
		base = path.Join("/", u.Path) + "/"
	}
	return strings.Replace(base, "//", "/", 1) + "category/" + at
}

// authorRef names an author. A login that is a mail address is not shown.
func (w *wordpress) authorRef(login, name string) Ref {
	public, _, _ := strings.Cut(login, "@")
	slug := public
	if public != login && name != "" {
		slug = name
	}
	return Ref{w.key("author", login), first(name, public), text.Slug(slug)}
}

// termRef names a category or tag; the two share one name space here, so the
// same slug is the same tag.
func (w *wordpress) termRef(c wxrCategory) Ref {
	slug := unescapeSlug(c.slug)
	if slug == "" {
		slug = text.Slug(c.name)
	}
	name := html.UnescapeString(c.name)
	if name == "" {
		name = slug
	}
	return Ref{w.key("term", text.Slug(slug)), name, text.Slug(slug)}
}

func (w *wordpress) ref(kind Kind, ref Ref, about string, emit func(Item) bool) bool {
	if w.seen[ref.Key] || ref.Name == "" {
		return true
	}
	w.seen[ref.Key] = true
	return emit(Item{Kind: kind, Key: ref.Key, Name: ref.Name, Title: ref.Name, Slug: ref.Slug, Caption: about})
}

func unescapeSlug(s string) string {
	if u, err := url.PathUnescape(s); err == nil {
		return u
	}
	return s
}

// when reads the publication time: the one in UTC, else the local one, else
// the feed's.
func when(n *wxrNode) time.Time {
	for _, name := range []string{"wp:post_date_gmt", "wp:post_date"} {
		if t, err := time.Parse(time.DateTime, n.get(name)); err == nil && t.Year() > 1 {
			return t
		}
	}
	if t, err := time.Parse(time.RFC1123Z, n.get("pubDate")); err == nil && t.Year() > 1 {
		return t.UTC()
	}
	return time.Time{}
}

// wordpressStatus decides what a visitor may see. Only what WordPress showed to
// everybody is published; the second result says why something else is not.
func wordpressStatus(n *wxrNode, at, now time.Time) (status, remark string) {
	if n.get("wp:post_password") != "" {
		return schema.StatusDraft, "it was protected by a password and is a draft now"
	}
	switch s := n.get("wp:status"); s {
	case "publish":
		return schema.StatusPublished, ""
	case "future":
		if at.After(now) {
			return schema.StatusScheduled, ""
		}
		return schema.StatusDraft, "its time passed before it was moved here; it is a draft now"
	case "trash":
		return schema.StatusArchived, "it lay in the bin and is archived"
	case "draft":
		return schema.StatusDraft, ""
	default:
		return schema.StatusDraft, "its status was " + strconv.Quote(s) + "; it is a draft now"
	}
}

// oldAddresses lists where a post could be reached: its permalink, the one made
// of its number and the one in its guid.
func (w *wordpress) oldAddresses(n *wxrNode) []string {
	var old []string
	add := func(raw string) {
		u, err := url.Parse(raw)
		if raw == "" || err != nil || u.Host != "" && !w.own(u) {
			return
		}
		p := "/" + strings.TrimLeft(u.EscapedPath(), "/")
		if u.RawQuery != "" {
			p += "?" + u.RawQuery
		}
		if p != "/" && !slices.Contains(old, p) {
			old = append(old, p)
		}
	}
	add(n.get("link"))
	// A guid of the form ?p=5 may name another post by now; the number does not.
	if guid := n.get("guid"); !strings.Contains(guid, "?p") {
		add(guid)
	}
	if id := n.get("wp:post_id"); id != "" {
		query := "/?p="
		if n.get("wp:post_type") == "page" {
			query = "/?page_id="
		}
		if u, err := url.Parse(w.base); err == nil {
			query = path.Join("/", u.Path) + strings.TrimPrefix(query, "/")
		}
		add(query + id)
	}
	return old
}

// own reports whether an address is one of the exported site, with or without
// www. Where the export does not name its site, every address may be.
func (w *wordpress) own(u *url.URL) bool {
	bare := func(host string) string { return strings.TrimPrefix(strings.ToLower(host), "www.") }
	base, err := url.Parse(w.base)
	return err != nil || base.Host == "" || bare(u.Host) == bare(base.Host)
}

// inside takes the host off an address of the exported site.
func (w *wordpress) inside(raw string) string {
	u, err := url.Parse(raw)
	base, _ := url.Parse(w.base)
	if err != nil || u.Host == "" || base == nil || base.Host == "" || !w.own(u) {
		return raw
	}
	if strings.Trim(u.Path, "/") == strings.Trim(base.Path, "/") && u.RawQuery == "" {
		u.Path = "/"
	}
	u.Scheme, u.Host, u.User = "", "", nil
	return u.String()
}
