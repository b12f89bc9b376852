package imports

import (
	"regexp"
	"strconv"
	"strings"
)

// blockTags are the elements that WordPress does not put into a paragraph.
const blockTags = `(?:table|thead|tfoot|caption|col|colgroup|tbody|tr|td|th|div|dl|dd|dt|ul|ol|li|pre|form|map|area|blockquote|address|style|p|h[1-6]|hr|fieldset|legend|section|article|aside|hgroup|header|footer|nav|figure|figcaption|details|menu|summary|iframe|video|audio|script)`

var (
	beforeBlock  = regexp.MustCompile(`(?i)(<` + blockTags + `[\s/>])`)
	afterBlock   = regexp.MustCompile(`(?i)(</` + blockTags + `>|<hr[^>]*>)`)
	blankLines   = regexp.MustCompile(`\n[ \t]*\n(?:[ \t]*\n)*`)
	opensBlock   = regexp.MustCompile(`(?i)^</?` + blockTags + `[\s/>]`)
	preformatted = regexp.MustCompile(`(?is)<(pre|script|style|textarea)\b.*?</(?:pre|script|style|textarea)>`)
	closesBlocks = regexp.MustCompile(`(?i)(?:\s*</` + blockTags + `>)+$`)
	quoteBegins  = regexp.MustCompile(`(?i)(<blockquote[^>]*>)`)
	quoteEnds    = regexp.MustCompile(`(?i)(</blockquote>)`)
	lineEndsTag  = regexp.MustCompile(`(?i)(?:<br\s*/?>|</?` + blockTags + `[^>]*>)\s*$`)
)

// paragraphs does to classic content what WordPress does when it shows it:
// blank lines part paragraphs, single line ends break lines.
func paragraphs(content string) string {
	content = strings.ReplaceAll(content, "\r\n", "\n")
	if strings.TrimSpace(content) == "" {
		return ""
	}
	var kept []string
	content = preformatted.ReplaceAllStringFunc(content, func(pre string) string {
		kept = append(kept, pre)
		return "\n\n\x00" + strconv.Itoa(len(kept)-1) + "\x00\n\n"
	})
	content = beforeBlock.ReplaceAllString(content, "\n\n$1")
	content = afterBlock.ReplaceAllString(content, "$1\n\n")
	content = quoteEnds.ReplaceAllString(quoteBegins.ReplaceAllString(content, "$1\n\n"), "\n\n$1")
	var b strings.Builder
	for _, part := range blankLines.Split(content, -1) {
		part = strings.Trim(part, " \t\n")
		switch {
		case part == "":
		case strings.HasPrefix(part, "\x00"):
			if n, err := strconv.Atoi(strings.Trim(part, "\x00")); err == nil && n < len(kept) {
				b.WriteString(kept[n] + "\n")
			}
		case opensBlock.MatchString(part):
			b.WriteString(breaks(part) + "\n")
		default:
			// A block that began in an earlier part may end here.
			words := closesBlocks.ReplaceAllString(part, "")
			b.WriteString("<p>" + breaks(words) + "</p>" + strings.ReplaceAll(part[len(words):], "</p>", "") + "\n")
		}
	}
	return b.String()
}

// breaks turns line ends into <br> except beside block tags.
func breaks(part string) string {
	lines := strings.Split(part, "\n")
	var b strings.Builder
	for i, line := range lines {
		b.WriteString(line)
		if i == len(lines)-1 {
			break
		}
		if strings.TrimSpace(line) != "" && !lineEndsTag.MatchString(line) && !opensBlock.MatchString(strings.TrimSpace(lines[i+1])) {
			b.WriteString("<br>")
		}
		b.WriteByte('\n')
	}
	return b.String()
}
