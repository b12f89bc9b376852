package browser

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"bungalow/tests/binary"
	"github.com/chromedp/cdproto/webauthn"
)

var welcomeLink = regexp.MustCompile(`(http://localhost:\d+)(/desk/welcome/\?token=\S+)`)

// unowned starts the executable on an empty folder and gives the address and
// the path that it prints for the owner.
func unowned(t *testing.T) (base, path string) {
	t.Helper()
	home := t.TempDir()
	server, err := binary.Start(t.Context(), binary.Options{Home: home})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Kill)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for { // it is printed a moment after the server answers
		if found := welcomeLink.FindStringSubmatch(server.Output()); found != nil {
			return found[1], found[2]
		}
		select {
		case <-tick.C:
		case <-server.Done():
			t.Fatalf("no link is printed:\n%s", server.Output())
		}
	}
}

const (
	ownerPassword  = "three quiet herons"
	authorPassword = "two loud magpies"
	arrivedAtDesk  = `location.pathname === "/desk/"`
)

// sendForm presses the button of the form in which a field lies.
func sendForm(b *tab, field, arrived string) {
	b.t.Helper()
	eval[bool](b, fmt.Sprintf(`document.querySelector(%q).form.requestSubmit() ?? true`, field))
	b.until(`document.readyState === "complete" && ` + arrived)
}

func TestPeopleInTheBrowser(t *testing.T) {
	t.Parallel()
	base, path := unowned(t)
	b := open(t, base)
	look := accessible(t)

	// The first start, to the desk.
	b.visit(path)
	look(b, "welcome")
	b.do(fill("#f-title", "The Heron"), fill("#f-name", "Ada"), fill("#f-email", "ada@example.com"), fill("#f-password", ownerPassword))
	b.until(`document.querySelector("[data-strength] [role=status]").textContent === "Strong"`)
	sendForm(b, "#f-title", arrivedAtDesk)
	if text := eval[string](b, `document.body.innerText`); !strings.Contains(text, "The Heron") || !strings.Contains(text, "Ada") {
		t.Errorf("the desk shows %s", text)
	}
	b.visit(path)
	look(b, "dead-link")

	// An author is invited, and joins in another browser.
	b.visit("/desk/staff/")
	b.do(fill("#f-name", "Bob"), fill("#f-email", "bob@example.com"))
	sendForm(b, "#f-email", `!!document.querySelector("#link")`)
	look(b, "invitation-link")
	link := eval[string](b, `document.querySelector("#link").value`)
	other := open(t, base)
	other.visit(strings.TrimPrefix(link, base))
	look(other, "invitation")
	other.do(fill("#f-password", authorPassword))
	sendForm(other, "#f-password", arrivedAtDesk)
	if role := eval[bool](other, `!document.querySelector('.menu a[href="/desk/staff/"]')`); !role {
		t.Error("an author sees the staff in the menu")
	}
	b.visit("/desk/staff/")
	look(b, "staff")
	b.clickTo(`.people a[href^="/desk/staff/"]`, `!!document.querySelector("#f-role")`)
	look(b, "member")
	b.visit("/desk/audit/")
	look(b, "audit")

	passkey(t, b, look)
	dashboard(t, b)
}

// passkey makes one with Chromium's virtual authenticator and signs in with it.
func passkey(t *testing.T, b *tab, look func(*tab, string)) {
	t.Helper()
	b.do(send(webauthn.Enable, webauthn.EnableParams{}), send(webauthn.AddVirtualAuthenticator, webauthn.AddVirtualAuthenticatorParams{
		Options: &webauthn.VirtualAuthenticatorOptions{
			Protocol: "ctap2", Transport: "internal", HasResidentKey: true, HasUserVerification: true, IsUserVerified: true, AutomaticPresenceSimulation: true,
		},
	}))
	b.visit("/desk/account/")
	look(b, "account")
	b.until(`!document.querySelector("[data-passkey-new]").hidden`)
	b.do(fill("#passkey-name", "My laptop"), fill("#passkey-password", ownerPassword))
	sendForm(b, "#passkey-name", `document.querySelector("main").innerText.includes("My laptop")`)
	b.do(fill("#f-factor_password", ownerPassword))
	sendForm(b, "#f-factor_password", `!!document.querySelector(".qr")`)
	look(b, "factor")
	b.visit("/desk/")
	eval[bool](b, `document.querySelector('form[action="/desk/sign-out/"]').requestSubmit() ?? true`)
	b.until(`location.pathname === "/desk/sign-in/" && document.readyState === "complete"`)
	look(b, "sign-in")
	b.until(`!document.querySelector("[data-passkey]").hidden`)
	b.clickTo("[data-passkey]", arrivedAtDesk)
	for _, page := range []string{"forgotten", "sign-in/code"} {
		b.visit("/desk/" + page + "/")
		look(b, strings.ReplaceAll(page, "/", "-"))
	}
}

// dashboard goes from the desk to PocketBase's dashboard and back, signed in.
func dashboard(t *testing.T, b *tab) {
	t.Helper()
	b.visit("/desk/")
	eval[bool](b, `document.querySelector('form[action="/desk/dashboard/"]').requestSubmit() ?? true`)
	b.until(`location.pathname === "/_/" && !!document.querySelector('a.header-link[href="/desk/"]')`)
	b.until(`document.body.innerText.includes("ada@example.com")`)
	eval[bool](b, `fetch("/desk/sign-out/", {method: "POST"}).then(() => true)`)
	b.clickTo(`a.header-link[href="/desk/"]`, arrivedAtDesk)
}

// accessible gives what looks at a page: axe-core in both colours, and pictures
// on a phone and a desktop.
func accessible(t *testing.T) func(b *tab, name string) {
	t.Helper()
	library := axeCore(t)
	return func(b *tab, name string) {
		t.Helper()
		for _, scheme := range []string{light, dark} {
			for _, width := range []int64{phone, desktop} {
				b.view(scheme, width)
				b.shot(fmt.Sprintf("desk-%s-%s-%d", name, scheme, width))
				if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s at %d px is %d px too wide", name, width, over)
				}
				for _, violation := range eval[[]string](b, library+";"+axe) {
					t.Errorf("%s, %s, %d px: %s", name, scheme, width, violation)
				}
			}
		}
	}
}
