package text

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestRender(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, format, in, want string }{
		{"paragraph", Markdown, "Hello *you*", "<p>Hello <em>you</em></p>\n"},
		{"strike and link", Markdown, "~~a~~ https://example.org", "<p><del>a</del> <a href=\"https://example.org\" rel=\"noopener\">https://example.org</a></p>\n"},
		{"heading id", Markdown, "## Über uns", "<h2 id=\"ueber-uns\">Über uns</h2>\n"},
		{"same headings", Markdown, "## A\n\n## A", "<h2 id=\"a\">A</h2>\n<h2 id=\"a-2\">A</h2>\n"},
		{"own id", Markdown, "## A {#own}", "<h2 id=\"own\">A</h2>\n"},
		{"id of the page", Markdown, "## Comments\n\n[x](#comments)", "<h2 id=\"h-comments\">Comments</h2>\n<p><a href=\"#h-comments\">x</a></p>\n"},
		{"task", Markdown, "- [x] done", "<ul>\n<li class=\"task\"><label><input type=\"checkbox\" disabled=\"\" checked=\"\"/> done</label></li>\n</ul>\n"},
		{"alignment", HTML, `<p style="text-align: center; color: red">x</p>`, `<p class="align-center">x</p>`},
		{"unknown language", Markdown, "```klingon\n<a>\n```", "<pre tabindex=\"0\"><code class=\"language-klingon\">&lt;a&gt;\n</code></pre>\n"},
		{"frame", HTML, `<iframe src="https://www.youtube.com/embed/x" title="A film"></iframe>`, `<a class="embed" href="https://www.youtube.com/embed/x" rel="noopener">A film</a>`},
		{"own frame", HTML, `a<iframe src="/x"></iframe>`, `a`},
		{"details", HTML, `<details open><summary>S</summary>T</details>`, `<details open=""><summary>S</summary>T</details>`},
		{"unknown tag", HTML, `<blink>x <b>y</b></blink>`, `x <b>y</b>`},
		{"form", HTML, `<form action="/x"><button>Go</button><input name="a"></form>`, `Go`},
		{"link without address", HTML, `<a href="javascript:alert(1)">x</a>`, `x`},
		{"target of a link", HTML, `<a id="old"></a>`, `<a id="old"></a>`},
		{"new window", HTML, `<a href="/x" target="_blank" rel="opener">x</a>`, `<a href="/x" target="_blank" rel="noopener">x</a>`},
		{"video", HTML, `<video src="https://e.org/v.mp4" autoplay></video>`, `<video src="https://e.org/v.mp4" controls="" preload="metadata"></video>`},
		{"insecure video", HTML, `<video src="http://e.org/v.mp4"></video>`, `<video controls="" preload="metadata"></video>`},
		{"empty header", HTML, `<table><tr><th scope="col"> </th><th>a</th></tr></table>`, `<div class="table-wrap" tabindex="0"><table><tbody><tr><td> </td><th>a</th></tr></tbody></table></div>`},
		{"control characters", HTML, "a\x00b\x08c\r\nd", "abc\nd"},
		{"shortcode", Markdown, `{{ form "contact" }}`, "<p>{{ form &#34;contact&#34; }}</p>\n"},
	} {
		got, err := Render(c.format, c.in)
		if err != nil || got.HTML != c.want {
			t.Errorf("%s: %v\n got %q\nwant %q", c.name, err, got.HTML, c.want)
		}
	}
}

func TestRenderKeepsRichContent(t *testing.T) {
	t.Parallel()
	in := `<figure class="wp-block-image"><picture><source srcset="/a.webp 320w, /b.webp 640w" sizes="100vw" type="image/webp">` +
		`<img src="/a.jpg" srcset="/a.jpg 1x, javascript:x 2x" width="10" height="5px" alt="A" onerror="x()"></picture><figcaption>C</figcaption></figure>` +
		`<table><thead><tr><th align="right" scope="col">a</th></tr></thead><tbody><tr><td colspan="2">b</td></tr></tbody></table>` +
		`<dl><dt>t</dt><dd>d</dd></dl><abbr title="x">y</abbr><kbd>k</kbd><mark>m</mark>H<sub>2</sub><sup>3</sup><time datetime="2020-01-02">z</time>`
	got, err := Render(HTML, in)
	if err != nil {
		t.Fatal(err)
	}
	want := `<figure class="wp-block-image"><picture><source srcset="/a.webp 320w, /b.webp 640w" sizes="100vw" type="image/webp"/>` +
		`<img src="/a.jpg" srcset="/a.jpg 1x" width="10" height="5" alt="A" loading="lazy" decoding="async"/></picture><figcaption>C</figcaption></figure>` +
		`<div class="table-wrap" tabindex="0"><table><thead><tr><th scope="col" class="align-right">a</th></tr></thead><tbody><tr><td colspan="2">b</td></tr></tbody></table></div>` +
		`<dl><dt>t</dt><dd>d</dd></dl><abbr title="x">y</abbr><kbd>k</kbd><mark>m</mark>H<sub>2</sub><sup>3</sup><time datetime="2020-01-02">z</time>`
	if got.HTML != want {
		t.Errorf("\n got %s\nwant %s", got.HTML, want)
	}
}

func TestMarkdownTableAndFootnoteAndCode(t *testing.T) {
	t.Parallel()
	got, err := Render(Markdown, "| a | b |\n|:-:|--:|\n| 1 | 2 |\n\nNote[^1].\n\n[^1]: The *note*.\n\n```go\nfunc main() {}\n```\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`<th class="align-center">a</th>`, `<td class="align-right">2</td>`, `class="footnote-ref"`, `id="fn:1"`, `href="#fnref:1"`,
		`<pre class="chroma" tabindex="0"><code class="language-go"><span class="kd">func</span>`,
	} {
		if !strings.Contains(got.HTML, want) {
			t.Errorf("%s is missing in\n%s", want, got.HTML)
		}
	}
	if strings.Contains(got.HTML, "style=") {
		t.Errorf("a style attribute is left:\n%s", got.HTML)
	}
	if want := "a\nb\n1\n2\nNote.\nfunc main() {}\nThe note."; got.Text != want {
		t.Errorf("text %q, want %q", got.Text, want)
	}
}

func TestContentsAndReadingTime(t *testing.T) {
	t.Parallel()
	got, err := Render(Markdown, "# T\n\n## One *two*\n\n### Three\n\n#### Four\n\n"+strings.Repeat("word ", 500)+"\n\n漢字かな\n")
	if err != nil {
		t.Fatal(err)
	}
	want := []Heading{{2, "one-two", "One two"}, {3, "three", "Three"}}
	if len(got.TOC) != 2 || got.TOC[0] != want[0] || got.TOC[1] != want[1] {
		t.Errorf("contents %v, want %v", got.TOC, want)
	}
	if got.Words != 509 || got.Minutes != 3 {
		t.Errorf("%d words, %d minutes; want 509 and 3", got.Words, got.Minutes)
	}
	if got, _ := Render(HTML, ""); got.Minutes != 1 {
		t.Errorf("an empty text takes %d minutes", got.Minutes)
	}
}

func TestRenderRefuses(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		format, body string
		want         error
	}{
		"format":     {"rtf", "x", ErrFormat},
		"length":     {HTML, strings.Repeat("a", MaxBody+1), ErrTooLong},
		"tags":       {HTML, strings.Repeat("<div>", 1000), ErrTooDeep},
		"formatting": {HTML, strings.Repeat("<b>", 500) + strings.Repeat("<p>x", 100_000), ErrTooDeep},
		"quotes":     {Markdown, strings.Repeat("> ", 1000) + "a", ErrTooDeep},
		"cells":      {Markdown, strings.Repeat("a|", 5000) + "\n" + strings.Repeat("-|", 5000) + "\n" + strings.Repeat("x|\n", 20000), ErrTooDeep},
		"references": {Markdown, strings.Repeat("[a]: b\n", 100_000), ErrTooDeep},
	} {
		if _, err := Render(c.format, c.body); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// Each of these once took a Markdown parser a time that grows with the square
// of the length, or would take the tree or the policy that.
func TestRenderTimeIsBounded(t *testing.T) {
	t.Parallel()
	const n = 20_000
	for name, body := range map[string]string{
		"emphasis": strings.Repeat("*a_ ", n), "strike": strings.Repeat("~~a ~b", n), "links": strings.Repeat("[a](", n),
		"brackets": strings.Repeat("[", n), "angle": strings.Repeat("[a](<b", n), "comments": strings.Repeat("<!-- ", n),
		"cdata": strings.Repeat("<![CDATA[", n), "entities": strings.Repeat("&", n), "tables": strings.Repeat("<table>", n),
		"words": strings.Repeat("Hello *world*. ", n), "code": "```go\n" + strings.Repeat("\"'`", n) + "\n```",
	} {
		start := time.Now()
		_, err := Render(Markdown, body)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%s took %v (%v)", name, took, err)
		}
	}
}
