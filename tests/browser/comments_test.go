package browser

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"bungalow/tests/binary"
)

// talking is a new site whose first post takes comments from everybody.
func talking(t testing.TB, options map[string]any) *website {
	t.Helper()
	site := fresh(t)
	value := map[string]any{"policy": "open"}
	for k, v := range options {
		value[k] = v
	}
	for feature, v := range map[string]any{"comments": value, "spam": map[string]any{"min_seconds": 0, "no_limits": true}} {
		if _, err := site.create(t.Context(), "settings", map[string]any{"feature": feature, "value": v}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := site.create(t.Context(), "posts", map[string]any{"title": "Talk", "slug": "talk", "body": "Say something.", "status": "published", "comments_open": true}); err != nil {
		t.Fatal(err)
	}
	return site
}

// click presses what a selector finds.
func (b *tab) click(selector string) {
	b.t.Helper()
	b.until(fmt.Sprintf(`!!document.querySelector(%q)`, selector))
	eval[bool](b, fmt.Sprintf(`(document.querySelector(%q).click(), true)`, selector))
}

const talk = "/blog/talk/"

func TestAGuestComments(t *testing.T) {
	t.Parallel()
	site := talking(t, nil)
	reader := open(t, site.URL)
	reader.visit(talk)
	b := open(t, site.URL)
	messages := listen(b)
	b.visit(talk)
	b.do(fill(`#comment-body`, "First *words* of a guest."), fill(`#comment-author`, "Ada"))
	b.click(`.comment-form [type=submit]`)
	b.until(`document.querySelector(".comments .comment-body em")?.textContent === "words" && !!document.querySelector(".notice.success")`)
	b.shot("comments-sent")
	reader.until(`document.querySelector(".comments .comment-body em")?.textContent === "words"`) // without reloading

	// Within the window it can be changed.
	b.click(`[data-own]`)
	b.until(`!!document.querySelector(".comment-edit textarea")`)
	eval[bool](b, `(document.querySelector(".comment-edit textarea").value = "Other words.", document.querySelector(".comment-edit .button").click(), true)`)
	b.until(`document.querySelector(".comments .comment-body").innerText.includes("Other words.") && !document.querySelector(".comment-edit")`)
	reader.until(`document.querySelector(".comments .comment-body").innerText.includes("Other words.")`)

	// Somebody answers, and the first one sees it arrive.
	reader.click(`.comment-reply`)
	reader.do(fill(`#comment-body`, "An answer."), fill(`#comment-author`, "Bob"))
	reader.click(`.comment-form [type=submit]`)
	reader.until(`document.querySelector(".comments ol .comment-body")?.innerText === "An answer."`)
	b.until(`document.querySelector(".comments ol .comment-body")?.innerText === "An answer."`)
	b.click(`.comment-reactions button`)
	b.until(`document.querySelector(".comment-reactions button span")?.textContent === "1"`)
	b.shot("comments-talk")

	// Without a script the comment is held, and the visitor is told.
	plain := open(t, site.URL)
	plain.scripts(false)
	plain.visit(talk)
	plain.do(fill(`#comment-body`, "Without a script."), fill(`#comment-author`, "Eve"), submit(`.comment-form`))
	plain.until(`location.search.startsWith("?notice=comment-held&") && document.querySelector(".comments-thread .notice").innerText.includes("as soon as somebody")`)
	if stored := site.list(t, "comments"); stored.TotalItems != 3 || stored.Items[2]["status"] != "pending" {
		t.Errorf("stored %v", stored.Items)
	}
	// The notice leads to where it can be changed and deleted.
	plain.clickTo(`.comments-thread .notice a`, `!!document.querySelector("#own-body")`)
	plain.shot("comments-own")
	plain.do(fill(`#own-body`, "Not "))
	plain.clickTo(`button[value=save]`, `document.querySelector(".comments-thread .notice")?.innerText.includes("as soon as somebody")`)
	if body := site.list(t, "comments").Items[2]["body"]; body != "Without a script.Not" && body != "Not Without a script." {
		t.Errorf("changed without a script it is %q", body)
	}
	plain.clickTo(`.comments-thread .notice a`, `!!document.querySelector("#own-body")`)
	plain.clickTo(`button[value=delete]`, `document.querySelector(".comments-thread .notice")?.innerText.includes("deleted")`)
	if n := site.list(t, "comments").TotalItems; n != 2 {
		t.Errorf("%d are left", n)
	}
	if m := messages(); len(m) > 0 {
		t.Errorf("the browser reports %v", m)
	}
}

func TestModerationByKeyboard(t *testing.T) {
	t.Parallel()
	site := talking(t, map[string]any{"policy": "all_held"})
	visitor := binary.Client{Base: site.URL}
	for i := range 3 {
		if err := visitor.Call(t.Context(), http.MethodPost, "/api/site/comments", map[string]any{"thread": talk, "author": fmt.Sprintf("Guest %d", i), "body": fmt.Sprintf("Waiting words %d.", i)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	b := site.staffTab(t, "grace@example.com")
	messages := listen(b)
	b.visit("/desk/comments/")
	b.shot("desk-comments")
	status := func(i int) string { return fmt.Sprint(site.list(t, "comments").Items[i]["status"]) }
	b.do(press("j"), press("j"), press("a"))
	b.until(`document.querySelectorAll(".queue-item").length === 2 && document.readyState === "complete" && !!document.querySelector(".notice form button")`)
	if status(1) != "approved" {
		t.Errorf("the second is %s", status(1))
	}
	b.do(press("u"))
	b.until(`document.querySelectorAll(".queue-item").length === 3 && document.readyState === "complete"`)
	if status(1) != "pending" {
		t.Errorf("taken back it is %s", status(1))
	}
	b.do(press("j"), press("s"))
	b.until(`document.querySelectorAll(".queue-item").length === 2 && document.readyState === "complete"`)
	b.do(press("j"), press("j"), press("k"), press("d"))
	b.until(`document.querySelectorAll(".queue-item").length === 1 && document.readyState === "complete"`)
	got := []string{status(0), status(1), status(2)}
	if slices.Sort(got); !slices.Equal(got, []string{"pending", "spam", "trash"}) {
		t.Errorf("decided %v", got)
	}
	if m := messages(); len(m) > 0 {
		t.Errorf("the browser reports %v", m)
	}
}

// host serves a page of another site with a policy that allows nothing but the
// comments' own origin.
func host(t testing.TB, site *website, thread string) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; script-src "+site.URL+"; connect-src "+site.URL)
		fmt.Fprintf(w, `<!doctype html><html lang="de"><head><meta name="viewport" content="width=device-width"><title>A page elsewhere</title></head><body><main><h1>Elsewhere</h1><script src="%s/embed/comments.js" data-thread="%s"></script></main></body></html>`, site.URL, thread)
	}))
	t.Cleanup(server.Close)
	return server
}

const shadow = `document.querySelector("main div").shadowRoot`

func TestCommentsOnAPageOfAnotherSite(t *testing.T) {
	t.Parallel()
	site := talking(t, nil)
	page := host(t, site, talk)
	if err := allow(t, site, page.URL); err != nil {
		t.Fatal(err)
	}
	b := open(t, page.URL)
	messages := listen(b)
	b.visit("/")
	b.until(shadow + `?.querySelector("form, .note") != null`)
	if said := eval[string](b, shadow+`.querySelector(".note")?.textContent || ""`); said != "" {
		t.Fatalf("it says %q; the browser reports %v", said, messages())
	}
	eval[bool](b, `(() => { const f = `+shadow+`.querySelector("form"); f.elements.body.focus(); f.elements.body.value = "Von *anderswo*."; f.elements.author.value = "Ida"; f.querySelector(".send").click(); return true })()`)
	b.until(shadow + `.querySelector(".body em")?.textContent === "anderswo"`)
	b.shot("embed")
	if text := eval[string](b, shadow+`.querySelector("h2").textContent`); text != "1 Kommentar" {
		t.Errorf("the heading says %q", text)
	}
	if cookies := eval[string](b, `document.cookie`); cookies != "" {
		t.Errorf("a cookie was set: %s", cookies)
	}
	b.view(dark, narrowest)
	b.visit("/")
	b.until(shadow + `?.querySelector("form") != null`)
	b.shot("embed-narrow")
	if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
		t.Errorf("it is %d px too wide", over)
	}
	if m := messages(); len(m) > 0 {
		t.Errorf("the browser reports %v", m)
	}
	looked := open(t, page.URL)
	looked.ignorePolicy() // for axe alone
	library := axeCore(t)
	for _, look := range []struct {
		scheme string
		width  int64
	}{{light, desktop}, {dark, narrowest}} {
		looked.view(look.scheme, look.width)
		looked.visit("/")
		looked.until(shadow + `?.querySelector("form") != null`)
		for _, violation := range eval[[]string](looked, library+";"+axe) {
			t.Errorf("embedded, %s, %d px: %s", look.scheme, look.width, violation)
		}
	}
	stranger := open(t, host(t, site, talk).URL)
	stranger.visit("/")
	stranger.until(shadow + `?.querySelector(".note") != null`)
}

// allow lists an origin in the settings.
func allow(t testing.TB, site *website, origin string) error {
	for _, s := range site.list(t, "settings").Items {
		if s["feature"] == "comments" {
			return site.root.Call(t.Context(), http.MethodPatch, "/api/collections/settings/records/"+fmt.Sprint(s["id"]),
				map[string]any{"value": map[string]any{"policy": "open", "allowed_origins": []string{origin}}}, nil)
		}
	}
	return fmt.Errorf("there are no settings")
}

func TestCommentsAreAccessible(t *testing.T) {
	t.Parallel()
	library := axeCore(t)
	site := talking(t, nil)
	visitor := binary.Client{Base: site.URL}
	var first struct{ ID string }
	parent := ""
	for i := range 9 { // deeper than is shown nested
		body := map[string]any{"thread": talk, "parent": parent, "author": fmt.Sprintf("Guest %d", i), "email": "ada@example.org", "url": "https://example.org", "body": fmt.Sprintf("Words %d with `code` and\n\n> a quote\n\n- a list\n- of two https://example.org/%s", i, strings.Repeat("long", 20))}
		if err := visitor.Call(t.Context(), http.MethodPost, "/api/site/comments", body, &first); err != nil {
			t.Fatal(err)
		}
		if err := site.root.Call(t.Context(), http.MethodPatch, "/api/collections/comments/records/"+first.ID, map[string]any{"status": "approved"}, nil); err != nil {
			t.Fatal(err)
		}
		parent = first.ID
	}
	b := open(t, site.URL)
	b.ignorePolicy()
	pages := []string{talk, talk + "?notice=comment-held", talk + "?reply=" + parent}
	for _, look := range []struct {
		scheme string
		width  int64
	}{{light, desktop}, {dark, phone}, {light, narrowest}} {
		b.view(look.scheme, look.width)
		for n, path := range pages {
			b.visit(path)
			b.shot(fmt.Sprintf("comments-%d-%s-%d", n, look.scheme, look.width))
			for _, violation := range eval[[]string](b, library+";"+axe) {
				t.Errorf("%s, %s, %d px: %s", path, look.scheme, look.width, violation)
			}
			if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
				t.Errorf("%s is %d px too wide at %d", path, over, look.width)
			}
		}
	}
}
