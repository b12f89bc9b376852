package browser

import (
	"fmt"
	"net/http"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"bungalow/tests/binary"
	"bungalow/tests/postoffice"
)

// waitUntil waits for what happens outside of the page.
func (b *tab) waitUntil(what string, ok func() bool) {
	b.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-b.ctx.Done():
			b.t.Fatalf("it never came true that %s", what)
		case <-tick.C:
		}
	}
}

// byMail makes a site whose mail goes to an office and comes from a mailbox and
// by SMTP, and whose contact form tells the team and answers.
func byMail(t *testing.T) (*website, *postoffice.Server, *postoffice.Mailbox, string) {
	t.Helper()
	office, box := postoffice.Serve(t), postoffice.OpenMailbox(t)
	address, err := binary.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	site := fresh(t, "--smtp", address)
	settings := office.Settings()
	settings["meta"] = map[string]any{"appName": "Haus", "appURL": site.URL, "senderName": "Haus", "senderAddress": "hello@haus.example"}
	form := site.list(t, "forms").Items[0]["id"].(string)
	for _, change := range []struct {
		method, path string
		body         map[string]any
	}{
		{http.MethodPatch, "/api/settings", settings},
		{http.MethodPatch, "/api/collections/forms/records/" + form, map[string]any{"recipients": "team@haus.example", "spam_policy": "off",
			"reply_on": true, "reply_subject": "Thank you, {{name}}", "reply_body": "We have your message."}},
		{http.MethodPost, "/api/collections/settings/records", map[string]any{"feature": "inbox", "value": map[string]any{"plus_address": true, "undo_seconds": 1,
			"imap_server": box.Address, "imap_security": "none", "imap_user": postoffice.User, "imap_password": postoffice.Password, "imap_folder": "INBOX"}}},
	} {
		if err := site.root.Call(t.Context(), change.method, change.path, change.body, nil); err != nil {
			t.Fatal(err)
		}
	}
	return site, office, box, address
}

// A visitor fills in a form, with scripts and without; the team is told and the
// visitor thanked by mail; staff answer at the desk; the visitor's mail program
// answers, which comes by SMTP and lies in the mailbox too: one conversation,
// each message once.
func TestFromAFormToAConversationByMail(t *testing.T) {
	t.Parallel()
	site, office, box, address := byMail(t)
	staff := site.staffTab(t, "grace@example.com")
	for n, scripts := range []bool{true, false} {
		who, email := fmt.Sprintf("Ann %d", n), fmt.Sprintf("ann-%d@example.com", n)
		b := open(t, site.URL)
		b.scripts(scripts)
		b.visit("/contact/")
		b.do(fill(`main [name=name]`, who), fill(`main [name=email]`, email), fill(`main [name=message]`, "When do you open, asks "+who+"?"), submit(`main form`))
		b.until(`location.search === "?notice=sent" && document.readyState === "complete"`)
		b.waitUntil("the team is told and the visitor thanked", func() bool {
			thanks, ok := office.Last(email)
			told, also := office.Last("team@haus.example")
			return ok && also && thanks.Header().Get("Auto-Submitted") != "" && strings.Contains(told.Header().Get("Reply-To"), email)
		})
		staff.scripts(scripts)
		staff.visit("/desk/inbox/")
		staff.click(`.inbox-row a`)
		staff.until(`document.querySelector("#reply-text") && document.readyState === "complete"`)
		staff.do(fill(`#reply-text`, "At ten, "+who+"."), submit(`#inbox-reply`))
		staff.until(`document.querySelector(".message.out") && document.readyState === "complete"`)
	}
	staff.waitUntil("both answers are delivered", func() bool {
		for n := range 2 {
			m, ok := office.Last(fmt.Sprintf("ann-%d@example.com", n))
			if !ok || m.Header().Get("Auto-Submitted") != "" {
				return false
			}
		}
		return true
	})
	for n := range 2 {
		email := fmt.Sprintf("ann-%d@example.com", n)
		m, _ := office.Last(email)
		reply, err := netmail.ParseAddress(m.Header().Get("Reply-To"))
		if err != nil {
			t.Fatal(err)
		}
		raw := postoffice.Letter(email, reply.Address, fmt.Sprintf("<thanks-%d@example.com>", n), "Thank you!",
			"In-Reply-To: "+m.Header().Get("Message-Id"), "Subject: Re: another subject")
		if n == 1 {
			box.Put(raw)
			staff.waitUntil("the mailbox is read", func() bool { return box.Unseen() == 0 })
		}
		if err := postoffice.Bring(address, email, []string{reply.Address}, raw); err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			box.Put(raw)
			staff.waitUntil("the mailbox is read", func() bool { return box.Unseen() == 0 })
		}
	}
	got := map[string][]string{}
	for _, m := range site.list(t, "messages").Items {
		got[m["conversation"].(string)] = append(got[m["conversation"].(string)], fmt.Sprint(m["direction"], " ", m["kind"], " ", m["state"]))
	}
	for _, list := range got {
		if s := strings.Join(list, ", "); s != "in form received, out reply sent, in mail received" {
			t.Errorf("a conversation is %s", s)
		}
	}
	if len(got) != 2 {
		t.Errorf("%d conversations, want 2", len(got))
	}
}

// talks makes conversations by the contact form.
func (s *website) talks(t testing.TB, names ...string) {
	t.Helper()
	visitor := binary.Client{Base: s.URL}
	for _, name := range names {
		if err := visitor.Call(t.Context(), http.MethodPost, "/f/contact", map[string]any{"name": name, "email": strings.ToLower(name) + "@example.com",
			"message": "This is what " + name + " would like to know about the veranda."}, nil); err != nil {
			t.Fatal(err)
		}
	}
}

const whoIsAt = `document.querySelector(".inbox-row.at .inbox-who")?.innerText`

func TestTheInboxByKeyboard(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	site.talks(t, "Ann", "Ben", "Cid", "Dora")
	if _, err := site.create(t.Context(), "settings", map[string]any{"feature": "inbox", "value": map[string]any{"undo_seconds": 120}}); err != nil {
		t.Fatal(err)
	}
	b := site.staffTab(t, "grace@example.com")
	messages := listen(b)
	b.visit("/desk/inbox/")
	if text := eval[string](b, `document.querySelector(".inbox-what").innerText`); !strings.Contains(text, "This is what Dora") || strings.Contains(text, "e-mail address") {
		t.Errorf("the list shows %q of a message", text)
	}
	b.do(press("j"))
	b.until(whoIsAt + `.includes("Dora")`)
	b.do(press("j"))
	b.until(whoIsAt + `.includes("Cid")`)
	b.do(press("k"))
	b.until(whoIsAt + `.includes("Dora")`)
	b.do(press("e")) // closes Dora's, and the next is Cid's
	b.until(`document.querySelectorAll(".inbox-row").length === 3 && document.readyState === "complete" && ` + whoIsAt + `.includes("Cid")`)
	b.do(press("j"), press("x"), press("j"), press("x")) // ticks Ben and Ann
	b.until(`document.querySelectorAll("[name=id]:checked").length === 2`)
	b.do(press("s"))
	b.until(`document.querySelectorAll(".inbox-row").length === 1 && document.readyState === "complete"`)
	b.shot("inbox-keys")
	b.do(press("j"), press("o"))
	b.until(`document.querySelector("#reply-text") && document.readyState === "complete"`)

	// What was sent is taken back, and its text is there again.
	b.do(press("r"))
	b.until(`document.activeElement.id === "reply-text"`)
	eval[bool](b, `(document.querySelector("#reply-text").value = "At nine, Cid.", document.querySelector("#inbox-reply").requestSubmit(), true)`)
	b.until(`document.querySelector(".message.out [data-wait]") && document.readyState === "complete"`)
	b.shot("inbox-sent")
	b.do(press("z"))
	b.until(`!document.querySelector(".message.out") && document.querySelector("#reply-text")?.value === "At nine, Cid." && document.readyState === "complete"`)
	if path := eval[string](b, `location.pathname`); strings.Contains(path, "undo") {
		t.Errorf("after taking back the address is %s, which must not be loaded again", path)
	}
	// A note, by its key and Ctrl+Enter.
	eval[bool](b, `(document.activeElement.blur(), true)`)
	b.do(press("n"))
	b.until(`document.activeElement.id === "note-text"`)
	b.do(fill(`#note-text`, "He asks every week."))
	eval[bool](b, `document.querySelector("#note-text").dispatchEvent(new KeyboardEvent("keydown", {key: "Enter", ctrlKey: true, bubbles: true})) || true`)
	b.until(`document.querySelector(".message.note")?.innerText.includes("every week") && document.readyState === "complete"`)
	for _, m := range messages() {
		t.Errorf("the browser reports %s", m)
	}
	states := map[string]int{}
	for _, c := range site.list(t, "conversations").Items {
		states[c["status"].(string)]++
	}
	if states["closed"] != 1 || states["spam"] != 2 || states["open"] != 1 {
		t.Errorf("the conversations are %v", states)
	}
}

// Two colleagues have one conversation open: each sees the other, who writes,
// and who sends second is told what was written meanwhile and loses nothing.
func TestTwoColleaguesAtOneConversation(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	site.talks(t, "Ann")
	path := "/desk/inbox/" + site.list(t, "conversations").Items[0]["id"].(string) + "/"
	first, second := site.colleague(t, "Grace"), site.colleague(t, "Linus")
	const people = `document.querySelector("#inbox-people:not([hidden])")?.innerText`
	first.visit(path)
	second.visit(path)
	first.until(people + ` === "Linus is looking at this."`)
	second.until(people + ` === "Grace is looking at this."`)
	first.do(fill(`#reply-text`, "At ten."))
	second.until(people + ` === "Grace is writing here."`)
	second.shot("inbox-typing")
	eval[bool](second, `(document.querySelector("#reply-text").value = "At noon.") !== ""`)
	eval[bool](first, `(document.querySelector("#inbox-reply").requestSubmit(), true)`)
	first.until(`document.querySelector(".message.out") && document.readyState === "complete"`)
	second.until(`document.querySelector(".message.out")?.innerText.includes("At ten.")`) // by itself
	eval[bool](second, `(document.querySelector("#inbox-reply").requestSubmit(), true)`)
	second.until(`document.querySelector("[role=alert]")?.innerText.includes("meanwhile") && document.readyState === "complete"`)
	second.shot("inbox-collision")
	if text := eval[string](second, `document.querySelector("#reply-text").value`); text != "At noon." {
		t.Errorf("the second one's text is %q", text)
	}
	eval[bool](second, `(document.querySelector("#inbox-reply").requestSubmit(), true)`) // knowing it now
	second.until(`document.querySelectorAll(".message.out").length === 2 && document.readyState === "complete"`)
	first.visit("/desk/")
	second.until(`document.querySelector("#inbox-people").hidden`)
}

// colleague is a tab of another member of staff.
func (s *website) colleague(t testing.TB, name string) *tab {
	t.Helper()
	email := strings.ToLower(name) + "@example.com"
	b := s.staffTab(t, email)
	for _, person := range s.list(t, "staff").Items {
		if person["email"] == email {
			if err := s.root.Call(t.Context(), http.MethodPatch, "/api/collections/staff/records/"+person["id"].(string), map[string]any{"name": name}, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b
}

func TestTheInboxIsAccessible(t *testing.T) {
	t.Parallel()
	library := axeCore(t)
	site := fresh(t)
	site.talks(t, "Ann", "Ben")
	b := site.staffTab(t, "grace@example.com")
	id := site.list(t, "conversations").Items[0]["id"].(string)
	b.visit("/desk/inbox/" + id + "/")
	b.do(fill(`#reply-text`, "At ten, or a little later.\n\n> When do you open?\n\nSee you then."))
	eval[bool](b, `(document.querySelector("#inbox-reply").requestSubmit(), true)`)
	b.until(`document.querySelector(".message.out") && document.readyState === "complete"`)
	b.ignorePolicy()
	pages := []string{"/desk/inbox/", "/desk/inbox/" + id + "/", "/desk/inbox/?view=spam", "/desk/inbox/?q=veranda", "/desk/canned-replies/", "/desk/settings/inbox/"}
	for _, scheme := range []string{light, dark} {
		for _, width := range []int64{phone, desktop} {
			b.view(scheme, width)
			for n, path := range pages {
				b.visit(path)
				eval[bool](b, `(document.querySelectorAll("details").forEach(d => { d.open = true }), true)`)
				b.shot(fmt.Sprintf("inbox-%d-%s-%d", n, scheme, width))
				for _, violation := range eval[[]string](b, library+";"+axe) {
					t.Errorf("%s, %s, %d px: %s", path, scheme, width, violation)
				}
				if over := eval[int](b, `document.documentElement.scrollWidth - innerWidth`); over > 0 {
					t.Errorf("%s is %d px too wide at %d", path, over, width)
				}
			}
		}
	}
}
