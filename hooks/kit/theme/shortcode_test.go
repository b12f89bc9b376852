package theme

import (
	"errors"
	"fmt"
	"html/template"
	"strings"
	"testing"
)

func withShortcodes(t testing.TB) *Theme {
	t.Helper()
	th, err := Load("", builtIn(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	th.Shortcode("form", func(_ Place, args []string) (template.HTML, error) {
		return template.HTML(fmt.Sprintf("[%s]", template.HTMLEscapeString(strings.Join(args, "|")))), nil
	})
	th.Shortcode("fails", func(Place, []string) (template.HTML, error) { return "", errors.New("no") })
	return th
}

func TestExpand(t *testing.T) {
	t.Parallel()
	th := withShortcodes(t)
	for in, want := range map[string]string{
		`<p>{{ form "contact" }}</p>`:                               `[contact]`,
		`<p>{{form}}</p>`:                                           `[]`,
		`<p>{{ form &quot;a&quot; &#34;b c&#34; }}</p>`:             `[a|b c]`,
		"<p>\n{{ form \"a\" }}\n</p>":                               `[a]`,
		`<p>{{ form "a &amp; &lt;b&gt;" }}</p>`:                     `[a &amp; &lt;b&gt;]`,
		`<p>{{ form "" }}</p>`:                                      `[]`,
		`x<p>{{ form "1" }}</p>y<P>{{ form "2" }}</P>z`:             `x[1]y[2]z`,
		`<blockquote><p>{{ form "a" }}</p></blockquote>`:            `<blockquote>[a]</blockquote>`,
		`<code>a</code><p>{{ form "a" }}</p>`:                       `<code>a</code>[a]`,
		`</pre><p>{{ form "a" }}</p>`:                               `</pre>[a]`,
		`<p><p>{{ form "a" }}</p>`:                                  `<p>[a]`,
		`<p>Hello {{ form "a" }}</p>`:                               ``,
		`<p>{{ form "a" }} {{ form "b" }}</p>`:                      ``,
		`<p>{{ form 'a' }}</p>`:                                     ``,
		`<p>{{ form a }}</p>`:                                       ``,
		`<p>{{ form"a" }}</p>`:                                      ``,
		`<p>{{ form "a"b" }}</p>`:                                   ``,
		`<p>{{ unknown "a" }}</p>`:                                  ``,
		`<p>{{ fails }}</p>`:                                        ``,
		`<p>{{ .Secret }}</p>`:                                      ``,
		`<p>{{ template "base" }}</p>`:                              ``,
		`<p>{{ form "{{ form }}" }}</p>`:                            ``,
		`<p>{{ form "a" }<b></b>}</p>`:                              ``,
		`<p><b>{{ form "a" }}</b></p>`:                              ``,
		`<p class="x">{{ form "a" }}</p>`:                           ``,
		`<p>{{ form <!-- --> }}</p>`:                                ``,
		`<pre><p>{{ form "a" }}</p></pre>`:                          ``,
		`<pre><code>{{ form "a" }}</code></pre>`:                    ``,
		`<code><p>{{ form "a" }}</p></code>`:                        ``,
		`<pre></code><p>{{ form "a" }}</p></pre>`:                   ``,
		`<code/><p>{{ form "a" }}</p>`:                              ``,
		`<PRE><p>{{ form "a" }}</p>`:                                ``,
		`<textarea><p>{{ form "a" }}</p></textarea>`:                ``,
		`<a title="<p>{{ form }}</p>">x</a>`:                        ``,
		`<!-- <p>{{ form }}</p> -->`:                                ``,
		`<p>{{ form "a" }}`:                                         ``,
		`<li>{{ form "a" }}</li>`:                                   ``,
		`<p>&#123;&#123; form }}</p>`:                               ``,
		`{{ form "a" }}`:                                            ``,
		``:                                                          ``,
		"a\r\n<p>\x00{{":                                            ``,
		`<p>{{ form "` + strings.Repeat("a", 1000) + `" }}</p>`:     `[` + strings.Repeat("a", 1000) + `]`,
		`<p>{{ form ` + strings.Repeat(`"a" `, 50) + `extra }}</p>`: ``,
	} {
		if want == "" {
			want = in
		}
		if got := string(th.Expand(in, Place{})); got != want {
			t.Errorf("Expand(%q)\n got %q\nwant %q", in, got, want)
		}
	}
}

// FuzzExpand holds that bodies lose and gain nothing but whole shortcode
// paragraphs, and that code never runs.
func FuzzExpand(f *testing.F) {
	for _, s := range []string{`<p>{{ form "a" }}</p>`, `<pre><p>{{ form }}</p>`, "<p>{{ form &quot;\x00&quot; }}</p>", `<p <p>{{form}}</p>`, `<p>{{form}}</p`, `</code></pre><p>{{ form }}</p>`} {
		f.Add(s)
	}
	th := withShortcodes(f)
	calls := 0
	const mark = "\x01expanded\x02"
	th.Shortcode("form", func(Place, []string) (template.HTML, error) { calls++; return mark, nil })
	f.Fuzz(func(t *testing.T, body string) {
		calls = 0
		out := string(th.Expand(body, Place{}))
		rest := body
		for i, part := range strings.Split(out, mark) {
			if strings.Contains(body, mark) {
				break
			}
			at := strings.Index(rest, part)
			if at < 0 {
				t.Fatalf("%q is not from the body %q", part, body)
			}
			if gone := rest[:at]; i > 0 && part != "" && !strings.HasPrefix(strings.ToLower(gone), "<p>") {
				t.Fatalf("%q was replaced", gone)
			}
			rest = rest[at+len(part):]
		}
		if calls == 0 && out != body {
			t.Fatalf("%q became %q", body, out)
		}
		calls = 0
		if !strings.Contains(strings.ToLower(body), "/pre") {
			if th.Expand("<pre>"+body, Place{}); calls > 0 {
				t.Fatalf("code ran: %q", body)
			}
		}
	})
}
