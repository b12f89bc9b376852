package imports

import (
	"html"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/schema"
)

var (
	moreMark  = regexp.MustCompile(`<!--\s*more\b`)
	inlineTag = regexp.MustCompile(`(?i)</?(?:em|b|i|strong|sup|sub|span|code|br|u|s|small|mark|a|del|ins|abbr|cite|q|kbd)(?:\s[^>]*)?/?>`)
)

// plainTitle takes markup out of a title, which is plain text here.
func plainTitle(title string) string {
	return strings.Join(strings.Fields(html.UnescapeString(inlineTag.ReplaceAllString(title, ""))), " ")
}

// item yields what an <item> becomes, its author where the head of the export
// did not name him, and its comments after it.
func (w *wordpress) item(n *wxrNode, emit func(Item) bool) bool {
	kind := n.get("wp:post_type")
	name := first(plainTitle(n.get("title")), strings.TrimSpace(kind+" "+n.get("wp:post_id")))
	switch kind {
	case "post", "":
		return w.writing(n, KindPost, emit)
	case "page":
		return w.writing(n, KindPage, emit)
	case "attachment":
		return w.attachment(n, emit) && w.comments(n, "they belong to a file", emit)
	case "nav_menu_item":
		w.menus.add(w, n)
		return true
	case "wp_block":
		return emit(Item{Kind: KindOther, Name: name, Skip: "it is a reusable block; its words stand in the texts that show it"})
	case "revision":
		return emit(Item{Kind: KindOther, Name: name, Skip: "it is an old revision"})
	}
	return emit(Item{Kind: KindOther, Name: name, Skip: "content of the type " + strconv.Quote(kind) + " belongs to a plugin or a theme and has no counterpart here"}) &&
		w.comments(n, "they belong to content of the type "+strconv.Quote(kind), emit)
}

func (w *wordpress) postKey(n *wxrNode) string {
	if id := n.get("wp:post_id"); id != "" {
		return w.key("post", id)
	}
	return w.key("post", shortHash(n.get("guid"), n.get("link"), n.get("title"), n.get("wp:post_date")))
}

func (w *wordpress) writing(n *wxrNode, kind Kind, emit func(Item) bool) bool {
	i := Item{Kind: kind, Key: w.postKey(n), Title: plainTitle(n.get("title"))}
	if n.get("wp:status") == "auto-draft" || n.get("wp:status") == "inherit" {
		i.Name, i.Skip = i.Title, "it is WordPress's own "+n.get("wp:status")+", not something that was written"
		return emit(i)
	}
	i.PublishedAt, i.Timed = when(n), n.get("wp:status") == "future"
	var remark string
	if i.Status, remark = wordpressStatus(n, i.PublishedAt, time.Now()); remark != "" {
		i.note(remark)
	}
	i.Format = schema.FormatHTML
	content := n.fields["content:encoded"]
	i.Body = wordpressBody(&i, content, &w.files, n.get("wp:post_id"))
	i.Excerpt = w.excerpt(n, content)
	i.Slug = unescapeSlug(n.get("wp:post_name"))
	i.Featured = kind == KindPost && n.get("wp:is_sticky") == "1"
	i.CommentsOpen = n.get("wp:comment_status") == "open"
	i.Position, _ = strconv.Atoi(n.get("wp:menu_order"))
	i.Old = w.oldAddresses(n)
	i.SEOTitle = plainMeta(n, "_yoast_wpseo_title", "rank_math_title", "_aioseo_title")
	i.SEODescription = plainMeta(n, "_yoast_wpseo_metadesc", "rank_math_description", "_aioseo_description")
	if f, ok := w.files.byID[n.meta["_thumbnail_id"]]; ok {
		i.Cover = f.url
	} else if id := n.meta["_thumbnail_id"]; id != "" && id != "0" && id != "-1" {
		i.note("its picture is not in the export")
	}
	if fields := n.customFields(); len(fields) > 0 {
		i.note("its custom fields are left out: " + strings.Join(fields, ", "))
	}
	if p := n.get("wp:post_parent"); kind == KindPage && p != "" && p != "0" {
		i.Parent = w.key("post", p)
	}
	if !w.author(n, &i, emit) {
		return false
	}
	if !w.tags(n, &i, emit) {
		return false
	}
	i.Name = i.Title
	return emit(i) && w.comments(n, "", emit)
}

// tags adds the item's categories and tags. Taxonomies of plugins are named.
func (w *wordpress) tags(n *wxrNode, i *Item, emit func(Item) bool) bool {
	for _, c := range n.categories {
		again := c.slug == "" && n.namedAgain(c)
		if c.domain == "" {
			c.domain = "category" // WXR 1.0
		}
		switch {
		case again || c.domain == "post_format" || c.domain == "author":
		case c.domain != "category" && c.domain != "post_tag" && c.domain != "tag":
			i.note("the taxonomy " + c.domain + " belongs to a plugin; its " + strconv.Quote(html.UnescapeString(c.name)) + " is left out")
		case i.Kind == KindPage:
			i.note("pages have no tags here; " + strconv.Quote(c.name) + " is left out")
		default:
			ref := w.termRef(c)
			if !w.ref(KindTag, ref, "", emit) {
				return false
			}
			i.Tags = appendRef(i.Tags, ref)
		}
	}
	return true
}

// customFields names the fields that Advanced Custom Fields shows in a theme;
// it keeps beside each another one that begins with "_" and names its kind.
func (n *wxrNode) customFields() []string {
	var names []string
	for key := range n.meta {
		if strings.HasPrefix(n.meta["_"+key], "field_") {
			names = append(names, key)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), 20)]
}

// namedAgain reports whether a category or tag of WXR 1.0, which stands there
// without its slug first, follows in full.
func (n *wxrNode) namedAgain(c wxrCategory) bool {
	return slices.ContainsFunc(n.categories, func(o wxrCategory) bool {
		return o.slug != "" && o.name == c.name && (c.domain == "" || o.domain == c.domain)
	})
}

func appendRef(refs []Ref, r Ref) []Ref {
	for _, have := range refs {
		if have.Key == r.Key {
			return refs
		}
	}
	return append(refs, r)
}

// author adds the item's authors: those that Co-Authors Plus lists, else its
// creator. A login that the head does not list is one too.
func (w *wordpress) author(n *wxrNode, i *Item, emit func(Item) bool) bool {
	var logins []string
	for _, c := range n.categories {
		if c.domain == "author" {
			logins = append(logins, strings.TrimPrefix(c.slug, "cap-"))
		}
	}
	if login := n.get("dc:creator"); len(logins) == 0 && login != "" {
		logins = []string{login}
	}
	for _, login := range logins {
		ref := w.authorRef(login, "")
		i.Authors = appendRef(i.Authors, ref)
		if !w.ref(KindAuthor, ref, "", emit) {
			return false
		}
	}
	return true
}

// excerpt is the one that was written by hand, else what stands before "more".
func (w *wordpress) excerpt(n *wxrNode, content string) string {
	if e := n.get("excerpt:encoded"); e != "" {
		return plainText(e)
	}
	if m := moreMark.FindStringIndex(content); m != nil {
		var scratch Item
		return text.Excerpt(plainText(wordpressBody(&scratch, content[:m[0]], &w.files, n.get("wp:post_id"))), 600)
	}
	return ""
}

// plainText takes the words out of HTML.
func plainText(source string) string {
	r, err := text.Render(text.HTML, source)
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(r.Text), " ")
}

// metaVariable is what SEO plugins fill in when they show a page.
var metaVariable = regexp.MustCompile(`%%[a-z_]+%%|%[a-z_]+%|#[a-z]+_[a-z_]+`)

// plainMeta returns the first of the fields that holds no plugin's variable.
func plainMeta(n *wxrNode, names ...string) string {
	for _, name := range names {
		if v := n.meta[name]; v != "" && !metaVariable.MatchString(v) {
			return v
		}
	}
	return ""
}

func (w *wordpress) attachment(n *wxrNode, emit func(Item) bool) bool {
	i := Item{
		Kind: KindMedia, Key: w.key("file", n.get("wp:post_id")), Name: html.UnescapeString(n.get("title")),
		URL: attachmentURL(n), Alt: n.meta["_wp_attachment_image_alt"], Caption: plainText(n.get("excerpt:encoded")),
	}
	if i.URL == "" {
		i.Skip = "the export does not say where the file is"
	}
	return emit(i)
}

// comments yields the comments of an item; reason is why they can't be kept.
func (w *wordpress) comments(n *wxrNode, reason string, emit func(Item) bool) bool {
	for _, c := range n.comments {
		id := c.get("wp:comment_id")
		if id == "" {
			id = shortHash(c.get("wp:comment_date"), c.get("wp:comment_author"), c.get("wp:comment_content"))
		}
		author := html.UnescapeString(c.get("wp:comment_author"))
		i := Item{Kind: KindComment, Key: w.key("comment", id), Name: author + " on " + plainTitle(n.get("title")), Skip: reason}
		switch t := c.get("wp:comment_type"); {
		case reason != "":
		case t == "pingback" || t == "trackback":
			i.Skip = "it is a " + t + ", an automatic note of another site"
		case t != "" && t != "comment":
			i.Skip = "comments of the type " + strconv.Quote(t) + " belong to a plugin"
		case c.get("wp:comment_content") == "":
			i.Skip = "it is empty"
		}
		if i.Skip == "" {
			i.Comment = w.comment(n, &c, i.Key, author)
		}
		if !emit(i) {
			return false
		}
	}
	return true
}

func (w *wordpress) comment(n, c *wxrNode, key, author string) *Comment {
	out := &Comment{
		Key: key, Thread: w.postKey(n), Author: author, Email: c.get("wp:comment_author_email"), URL: c.get("wp:comment_author_url"),
		HTML: paragraphs(c.fields["wp:comment_content"]),
	}
	if p := c.get("wp:comment_parent"); p != "" && p != "0" {
		out.Parent = w.key("comment", p)
	}
	for _, name := range []string{"wp:comment_date_gmt", "wp:comment_date"} {
		if t, err := time.Parse(time.DateTime, c.get(name)); err == nil && out.At.IsZero() && t.Year() > 1 {
			out.At = t
		}
	}
	if out.At.IsZero() {
		out.At = when(n)
	}
	switch c.get("wp:comment_approved") {
	case "1", "approve", "approved":
		out.Status = schema.CommentApproved
	case "spam":
		out.Status = schema.CommentSpam
	case "trash", "post-trashed":
		out.Status = schema.CommentTrash
	default:
		out.Status = schema.CommentPending
	}
	return out
}
