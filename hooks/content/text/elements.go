package text

import (
	"regexp"
	"strings"
	"sync"

	"github.com/microcosm-cc/bluemonday"
)

// elements lists every element that a body may hold with the attributes that
// it may have besides commonAttrs. It is the one table behind both the tree
// pass, which rewrites, and the policy, which has the last word.
var elements = allowed(`
	p h1 h2 h3 h4 h5 h6 div section article aside header footer hgroup address main
	br hr wbr span em strong b i u s small mark sub sup kbd samp var cite dfn abbr code bdi bdo ruby rt rp big tt strike center
	figure figcaption picture dl dt dd summary caption thead tbody tfoot tr label`,
	"blockquote cite", "q cite", "ins cite datetime", "del cite datetime", "time datetime", "data value",
	"details open", "pre tabindex", "div tabindex", "ul", "ol start reversed type", "li value",
	"table", "col span", "colgroup span", "td colspan rowspan headers", "th colspan rowspan headers scope abbr",
	"a href rel target", "img src srcset sizes width height alt loading decoding",
	"source src srcset sizes media type width height", "track src kind srclang label default",
	"audio src controls preload loop muted", "video src controls preload loop muted poster width height playsinline",
	"input type checked disabled",
)

// commonAttrs are allowed on every element of the table.
var commonAttrs = strings.Fields("class id title lang dir role aria-label aria-hidden aria-describedby")

// removed elements go with everything inside them; what is in neither table
// loses its tag and keeps its content.
var removed = set("script style template noscript noembed noframes svg math applet select datalist head title base link meta frameset frame param")

// framed elements become a link to what they would have shown.
var framed = map[string]string{"iframe": "src", "embed": "src", "object": "data"}

func allowed(plain string, with ...string) map[string][]string {
	table := map[string][]string{}
	for _, name := range strings.Fields(plain) {
		table[name] = nil
	}
	for _, line := range with {
		f := strings.Fields(line)
		table[f[0]] = append(table[f[0]], f[1:]...)
	}
	return table
}

func set(names string) map[string]bool {
	m := map[string]bool{}
	for _, n := range strings.Fields(names) {
		m[n] = true
	}
	return m
}

// attrPatterns limits the values of attributes; one that is absent takes any
// value that holds no control character.
var attrPatterns = map[string]*regexp.Regexp{
	"class":            regexp.MustCompile(`^[A-Za-z0-9_-]+( [A-Za-z0-9_-]+)*$`),
	"id":               idPattern,
	"lang":             regexp.MustCompile(`^[A-Za-z0-9-]{1,35}$`),
	"srclang":          regexp.MustCompile(`^[A-Za-z0-9-]{1,35}$`),
	"dir":              regexp.MustCompile(`^(ltr|rtl|auto)$`),
	"role":             regexp.MustCompile(`^(doc-(noteref|backlink|endnotes)|note|presentation|region)$`),
	"aria-hidden":      regexp.MustCompile(`^true$`),
	"aria-describedby": idPattern,
	"headers":          idPattern,
	"datetime":         regexp.MustCompile(`^[0-9A-Za-z:.+ -]{1,60}$`),
	"width":            numbers, "height": numbers, "start": numbers, "value": numbers,
	"span": numbers, "colspan": numbers, "rowspan": numbers,
	"open": empty, "reversed": empty, "controls": empty, "loop": empty, "muted": empty,
	"default": empty, "checked": empty, "disabled": empty, "playsinline": empty,
	"tabindex": regexp.MustCompile(`^0$`),
	"scope":    regexp.MustCompile(`^(row|col|rowgroup|colgroup)$`),
	"type":     regexp.MustCompile(`^([1aAiI]|checkbox|(image|audio|video)/[a-z0-9.+-]+(; ?codecs=[A-Za-z0-9., '"]+)?)$`),
	"kind":     regexp.MustCompile(`^(subtitles|captions|descriptions|chapters)$`),
	"loading":  regexp.MustCompile(`^lazy$`),
	"decoding": regexp.MustCompile(`^async$`),
	"preload":  regexp.MustCompile(`^(none|metadata)$`),
	"target":   regexp.MustCompile(`^_blank$`),
	"rel":      regexp.MustCompile(`^[a-z]+( [a-z]+)*$`),
	"media":    regexp.MustCompile(`^[A-Za-z0-9 ():.,/<>=-]{1,200}$`),
	"sizes":    regexp.MustCompile(`^[A-Za-z0-9 ():.,+*/%<>=-]{1,300}$`),
}

var (
	numbers   = regexp.MustCompile(`^-?[0-9]{1,9}$`)
	empty     = regexp.MustCompile(`^$`)
	idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_:.-]{0,119}$`)
	dataImage = regexp.MustCompile(`^data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+={0,2}$`)
)

// policy is the bluemonday policy made from the same table. It judges the
// written-out HTML token by token, without trusting the tree pass.
var policy = sync.OnceValue(func() *bluemonday.Policy {
	p := bluemonday.NewPolicy()
	p.RequireParseableURLs(true)
	p.AllowRelativeURLs(true)
	p.AllowURLSchemes("http", "https", "mailto", "tel")
	p.AllowURLSchemeWithCustomPolicy("data", isDataImage)
	for name, attrs := range elements {
		p.AllowNoAttrs().OnElements(name)
		for _, a := range append(attrs[:len(attrs):len(attrs)], commonAttrs...) {
			if re := attrPatterns[a]; re != nil {
				p.AllowAttrs(a).Matching(re).OnElements(name)
			} else {
				p.AllowAttrs(a).OnElements(name)
			}
		}
	}
	return p
})
