package text

import (
	"html"
	"io"
	"regexp"
	"strings"
	"time"

	"github.com/alecthomas/chroma/v2"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/util"
)

const (
	// maxHighlight is the longest code block in bytes that is coloured.
	maxHighlight = 32 << 10
	// highlightTime bounds one body: lexers are backtracking expressions. Only
	// input made to be slow reaches it, so it does not change what is rendered.
	highlightTime = 2 * time.Second
)

var languageName = regexp.MustCompile(`^[A-Za-z0-9+#._-]{1,40}`)

// codeRenderer writes fenced code with chroma's short class names.
type codeRenderer struct{ left time.Duration }

// RegisterFuncs tells goldmark which nodes it writes.
func (r *codeRenderer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindFencedCodeBlock, r.render)
}

func (r *codeRenderer) render(w util.BufWriter, source []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.FencedCodeBlock)
	var code strings.Builder
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		code.Write(line.Value(source))
	}
	language := strings.ToLower(languageName.FindString(string(n.Language(source))))
	r.write(w, language, code.String())
	return ast.WalkContinue, nil
}

func (r *codeRenderer) write(w io.StringWriter, language, code string) {
	body, known := r.highlight(language, code)
	open := "<pre>"
	if known {
		open = `<pre class="chroma">`
	}
	class := ""
	if language != "" {
		class = ` class="language-` + html.EscapeString(strings.NewReplacer("+", "p", "#", "sharp", ".", "-").Replace(language)) + `"`
	}
	w.WriteString(open + "<code" + class + ">" + body + "</code></pre>\n")
}

// highlight returns code as escaped HTML, coloured where the language is known
// and the block is of a reasonable size.
func (r *codeRenderer) highlight(language, code string) (string, bool) {
	lexer := languages().Get(language)
	if language == "" || lexer == nil || len(code) > maxHighlight || r.left <= 0 {
		return html.EscapeString(code), false
	}
	tokens, err := chroma.Coalesce(lexer).Tokenise(nil, code)
	if err != nil {
		return html.EscapeString(code), false
	}
	var b strings.Builder
	start := time.Now()
	defer func() { r.left -= time.Since(start) }()
	for token := tokens(); token != chroma.EOF; token = tokens() {
		if spent := time.Since(start); spent > r.left {
			r.left = 0
			return html.EscapeString(code), false
		}
		if class := className(token.Type); class != "" {
			b.WriteString(`<span class="` + class + `">` + html.EscapeString(token.Value) + `</span>`)
		} else {
			b.WriteString(html.EscapeString(token.Value))
		}
	}
	return b.String(), true
}

// className returns chroma's short name for a token type or its parents.
func className(t chroma.TokenType) string {
	for t != 0 {
		if class, ok := chroma.StandardTypes[t]; ok {
			return class
		}
		t = t.Parent()
	}
	return ""
}
