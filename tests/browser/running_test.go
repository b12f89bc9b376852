package browser

import (
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	_ "modernc.org/sqlite"
)

// busy gives a site something to show on the pages of its running.
func busy(t *testing.T, s *website) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(s.Home, "pb_data", "data.db")+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, query := range []string{
		`INSERT INTO _jobs (kind, state, payload, attempts, error, run_at, created, updated) VALUES
			('media.resize', 'dead', '{"id":"a-long-name-of-a-picture-that-has-no-end"}', 10, 'the picture /a/very/long/path/without/any/place/to/break/it can''t be read', 1764000000000, 1764000000000, 1764000000000),
			('content.publish', 'waiting', '{}', 0, '', 4102444800000, 1764000000000, 1764000000000)`,
		`INSERT INTO _mails (message_id, template, recipient, subject, text, html, state, error, attempts, created, updated) VALUES
			('<1@x>', 'test', 'Ada <ada@example.com>', 'It works: a test message from the site', 'It works.' || char(10) || char(10) || 'A second line.', '<p>', 'failed', '550 5.7.1 blocked by a list with a long name at list.example.com', 15, 1764000000000, 1764000000000),
			('<2@x>', 'test', 'a-person-with-a-very-long-address@subdomain.of.example.com', 'Another one', 'Hello.', '<p>', 'sent', '', 1, 1764000000000, 1764000000000)`,
		`INSERT INTO audit (id, actor, actor_record, action, at) VALUES
			('aaaaaaaaaaaaaa1', 'Bob <b@example.com>', 'bob', 'post.publish', '2026-11-21 10:00:00.000Z'), ('aaaaaaaaaaaaaa2', 'Grace', 'grace', 'comment.approve', '2026-11-21 11:00:00.000Z')`,
	} {
		if _, err := db.Exec(query); err != nil {
			t.Fatal(err)
		}
	}
	outbox := filepath.Join(s.Home, "pb_data", "outbox")
	if err := os.MkdirAll(outbox, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outbox, "20260401T030000.000Z-0123456789ab.eml"), []byte("Subject: x\r\n\r\nx"), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Settings with the keyboard and without a script, and what a script adds.
func TestSettingsInTheBrowser(t *testing.T) {
	t.Parallel()
	site := fresh(t)
	email := site.writerAccount(t, "Olive", "owner")
	b := site.writer(t, email)
	messages := listen(b)

	// A wrong value is told beside its field, which has the focus.
	b.visit("/desk/settings/site/")
	eval[bool](b, typeInto("#f-posts_per_page", "many"))
	b.clickTo(`[data-save]`, `document.querySelector("#f-posts_per_page-error") !== null`)
	b.until(`document.activeElement.id === "f-posts_per_page"`)

	// The colour shows in the preview before it is saved, and on the site after.
	b.visit("/desk/settings/appearance/")
	b.until(`document.querySelector("iframe").contentDocument?.readyState === "complete"`)
	eval[bool](b, typeInto("#f-accent", "#aa2266"))
	b.until(`document.querySelector("iframe").contentDocument.documentElement.style.getPropertyValue("--accent") === "#aa2266"`)
	b.clickTo(`[data-save]`, `document.querySelector("main > .notice") !== null`)
	b.visit("/")
	b.until(`getComputedStyle(document.documentElement).getPropertyValue("--accent").trim() === "#aa2266"`)

	// The logo: a file is uploaded in the picker and taken at once.
	b.visit("/desk/settings/appearance/")
	b.clickTo("[data-pick-open]", `document.querySelector("[data-pick]").open`)
	eval[bool](b, `(async () => {
		const c = Object.assign(document.createElement("canvas"), {width: 300, height: 100});
		const data = new DataTransfer();
		data.items.add(new File([await new Promise(r => c.toBlob(r, "image/png"))], "our-logo.png", {type: "image/png"}));
		const file = document.getElementById("pick-file");
		file.files = data.files; file.dispatchEvent(new Event("change"));
		return true })()`)
	b.until(`document.querySelector("[name=logo]").value !== "" && document.querySelector("[data-pick-frame] img")?.naturalWidth > 0`)
	b.clickTo(`[data-save]`, `document.querySelector("main > .notice") !== null`)
	b.visit("/")
	b.until(`[...document.querySelectorAll("header img")].some(i => i.src.includes("our_logo"))`)
	b.visit("/desk/settings/appearance/")
	b.clickTo("[data-pick-field]:last-of-type [data-pick-open]", `document.querySelector("[data-pick] .pick") !== null`)
	b.shot("running-pick")
	b.clickTo("[data-pick] .pick", `document.querySelector("[name=favicon]").value !== ""`)
	b.clickTo(`[data-save]`, `document.querySelector("main > .notice") !== null`)

	// Coming soon: a stranger sees the page, the owner the site.
	b.visit("/desk/settings/visitors/")
	eval[bool](b, `document.getElementById("f-coming_soon").click() ?? true`)
	b.clickTo(`[data-save]`, `document.querySelector("main > .notice") !== null`)
	stranger := open(t, site.URL)
	stranger.visit("/")
	if !eval[bool](stranger, `document.querySelector("h1").textContent.includes("soon")`) {
		t.Error("a stranger sees the site")
	}
	stranger.shot("running-coming-soon")
	b.visit("/")
	if eval[bool](b, `document.querySelector("h1").textContent.includes("soon")`) {
		t.Error("the owner does not see the site")
	}

	// Keys: search, and the way to a page.
	b.visit("/desk/")
	b.do(press("/"))
	b.until(`document.activeElement.id === "top-search"`)
	// The driver types the key too, which a keyboard does not.
	eval[bool](b, typeInto("#top-search", ""))
	b.do(press("jobs"), press("\r"))
	b.until(`location.pathname === "/desk/search/" && document.querySelector("[data-hit]") !== null && document.readyState === "complete"`)
	b.visit("/desk/")
	b.do(press("g"), press("s"))
	b.until(`location.pathname === "/desk/settings/" && document.readyState === "complete"`)
	b.do(press("?"))
	b.until(`location.pathname === "/desk/shortcuts/"`)
	for _, m := range messages() {
		if m != "" && !strings.Contains(m, "422") && !strings.Contains(m, "503") {
			t.Errorf("the browser reports: %s", m)
		}
	}
}
