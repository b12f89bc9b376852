package browser

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"bungalow/tests/binary"
)

// write types a new text and presses one of the editor's buttons.
func write(b *tab, title, body, button, says string) {
	b.t.Helper()
	b.visit("/desk/posts/new/")
	b.do(fill("#f-title", title))
	eval[bool](b, typeInto("#f-body", body))
	b.clickTo("button[value="+button+"]", deskNotice+fmt.Sprintf(" === %q", says))
}

// onSite is what a stranger gets at an address of the site.
func onSite(t *testing.T, base, path string) (status int, body string) {
	t.Helper()
	a, err := binary.Client{Base: base}.Do(t.Context(), http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a.Status, string(a.Body)
}

// join follows an invitation in a browser of its own.
func join(t *testing.T, base, link, password string) *tab {
	t.Helper()
	b := open(t, base)
	b.visit(strings.TrimPrefix(link, base))
	b.do(fill("#f-password", password))
	sendForm(b, "#f-password", arrivedAtDesk)
	return b
}

// The way of every new site: the link that the first start prints, the owner's
// account, the desk, a post, and a stranger who reads it.
func TestFromTheFirstStartToTheFirstPost(t *testing.T) {
	t.Parallel()
	base, path := unowned(t)
	b := open(t, base)
	b.visit("/desk/")
	if at := eval[string](b, `location.pathname`); at != "/desk/sign-in/" {
		t.Errorf("the desk of a site without an owner is at %s", at)
	}
	b.visit(path)
	b.do(fill("#f-title", "The Heron"), fill("#f-name", "Ada"), fill("#f-email", "ada@example.com"), fill("#f-password", ownerPassword))
	sendForm(b, "#f-title", arrivedAtDesk)
	if open := eval[bool](b, `document.querySelector("main").innerText.includes("Write your first post")`); !open {
		t.Error("the overview does not say what to do next")
	}
	b.clickTo(`main a[href="/desk/posts/"]`, `!!document.querySelector('a[href="/desk/posts/new/"]')`)
	b.clickTo(`a[href="/desk/posts/new/"]`, `!!document.querySelector("#f-title")`)
	b.do(fill("#f-title", "Hello from the reeds"))
	eval[bool](b, typeInto("#f-body", "The first *post* of all."))
	b.clickTo("button[value=publish]", deskNotice+` === "It is published."`)
	if status, body := onSite(t, base, "/blog/hello-from-the-reeds/"); status != http.StatusOK || !strings.Contains(body, "<em>post</em> of all.") || !strings.Contains(body, "The Heron") {
		t.Errorf("a stranger gets %d %.300s", status, body)
	}
	if _, body := onSite(t, base, "/"); !strings.Contains(body, "Hello from the reeds") {
		t.Error("the home page does not show the post")
	}
	b.visit("/desk/")
	if done := eval[bool](b, `document.querySelector('.todo li.done a[href="/desk/posts/"]') !== null`); !done {
		t.Error("the overview says that the first post is still to be written")
	}
}

// The owner invites an author by a link; the author writes and may touch
// nobody else's text; an editor publishes what the author wrote.
func TestAnAuthorWritesAndAnEditorPublishes(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	owner := site.writer(t, site.writerAccount(t, "Olive", "owner"))
	invite := func(name, role string) string {
		t.Helper()
		owner.visit("/desk/staff/")
		owner.do(fill("#f-name", name), fill("#f-email", strings.ToLower(name)+"@example.com"))
		eval[bool](owner, fmt.Sprintf(`(document.querySelector("#f-role").value = %q) === %q`, role, role))
		sendForm(owner, "#f-email", `!!document.querySelector("#link")`)
		return eval[string](owner, `document.querySelector("#link").value`)
	}
	author := join(t, site.URL, invite("Bob", "author"), authorPassword)
	editor := join(t, site.URL, invite("Eve", "editor"), authorPassword)

	write(owner, "Only the owner's", "Not for Bob.", "save", "The draft is saved.")
	owners := eval[string](owner, `location.pathname`)
	write(author, "Bob's first", "Written by **Bob**.", "save", "The draft is saved.")
	bobs := eval[string](author, `location.pathname`)
	if status, _ := onSite(t, site.URL, "/blog/bobs-first/"); status != http.StatusNotFound {
		t.Errorf("a draft is on the site as %d", status)
	}
	for _, ask := range []string{
		fmt.Sprintf(`fetch(%q)`, owners), fmt.Sprintf(`fetch(%q, {method: "POST", body: new URLSearchParams({title: "Mine now", do: "publish"})})`, owners),
		`fetch("/desk/pages/new/")`, `fetch("/desk/staff/")`, `fetch("/desk/settings/site/")`,
	} {
		if status := eval[int](author, ask+`.then(r => r.status)`); status != http.StatusNotFound && status != http.StatusForbidden {
			t.Errorf("an author's %s answers %d", ask, status)
		}
	}
	if listed := eval[bool](author, `fetch("/desk/posts/").then(r => r.text()).then(s => s.includes("Only the owner"))`); listed {
		t.Error("the author's list has a draft of the owner")
	}

	editor.visit("/desk/posts/")
	editor.clickTo(fmt.Sprintf(`main a.title[href=%q]`, bobs), inEditor)
	editor.clickTo("button[value=publish]", deskNotice+` === "It is published."`)
	if status, body := onSite(t, site.URL, "/blog/bobs-first/"); status != http.StatusOK || !strings.Contains(body, "<strong>Bob</strong>") {
		t.Errorf("a stranger gets %d", status)
	}
	author.visit(bobs)
	if badge := eval[string](author, `document.querySelector(".state .badge").innerText`); badge != "Published" {
		t.Errorf("the author sees the post as %s", badge)
	}
	owner.visit("/desk/audit/")
	for _, who := range []string{"Bob", "Eve"} {
		if !eval[bool](owner, fmt.Sprintf(`document.querySelector("main").innerText.includes(%q)`, who)) {
			t.Errorf("the audit does not name %s", who)
		}
	}
}
