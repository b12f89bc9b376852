package text_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"bungalow/hooks/content/text"
	"bungalow/hooks/kit/sitetest"

	"golang.org/x/net/html"
)

// dangers says what in a piece of HTML a browser could run, load as a document
// or let shadow a property. It shares no code with the sanitizer.
func dangers(t *testing.T, body string) []string {
	t.Helper()
	doc, err := html.Parse(strings.NewReader("<!doctype html><body>" + body))
	if err != nil {
		return []string{"unreadable: " + err.Error()}
	}
	var found []string
	for n := range doc.Descendants() {
		if n.Type == html.CommentNode {
			found = append(found, "comment")
		}
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "style", "iframe", "object", "embed", "form", "base", "meta", "link", "template", "noscript", "textarea", "select", "button":
			found = append(found, n.Data)
		}
		if n.Namespace != "" {
			found = append(found, n.Namespace)
		}
		for _, a := range n.Attr {
			value := strings.ToLower(strings.Map(func(r rune) rune {
				if r <= ' ' {
					return -1
				}
				return r
			}, a.Val))
			switch {
			case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "name", a.Key == "srcdoc", a.Key == "formaction", a.Key == "action":
				found = append(found, a.Key)
			case strings.HasPrefix(value, "javascript:"), strings.HasPrefix(value, "vbscript:"),
				strings.HasPrefix(value, "data:") && !(n.Data == "img" && a.Key == "src" && strings.HasPrefix(value, "data:image/") && !strings.Contains(value, "svg")):
				if a.Key == "href" || a.Key == "src" || a.Key == "srcset" || a.Key == "poster" || a.Key == "cite" {
					found = append(found, a.Key+"="+value)
				}
			case a.Key == "id" && (a.Val == "body" || a.Val == "forms" || a.Val == "location" || a.Val == "getElementById"):
				found = append(found, "id="+a.Val)
			}
		}
	}
	return found
}

func checkSafe(t *testing.T, payload string) {
	t.Helper()
	for _, format := range []string{text.HTML, text.Markdown} {
		r, err := text.Render(format, payload)
		if err != nil {
			continue
		}
		if bad := dangers(t, r.HTML); bad != nil {
			t.Errorf("%s lets %v through:\n%q\n%q", format, bad, payload, r.HTML)
		}
		if again := text.Sanitize(r.HTML); again != r.HTML {
			t.Errorf("%s is not stable:\n%q\n%q\n%q", format, payload, r.HTML, again)
		}
	}
}

func TestPayloadsOfDOMPurify(t *testing.T) {
	t.Parallel()
	var payloads []struct{ Title, Payload string }
	readJSON(t, sitetest.Material(t, "xss/dompurify-payloads.json"), &payloads)
	if len(payloads) < 50 {
		t.Fatalf("only %d payloads", len(payloads))
	}
	for _, p := range payloads {
		checkSafe(t, p.Payload)
	}
}

func TestNaughtyStrings(t *testing.T) {
	t.Parallel()
	var payloads []string
	readJSON(t, sitetest.Material(t, "xss/naughty-strings.json"), &payloads)
	for _, p := range payloads {
		checkSafe(t, p)
		if s := text.Slug(p); s == "" || s != text.Slug(s) {
			t.Errorf("slug of %q is %q", p, s)
		}
	}
}

func readJSON(t *testing.T, path string, into any) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

var attacks = []string{
	`<img src=x onerror=alert(1)>`, `<svg><script>alert(1)</script></svg>`, `<math><mtext><table><mglyph><style><img src onerror=alert(1)>`,
	`<a href="java&#10;script:alert(1)">x</a>`, `<a href=" &#1;javascript:alert(1)">x</a>`, `<a href="data:text/html,x">x</a>`,
	`<noscript><p title="</noscript><img src=x onerror=alert(1)>">`, `<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>`,
	`<img src="data:image/svg+xml;base64,PHN2Zz4=">`, `<a id=location>x</a><img id=body src=x>`, `<p id="forms" style="x:y">`, `[x](javascript:alert(1))`,
	"## T {onclick=\"alert(1)\" style=\"a:b\" #body}", "```\"><script>\nx\n```", `<div><template><img src=x onerror=x></template></div>`, `<xmp><img src=x onerror=x></xmp>`,
	`<select><iframe></select><img title="</iframe><img src onerror=x>">`, `<plaintext><img src=x onerror=x>`, `<source src="javascript:x">`, `<video poster="javascript:x" src="https://a/b">`,
}

func TestAttacks(t *testing.T) {
	t.Parallel()
	for _, a := range attacks {
		checkSafe(t, a)
	}
}

func FuzzRender(f *testing.F) {
	for _, a := range attacks {
		f.Add(a)
	}
	f.Add("# A\n\n- [ ] b\n\n[^1]\n\n[^1]: c\n\n|a|b|\n|-|-|\n|c|d|\n")
	f.Fuzz(func(t *testing.T, body string) {
		checkSafe(t, body)
		once := text.Sanitize(body)
		if twice := text.Sanitize(once); once != twice {
			t.Errorf("not stable:\n%q\n%q\n%q", body, once, twice)
		}
	})
}
