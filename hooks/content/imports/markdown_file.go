package imports

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/schema"
)

var (
	jekyllName   = regexp.MustCompile(`^(\d{4}-\d{1,2}-\d{1,2})-(.+)$`)
	languageName = regexp.MustCompile(`^(.+)\.([a-z]{2}(?:-[a-z]{2})?)$`)
	firstTitle   = regexp.MustCompile(`(?m)\A\s*(?:<!--.*?-->\s*)*#[ \t]+(.+?)[ \t#]*$`)
)

// stem is a file's name without its ending, its language and Jekyll's date.
func stem(rel string) (name, date, language string) {
	name = strings.TrimSuffix(path.Base(rel), path.Ext(rel))
	if m := languageName.FindStringSubmatch(name); m != nil {
		name, language = m[1], m[2]
	}
	if m := jekyllName.FindStringSubmatch(name); m != nil {
		date, name = m[1], m[2]
	}
	return name, date, language
}

// dateOf is the publication date of a file.
func dateOf(rel string, m matter) time.Time {
	if t := m.date("publishdate", "pubdate", "publisheddate", "publishedat", "published", "date", "created", "createdat"); !t.IsZero() {
		return t
	}
	_, date, _ := stem(rel)
	t, _ := time.Parse("2006-1-2", date)
	return t
}

// describe decides what a file is: a post where it is dated or lies among
// posts, else a page below the page of its folder.
func (s *markdownSite) describe(rel string, m matter) *markdownFile {
	f := &markdownFile{rel: rel, key: s.key("file", rel)}
	name, _, _ := stem(rel)
	dir := path.Dir(rel)
	f.section = name == "_index" || name == "index"
	if f.section {
		name, dir = path.Base(dir), path.Dir(dir)
	}
	f.folder = dir
	folders := strings.Split(path.Dir(rel), "/")
	among := slices.ContainsFunc(folders, func(d string) bool { return postFolders[d] })
	kind := strings.ToLower(m.text("layout", "type"))
	switch {
	case strings.HasPrefix(path.Base(rel), "_index"), kind == "page", kind == "pages":
	default:
		f.post = among || kind == "post" || !dateOf(rel, m).IsZero()
	}
	f.slug = text.Fold(m.text("slug"))
	if u := strings.Trim(m.text("url", "permalink"), "/"); f.slug == "" && u != "" && !strings.ContainsAny(u, ":{") && jekyllStyles[u] == "" {
		f.slug = text.Fold(strings.TrimSuffix(path.Base(u), path.Ext(u)))
	}
	if f.slug == "" && name != "." {
		f.slug = text.Slug(name)
	}
	if f.slug == "" {
		f.slug = text.Slug(first(m.text("title"), "home"))
	}
	return f
}

func (s *markdownSite) key(kind, rel string) string {
	if len(rel) > 180 {
		rel = shortHash(rel)
	}
	return strings.Join([]string{"markdown", s.name, kind, rel}, ":")
}

// above is the page that stands for the nearest folder above f that has one.
func (s *markdownSite) above(f *markdownFile) *markdownFile {
	for dir := f.folder; dir != "." && dir != "/" && dir != ""; dir = path.Dir(dir) {
		for _, name := range []string{dir + "/_index.md", dir + "/index.md", dir + "/_index.markdown", dir + "/index.mdx", dir + ".md"} {
			if up := s.files[name]; up != nil && up != f && !up.post {
				return up
			}
		}
	}
	return nil
}

// address is where the file will live here, unless that is taken.
func (s *markdownSite) address(f *markdownFile) string {
	if f.post {
		return "/blog/" + f.slug + "/"
	}
	at := f.slug + "/"
	for up, depth := s.above(f), 0; up != nil && depth < 20; up, depth = s.above(up), depth+1 {
		at = up.slug + "/" + at
	}
	return "/" + at
}

// item yields one file, its tags and authors before it.
func (s *markdownSite) item(f *markdownFile, emit func(Item) bool) bool {
	source, reason := s.read(f.rel)
	if reason != "" {
		return emit(Item{Kind: KindOther, Name: f.rel, Skip: reason})
	}
	m, body, _ := splitMatter(source)
	if !f.post && f.section && postFolders[path.Base(path.Dir(f.rel))] && strings.HasPrefix(path.Base(f.rel), "_index") {
		return emit(Item{Kind: KindOther, Name: f.rel, Skip: "it heads a list of posts, which the site makes itself at /blog/"})
	}
	i := Item{Kind: KindPage, Key: f.key, Slug: f.slug, Format: schema.FormatMarkdown, Position: number(m["weight"], m["position"], m["order"], m["navorder"])}
	if f.post {
		i.Kind = KindPost
		i.Featured, _ = m.flag("featured")
	} else if up := s.above(f); up != nil {
		i.Parent = up.key
	}
	if strings.EqualFold(m.text("format"), schema.FormatHTML) { // our own exports say so
		i.Format = schema.FormatHTML
	}
	i.Title = m.text("title")
	i.SEOTitle = m.text("seotitle")
	if t := firstTitle.FindStringSubmatchIndex(body); i.Title == "" && t != nil {
		if r, err := text.Render(text.Markdown, body[t[2]:t[3]]); err == nil {
			i.Title, body = r.Text, body[t[1]:]
		}
	}
	if i.Title == "" {
		name := path.Base(strings.TrimSuffix(f.rel, path.Ext(f.rel)))
		i.Title = strings.TrimSpace(strings.NewReplacer("-", " ", "_", " ").Replace(name))
	}
	i.Name = i.Title + " (" + f.rel + ")"
	i.PublishedAt = dateOf(f.rel, m)
	if date := m.text("date"); date != "" && i.PublishedAt.IsZero() {
		i.note("its date " + strconv.Quote(text.Excerpt(date, 40)) + " can't be read")
	}
	i.Status = s.status(&i, f, m, time.Now())
	i.Excerpt = m.text("excerpt", "summary", "description")
	i.SEODescription = m.text("description")
	i.Canonical = absolute(m.text("canonical", "canonicalurl"))
	if open, set := m.flag("comments"); set {
		i.CommentsOpen = open
	} else {
		i.CommentsOpen = f.post
	}
	i.Body = s.body(&i, f, body)
	s.cover(&i, f, m)
	i.Old = s.oldAddresses(f, m, i.PublishedAt)
	return s.refs(&i, m, emit) && emit(i)
}

func absolute(address string) string {
	if strings.HasPrefix(address, "http://") || strings.HasPrefix(address, "https://") {
		return address
	}
	return ""
}

func number(values ...any) int {
	for _, v := range values {
		switch v := v.(type) {
		case int:
			return v
		case int64:
			return int(v)
		case uint64:
			return int(min(v, 1<<31))
		case float64:
			return int(max(min(v, 1<<31), -1<<31))
		}
	}
	return 0
}

// status decides what a visitor may see.
func (s *markdownSite) status(i *Item, f *markdownFile, m matter, now time.Time) string {
	if f.err != nil {
		i.note(f.err.Error() + "; it is a draft now")
		return schema.StatusDraft
	}
	for _, key := range []string{"draft", "isdraft"} {
		if draft, _ := m.flag(key); draft {
			return schema.StatusDraft
		}
	}
	if published, set := m.flag("published"); set && !published && m.date("published").IsZero() {
		return schema.StatusDraft
	}
	if remark := hidden(m); remark != "" {
		i.note(remark + "; it is a draft now")
		return schema.StatusDraft
	}
	if state := strings.ToLower(m.text("status")); state != "" && state != "published" && state != "publish" && state != "public" {
		i.note("its status was " + state + "; it is a draft now")
		return schema.StatusDraft
	}
	if slices.Contains(strings.Split(f.rel, "/"), "_drafts") {
		return schema.StatusDraft
	}
	if end := m.date("expirydate", "unpublishdate"); !end.IsZero() && end.Before(now) {
		i.note("its time is over; it is archived")
		return schema.StatusArchived
	}
	if i.PublishedAt.After(now) {
		return schema.StatusScheduled
	}
	return schema.StatusPublished
}

// hidden says why a text that is no draft was not for everybody, "" where it was.
func hidden(m matter) string {
	if private, _ := m.flag("private"); private {
		return "it was private"
	}
	if v := m.text("visibility"); v != "" && !strings.EqualFold(v, "public") {
		return "its visibility was " + v
	}
	if m.text("password") != "" {
		return "it was protected by a password"
	}
	headless, _ := m.flag("headless")
	build, _ := m["build"].(map[string]any)
	switch render := strings.ToLower(fmt.Sprint(build["render"])); {
	case headless, render == "never", render == "false", render == "link":
		return "Hugo made no page of it"
	}
	return ""
}

// terms reads tags or categories. Jekyll parts those of one text by spaces.
func (s *markdownSite) terms(m matter, keys ...string) []string {
	var out []string
	for _, key := range keys {
		spaced, ok := m[key].(string)
		if ok && s.jekyll && !strings.Contains(spaced, ",") {
			out = append(out, strings.Fields(spaced)...)
		} else {
			out = append(out, m.list(key)...)
		}
	}
	return out
}

// refs adds the tags and authors and yields those that are new.
func (s *markdownSite) refs(i *Item, m matter, emit func(Item) bool) bool {
	for _, name := range append(s.terms(m, "tags", "categories"), m.list("tag", "category")...) {
		if i.Kind != KindPost {
			break
		}
		ref := Ref{s.key("tag", text.Slug(name)), name, text.Slug(name)}
		i.Tags = appendRef(i.Tags, ref)
		if !s.ref(KindTag, ref, emit) {
			return false
		}
	}
	for _, name := range m.list("author", "authors") {
		ref := Ref{s.key("author", text.Slug(name)), name, text.Slug(name)}
		i.Authors = appendRef(i.Authors, ref)
		if !s.ref(KindAuthor, ref, emit) {
			return false
		}
	}
	return true
}

func (s *markdownSite) ref(kind Kind, ref Ref, emit func(Item) bool) bool {
	if s.named[ref.Key] {
		return true
	}
	s.named[ref.Key] = true
	return emit(Item{Kind: kind, Key: ref.Key, Name: ref.Name, Title: ref.Name, Slug: ref.Slug})
}

// oldAddresses lists where the file's system showed it.
func (s *markdownSite) oldAddresses(f *markdownFile, m matter, at time.Time) []string {
	var old []string
	dir := path.Dir(f.rel)
	if f.section {
		dir = path.Dir(dir)
	}
	base := "/" + strings.TrimPrefix(strings.ToLower(dir), ".")
	add := func(p string) {
		p, _, _ = strings.Cut(p, "#")
		if p = strings.TrimSpace(p); p == "" || strings.Contains(p, "://") || strings.ContainsAny(p, ":{") {
			return
		}
		if !strings.HasPrefix(p, "/") {
			p = path.Join(base, p)
		}
		if p != "/" && !slices.Contains(old, p) && len(old) < 100 {
			old = append(old, p)
		}
	}
	name, date, _ := stem(f.rel)
	categories := append(s.terms(m, "categories"), m.list("category")...)
	own := m.text("url", "permalink")
	if strings.Contains(own, ":") || jekyllStyles[own] != "" {
		own = permalink(own, at, first(m.text("slug"), name), categories)
	}
	add(own)
	if date != "" && !at.IsZero() {
		named, _ := time.Parse("2006-1-2", date)
		patterns := []string{"date", "pretty"}
		if s.pattern != "" {
			patterns = []string{s.pattern}
		}
		for _, day := range []time.Time{at, named} {
			for _, pattern := range patterns {
				add(permalink(pattern, day, first(m.text("slug"), name), categories))
			}
		}
	} else {
		add(path.Join(base, f.slug) + "/")
		if slug := m.text("slug"); slug != "" && slug != f.slug {
			add(path.Join(base, slug) + "/")
		}
	}
	for _, alias := range m.list("aliases", "alias", "redirectfrom") {
		add(alias)
	}
	return old
}
