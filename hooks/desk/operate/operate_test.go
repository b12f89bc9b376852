package operate_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/content/demo"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

func as(t *testing.T, role roles.Role) (*sitetest.Site, string) {
	t.Helper()
	app := sitetest.New(t)
	person, _ := sitetest.Staff(t, app, role)
	return app, sitetest.Cookie(t, app, person)
}

func run(t *testing.T, app core.App, sql string) {
	t.Helper()
	if _, err := app.NonconcurrentDB().NewQuery(sql).Execute(); err != nil {
		t.Fatal(err)
	}
}

// see asks for a page and wants all of the words in it.
func see(t *testing.T, app *sitetest.Site, cookie, path string, words ...string) string {
	t.Helper()
	res, body := app.Desk(cookie, path, "")
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s answers %d %s", path, res.StatusCode, body)
	}
	for _, w := range words {
		if !strings.Contains(body, w) {
			t.Errorf("%s does not say %q", path, w)
		}
	}
	return body
}

func audited(t *testing.T, app core.App, action string) {
	t.Helper()
	if _, err := app.FindFirstRecordByData(schema.Audit, "action", action); err != nil {
		t.Errorf("no line %s in the audit: %v", action, err)
	}
}

func TestJobsAreTriedAgainHurriedAndDropped(t *testing.T) {
	t.Parallel()
	app, cookie := as(t, roles.Owner)
	see(t, app, cookie, "/desk/jobs/", "Nothing waits")
	for id, state := range []string{"dead", "waiting", "running", "dead"} {
		run(t, app, fmt.Sprintf(`INSERT INTO _jobs (id, kind, state, payload, attempts, error, run_at, created, updated)
			VALUES (%d, 'sample.%s', '%s', '{"a":"<b>"}', 3, 'it <broke>', 1764000000000, 1, 1)`, id+1, state, state))
	}
	see(t, app, cookie, "/desk/jobs/", "sample.dead", "sample.waiting", "it &lt;broke&gt;", `class="count">4<`)
	if body := see(t, app, cookie, "/desk/jobs/?state=dead", "Try again"); strings.Contains(body, "sample.waiting") {
		t.Error("a tab shows other states")
	}
	see(t, app, cookie, "/desk/", `href="/desk/jobs/"`, "2 failed for good")
	for _, c := range []struct {
		id   int
		act  string
		want string // the state after it, "" for gone
	}{{1, "retry", "waiting"}, {2, "hurry", "waiting"}, {4, "drop", ""}, {3, "drop", "running"}, {99, "retry", ""}} {
		res, _ := app.Desk(cookie, fmt.Sprintf("/desk/jobs/%d/", c.id), "act="+c.act)
		var state string
		_ = app.DB().NewQuery("SELECT state FROM _jobs WHERE id = {:id}").Bind(dbx.Params{"id": c.id}).Row(&state)
		if res.StatusCode != http.StatusSeeOther || state != c.want {
			t.Errorf("%s of %d answers %d, the job is %q", c.act, c.id, res.StatusCode, state)
		}
	}
	for _, action := range []string{"job.retry", "job.hurry", "job.drop"} {
		audited(t, app, action)
	}
	if res, _ := app.Desk(cookie, "/desk/jobs/1/", "act=explode"); res.StatusCode != http.StatusBadRequest {
		t.Errorf("an unknown act answers %d", res.StatusCode)
	}
	if res, _ := app.Desk(cookie, "/desk/jobs/?state=odd", ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("an unknown state answers %d", res.StatusCode)
	}
}

func mails(t *testing.T, app core.App, n int, state string) {
	t.Helper()
	run(t, app, fmt.Sprintf(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
		INSERT INTO _mails (message_id, template, recipient, subject, text, html, state, error, created, updated)
		SELECT '<' || i || '%s@x>', 'test', 'ada@example.com', 'Subject ' || i, 'The <text>', '<p>', '%s', '', 1764000000000, 1764000000000 FROM n`, n, state, state))
}

func TestMailIsListedAndSentAgain(t *testing.T) {
	t.Parallel()
	app, cookie := as(t, roles.Owner)
	see(t, app, cookie, "/desk/mail/", "No messages", "No mail server is set up")
	mails(t, app, 1, "failed")
	mails(t, app, 1, "queued")
	see(t, app, cookie, "/desk/mail/", "Subject 1", "ada@example.com", "Failed", `hx-trigger="every 3s"`)
	see(t, app, cookie, "/desk/mail/1/", "The &lt;text&gt;", "Send it once more")
	if res, _ := app.Desk(cookie, "/desk/mail/1/", "x=1"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("again: %d", res.StatusCode)
	}
	audited(t, app, "mail.again")
	var n int
	if err := app.DB().NewQuery("SELECT count(*) FROM _jobs WHERE kind = 'mail.send'").Row(&n); err != nil || n != 1 {
		t.Errorf("%d jobs, %v", n, err)
	}
	app.Desk(cookie, "/desk/mail/2/", "x=1") // it is still under way
	if err := app.DB().NewQuery("SELECT count(*) FROM _mails").Row(&n); err != nil || n != 3 {
		t.Errorf("%d messages, %v", n, err)
	}
	if res, body := app.Do(http.MethodGet, "/desk/mail/", "", "Cookie", cookie, "HX-Request", "true"); res.StatusCode != 200 || strings.Contains(body, "<html") {
		t.Errorf("the fragment: %d %.100s", res.StatusCode, body)
	}
	for _, path := range []string{"/desk/mail/99/", "/desk/mail/x/", "/desk/mail/?state=odd"} {
		if res, _ := app.Desk(cookie, path, ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d", path, res.StatusCode)
		}
	}
}

func TestTheOutboxGivesItsFilesAndNoOthers(t *testing.T) {
	t.Parallel()
	app, cookie := as(t, roles.Owner)
	name := "20260401T030000.000Z-0123456789ab.eml"
	dir := filepath.Join(app.DataDir(), "outbox")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name), []byte("Subject: x\r\n\r\nhello"), 0o600); err != nil {
		t.Fatal(err)
	}
	see(t, app, cookie, "/desk/mail/outbox/", name)
	res, body := app.Desk(cookie, "/desk/mail/outbox/"+name+"/", "")
	if res.StatusCode != 200 || !strings.Contains(body, "hello") || !strings.HasPrefix(res.Header.Get("Content-Disposition"), "attachment") {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, body)
	}
	for _, other := range []string{"x.eml", "..%2f..%2fsecret.key", "20260401T030000.000Z-0123456789ac.eml"} {
		if res, _ := app.Desk(cookie, "/desk/mail/outbox/"+other+"/", ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s answers %d", other, res.StatusCode)
		}
	}
}

func TestTheOverviewOfEachRole(t *testing.T) {
	t.Parallel()
	for _, role := range roles.All {
		t.Run(string(role), func(t *testing.T) {
			t.Parallel()
			app, cookie := as(t, role)
			body := see(t, app, cookie, "/desk/", "Hello, "+string(role))
			for _, mine := range []string{"What to do next", "How the site is"} {
				if strings.Contains(body, mine) != (role == roles.Owner) {
					t.Errorf("%q is shown: %v", mine, strings.Contains(body, mine))
				}
			}
		})
	}
}

func TestTheListOfFirstStepsFollowsTheSite(t *testing.T) {
	t.Parallel()
	app, cookie := as(t, roles.Owner)
	see(t, app, cookie, "/desk/", "Name the site", "0 of 6 done")
	s := settings.SiteDefaults()
	s.Title, s.Tagline, s.Accent = "Corner", "Bread", "#334455"
	if err := settings.Save(app, settings.SiteFeature, s); err != nil {
		t.Fatal(err)
	}
	if err := demo.Starter(app); err != nil {
		t.Fatal(err)
	}
	see(t, app, cookie, "/desk/", "2 of 6 done") // the post that every site has is nobody's first
	post := sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Mine", "body": "x", "status": "draft"})
	see(t, app, cookie, "/desk/", "3 of 6 done")
	post.Set("source_key", "wordpress:1") // what was moved in is written too
	if err := app.Save(post); err != nil {
		t.Fatal(err)
	}
	see(t, app, cookie, "/desk/", "3 of 6 done")
	if res, _ := app.Desk(cookie, "/desk/todo/", "x=1"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("putting it away answers %d", res.StatusCode)
	}
	if body := see(t, app, cookie, "/desk/"); strings.Contains(body, "What to do next") {
		t.Error("the list is still there")
	}
}

func TestWhatHappenedWhileAway(t *testing.T) {
	t.Parallel()
	app, cookie := as(t, roles.Owner)
	line := map[string]any{"action": "post.publish", "actor": "Bob <bob@away.example>", "actor_record": "bob"}
	sitetest.Make(t, app, schema.Audit, line)
	if body := see(t, app, cookie, "/desk/", "Post published", "Bob"); strings.Contains(body, "Since you were here") {
		t.Error("the first visit has no time before it")
	}
	run(t, app, "UPDATE _visits SET seen = seen - 7200")
	sitetest.Make(t, app, schema.Audit, line)
	body := see(t, app, cookie, "/desk/", "Since you were here", "2 ×")
	if strings.Contains(body, "bob@away.example") {
		t.Error("the overview shows an address")
	}
	see(t, app, cookie, "/desk/", "Since you were here") // the same visit still
}

func TestSearchGoesThroughEverythingThatTheRoleMay(t *testing.T) {
	t.Parallel()
	app, cookie := as(t, roles.Owner)
	see(t, app, cookie, "/desk/search/?q=accent", "Appearance", "/desk/settings/appearance/")
	see(t, app, cookie, "/desk/search/?q=jobs", "/desk/jobs/")
	grace := sitetest.Make(t, app, schema.Staff, map[string]any{"email": "grace@example.com", "name": "Grace %", "role": "editor", "active": true, "password": sitetest.Password})
	see(t, app, cookie, "/desk/search/?q=grac", "Grace %", "/desk/staff/"+grace.Id+"/")
	sitetest.Make(t, app, schema.Posts, map[string]any{"title": "A quiet garden", "body": "x", "status": "draft"})
	see(t, app, cookie, "/desk/search/?q=garden", "A quiet garden")
	see(t, app, cookie, "/desk/search/?q=zzzz", "Nothing was found")
	see(t, app, cookie, "/desk/search/?q="+url.QueryEscape(`<script>"' OR 1=1 %_`+"\x00"+strings.Repeat("é", 500)), "Nothing was found")
	author, _ := sitetest.Staff(t, app, roles.Author)
	if body := see(t, app, sitetest.Cookie(t, app, author), "/desk/search/?q=accent"); strings.Contains(body, "/desk/settings/") {
		t.Error("an author finds settings")
	}
	if res, body := app.Do(http.MethodGet, "/desk/search/?q=jobs", "", "Cookie", cookie, "HX-Request", "true"); res.StatusCode != 200 || !strings.Contains(body, `id="hits"`) || strings.Contains(body, "<html") {
		t.Errorf("the fragment: %d %.100s", res.StatusCode, body)
	}
}

func TestShortcutsAreThoseOfTheMenu(t *testing.T) {
	t.Parallel()
	app, cookie := as(t, roles.Owner)
	see(t, app, cookie, "/desk/shortcuts/", "<kbd>?</kbd>", "<kbd>g</kbd> <kbd>j</kbd>", `data-key="g j"`, `data-key="?"`)
	moderator, _ := sitetest.Staff(t, app, roles.Moderator)
	if body := see(t, app, sitetest.Cookie(t, app, moderator), "/desk/shortcuts/"); strings.Contains(body, "Jobs") {
		t.Error("a moderator is told of pages that are not his")
	}
}

// events reads a stream in the background.
func events(t *testing.T, ctx context.Context, base, cookie string) (status int, lines <-chan string) {
	t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/desk/live/", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Cookie", cookie)
	req.Header.Set("Accept", "text/event-stream")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan string, 100)
	go func() {
		defer close(out)
		defer res.Body.Close()
		for scan := bufio.NewScanner(res.Body); scan.Scan(); {
			if strings.HasPrefix(scan.Text(), "data: ") {
				out <- scan.Text()
			}
		}
	}()
	return res.StatusCode, out
}

// next waits for the next event; "" is the end of the stream.
func next(t *testing.T, lines <-chan string) string {
	t.Helper()
	select {
	case line := <-lines:
		return line
	case <-time.After(30 * time.Second):
		t.Fatal("nothing came")
		return ""
	}
}

func TestNumbersAreLiveAndEndAtTheStop(t *testing.T) {
	t.Parallel()
	app, cookie := as(t, roles.Owner)
	server := httptest.NewServer(app.Handler)
	t.Cleanup(server.Close)
	_, lines := events(t, t.Context(), server.URL, cookie)
	if first := next(t, lines); first != `data: {"counts":{}}` {
		t.Errorf("first: %s", first)
	}
	mails(t, app, 3, "failed")
	app.Desk(cookie, "/desk/todo/", "x=1") // a record changes, so that it looks at once
	if n := next(t, lines); !strings.Contains(n, `"/desk/mail/":3`) {
		t.Errorf("then: %s", n)
	}
	stopped := app.OnTerminate().Trigger(&core.TerminateEvent{App: app}, func(*core.TerminateEvent) error { return nil })
	if end := next(t, lines); end != "" || stopped != nil {
		t.Errorf("after the stop: %q, %v", end, stopped)
	}
	if status, _ := events(t, t.Context(), server.URL, cookie); status != http.StatusServiceUnavailable {
		t.Errorf("a stream after the stop answers %d", status)
	}
}

func TestStreamsHaveALimitAndEndWithTheirPerson(t *testing.T) {
	t.Parallel()
	app, cookie := as(t, roles.Owner)
	editor, _ := sitetest.Staff(t, app, roles.Editor)
	server := httptest.NewServer(app.Handler)
	t.Cleanup(server.Close)
	ctx, end := context.WithCancel(t.Context())
	t.Cleanup(end)
	for range 6 {
		if status, lines := events(t, ctx, server.URL, cookie); status != http.StatusOK || next(t, lines) == "" {
			t.Fatalf("a stream answers %d", status)
		}
	}
	if status, _ := events(t, ctx, server.URL, cookie); status != http.StatusServiceUnavailable {
		t.Errorf("the seventh stream answers %d", status)
	}
	_, lines := events(t, ctx, server.URL, sitetest.Cookie(t, app, editor))
	next(t, lines)
	editor.Set("active", false)
	if err := app.Save(editor); err != nil {
		t.Fatal(err)
	}
	if after := next(t, lines); after != "" {
		t.Errorf("somebody who left is told %s", after)
	}
}

// Lists stay quick, however much there is.
func TestListsOpenQuicklyWithTenThousandRows(t *testing.T) {
	if testing.Short() {
		t.Skip("it measures time")
	}
	app, cookie := as(t, roles.Owner)
	mails(t, app, 10_000, "sent")
	run(t, app, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
		INSERT INTO _jobs (kind, state, payload, attempts, error, run_at, created, updated)
		SELECT 'sample', CASE WHEN i % 2 THEN 'dead' ELSE 'waiting' END, '{}', 1, '', 1764000000000, 1, 1 FROM n`)
	run(t, app, `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
		INSERT INTO audit (id, actor, actor_record, action, at) SELECT printf('%015d', i), 'Bob', 'bob', 'post.save', '2026-01-01 00:00:00.000Z' FROM n`)
	for _, path := range []string{"/desk/", "/desk/jobs/", "/desk/jobs/?state=dead", "/desk/mail/", "/desk/mail/?state=sent", "/desk/mail/?state=failed", "/desk/settings/", "/desk/search/?q=mail", "/desk/backups/"} {
		best := time.Hour
		for range 7 {
			began := time.Now()
			see(t, app, cookie, path)
			best = min(best, time.Since(began))
		}
		t.Logf("%-28s %v", path, best.Round(100*time.Microsecond))
		if best > 50*time.Millisecond {
			t.Errorf("%s takes %v", path, best)
		}
	}
}

func TestAStartedQueueMakesTheBackup(t *testing.T) {
	t.Parallel()
	app, cookie := as(t, roles.Owner)
	see(t, app, cookie, "/desk/backups/", "There is no backup yet")
	if res, _ := app.Desk(cookie, "/desk/backups/", "x=1"); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("making one answers %d", res.StatusCode)
	}
	app.Desk(cookie, "/desk/backups/", "x=1") // one at a time
	if counts, err := queue.Status(app); err != nil || counts.Waiting != 1 {
		t.Fatalf("%+v, %v", counts, err)
	}
	see(t, app, cookie, "/desk/backups/", "A backup is being made", `hx-trigger="every 2s"`)
	if err := queue.Start(app); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = queue.Stop(context.Background(), app) })
	name := ""
	for deadline := time.Now().Add(30 * time.Second); name == ""; {
		if files, _ := filepath.Glob(filepath.Join(app.DataDir(), core.LocalBackupsDirName, "*.zip")); len(files) == 1 {
			if counts, _ := queue.Status(app); counts == (queue.Counts{}) {
				name = filepath.Base(files[0])
			}
		}
		if time.Now().After(deadline) {
			t.Fatal("no backup was made")
		}
	}
	see(t, app, cookie, "/desk/backups/", name)
	see(t, app, cookie, "/desk/backups/"+name+"/", "Bring the site back")
	res, body := app.Desk(cookie, "/desk/backups/"+name+"/file/", "")
	if res.StatusCode != 200 || !strings.HasPrefix(body, "PK") {
		t.Errorf("the file: %d", res.StatusCode)
	}
	if res, _ := app.Desk(cookie, "/desk/backups/"+name+"/delete/", "x=1"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("deleting answers %d", res.StatusCode)
	}
	if _, err := os.Stat(filepath.Join(app.DataDir(), core.LocalBackupsDirName, name)); err == nil {
		t.Error("it is still there")
	}
	for _, action := range []string{"backup.create", "backup.download", "backup.delete"} {
		audited(t, app, action)
	}
}
