package imports

import (
	"html"
	"regexp"
	"strings"
)

var (
	shortcodeTag  = regexp.MustCompile(`\[(\[?)(/?[A-Za-z][A-Za-z0-9_-]*)((?:\s[^\]\n]*)?)\]`)
	shortcodeAttr = regexp.MustCompile(`([A-Za-z_][A-Za-z0-9_-]*)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"']+))`)
	bareArgument  = regexp.MustCompile(`https?://[^\s"'\]<]+`)
	firstImage    = regexp.MustCompile(`(?is)^\s*((?:<a\b[^>]*>\s*)?<img\b[^>]*>(?:\s*</a>)?)`)
)

// shortcodes turns WordPress's own shortcodes into HTML. Those that plugins
// bring stay as they stand and are named in the item's notes; so does a word
// in brackets that is no shortcode, without a note.
func shortcodes(item *Item, content string, files *attachments, postID string) string {
	var b strings.Builder
	for {
		m := shortcodeTag.FindStringSubmatchIndex(content)
		if m == nil {
			b.WriteString(content)
			return b.String()
		}
		whole, name := content[m[0]:m[1]], strings.ToLower(content[m[4]:m[5]])
		args := html.UnescapeString(strings.TrimSpace(content[m[6]:m[7]]))
		b.WriteString(content[:m[0]])
		rest := content[m[1]:]
		if m[3] > m[2] {
			// [[name]] is how WordPress writes a shortcode that is not to run.
			b.WriteString(strings.TrimPrefix(whole, "["))
			content = strings.TrimPrefix(rest, "]")
			continue
		}
		if bare, closing := strings.CutPrefix(name, "/"); closing {
			if builderTag.MatchString(bare) {
				whole = "\n\n"
			}
			b.WriteString(whole)
			content = rest
			continue
		}
		inner, after, closed := enclosed(rest, name)
		out, usesInner, ok := expand(name, args, inner, closed, files, postID)
		switch {
		case !ok:
			b.WriteString(whole)
			if closed || strings.Contains(args, "=") || strings.HasSuffix(args, "/") {
				item.note("the shortcode [" + name + "] is kept as text")
			}
		case closed && usesInner:
			b.WriteString(out)
			rest = after
		default:
			b.WriteString(out)
		}
		if ok && builderTag.MatchString(name) {
			item.note(builderRemark)
		}
		content = rest
	}
}

// enclosed returns what stands between a shortcode and its closing tag.
func enclosed(rest, name string) (inner, after string, closed bool) {
	end := "[/" + name + "]"
	window := rest[:min(len(rest), 64<<10)]
	for at := 0; ; at++ {
		i := strings.Index(window[at:], "[/")
		if i < 0 {
			return "", rest, false
		}
		if at += i; at+len(end) <= len(rest) && strings.EqualFold(rest[at:at+len(end)], end) {
			return rest[:at], rest[at+len(end):], true
		}
	}
}

func expand(name, args, inner string, closed bool, files *attachments, postID string) (out string, usesInner, ok bool) {
	a := map[string]string{}
	for _, m := range shortcodeAttr.FindAllStringSubmatch(args, 50) {
		a[strings.ToLower(m[1])] = m[2] + m[3] + m[4]
	}
	switch name {
	case "vc_raw_html", "vc_raw_js", "fusion_code":
		return "", closed, true // packed code
	case "caption", "wp_caption":
		if !closed {
			return "", false, false
		}
		return captionFigure(a, inner), true, true
	case "gallery":
		return galleryFigure(a, files, postID), false, true
	case "embed", "youtube", "vimeo", "dailymotion", "soundcloud", "twitter", "tweet", "wpvideo", "ted", "spotify":
		address := strings.TrimSpace(inner)
		if address == "" {
			address = bareArgument.FindString(args)
		}
		if address == "" && a["url"] != "" {
			address = a["url"]
		}
		if !strings.HasPrefix(address, "http") {
			return "", false, false
		}
		return "\n\n" + linkParagraph(address) + "\n\n", closed, true
	case "audio", "video":
		return player(name, a, args, inner), closed, true
	}
	if builderTag.MatchString(name) {
		return fromBuilder(name, a, files), false, true
	}
	return "", false, false
}

// captionFigure makes a figure out of an image and the words after it.
func captionFigure(a map[string]string, inner string) string {
	words, image := a["caption"], inner
	if m := firstImage.FindStringSubmatch(inner); m != nil {
		image = m[1]
		if after := strings.TrimSpace(inner[len(m[0]):]); after != "" {
			words = after
		}
	}
	figure := `<figure class="wp-caption ` + html.EscapeString(a["align"]) + `">` + strings.TrimSpace(image)
	if words != "" {
		figure += "<figcaption>" + words + "</figcaption>"
	}
	return "\n\n" + figure + "</figure>\n\n"
}

// galleryFigure lists the pictures that a gallery names, or all of the post.
func galleryFigure(a map[string]string, files *attachments, postID string) string {
	var ids []string
	if list := a["ids"] + a["include"]; list != "" {
		for _, id := range strings.Split(list, ",") {
			ids = append(ids, strings.TrimSpace(id))
		}
	} else {
		ids = files.children[postID]
	}
	var b strings.Builder
	for _, id := range ids[:min(len(ids), 500)] {
		f, ok := files.byID[id]
		if !ok || !isImageName(f.url) || strings.Contains(","+a["exclude"]+",", ","+id+",") {
			continue
		}
		b.WriteString(`<figure><img src="` + html.EscapeString(f.url) + `" alt="` + html.EscapeString(f.alt) + `">`)
		if f.caption != "" {
			b.WriteString("<figcaption>" + html.EscapeString(f.caption) + "</figcaption>")
		}
		b.WriteString("</figure>")
	}
	if b.Len() == 0 {
		return ""
	}
	return "\n\n" + `<div class="gallery">` + b.String() + "</div>\n\n"
}

func player(name string, a map[string]string, args, inner string) string {
	src := a["src"]
	for _, key := range []string{"mp4", "webm", "m4v", "ogv", "mp3", "m4a", "ogg", "wav", "flac"} {
		if src == "" {
			src = a[key]
		}
	}
	if src == "" {
		src = bareArgument.FindString(args + " " + inner)
	}
	if src == "" {
		return ""
	}
	if name == "video" && (strings.Contains(src, "youtu") || strings.Contains(src, "vimeo.com")) {
		return "\n\n" + linkParagraph(src) + "\n\n"
	}
	// The page's policy plays nothing over plain http.
	src = strings.Replace(src, "http://", "https://", 1)
	return "\n\n<" + name + ` src="` + html.EscapeString(src) + `" controls></` + name + ">\n\n"
}

func linkParagraph(address string) string {
	address = html.EscapeString(html.UnescapeString(address))
	return `<p class="embed"><a href="` + address + `">` + address + `</a></p>`
}

func isImageName(address string) bool {
	address, _, _ = strings.Cut(strings.ToLower(address), "?")
	for _, ending := range []string{".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg"} {
		if strings.HasSuffix(address, ending) {
			return true
		}
	}
	return false
}
