package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"bungalow/tests/binary"
)

const active = `document.activeElement`

// The desk by keyboard: the content is one key away, what has the focus shows
// it, and what opens closes at Escape and gives the focus back.
func TestTheDeskByKeyboard(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	b := site.writer(t, site.writerAccount(t, "Olive", "owner"))
	b.visit("/desk/")
	b.do(press("\t"))
	if at := eval[string](b, active+`.getAttribute("href")`); at != "#main" {
		t.Fatalf("the first stop is %q, not the link to the content", at)
	}
	b.do(press("\r"))
	b.until(active + `.id === "main"`)
	for range 12 {
		b.do(press("\t"))
		if eval[bool](b, active+` !== document.body && getComputedStyle(`+active+`).outlineStyle === "none"`) {
			t.Errorf("the focus can't be seen on %s", eval[string](b, active+`.outerHTML.slice(0, 120)`))
		}
	}

	// The menu of the account.
	eval[bool](b, `(document.querySelector(".person summary").focus(), true)`)
	b.do(press("\r"))
	b.until(`document.querySelector(".person").open`)
	b.do(press("\t"), press("\u001b"))
	b.until(`!document.querySelector(".person").open && ` + active + `.tagName === "SUMMARY"`)

	// The menu of a phone.
	b.view(light, phone)
	eval[bool](b, `(document.querySelector(".menu-button").focus(), true)`)
	b.do(press("\r"))
	b.until(`document.querySelector("#menu").matches(":popover-open")`)
	b.shot("desk-menu-phone")
	b.do(press("\u001b"))
	b.until(`!document.querySelector("#menu").matches(":popover-open") && ` + active + `.classList.contains("menu-button")`)
	b.view(light, desktop)

	// A dialog.
	b.visit("/desk/posts/new/")
	b.until(`!!document.querySelector("#cover-pick:not([hidden])")`)
	eval[bool](b, `(document.querySelector("#cover-pick").focus(), true)`)
	b.do(press("\r"))
	b.until(`document.querySelector("#pick").open`)
	b.do(press("\u001b"))
	b.until(`!document.querySelector("#pick").open && ` + active + `.id === "cover-pick"`)
}

// sendPlain fills fields and presses a button, without a script of the page,
// and waits for what was not so before.
func (b *tab) sendPlain(button string, fields map[string]string, then string) {
	b.t.Helper()
	if eval[bool](b, then) {
		b.t.Fatalf("it is so already that %s", then)
	}
	for selector, text := range fields {
		eval[bool](b, fmt.Sprintf(`(document.querySelector(%q).value = %q, true)`, selector, text))
	}
	eval[bool](b, fmt.Sprintf(`(document.querySelector(%q).click(), true)`, button))
	b.until(`document.readyState === "complete" && ` + then)
}

// What the staff do each day they can do in a browser without JavaScript.
func TestTheDeskWithoutAScript(t *testing.T) {
	t.Parallel()
	site := talking(t, map[string]any{"policy": "all_held"})
	visitor := binary.Client{Base: site.URL}
	if err := visitor.Call(t.Context(), http.MethodPost, "/api/site/comments", map[string]any{"thread": talk, "author": "Ada", "body": "Waiting words."}, nil); err != nil {
		t.Fatal(err)
	}
	if err := visitor.Call(t.Context(), http.MethodPost, "/f/contact", map[string]any{"name": "Ann", "email": "ann@example.com", "message": "When do you open?"}, nil); err != nil {
		t.Fatal(err)
	}
	email := site.writerAccount(t, "Olive", "owner")
	b := open(t, site.URL)
	b.scripts(false)
	b.visit("/desk/sign-in/")
	b.do(fill("#f-email", email), fill("#f-password", writerPassword), submit(`form:has(#f-password)`))
	b.until(arrivedAtDesk + ` && document.readyState === "complete"`)

	b.visit("/desk/posts/new/")
	b.sendPlain("button[value=publish]", map[string]string{"#f-title": "Plain", "#f-body": "Words."}, deskNotice+` === "It is published."`)
	b.visit("/desk/comments/")
	b.sendPlain(`[data-do="a"]`, nil, `!document.querySelector(".queue-item")`)
	b.visit("/desk/inbox/")
	b.visit(eval[string](b, `document.querySelector(".inbox-row a").getAttribute("href")`))
	b.sendPlain("#inbox-reply button.primary", map[string]string{"#reply-text": "At ten."}, `!!document.querySelector(".message.out")`)
	b.visit("/desk/tags/")
	b.sendPlain(".add button.primary", map[string]string{"#f-name": "Oak and larch"}, `document.querySelector("main").innerText.includes("Oak and larch")`)
	b.visit("/desk/redirects/")
	b.sendPlain(".add button.primary", map[string]string{"#f-from": "/very-old/", "#f-to": "/blog/"}, `document.querySelector("main").innerText.includes("/very-old")`)

	// A wrong value comes back with its words beside it, and what was typed.
	b.visit("/desk/settings/site/")
	b.sendPlain("[data-save]", map[string]string{"#f-title": "Plain Haus", "#f-posts_per_page": "many"}, `!!document.querySelector("#f-posts_per_page-error")`)
	if got := eval[string](b, `document.querySelector("#f-title").value + "|" + document.querySelector("#f-posts_per_page").getAttribute("aria-describedby")`); !strings.HasPrefix(got, "Plain Haus|") || !strings.Contains(got, "f-posts_per_page-error") {
		t.Errorf("the form comes back as %s", got)
	}
	b.sendPlain("[data-save]", map[string]string{"#f-posts_per_page": "5"}, `!!document.querySelector("main > .notice")`)
}
