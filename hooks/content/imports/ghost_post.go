package imports

import (
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"time"

	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/schema"
)

// ghostPost is a post or page of an export.
type ghostPost struct {
	ID              ghostID           `json:"id"`
	UUID            string            `json:"uuid"`
	CommentID       ghostID           `json:"comment_id"`
	Title           string            `json:"title"`
	Slug            string            `json:"slug"`
	HTML            *string           `json:"html"`
	Plaintext       string            `json:"plaintext"`
	Mobiledoc       string            `json:"mobiledoc"`
	Lexical         string            `json:"lexical"`
	Image           string            `json:"image"`
	FeatureImage    string            `json:"feature_image"`
	ImageAlt        string            `json:"feature_image_alt"`
	Featured        ghostBool         `json:"featured"`
	Page            ghostBool         `json:"page"`
	Type            string            `json:"type"`
	Status          string            `json:"status"`
	Visibility      string            `json:"visibility"`
	Locale          string            `json:"locale"`
	MetaTitle       string            `json:"meta_title"`
	MetaDescription string            `json:"meta_description"`
	CustomExcerpt   string            `json:"custom_excerpt"`
	CodeHead        string            `json:"codeinjection_head"`
	CodeFoot        string            `json:"codeinjection_foot"`
	CustomTemplate  string            `json:"custom_template"`
	CanonicalURL    string            `json:"canonical_url"`
	EmailOnly       ghostBool         `json:"email_only"`
	PublishedAt     ghostTime         `json:"published_at"`
	CreatedAt       ghostTime         `json:"created_at"`
	AuthorID        ghostID           `json:"author_id"`
	Author          json.RawMessage   `json:"author"`
	Authors         []json.RawMessage `json:"authors"`
	Tags            []json.RawMessage `json:"tags"`
}

// ghostBool is 0 or 1 in some exports and false or true in others.
type ghostBool bool

// UnmarshalJSON reads either.
func (v *ghostBool) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	*v = s == "true" || s == "1"
	return nil
}

// ghostTime is an RFC 3339 time, one without a zone, or milliseconds since 1970.
type ghostTime struct{ time.Time }

// UnmarshalJSON reads any of them; what is no time is the zero time.
func (v *ghostTime) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999", time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			v.Time = t.UTC()
			return nil
		}
	}
	var ms int64
	if json.Unmarshal(b, &ms) == nil && ms > 0 {
		v.Time = time.UnixMilli(ms).UTC()
	}
	return nil
}

// post yields what one element of "posts" becomes.
func (g *ghost) post(raw json.RawMessage, emit func(Item) bool) bool {
	raw, address := unwrap(raw)
	var p ghostPost
	err := json.Unmarshal(raw, &p)
	var mistyped *json.UnmarshalTypeError
	if err != nil && !errors.As(err, &mistyped) || p.Title == "" && p.Slug == "" {
		reason := "it is not written as Ghost writes a post"
		if err == nil {
			reason += ": it has neither a title nor a slug"
		}
		return emit(Item{Kind: KindOther, Name: text.Excerpt(string(raw), 60), Skip: reason})
	}
	i := Item{Kind: KindPost, Key: "ghost:post:" + p.id(address), Title: strings.TrimSpace(p.Title), Name: p.Title, Slug: p.Slug, Format: schema.FormatHTML}
	if p.Type == "page" || bool(p.Page) {
		i.Kind = KindPage
	}
	i.PublishedAt, i.Featured = p.PublishedAt.Time, bool(p.Featured) && i.Kind == KindPost
	if i.PublishedAt.IsZero() && p.Status == "published" {
		i.PublishedAt = p.CreatedAt.Time
	}
	if mistyped != nil {
		i.note("its field " + mistyped.Field + " is not written as Ghost writes it and is left out")
	}
	var remark string
	if i.Status, remark = p.visible(time.Now()); remark != "" {
		i.note(remark)
	}
	g.fill(&i, &p)
	i.Timed = p.Status == "scheduled"
	g.refs(&i, &p)
	for _, r := range g.people() {
		if !emit(r) {
			return false
		}
	}
	i.Old = oldGhost(&p, address)
	return emit(i)
}

// id is the post's UUID; numbers and slugs are the same in many sites, so they
// are joined with what else tells this post from another.
func (p *ghostPost) id(address string) string {
	if p.UUID != "" && len(p.UUID) < 100 {
		return p.UUID
	}
	return shortHash(string(p.ID), p.Slug, address)
}

// visible decides what a visitor may see: only what Ghost showed to everybody.
func (p *ghostPost) visible(now time.Time) (status, remark string) {
	switch {
	case p.Visibility != "" && p.Visibility != "public":
		return schema.StatusDraft, fmt.Sprintf("it was not public but for %q; it is a draft now", p.Visibility)
	case p.Status == "sent" || bool(p.EmailOnly):
		return schema.StatusDraft, "it was sent as a letter and never stood on the site; it is a draft now"
	case p.Status == "published":
		return schema.StatusPublished, ""
	case p.Status == "scheduled" && p.PublishedAt.After(now):
		return schema.StatusScheduled, ""
	case p.Status == "scheduled":
		return schema.StatusDraft, "its time passed before it was moved here; it is a draft now"
	case p.Status == "draft", p.Status == "":
		return schema.StatusDraft, ""
	}
	return schema.StatusDraft, fmt.Sprintf("its status was %q; it is a draft now", p.Status)
}

// fill sets what the post says in its own fields.
func (g *ghost) fill(i *Item, p *ghostPost) {
	meta := g.meta[string(p.ID)]
	if bool(meta.EmailOnly) && !bool(p.EmailOnly) && i.Status != schema.StatusDraft {
		i.Status = schema.StatusDraft
		i.note("it was to be sent as a letter and not to stand on the site; it is a draft now")
	}
	switch {
	case p.HTML != nil && strings.TrimSpace(*p.HTML) != "":
		i.Body = strings.ReplaceAll(*p.HTML, "__GHOST_URL__", "")
	case p.Mobiledoc != "" || p.Lexical != "":
		i.Body = paragraphs(html.EscapeString(words(p)))
		if i.Status != schema.StatusDraft {
			i.Status = schema.StatusDraft
		}
		i.note("the export has no HTML of it, only Ghost's editor format; its words are kept as a draft. Open and publish it again in Ghost, then export once more")
	}
	if forMembers(i.Body) {
		i.Status = schema.StatusDraft
		i.note("a part of it was for members; it is a draft now")
	}
	i.Body = withoutControls(i, i.Body)
	i.Cover = strings.ReplaceAll(first(p.FeatureImage, p.Image), "__GHOST_URL__", "")
	i.Alt = first(p.ImageAlt, meta.ImageAlt)
	i.Excerpt = p.CustomExcerpt
	i.SEOTitle, i.SEODescription = first(p.MetaTitle, meta.MetaTitle), first(p.MetaDescription, meta.MetaDescription)
	i.Canonical = strings.ReplaceAll(p.CanonicalURL, "__GHOST_URL__", "")
	if strings.TrimSpace(p.CodeHead+p.CodeFoot) != "" {
		i.note("its code injection is left out")
	}
	if p.CustomTemplate != "" {
		i.note("its template " + p.CustomTemplate + " belongs to the old theme")
	}
	g.local(i)
}

var contentImage = regexp.MustCompile(`/content/(?:images|media|files)/[^\s"'<>)]+`)

// local finds the pictures of the site where its content folder lies beside
// the export.
func (g *ghost) local(i *Item) {
	for _, address := range append(contentImage.FindAllString(i.Body, 1000), i.Cover) {
		u, err := url.Parse(address)
		if err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/content/") || !filepath.IsLocal(strings.TrimPrefix(u.Path, "/")) {
			continue
		}
		file := filepath.Join(g.dir, filepath.FromSlash(u.Path))
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			if i.Images == nil {
				i.Images = map[string]string{}
			}
			i.Images[address] = file
		}
	}
}

// refs names the post's tags and authors, from the tables or from the post.
func (g *ghost) refs(i *Item, p *ghostPost) {
	add := func(table string, n ghostName) {
		ref := g.name(table, n)
		switch {
		case n.internal():
			i.note("the internal tag " + n.Name + " is left out")
		case table == "users":
			i.Authors = appendRef(i.Authors, ref)
		case i.Kind == KindPost:
			i.Tags = appendRef(i.Tags, ref)
		}
	}
	joined := func(links []ghostLink) []ghostLink {
		sort.SliceStable(links, func(a, b int) bool { return links[a].Order < links[b].Order })
		return links
	}
	for _, l := range joined(g.tagOf[string(p.ID)]) {
		if n, ok := g.tags[string(l.Tag)]; ok && p.ID != "" {
			add("tags", n)
		}
	}
	for _, l := range joined(g.userOf[string(p.ID)]) {
		if n, ok := g.users[string(l.Author)]; ok && p.ID != "" {
			add("users", n)
		}
	}
	if n, ok := g.users[string(p.AuthorID)]; ok && len(i.Authors) == 0 {
		add("users", n)
	}
	inline := func(table string, raw json.RawMessage) {
		raw, _ = unwrap(raw)
		var n ghostName
		if json.Unmarshal(raw, &n) == nil && n.Name+n.Slug != "" {
			add(table, n)
		}
	}
	for _, raw := range p.Tags {
		inline("tags", raw)
	}
	for _, raw := range append(p.Authors, p.Author) {
		inline("users", raw)
	}
}

// oldGhost is where Ghost showed the post: at its own address where the export
// says it, else at the top of the site.
func oldGhost(p *ghostPost, address string) []string {
	if u, err := url.Parse(address); err == nil && address != "" && len(u.Path) > 1 {
		return []string{u.EscapedPath()}
	}
	if p.Slug == "" {
		return nil
	}
	return []string{"/" + url.PathEscape(p.Slug) + "/"}
}

// words takes what a person typed out of Ghost's editor formats.
func words(p *ghostPost) string {
	if p.Plaintext != "" {
		return p.Plaintext
	}
	var parts []string
	var walk func(v any, key string, depth int)
	walk = func(v any, key string, depth int) {
		if depth > 100 {
			return
		}
		switch v := v.(type) {
		case string:
			if key == "text" || key == "marker" || key == "caption" || key == "markdown" {
				parts = append(parts, v)
			}
		case []any:
			// A marker of mobiledoc is [type, opens, closes, text].
			if n := len(v); n == 4 {
				if s, ok := v[3].(string); ok {
					walk(s, "marker", depth+1)
					return
				}
			}
			for _, e := range v {
				walk(e, "", depth+1)
			}
		case map[string]any:
			keys := make([]string, 0, len(v))
			for k := range v {
				keys = append(keys, k)
			}
			sort.Strings(keys)
			for _, k := range keys {
				walk(v[k], k, depth+1)
			}
			if v["type"] == "paragraph" || v["type"] == "heading" || v["type"] == "listitem" {
				parts = append(parts, "\n\n")
			}
		}
	}
	var doc any
	if json.Unmarshal([]byte(first(p.Lexical, p.Mobiledoc)), &doc) == nil {
		walk(doc, "", 0)
	}
	all := strings.Join(parts, " ")
	return strings.ToValidUTF8(all[:min(len(all), text.MaxBody/4)], "")
}

func first(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}
