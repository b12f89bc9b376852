package imports

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
)

var (
	codeFence     = regexp.MustCompile("^ {0,3}(```+|~~~+)")
	inlineLink    = regexp.MustCompile(`(!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]\()\s*<?([^\s()<>]+)>?((?:\s+(?:"[^"]*"|'[^']*'))?\s*\))`)
	referenceLink = regexp.MustCompile(`^( {0,3}\[[^\]]+\]:\s+)<?([^\s<>]+)>?(.*)$`)
	htmlLink      = regexp.MustCompile(`(<(?:img|a|source|video|audio)\b[^>]*?\b(?:src|href)\s*=\s*["'])([^"']+)(["'])`)
	hugoRef       = regexp.MustCompile(`\{\{[<%]\s*(?:rel)?ref\s+(?:path=)?"?([^"\s>%]+)"?\s*[^}]*[>%]\}\}`)
	jekyllRef     = regexp.MustCompile(`\{%-?\s*(?:post_url|link)\s+([^\s%]+)\s*-?%\}`)
	siteVariable  = regexp.MustCompile(`\{\{-?\s*site\.(?:baseurl|url)\s*-?\}\}`)
	shortcodeName = regexp.MustCompile(`\{\{[<%]\s*/?\s*([A-Za-z][\w./-]*)|\{%-?\s*([A-Za-z]\w*)`)
	mdxLine       = regexp.MustCompile(`^(?:import\s.+from\s+['"]|import\s+['"]|export\s+(?:const|default|let|function)\b)`)
	component     = regexp.MustCompile(`</?([A-Z][A-Za-z0-9.]*)`)
)

// body rewrites what a body refers to: files of the folder become their new
// addresses, pictures of the folder are listed for the writer. Code stays.
func (s *markdownSite) body(i *Item, f *markdownFile, body string) string {
	var b strings.Builder
	fence, importing := "", false
	mdx := strings.EqualFold(path.Ext(f.rel), ".mdx")
	for line := range strings.Lines(body) {
		if s.jekyll {
			line = liquidRaw.ReplaceAllString(line, "")
		}
		if m := highlightBegins.FindStringSubmatch(line); m != nil && fence == "" {
			fence = highlightFence
			b.WriteString(fence + m[1] + m[2] + "\n")
			continue
		}
		if fence == highlightFence && highlightEnds.MatchString(line) {
			b.WriteString(fence + "\n")
			fence = ""
			continue
		}
		if m := codeFence.FindStringSubmatch(line); m != nil {
			switch {
			case fence == "":
				fence = m[1]
			case m[1][0] == fence[0] && len(m[1]) >= len(fence):
				fence = ""
			}
			b.WriteString(line)
			continue
		}
		if fence != "" || strings.HasPrefix(line, "    ") && !strings.Contains(line, "](") {
			b.WriteString(line)
			continue
		}
		if importing {
			importing = !strings.Contains(line, "from")
			continue
		}
		importing = mdx && mdxImportBegins.MatchString(strings.TrimRight(line, "\n"))
		if mdx && (importing || mdxLine.MatchString(line)) {
			i.note("the components of its MDX are left out")
			continue
		}
		b.WriteString(s.line(i, f, line, mdx))
	}
	return strings.TrimSpace(b.String()) + "\n"
}

func (s *markdownSite) line(i *Item, f *markdownFile, line string, mdx bool) string {
	line = knownShortcodes(siteVariable.ReplaceAllString(line, ""))
	if mdx {
		line = mdxComment.ReplaceAllString(line, "")
	}
	refs := func(re *regexp.Regexp) func(string) string {
		return func(m string) string {
			if at := s.target(f, re.FindStringSubmatch(m)[1]); at != "" {
				return at
			}
			return m
		}
	}
	line = hugoRef.ReplaceAllStringFunc(line, refs(hugoRef))
	line = jekyllRef.ReplaceAllStringFunc(line, refs(jekyllRef))
	for _, re := range []*regexp.Regexp{inlineLink, referenceLink, htmlLink} {
		line = re.ReplaceAllStringFunc(line, func(m string) string {
			p := re.FindStringSubmatch(m)
			return p[1] + s.link(i, f, p[2]) + p[3]
		})
	}
	for _, m := range shortcodeName.FindAllStringSubmatch(line, 20) {
		i.note("the shortcode " + m[1] + m[2] + " is kept as text")
	}
	if mdx && component.MatchString(line) {
		i.note("the components of its MDX are left out")
	}
	return line
}

// link gives a link its new form: a Markdown file becomes its address, a
// picture that lies in the folder is noted down.
func (s *markdownSite) link(i *Item, f *markdownFile, raw string) string {
	u, err := url.Parse(raw)
	if err != nil || u.Scheme != "" || u.Host != "" || u.Path == "" {
		return raw
	}
	if at := s.target(f, raw); at != "" {
		return at
	}
	if isImageName(u.Path) {
		if file := s.picture(f, u.Path); file != "" {
			if i.Images == nil {
				i.Images = map[string]string{}
			}
			i.Images[raw] = file
		}
	}
	return raw
}

// target finds the file that a link names and returns where it lives now.
func (s *markdownSite) target(f *markdownFile, raw string) string {
	name, fragment, marked := strings.Cut(raw, "#")
	if decoded, err := url.PathUnescape(name); err == nil {
		name = decoded
	}
	if name == "" {
		return ""
	}
	dir := path.Dir(f.rel)
	bare := strings.TrimPrefix(name, "/")
	tries := []string{path.Join(dir, name), path.Clean(bare)}
	if !strings.HasPrefix(name, "/") {
		tries = append(tries, path.Join("_posts", bare), path.Join(path.Dir(dir), name))
	}
	for _, try := range tries {
		endings := []string{""}
		if path.Ext(try) == "" || !isMarkdown(try) {
			endings = []string{".md", ".markdown", ".mdx", "/index.md", "/_index.md"}
		}
		for _, ending := range endings {
			if to := s.files[try+ending]; to != nil {
				if marked {
					return to.at + "#" + fragment
				}
				return to.at
			}
		}
	}
	return ""
}

// picture finds a picture beside the text or where the site's static files
// lie, and never outside the folder.
func (s *markdownSite) picture(f *markdownFile, name string) string {
	bare := strings.TrimPrefix(path.Clean("/"+name), "/")
	tries := []string{}
	if !strings.HasPrefix(name, "/") {
		tries = append(tries, path.Join(s.content, path.Dir(f.rel), name))
	}
	for _, dir := range []string{s.content, "static", "public", "assets", "."} {
		tries = append(tries, path.Join(dir, bare))
	}
	for _, try := range tries {
		local := filepath.FromSlash(try)
		if !filepath.IsLocal(local) {
			continue
		}
		info, err := s.root.Stat(local)
		if err != nil || !info.Mode().IsRegular() {
			continue
		}
		real, err := filepath.EvalSymlinks(filepath.Join(s.dir, local))
		if err != nil {
			continue
		}
		if _, err := os.Stat(real); err == nil {
			return real
		}
	}
	return ""
}

// cover reads the picture that stands for the text.
func (s *markdownSite) cover(i *Item, f *markdownFile, m matter) {
	for _, key := range []string{"cover", "image", "heroimage", "featuredimage", "coverimage", "thumbnail", "banner", "images"} {
		value, alt := m[key], ""
		if list, ok := value.([]any); ok && len(list) > 0 {
			value = list[0]
		}
		if named, ok := value.(map[string]any); ok {
			alt = first(plain(named["alt"]), plain(named["caption"]))
			value = first(plain(named["image"]), plain(named["src"]), plain(named["url"]), plain(named["path"]))
		}
		address := plain(value)
		if address == "" {
			continue
		}
		i.Alt = first(alt, m.text("imagealt", "coveralt", "heroimagealt"))
		i.Cover = address
		if absolute(address) == "" {
			file := s.picture(f, address)
			if file == "" {
				i.note("its picture " + address + " is not in the folder")
				i.Cover = ""
				return
			}
			if i.Images == nil {
				i.Images = map[string]string{}
			}
			i.Images[address] = file
		}
		return
	}
}
