package media

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/net/html"
)

// ContentSizes is how wide a picture in the text of a page is shown.
const ContentSizes = "(min-width: 48rem) 44rem, 100vw"

// Picture is what a template needs for an <img>. Width and Height are those of
// the whole picture, in pixels, and 0 where they are unknown.
type Picture struct {
	Src    string
	SrcSet string // empty until sizes are made
	Sizes  string // empty where SrcSet is
	Width  int
	Height int
	Alt    string
	Class  string // where a crop is to stay: classes of the theme, or ""
}

// Image describes a media record for an <img>; sizes is the attribute of that
// name. A nil record and one in the bin give the zero Picture, one without a
// file the address that it was imported from. A page that shows it uses "media"
// and its id.
func Image(record *core.Record, sizes string) Picture {
	if record == nil || Binned(record) {
		return Picture{}
	}
	s := stateOf(record)
	p := Picture{Width: s.Width, Height: s.Height, Alt: record.GetString("alt"), Class: FocalClass(record.GetString("focal"))}
	if s.File == "" {
		p.Src = record.GetString("source_url")
		return p
	}
	p.Src = Address(record)
	if !s.sizable() {
		return p
	}
	var set []string
	for _, size := range SizesFor(s.Width) {
		if s.find(size, WebP) == variantName(size, WebP) {
			set = append(set, fmt.Sprintf("%s?w=%d&f=webp %dw", p.Src, size, s.widthOf(size)))
		}
	}
	if len(set) > 0 {
		p.SrcSet, p.Sizes = strings.Join(set, ", "), sizes
	}
	if s.find(1280, "") != "" { // for feeds, previews and old browsers
		p.Src += "?w=1280"
	}
	return p
}

// Address is where the original of a media record is served, "" without a file.
func Address(record *core.Record) string {
	file := record.GetString("file")
	if file == "" {
		return ""
	}
	return "/media/" + record.Id + "/" + url.PathEscape(file)
}

// Enrich gives every <img> in content whose src is /media/ID/NAME the srcset,
// sizes, width and height of that picture, and has it loaded lazily. find
// returns the media record of an id, or nil. Everything else stays byte by
// byte; an image that has a srcset is left alone.
func Enrich(content string, find func(id string) *core.Record) string {
	if !strings.Contains(content, "/media/") {
		return content
	}
	var out strings.Builder
	out.Grow(len(content) + len(content)/4)
	z := html.NewTokenizer(strings.NewReader(content))
	for {
		kind := z.Next()
		if kind == html.ErrorToken {
			out.Write(z.Raw())
			return out.String()
		}
		raw := string(z.Raw()) // Token reuses the buffer
		if kind == html.StartTagToken || kind == html.SelfClosingTagToken {
			if t := z.Token(); t.Data == "img" && enrich(&t, find) {
				out.WriteString(t.String())
				continue
			}
		}
		out.WriteString(raw)
	}
}

// enrich changes the tag and reports whether it did.
func enrich(t *html.Token, find func(id string) *core.Record) bool {
	has := map[string]bool{}
	src := -1
	for i, a := range t.Attr {
		if has[a.Key] = true; a.Key == "src" && src < 0 {
			src = i
		}
	}
	if src < 0 || has["srcset"] {
		return false
	}
	rest, ok := strings.CutPrefix(t.Attr[src].Val, "/media/")
	id, _, named := strings.Cut(rest, "/")
	if !ok || !named {
		return false
	}
	record := find(id)
	if record == nil || record.GetString("file") == "" || Binned(record) {
		return false
	}
	p := Image(record, ContentSizes)
	t.Attr[src].Val = p.Src
	add := func(key, value string) {
		if value != "" && !has[key] {
			t.Attr = append(t.Attr, html.Attribute{Key: key, Val: value})
		}
	}
	add("srcset", p.SrcSet)
	add("sizes", p.Sizes)
	if p.Width > 0 && p.Height > 0 && !has["width"] && !has["height"] {
		add("width", strconv.Itoa(p.Width))
		add("height", strconv.Itoa(p.Height))
	}
	add("alt", p.Alt)
	if p.Class != "" && has["class"] {
		for i := range t.Attr {
			if t.Attr[i].Key == "class" {
				t.Attr[i].Val += " " + p.Class
			}
		}
	}
	add("class", p.Class)
	add("loading", "lazy")
	add("decoding", "async")
	return true
}
