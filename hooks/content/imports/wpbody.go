package imports

import (
	"regexp"
	"slices"
	"strings"
)

// attachments is what the first pass over an export remembers of its files.
type attachments struct {
	byID     map[string]attachment
	children map[string][]string // post id → ids of the files uploaded to it
	reusable map[string]string   // block id → content, of blocks that texts share
	kept     int                 // bytes in reusable
}

const (
	// maxReusable is how many bytes of shared blocks are kept in memory.
	maxReusable = 8 << 20
	// maxReused is how many bytes shared blocks may add to one text.
	maxReused = 1 << 20
)

var reusedBlock = regexp.MustCompile(`<!--\s*wp:(?:core/)?block\s+\{[^}]*"ref":\s*"?(\d+)[^}]*\}\s*/-->`)

func (f *attachments) reuse(id, content string) {
	if f.kept += len(content); f.kept <= maxReusable {
		f.reusable[id] = content
	}
}

// withReused puts shared blocks where a text names them; they may name others.
func (f *attachments) withReused(content string) string {
	room := maxReused
	for range 3 {
		content = reusedBlock.ReplaceAllStringFunc(content, func(block string) string {
			shared, ok := f.reusable[reusedBlock.FindStringSubmatch(block)[1]]
			if room -= len(shared); !ok || room < 0 {
				return block
			}
			return shared
		})
	}
	return content
}

type attachment struct{ url, alt, caption string }

var (
	blockComment = regexp.MustCompile(`(?s)<!--\s*(/?)wp:([a-z][a-z0-9/-]*)(\s.*?)?(/?)-->`)
	anyComment   = regexp.MustCompile(`(?s)<!--.*?-->`)
	embedWrapper = regexp.MustCompile(`(?s)<div class="wp-block-embed__wrapper">\s*(https?://[^\s<]+)\s*</div>`)
	loneAddress  = regexp.MustCompile(`(?m)^[ \t]*(https?://[^\s<>"]+)[ \t]*$`)
)

// wordpressBody turns the content of a post into plain HTML: block comments
// go, classic content gets its paragraphs, shortcodes become what they showed.
func wordpressBody(item *Item, content string, files *attachments, postID string) string {
	content = strings.ReplaceAll(content, "\r\n", "\n")
	if strings.Contains(content, "<!--nextpage-->") {
		item.note("it was split into several pages, which are now one")
	}
	if !strings.Contains(content, "<!-- wp:") && !strings.Contains(content, "<!--wp:") {
		content = anyComment.ReplaceAllString(content, "\n\n")
		content = loneAddress.ReplaceAllStringFunc(content, func(line string) string {
			return "\n\n" + linkParagraph(strings.TrimSpace(line)) + "\n\n"
		})
		return strings.TrimSpace(paragraphs(shortcodes(item, content, files, postID)))
	}
	content = files.withReused(content)
	var b strings.Builder
	var lost []string
	depth, from := 0, 0
	free := func(part string) {
		part = anyComment.ReplaceAllString(part, "")
		if depth == 0 {
			part = paragraphs(part)
		}
		b.WriteString(part)
	}
	for _, m := range blockComment.FindAllStringSubmatchIndex(content, -1) {
		free(content[from:m[0]])
		from = m[1]
		closing, alone := m[3] > m[2], m[9] > m[8] || strings.HasSuffix(content[m[0]:m[1]], "/-->")
		switch {
		case closing:
			depth = max(0, depth-1)
		case alone:
			lost = appendDropped(lost, content[m[4]:m[5]])
		default:
			depth++
		}
	}
	depth = 0
	free(content[from:])
	if len(lost) > 0 {
		item.note("blocks that made their content when shown are left out: " + strings.Join(lost, ", "))
	}
	out := embedWrapper.ReplaceAllStringFunc(b.String(), func(w string) string {
		return linkParagraph(embedWrapper.FindStringSubmatch(w)[1])
	})
	return strings.TrimSpace(shortcodes(item, out, files, postID))
}

// appendDropped remembers a block that WordPress fills when it shows the page.
func appendDropped(lost []string, block string) []string {
	switch block = strings.TrimPrefix(block, "core/"); block {
	case "more", "nextpage", "spacer", "separator", "page-break":
		return lost
	}
	if slices.Contains(lost, block) {
		return lost
	}
	return append(lost, block)
}
