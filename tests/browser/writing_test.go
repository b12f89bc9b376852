package browser

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bungalow/tests/binary"
)

const writerPassword = "correct-horse-battery"

// staff makes a member of staff and gives the address to sign in with.
func (s *website) writerAccount(t *testing.T, name, role string) string {
	t.Helper()
	email := strings.ToLower(name) + "@example.com"
	_, err := s.create(t.Context(), "staff", map[string]any{
		"email": email, "name": name, "role": role, "active": true, "verified": true, "password": writerPassword, "passwordConfirm": writerPassword,
	})
	if err != nil {
		t.Fatal(err)
	}
	return email
}

// writer opens a tab in which somebody is signed in at the desk.
func (s *website) writer(t *testing.T, email string) *tab {
	t.Helper()
	b := open(t, s.URL)
	b.visit("/desk/sign-in/")
	b.enterDesk(email)
	return b
}

func (b *tab) enterDesk(email string) {
	b.t.Helper()
	form := url.Values{"email": {email}, "password": {writerPassword}}.Encode()
	to := eval[string](b, `fetch("/desk/sign-in/", {method: "POST", body: new URLSearchParams(`+fmt.Sprintf("%q", form)+`)}).then(r => r.url)`)
	if strings.Contains(to, "sign-in") {
		b.t.Fatalf("%s was not let in: %s", email, to)
	}
}

// click clicks and waits until the next page is there.
func (b *tab) clickTo(selector, arrived string) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`document.querySelector(%q).click() ?? true`, selector))
	b.until(arrived + ` && document.readyState === "complete"`)
}

const (
	inEditor   = `/^\/desk\/(posts|pages)\/[a-z0-9]{15}\/$/.test(location.pathname)`
	deskNotice = `document.querySelector("main > .notice")?.innerText`
	// autosaveNow does at once what the editor does every ten seconds.
	autosaveNow = `dispatchEvent(new Event("online")) || true`
	editorSays  = `document.getElementById("state").textContent`
)

// put types into a field as a person does, seen from the page.
func typeInto(selector, text string) string {
	return fmt.Sprintf(`(() => { const f = document.querySelector(%q); f.value = %q; f.dispatchEvent(new Event("input", {bubbles: true})); return true })()`, selector, text)
}

func TestWritingAPostInTheBrowser(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	b := site.writer(t, site.writerAccount(t, "Ada", "author"))
	messages := listen(b)
	b.visit("/desk/posts/new/")
	b.do(fill("#f-title", "Written in a browser"))
	eval[bool](b, typeInto("#f-body", "Some *words*."))
	b.until(`document.querySelector("#live em")?.textContent === "words"`)
	// Tags are made as they are typed.
	b.do(fill("#f-new-tags", "Garden,"))
	b.until(`document.querySelector("#tags input")?.value === "new:Garden"`)
	eval[bool](b, autosaveNow)
	b.until(inEditor + ` && ` + editorSays + `.startsWith("Saved")`)
	path := eval[string](b, `location.pathname`)
	// On with rich text.
	eval[bool](b, `(window.confirm = () => true, document.querySelector("[data-mode=rich]").click(), true)`)
	b.until(`document.querySelector("#rich:not([hidden]) i")?.textContent === "words"`)
	eval[bool](b, `(() => { const p = document.querySelector("#rich p"); getSelection().selectAllChildren(p); getSelection().collapseToEnd(); return true })()`)
	b.do(press("X"))
	b.until(`document.querySelector("#f-body").value.includes("X</p>")`)
	eval[bool](b, autosaveNow)
	b.until(editorSays + `.startsWith("Saved")`)
	b.clickTo("button[value=publish]", deskNotice+` === "It is published."`)
	a, err := binary.Client{Base: site.URL}.Do(t.Context(), http.MethodGet, "/blog/written-in-a-browser/", nil)
	if err != nil || a.Status != http.StatusOK || !strings.Contains(string(a.Body), "<em>words</em>.X") || !strings.Contains(string(a.Body), "Garden") {
		t.Errorf("%s is on the site as %d, %v", path, a.Status, err)
	}
	if n := eval[int](b, `Object.keys(localStorage).filter(k => k.startsWith("desk-text")).length`); n != 0 {
		t.Errorf("%d texts are left in the browser after they were saved", n)
	}
	for _, m := range messages() {
		t.Errorf("the browser reports: %s", m)
	}
}

func TestAConflictInTheBrowser(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	ada, bob := site.writer(t, site.writerAccount(t, "Ada", "editor")), site.writer(t, site.writerAccount(t, "Bob", "editor"))
	id, err := site.create(t.Context(), "posts", map[string]any{"title": "Shared", "body": "One two three.", "status": "published"})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range []*tab{ada, bob} {
		b.visit("/desk/posts/" + id + "/")
	}
	eval[bool](bob, typeInto("#f-body", "One TWO three."))
	bob.clickTo("button[value=publish]", deskNotice+` === "It is published."`)
	eval[bool](ada, typeInto("#f-body", "One two four."))
	eval[bool](ada, autosaveNow)
	ada.until(`!document.getElementById("stale").hidden`)
	ada.clickTo("button[value=publish]", `location.pathname.endsWith("/conflict/")`)
	if got := eval[string](ada, `document.querySelector(".diff .long").innerHTML`); got != "One <del>TWO</del><ins>two</ins> <del>three</del><ins>four</ins>." {
		t.Errorf("the difference is %s", got)
	}
	ada.shot("desk-conflict")
	ada.clickTo("main form[action$='/conflict/'] button", deskNotice+` === "It is published."`)
	ada.visit("/desk/posts/" + id + "/revisions/")
	ada.clickTo("tbody tr:last-child a", `document.querySelector("h1").innerText.startsWith("Version")`)
	ada.clickTo("form[action$='/restore/'] button", inEditor)
	if got := eval[string](ada, `document.querySelector("#f-body").value`); got != "One two three." {
		t.Errorf("the first version came back as %q", got)
	}
	ada.clickTo("button[value=publish]", deskNotice+` === "It is published."`)
}

func TestSchedulingInTheBrowser(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	b := site.writer(t, site.writerAccount(t, "Ada", "editor"))
	b.visit("/desk/posts/new/")
	b.do(fill("#f-title", "Soon"))
	soon := time.Now().UTC().Add(2 * time.Second).Format("2006-01-02T15:04:05")
	eval[bool](b, `(document.querySelector("#f-at").step = 1, `+typeInto("#f-at", soon)+`)`)
	b.clickTo("button[value=schedule]", inEditor)
	if got := eval[string](b, deskNotice); got != "It will be published at its time." && got != "It is published." {
		t.Fatalf("it says %q", got)
	}
	for {
		a, err := binary.Client{Base: site.URL}.Do(t.Context(), http.MethodGet, "/blog/soon/", nil)
		if err != nil {
			t.Fatal(err)
		}
		if a.Status == http.StatusOK {
			return
		}
	}
}

// What was typed survives the end of the session and a closed tab.
func TestAnExpiredSessionKeepsTheText(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	email := site.writerAccount(t, "Ada", "author")
	b := site.writer(t, email)
	b.visit("/desk/posts/new/")
	b.do(fill("#f-title", "Kept"))
	eval[bool](b, autosaveNow)
	b.until(inEditor + ` && ` + editorSays + `.startsWith("Saved")`)
	path := eval[string](b, `location.pathname`)
	eval[bool](b, `fetch("/desk/sign-out/", {method: "POST"}).then(() => true)`)
	eval[bool](b, typeInto("#f-body", "Typed after the session had ended."))
	eval[bool](b, autosaveNow)
	b.until(`!document.getElementById("signed-out").hidden`)
	b.shot("desk-signed-out")
	b.visit(path)
	if !eval[bool](b, `location.pathname === "/desk/sign-in/"`) {
		t.Fatal("the editor is open to nobody in particular")
	}
	b.enterDesk(email)
	b.visit(path)
	b.until(`!document.getElementById("found").hidden`)
	b.shot("desk-found")
	b.clickTo("#found-take", `document.querySelector("#f-body").value === "Typed after the session had ended."`)
	eval[bool](b, autosaveNow)
	b.until(editorSays + `.startsWith("Saved")`)
	if n := eval[int](b, `Object.keys(localStorage).filter(k => k.startsWith("desk-text")).length`); n != 0 {
		t.Errorf("%d texts are left in the browser", n)
	}
}

// drop drops a picture onto an element, made on a canvas.
const dropPicture = `(async () => {
	const c = Object.assign(document.createElement("canvas"), {width: 640, height: 400});
	const g = c.getContext("2d"); g.fillStyle = "#1c6b52"; g.fillRect(0, 0, 640, 400);
	const blob = await new Promise(r => c.toBlob(r, "image/png"));
	const data = new DataTransfer();
	data.items.add(new File([blob], "veranda.png", {type: "image/png"}));
	document.querySelector(%q).dispatchEvent(new DragEvent("drop", {dataTransfer: data, bubbles: true, cancelable: true}));
	return true })()`

func TestADroppedPictureIsUploaded(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	b := site.writer(t, site.writerAccount(t, "Ada", "author"))
	b.visit("/desk/posts/new/")
	b.do(fill("#f-title", "With a picture"))
	eval[bool](b, fmt.Sprintf(dropPicture, "#f-body"))
	b.until(`/^!\[.*\]\(\/media\/[a-z0-9]+\/.+\.png\)/.test(document.querySelector("#f-body").value)`)
	b.until(`document.querySelector("#live img")?.naturalWidth > 0`)
	eval[bool](b, `(window.confirm = () => true, document.querySelector("[data-mode=rich]").click(), true)`)
	b.until(`document.querySelector("#rich:not([hidden]) img") !== null`)
	eval[bool](b, fmt.Sprintf(dropPicture, "#rich p"))
	b.until(`document.querySelectorAll("#rich img").length === 2`)
	// The same as the cover.
	b.clickTo("#cover-pick", `document.querySelector("#pick .pick") !== null`)
	b.shot("desk-pick")
	b.clickTo("#pick .pick", `document.querySelector("#f-cover").value !== "" && !document.querySelector("#pick").open`)
	b.clickTo("button[value=publish]", deskNotice+` === "It is published."`)
	b.visit("/blog/with-a-picture/")
	if n := eval[int](b, `document.querySelectorAll("main img").length`); n < 3 {
		t.Errorf("%d pictures are on the page", n)
	}
}

// The editor keeps what it can't edit, and says where it can't hold a text.
func TestRichTextKeepsWhatImportsBring(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	b := site.writer(t, site.writerAccount(t, "Ada", "editor"))
	for name, c := range map[string]struct {
		body string
		rich bool
	}{
		"plain":   {"<p>One <strong>two</strong> <em>three</em> <b>four</b> <i>five</i> <ins>six</ins> <a href=\"/x/\" rel=\"nofollow\">seven</a></p>\n\n<h2 id=\"h\">Head</h2>\n<ul>\n<li>a</li>\n<li>b</li>\n</ul>", true},
		"islands": {"<p>Before</p><figure class=\"wp-block-image size-large\"><img src=\"/a.png\" alt=\"A\"><figcaption>Words</figcaption></figure><table class=\"t\"><tbody><tr><td colspan=\"2\">x</td></tr></tbody></table><hr><p>After</p>", true},
		"code":    {"<pre class=\"language-go\"><code>if a &lt; b {\n\treturn  1\n}\n</code></pre>", true},
		"comment": {"<!-- more --><p>x</p><details><summary>S</summary><p>y</p></details><iframe src=\"https://example.com/v\"></iframe>", true},
		"marks":   {"<p>a <mark>b</mark> <span style=\"color:red\">c</span></p><p>d</p>", true},
		"quote":   {"<blockquote><p>q</p><cite>c</cite></blockquote>", true},
		"bare":    {"Words without a paragraph<p>x</p>", false},
	} {
		id, err := site.create(t.Context(), "posts", map[string]any{"title": name, "format": "html", "body": c.body, "status": "draft"})
		if err != nil {
			t.Fatal(err)
		}
		b.visit("/desk/posts/" + id + "/")
		if rich := eval[bool](b, `!document.querySelector("#rich").hidden`); rich != c.rich {
			t.Errorf("%s: opened as rich text: %v (it says so: %v)", name, rich, eval[bool](b, `!document.querySelector("#cant-hold").hidden`))
		}
		if !c.rich {
			continue
		}
		if got := eval[string](b, `document.querySelector("#f-body").value`); got != c.body {
			t.Errorf("%s: opening it made %s", name, got)
		}
		// A paragraph is added at the end: all else has to be as it was.
		eval[bool](b, `(() => { const p = document.createElement("p"); p.textContent = "New."; document.querySelector("#rich").append(p); document.querySelector("#rich").dispatchEvent(new Event("input", {bubbles: true})); return true })()`)
		b.until(`document.querySelector("#f-body").value.endsWith("<p>New.</p>")`)
		same := strings.NewReplacer("\n\n<h2", "<h2", "\n<ul>\n<li>", "<ul><li>", "</li>\n<li>", "</li><li>", "</li>\n</ul>", "</li></ul>")
		want, got := same.Replace(c.body), strings.TrimSuffix(eval[string](b, `document.querySelector("#f-body").value`), "<p>New.</p>")
		if flat := strings.ReplaceAll(same.Replace(got), ">\n<", "><"); strings.TrimSpace(flat) != want {
			t.Errorf("%s: it became\n%s\nof\n%s", name, flat, want)
		}
	}
}
