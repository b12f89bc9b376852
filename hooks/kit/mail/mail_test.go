package mail_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/queue"
	"bungalow/pb_public"

	"github.com/pocketbase/pocketbase/core"
	_ "github.com/pocketbase/pocketbase/migrations"
	"github.com/pocketbase/pocketbase/tools/mailer"
)

func must(tb testing.TB, err error) {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
}

// clock is a time source that a test moves, for mail and queue alike.
type clock struct {
	mu  sync.Mutex
	now time.Time
	app core.App
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	c.now = t
	c.mu.Unlock()
	queue.SetClock(c.app, c.Now)
}

func newApp(tb testing.TB, change func(*mail.Config)) (core.App, *clock) {
	tb.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: tb.TempDir()})
	must(tb, app.Bootstrap())
	tb.Cleanup(func() {
		if err := queue.Stop(context.Background(), app); err != nil {
			tb.Error(err)
		}
		_ = app.ResetBootstrapState()
	})
	must(tb, queue.Migrate(app))
	must(tb, mail.Migrate(app))
	must(tb, mail.MigrateAnswered(app))
	c := &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), app: app}
	cfg := mail.Config{
		Templates: pb_public.Files, Now: c.Now,
		Site: func() mail.Site {
			return mail.Site{Name: "Haus & Hof", URL: "https://haus.example", Accent: "#b4532a"}
		},
	}
	if change != nil {
		change(&cfg)
	}
	must(tb, mail.Register(app, cfg))
	c.set(c.now)
	must(tb, queue.Start(app))
	return app, c
}

func until(tb testing.TB, ok func() bool) {
	tb.Helper()
	for deadline := time.Now().Add(20 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			tb.Fatal("the condition did not come true within 20 s")
		}
	}
}

// waitFor waits until the newest message is as wanted.
func waitFor(tb testing.TB, app core.App, wanted func(mail.Record) bool) (r mail.Record) {
	tb.Helper()
	until(tb, func() bool {
		list, err := mail.List(app, mail.Filter{Limit: 1})
		must(tb, err)
		if len(list) == 1 {
			r = list[0]
		}
		return len(list) == 1 && wanted(r)
	})
	return r
}

func inState(state string) func(mail.Record) bool {
	return func(r mail.Record) bool { return r.State == state }
}

// outboxFiles returns the paths in the outbox, the oldest first.
func outboxFiles(tb testing.TB, app core.App) []string {
	tb.Helper()
	files, err := filepath.Glob(filepath.Join(app.DataDir(), "outbox", "*"))
	must(tb, err)
	return files
}

func to(address string) netmail.Address { return netmail.Address{Address: address} }

// message is a mail as a mail program reads it.
type message struct {
	netmail.Header
	text, html string
	raw        string
}

func read(tb testing.TB, raw string) message {
	tb.Helper()
	m, err := netmail.ReadMessage(strings.NewReader(raw))
	must(tb, err)
	out := message{Header: m.Header, raw: raw}
	readPart(tb, &out, m.Header.Get("Content-Type"), m.Header.Get("Content-Transfer-Encoding"), m.Body)
	return out
}

func readPart(tb testing.TB, out *message, contentType, encoding string, body io.Reader) {
	tb.Helper()
	kind, params, err := mime.ParseMediaType(contentType)
	must(tb, err)
	if strings.HasPrefix(kind, "multipart/") {
		for r := multipart.NewReader(body, params["boundary"]); ; {
			part, err := r.NextRawPart()
			if errors.Is(err, io.EOF) {
				return
			}
			must(tb, err)
			if part.FileName() == "" {
				readPart(tb, out, part.Header.Get("Content-Type"), part.Header.Get("Content-Transfer-Encoding"), part)
			}
		}
	}
	if encoding == "quoted-printable" {
		body = quotedprintable.NewReader(body)
	}
	content, err := io.ReadAll(body)
	must(tb, err)
	if kind == "text/html" {
		out.html = string(content)
	} else {
		out.text = string(content)
	}
}

func TestOutbox(t *testing.T) {
	t.Parallel()
	app, _ := newApp(t, nil)
	must(t, mail.Send(app, mail.Message{
		To: netmail.Address{Name: "Zoë, the \"Owner\"", Address: "owner@example.com"}, Template: "test",
		ReplyTo: to("reply@example.com"),
	}))
	record := waitFor(t, app, inState(mail.Sent))
	files := outboxFiles(t, app)
	if len(files) != 1 || !strings.HasPrefix(filepath.Base(files[0]), "20260301T120000.000Z-") || filepath.Ext(files[0]) != ".eml" {
		t.Fatalf("outbox %v", files)
	}
	if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("%v, %v", info.Mode(), err)
	}
	raw, err := os.ReadFile(files[0])
	must(t, err)
	m := read(t, string(raw))
	list, err := m.AddressList("To")
	must(t, err)
	if len(list) != 1 || list[0].Name != `Zoë, the "Owner"` || list[0].Address != "owner@example.com" {
		t.Errorf("to %v", list)
	}
	for field, want := range map[string]string{
		"Message-Id": record.MessageID, "Reply-To": "<reply@example.com>", "Auto-Submitted": "auto-generated",
		"Mime-Version": "1.0", "Date": "Sun, 01 Mar 2026 12:00:00 +0000",
		"Subject": "It works: a test message from Haus & Hof",
	} {
		if got := m.Get(field); got != want {
			t.Errorf("%s: %q, want %q", field, got, want)
		}
	}
	if !strings.HasSuffix(record.MessageID, "@haus.example>") {
		t.Errorf("message id %s", record.MessageID)
	}
	if !strings.Contains(m.text, "sent by Haus & Hof to see") || !strings.Contains(m.text, "https://haus.example") {
		t.Errorf("text %q", m.text)
	}
	if !strings.Contains(m.html, "Haus &amp; Hof") || !strings.Contains(m.html, "solid #b4532a") || strings.Contains(m.html, "ZgotmplZ") {
		t.Errorf("html %s", m.html)
	}
	if strings.Contains(strings.ReplaceAll(m.raw, "\r\n", ""), "\n") {
		t.Error("a line ends without CR")
	}
	for _, line := range strings.Split(m.raw, "\r\n") {
		if len(line) > 200 {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
}

func TestKeyMakesSendingIdempotent(t *testing.T) {
	t.Parallel()
	app, _ := newApp(t, nil)
	m := mail.Message{To: to("a@example.com"), Template: "test", Key: "order/1"}
	must(t, mail.Send(app, m))
	must(t, mail.Send(app, m))
	first := waitFor(t, app, inState(mail.Sent))
	must(t, mail.Send(app, m))
	until(t, func() bool { c, err := queue.Status(app); return err == nil && c == queue.Counts{} })
	list, err := mail.List(app, mail.Filter{Key: "order/1"})
	must(t, err)
	if files := outboxFiles(t, app); len(list) != 1 || len(files) != 1 {
		t.Fatalf("%d messages, outbox %v", len(list), files)
	}
	m.Key = "order/2"
	must(t, mail.Send(app, m))
	second := waitFor(t, app, func(r mail.Record) bool { return r.State == mail.Sent && r.Key == "order/2" })
	if first.MessageID == second.MessageID {
		t.Fatal("two keys, one Message-ID")
	}
}

func TestSendIsPartOfTheTransaction(t *testing.T) {
	t.Parallel()
	app, _ := newApp(t, nil)
	undo := errors.New("undo")
	err := app.RunInTransaction(func(tx core.App) error {
		must(t, mail.Send(tx, mail.Message{To: to("a@example.com"), Template: "test"}))
		return undo
	})
	list, listErr := mail.List(app, mail.Filter{})
	must(t, listErr)
	if !errors.Is(err, undo) || len(list) != 0 {
		t.Fatalf("%v, %d messages", err, len(list))
	}
}

func TestRefusesAddresses(t *testing.T) {
	t.Parallel()
	app, _ := newApp(t, nil)
	for _, address := range []string{
		"", "nobody", "@example.com", "a@", "a@b@example.com", "a b@example.com", "a@example.com\r\nBcc: b@example.com",
		"a@example.com, b@example.com", "A <a@example.com>", `"a"@example.com`, "a@example.com\x00", "ä@example.com",
		"a@exam ple.com", "a@[127.0.0.1]", strings.Repeat("a", 250) + "@example.com", "a@-.example",
	} {
		if err := mail.Send(app, mail.Message{To: to(address), Template: "test"}); !errors.Is(err, mail.ErrAddress) {
			t.Errorf("%q: %v", address, err)
		}
		if err := mail.Send(app, mail.Message{To: to("a@example.com"), ReplyTo: to(address), Template: "test"}); address != "" && !errors.Is(err, mail.ErrAddress) {
			t.Errorf("reply to %q: %v", address, err)
		}
	}
	must(t, mail.Send(app, mail.Message{To: to("o'neil+tag@müller.example"), Template: "test"}))
	r := waitFor(t, app, inState(mail.Sent))
	if r.To != "<o'neil+tag@xn--mller-kva.example>" {
		t.Fatalf("to %s", r.To)
	}
}

// A mailer that is told what to answer and keeps what it was given.
type fakeMailer struct {
	mu     sync.Mutex
	answer error
	got    []*mailer.Message
}

func (f *fakeMailer) Send(m *mailer.Message) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.got = append(f.got, m)
	return f.answer
}

func (f *fakeMailer) set(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.answer = err
}

func (f *fakeMailer) bind(app core.App) {
	app.OnMailerSend().BindFunc(func(e *core.MailerEvent) error {
		e.Mailer = f
		return e.Next()
	})
}

func TestTriesForThreeDaysWithOneMessageID(t *testing.T) {
	t.Parallel()
	app, c := newApp(t, nil)
	fake := &fakeMailer{answer: errors.New("connection refused")}
	fake.bind(app)
	begin := c.Now()
	must(t, mail.Send(app, mail.Message{To: to("a@example.com"), Template: "test"}))
	var last mail.Record
	for n := 1; n <= 14; n++ {
		last = waitFor(t, app, func(r mail.Record) bool { return r.Attempts == n })
		if last.State != mail.Deferred || last.Error != "connection refused" || !last.Next.After(c.Now()) {
			t.Fatalf("after attempt %d: %+v", n, last)
		}
		until(t, func() bool { s, err := queue.Status(app); return err == nil && s.Waiting == 1 })
		c.set(last.Next)
	}
	if d := last.Next.Sub(begin); d != 72*time.Hour {
		t.Errorf("the last attempt is after %s", d)
	}
	last = waitFor(t, app, inState(mail.Failed))
	if last.Attempts != 15 || last.Error != "connection refused" {
		t.Fatalf("%+v", last)
	}
	if len(outboxFiles(t, app)) != 0 {
		t.Error("a mail that another mailer took is in the outbox too")
	}
	for _, m := range fake.got {
		if id := m.Headers["Message-ID"]; id != last.MessageID {
			t.Fatalf("message id %q, want %q", id, last.MessageID)
		}
	}

	fake.set(nil) // mended; the desk tries the dead letter again
	dead, err := queue.List(app, queue.Filter{State: queue.Dead})
	must(t, err)
	must(t, queue.Retry(app, dead[0].ID))
	waitFor(t, app, inState(mail.Sent))
}

func TestOnSend(t *testing.T) {
	t.Parallel()
	app, _ := newApp(t, nil)
	mail.OnSend(app).BindFunc(func(e *mail.SendEvent) error {
		if e.Key == "unwanted" {
			return queue.NoRetry(errors.New("nobody wants this"))
		}
		e.Message.Subject = fmt.Sprintf("[%s]\r\nX-Evil: 1", e.Template)
		e.Message.Headers["X-Tag"] = "a\r\nX-Evil: 1"
		e.Message.Headers["X-Bad\r\nX-Evil"] = "1"
		e.Message.Headers["Bcc"] = "evil@example.com"
		return e.Next()
	})
	must(t, mail.Send(app, mail.Message{To: to("a@example.com"), Template: "test", Key: "unwanted"}))
	r := waitFor(t, app, inState(mail.Failed))
	if r.Error != "nobody wants this" || r.Attempts != 1 {
		t.Fatalf("%+v", r)
	}
	must(t, mail.Send(app, mail.Message{To: to("a@example.com"), Template: "test"}))
	waitFor(t, app, inState(mail.Sent))
	raw, err := os.ReadFile(outboxFiles(t, app)[0])
	must(t, err)
	m := read(t, string(raw))
	if m.Get("Subject") != "[test] X-Evil: 1" || m.Get("X-Evil") != "" || m.Get("Bcc") != "" || m.Get("X-Tag") != "a  X-Evil: 1" {
		t.Fatalf("headers %v", m.Header)
	}
}

func TestPocketBaseMailGoesToTheOutbox(t *testing.T) {
	t.Parallel()
	app, _ := newApp(t, nil)
	must(t, app.NewMailClient().Send(&mailer.Message{
		From:    netmail.Address{Name: "Evil\r\nBcc: x@example.com", Address: "a@example.com"},
		To:      []netmail.Address{to("b@example.com")},
		Bcc:     []netmail.Address{to("c@example.com")},
		Subject: "Größe\nBcc: x@example.com", HTML: "<p>hello</p>",
		Attachments: map[string]io.Reader{"list.csv": strings.NewReader("a,b\r\n" + strings.Repeat("x", 200))},
	}))
	raw, err := os.ReadFile(outboxFiles(t, app)[0])
	must(t, err)
	m := read(t, string(raw))
	if m.Get("Bcc") != "<c@example.com>" || len(m.Header["Bcc"]) != 1 || m.html != "<p>hello</p>" || m.text != "" {
		t.Fatalf("%s", raw)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Get("Subject"))
	if err != nil || subject != "Größe Bcc: x@example.com" || !strings.HasPrefix(m.Get("Message-Id"), "<") {
		t.Fatalf("subject %q, %v; %v", subject, err, m.Header)
	}
	if !strings.Contains(m.raw, "filename=list.csv") {
		t.Fatalf("no attachment: %s", raw)
	}
}

func TestRegisterMistakes(t *testing.T) {
	t.Parallel()
	app, _ := newApp(t, nil)
	if err := mail.Register(app, mail.Config{Templates: pb_public.Files}); err == nil {
		t.Error("registered twice")
	}
	other := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	if err := mail.Send(other, mail.Message{To: to("a@example.com"), Template: "test"}); err == nil {
		t.Error("sent without Register")
	}
	if err := mail.Register(other, mail.Config{}); err == nil {
		t.Error("registered without templates")
	}
	broken := fstest.MapFS{
		"_theme/mail/layout.html": {Data: []byte(`{{template "content" .}}`)},
		"_theme/mail/a.txt":       {Data: []byte(`{{define "subject"}}x{{end}} {{.Data`)},
		"_theme/mail/b.txt":       {Data: []byte(`no subject`)},
		"_theme/mail/c.txt":       {Data: []byte(`{{define "subject"}}x{{end}}`)},
	}
	err := mail.Check(broken)
	for _, want := range []string{"a.txt:1", `b.txt has no {{define "subject"}}`, "c.html"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
}

func TestLocaleAndData(t *testing.T) {
	t.Parallel()
	pair := func(subject, content string) (*fstest.MapFile, *fstest.MapFile) {
		return &fstest.MapFile{Data: []byte(`{{define "subject"}}` + subject + `{{end}}` + content)},
			&fstest.MapFile{Data: []byte(`{{define "content"}}` + content + `{{end}}`)}
	}
	files := fstest.MapFS{"_theme/mail/layout.html": {Data: []byte(`<html>{{.Subject}} {{template "content" .}}</html>`)}}
	files["_theme/mail/hi.txt"], files["_theme/mail/hi.html"] = pair("Hello {{.Data.Name}}", "Hello {{.Data.Name}}")
	files["_theme/mail/hi.de.txt"], files["_theme/mail/hi.de.html"] = pair("Hallo {{.Data.Name}}", "Hallo {{.Data.Name}}")
	app, _ := newApp(t, func(c *mail.Config) { c.Templates = files })
	fake := &fakeMailer{}
	fake.bind(app)
	name := "<b>{{.Site}}</b>\r\nBcc: x@example.com =?utf-8?q?=0A?= " + strings.Repeat("長", 400)
	for locale, want := range map[string]string{"": "Hello", "de": "Hallo", "fr": "Hello", "../de": "Hello"} {
		must(t, mail.Send(app, mail.Message{
			To: to("a@example.com"), Template: "hi", Locale: locale, Data: map[string]string{"Name": name}, Key: "hi" + locale,
		}))
		waitFor(t, app, func(r mail.Record) bool { return r.State == mail.Sent && r.Key == "hi"+locale })
		m := fake.got[len(fake.got)-1]
		if !strings.HasPrefix(m.Subject, want+" <b>{{.Site}}</b> Bcc: x@example.com = ?utf-8") || !strings.HasSuffix(m.Subject, "…") ||
			len(mime.QEncoding.Encode("utf-8", m.Subject)) > 900 {
			t.Errorf("%q: subject %q", locale, m.Subject)
		}
		if !strings.HasPrefix(m.Text, want+" <b>") || !strings.Contains(m.HTML, want+" &lt;b&gt;{{.Site}}") {
			t.Errorf("%q: text %q, html %q", locale, m.Text[:40], m.HTML[:200])
		}
	}
	for name, m := range map[string]mail.Message{
		"unknown": {Template: "nothing"}, "path": {Template: "../mail/hi"}, "data": {Template: "hi"},
		"large": {Template: "hi", Data: map[string]string{"Name": strings.Repeat("x", 1<<20)}},
	} {
		m.To = to("a@example.com")
		if err := mail.Send(app, m); err == nil {
			t.Errorf("%s: sent", name)
		}
	}
}
