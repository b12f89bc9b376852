package imports

import (
	"html"
	"net/url"
	"regexp"
	"strings"
)

// builderTag names the shortcodes of page builders (WPBakery, Divi, Avada,
// Enfold, Cornerstone, King Composer, Flatsome): frames around what was written.
var builderTag = regexp.MustCompile(`^(?:vc|et_pb|fusion|av|cs|kc|ux)_`)

// builderRemark is said once of each text.
const builderRemark = "the frames of its page builder are left out; its words, headings, pictures and buttons are kept"

// fromBuilder turns one shortcode of a page builder into what it showed beside
// its content; a frame showed nothing.
func fromBuilder(name string, a map[string]string, files *attachments) string {
	var b strings.Builder
	words := first(a["button_text"], a["text"], a["title"], a["heading"])
	button := strings.HasSuffix(name, "_btn") || strings.HasSuffix(name, "button")
	switch {
	case button && words != "":
		if to := buttonAddress(a); to != "" {
			b.WriteString(`<p><a href="` + html.EscapeString(to) + `">` + html.EscapeString(words) + `</a></p>`)
		}
	case words != "" && !strings.Contains(name, "image"):
		b.WriteString("<h3>" + html.EscapeString(words) + "</h3>")
	}
	ids := first(a["image"], a["attachment"], a["image_id"], a["images"], a["gallery_ids"], a["ids"])
	for _, id := range strings.Split(ids, ",") {
		if f, ok := files.byID[strings.TrimSpace(id)]; ok && isImageName(f.url) {
			b.WriteString(`<figure><img src="` + html.EscapeString(f.url) + `" alt="` + html.EscapeString(f.alt) + `"></figure>`)
		}
	}
	if src := a["src"]; b.Len() == 0 && isImageName(src) {
		b.WriteString(`<figure><img src="` + html.EscapeString(src) + `" alt="` + html.EscapeString(first(a["alt"], a["title_text"])) + `"></figure>`)
	}
	return "\n\n" + b.String() + "\n\n"
}

// buttonAddress reads where a button leads; WPBakery writes url:…|title:… with
// the parts escaped.
func buttonAddress(a map[string]string) string {
	to := first(a["button_url"], a["link"], a["url"], a["href"])
	for _, part := range strings.Split(to, "|") {
		if escaped, ok := strings.CutPrefix(part, "url:"); ok {
			if plain, err := url.QueryUnescape(escaped); err == nil {
				return plain
			}
		}
	}
	return to
}
