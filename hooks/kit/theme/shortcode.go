package theme

import (
	"html"
	"html/template"
	"regexp"
	"strings"

	"github.com/pocketbase/pocketbase/core"
	nethtml "golang.org/x/net/html"
)

// Place is the page into which a shortcode is expanded.
type Place struct {
	App    core.App
	Locale string
	// Uses says that the result shows something of this collection, or of these
	// records of it, and NoStore that it is for this visitor alone. Without
	// them the page stays in memory when what the shortcode shows has changed.
	Uses    func(collection string, ids ...string)
	NoStore func()
}

// Shortcode registers what a paragraph that is only {{ name "arg" … }} becomes
// when a page is rendered. fn gets the page and the arguments as the author
// wrote them: they are a stranger's text, and whatever goes into the result
// must be escaped.
func (t *Theme) Shortcode(name string, fn func(place Place, args []string) (template.HTML, error)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.shortcodes[name] = fn
}

// Expand replaces the shortcodes in body, which must be clean HTML already. A
// paragraph with attributes or with anything else in it, a name that is not
// registered, and everything within <pre> and <code> stay as they are, byte for
// byte; so does a shortcode that fails, which is logged.
func (t *Theme) Expand(body string, place Place) template.HTML {
	if !strings.Contains(body, "{{") {
		return template.HTML(body)
	}
	var out strings.Builder
	s := scan{z: nethtml.NewTokenizer(strings.NewReader(body)), body: body, start: -1}
	done := 0 // how much of body is written to out
	for s.next() {
		if expanded, ok := t.shortcode(body[s.inside:s.closing], place); ok {
			out.WriteString(body[done:s.start])
			out.WriteString(string(expanded))
			done = s.end
		}
	}
	out.WriteString(body[done:])
	return template.HTML(out.String())
}

// scan finds the paragraphs of body that hold nothing but text and stand
// outside of code. All positions are bytes of body.
type scan struct {
	z    *nethtml.Tokenizer
	body string
	end  int // of the last token that was read
	pre  int // how many <pre> are open
	code int // how many <code> are open

	start   int // of the paragraph's <p>, -1 outside of one
	inside  int // where its text begins
	closing int // where its </p> begins
}

func (s *scan) next() bool {
	s.start = -1
	for {
		kind := s.z.Next()
		if kind == nethtml.ErrorToken {
			return false
		}
		at := s.end
		s.end += len(s.z.Raw())
		if kind == nethtml.TextToken {
			continue
		}
		plain := s.body[at:s.end] == "<p>" || s.body[at:s.end] == "<P>"
		tag, _ := s.z.TagName()
		switch name := string(tag); {
		case name == "p" && kind == nethtml.EndTagToken && s.start >= 0:
			s.closing = at
			return true
		case plain && s.pre == 0 && s.code == 0:
			s.start, s.inside = at, s.end
			continue
		case name == "pre":
			s.pre = depth(s.pre, kind)
		case name == "code":
			s.code = depth(s.code, kind)
		}
		s.start = -1
	}
}

// depth counts open elements; a self-closing form opens one too, in HTML.
func depth(open int, kind nethtml.TokenType) int {
	if kind == nethtml.EndTagToken {
		return max(open-1, 0)
	}
	return open + 1
}

// Sanitisers and Markdown renderers write a quote as one of these.
var quotes = strings.NewReplacer("&#34;", `"`, "&quot;", `"`, "&#x22;", `"`)

var (
	shortcodeForm = regexp.MustCompile(`^\s*\{\{\s*([a-z][a-z0-9_-]{0,63})((?:\s+"[^"<>{}]*")*)\s*\}\}\s*$`)
	shortcodeArg  = regexp.MustCompile(`"([^"]*)"`)
)

// shortcode runs what stands in a paragraph, if that is a shortcode.
func (t *Theme) shortcode(paragraph string, place Place) (template.HTML, bool) {
	m := shortcodeForm.FindStringSubmatch(quotes.Replace(paragraph))
	if m == nil {
		return "", false
	}
	t.mu.RLock()
	fn := t.shortcodes[m[1]]
	t.mu.RUnlock()
	if fn == nil {
		return "", false
	}
	var args []string
	for _, a := range shortcodeArg.FindAllStringSubmatch(m[2], -1) {
		args = append(args, html.UnescapeString(a[1]))
	}
	expanded, err := fn(place, args)
	if err != nil {
		t.logger().Error("A shortcode failed; its text is shown", "shortcode", m[1], "error", err)
		return "", false
	}
	return expanded, true
}
