package text

import (
	"strings"
	"testing"

	"github.com/alecthomas/chroma/v2"
)

func TestEveryLanguageColoursAndLosesNothing(t *testing.T) {
	t.Parallel()
	known := languages()
	if n := len(known.Lexers); n < 60 {
		t.Fatalf("only %d languages", n)
	}
	const code = "package main\n\n// note\nfunc f(a int) string { return \"x\" + `y` } /* z */\n<b class='c'>1.5e3</b>\nif [ -f x ]; then echo $y; fi\n"
	for _, lexer := range known.Lexers {
		tokens, err := chroma.Tokenise(lexer, nil, code)
		if err != nil {
			t.Errorf("%s: %v", lexer.Config().Name, err)
			continue
		}
		if got := chroma.Stringify(tokens...); got != code {
			t.Errorf("%s changed the code into %q", lexer.Config().Name, got)
		}
	}
}

func TestLanguagesGoByTheNamesThatPeopleWrite(t *testing.T) {
	t.Parallel()
	for _, name := range strings.Fields(`bash sh shell console c cpp c++ csharp c# css dart diff docker dockerfile elixir go golang graphql
		haskell hcl html ini java javascript js json jsx kotlin lua makefile markdown md nginx nix perl php powershell proto protobuf
		python py r ruby rb rust rs scala scss sql swift terraform tex toml ts tsx typescript vim vue xml yaml yml zig`) {
		if languages().Get(name) == nil {
			t.Errorf("%s is not known", name)
		}
	}
	if languages().Get("no such language") != nil {
		t.Error("an unknown language is known")
	}
}

func TestGoIsColoured(t *testing.T) {
	t.Parallel()
	out, err := Render(Markdown, "```go\nfunc Add(a, b int) int {\n\treturn a + b // sum\n}\nx := 0x1F + 1.5e3 + len(\"s\")\n```")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<span class="kd">func</span>`, `<span class="nf">Add</span>`, `<span class="kt">int</span>`, `<span class="k">return</span>`,
		`<span class="c1">// sum</span>`, `<span class="mh">0x1F</span>`, `<span class="mf">1.5e3</span>`, `<span class="nb">len</span>`, `<span class="s">&#34;s&#34;</span>`} {
		if !strings.Contains(out.HTML, want) {
			t.Errorf("no %s in %s", want, out.HTML)
		}
	}
}
