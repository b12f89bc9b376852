package imports

import (
	"html"
	"regexp"
	"strings"
)

var (
	highlightBegins = regexp.MustCompile(`^\s*(?:\{%-?\s*highlight\s+([\w+#.-]+)[^%]*%\}|\{\{[<%]\s*highlight\s+"?([\w+#.-]+)"?.*[>%]\}\})\s*$`)
	highlightEnds   = regexp.MustCompile(`^\s*(?:\{%-?\s*endhighlight\s*-?%\}|\{\{[<%]\s*/\s*highlight\s*[>%]\}\})\s*$`)
	liquidRaw       = regexp.MustCompile(`\{%-?\s*(?:end)?raw\s*-?%\}`)
	hugoFigure      = regexp.MustCompile(`\{\{[<%]\s*figure\s+([^{}]*?)\s*/?[>%]\}\}`)
	hugoFilm        = regexp.MustCompile(`\{\{[<%]\s*(youtube|vimeo)\s+(?:id=)?"?([\w-]+)"?(?:\s[^{}]*)?[>%]\}\}`)
	mdxComment      = regexp.MustCompile(`\{/\*.*?\*/\}`)
	mdxImportBegins = regexp.MustCompile(`^import\s+(?:[\w*]+\s*,\s*)?\{[^}]*$`)
)

// highlightFence is how a code block begins and ends that a shortcode held.
const highlightFence = "~~~~~~"

// knownShortcodes turns those of Hugo that have a counterpart into it: a figure
// and films.
func knownShortcodes(line string) string {
	line = hugoFilm.ReplaceAllStringFunc(line, func(m string) string {
		p := hugoFilm.FindStringSubmatch(m)
		if p[1] == "vimeo" {
			return "<https://vimeo.com/" + p[2] + ">"
		}
		return "<https://www.youtube.com/watch?v=" + p[2] + ">"
	})
	return hugoFigure.ReplaceAllStringFunc(line, func(m string) string {
		a := map[string]string{}
		for _, p := range shortcodeAttr.FindAllStringSubmatch(strings.ReplaceAll(hugoFigure.FindStringSubmatch(m)[1], `\"`, "&quot;"), 30) {
			a[strings.ToLower(p[1])] = html.UnescapeString(p[2] + p[3] + p[4])
		}
		if a["src"] == "" {
			return m
		}
		out := `<img src="` + html.EscapeString(a["src"]) + `" alt="` + html.EscapeString(first(a["alt"], a["caption"], a["title"])) + `">`
		if words := first(a["caption"], a["title"]); words != "" {
			out += "<figcaption>" + html.EscapeString(words) + "</figcaption>"
		}
		return "<figure>" + out + "</figure>"
	})
}
