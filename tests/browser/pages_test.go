package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"bungalow/tests/binary"
)

func TestEveryPageAnswers(t *testing.T) {
	t.Parallel()
	site := seeded(t)
	for _, p := range themePages {
		a, err := binary.Client{Base: site.URL}.Do(t.Context(), http.MethodGet, p.path, nil)
		if err != nil || a.Status != p.status || !strings.Contains(string(a.Body), p.title) {
			t.Errorf("%s: status %d, want %d with %q, %v", p.path, a.Status, p.status, p.title, err)
		}
	}
}

// axe runs axe-core on the page and lists what it finds wrong.
const axe = `axe.run(document, {resultTypes: ["violations"]}).then(r => r.violations.map(v =>
	v.id + " (" + v.impact + "): " + v.help + "\n" + v.nodes.map(n => "    " + n.html).join("\n")))`

func TestNoAccessibilityViolation(t *testing.T) {
	t.Parallel()
	library := axeCore(t)
	b := open(t, seeded(t).URL)
	b.ignorePolicy() // axe comes from outside
	for _, scheme := range []string{light, dark} {
		for _, width := range []int64{phone, desktop} {
			b.view(scheme, width)
			for _, p := range themePages {
				b.visit(p.path)
				b.shot(fmt.Sprintf("%s-%s-%d", p.name, scheme, width))
				for _, violation := range eval[[]string](b, library+";"+axe) {
					t.Errorf("%s, %s, %d px: %s", p.path, scheme, width, violation)
				}
			}
		}
	}
}

func TestNothingSticksOutAt320Pixels(t *testing.T) {
	t.Parallel()
	b := open(t, seeded(t).URL)
	b.view(light, narrowest)
	for _, p := range themePages {
		b.visit(p.path)
		if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
			t.Errorf("%s is %d px too wide", p.path, over)
		}
		b.shot(fmt.Sprintf("%s-%s-%d", p.name, light, narrowest))
	}
}

// What a page shows with JavaScript it also shows without: text, links that go
// somewhere, forms that can be sent.
func TestPagesWorkWithoutJavaScript(t *testing.T) {
	t.Parallel()
	site := seeded(t)
	with, without := open(t, site.URL), open(t, site.URL)
	without.scripts(false)
	const text = `document.querySelector("main").innerText.trim().replace(/\s+/g, " ")`
	for _, p := range themePages {
		with.visit(p.path)
		without.visit(p.path)
		a, b := eval[string](with, text), eval[string](without, text)
		if a != b || b == "" {
			t.Errorf("%s shows other text without JavaScript:\n%s\n%s", p.path, a, b)
		}
		dead := eval[[]string](without, `[...document.querySelectorAll("a")].filter(a => a.checkVisibility() &&
			["", "#", "javascript:"].some(h => (a.getAttribute("href") ?? "") === h)).map(a => a.outerHTML)`)
		if len(dead) > 0 {
			t.Errorf("%s has links that lead nowhere: %v", p.path, dead)
		}
	}
}

func TestSearchWorksWithoutJavaScript(t *testing.T) {
	t.Parallel()
	b := open(t, seeded(t).URL)
	b.scripts(false)
	b.visit("/search/")
	b.do(fill(`main input[name=q]`, "veranda"), submit(`main form`))
	b.until(`location.search.includes("q=veranda") && document.readyState === "complete"`)
	if n := eval[int](b, `document.querySelectorAll("main a[href^='/blog/']").length`); n == 0 {
		t.Error("nothing was found")
	}
}

// Whatever the site itself sends obeys its own policy: nothing is inline,
// nothing comes from elsewhere, nothing is reported in the console.
func TestPagesObeyTheirPolicy(t *testing.T) {
	t.Parallel()
	b := open(t, seeded(t).URL)
	messages := listen(b)
	b.beforeEveryPage(`window.blocked = []; addEventListener("securitypolicyviolation", e => blocked.push(e.violatedDirective + " " + e.blockedURI + " " + e.sourceFile + ":" + e.lineNumber))`)
	for _, p := range themePages {
		b.visit(p.path)
		for _, v := range eval[[]string](b, `blocked`) {
			t.Errorf("%s breaks its policy: %s", p.path, v)
		}
		inline := eval[[]string](b, `[...document.querySelectorAll("style, [style], script:not([src]):not([type='application/ld+json'])")].map(e => e.outerHTML.slice(0, 200))`)
		if len(inline) > 0 {
			t.Errorf("%s has inline styles or scripts: %v", p.path, inline)
		}
		foreign := eval[[]string](b, `performance.getEntriesByType("resource").map(e => e.name).filter(n => !n.startsWith(location.origin) && !n.startsWith("data:"))`)
		if len(foreign) > 0 {
			t.Errorf("%s loads from elsewhere: %v", p.path, foreign)
		}
	}
	for _, m := range messages() {
		t.Errorf("the browser reports: %s", m)
	}
}

func TestKeyboardReachesTheContentFirst(t *testing.T) {
	t.Parallel()
	b := open(t, seeded(t).URL)
	b.visit("/blog/a-long-post/")
	b.do(press("\t"))
	if target := eval[string](b, `document.activeElement.getAttribute("href") ?? ""`); !strings.HasPrefix(target, "#") {
		t.Fatalf("the first stop of the tab key is %q, not a link to the content", target)
	}
	b.do(press("\r"))
	if !eval[bool](b, `document.querySelector(location.hash).closest("main") !== null`) {
		t.Error("the skip link does not lead to the content")
	}
}
