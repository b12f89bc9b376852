package mail

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

func newApp(t *testing.T, o Options) core.App {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: t.TempDir()})
	must(t, app.Bootstrap())
	t.Cleanup(func() {
		_ = queue.Stop(context.Background(), app)
		_ = app.ResetBootstrapState()
	})
	must(t, queue.Migrate(app))
	must(t, Migrate(app))
	must(t, Migrate(app))
	must(t, Register(app, Config{Templates: pb_public.Files, Options: func() Options { return o }}))
	return app
}

// received is what the server of serveSMTP was told in one connection.
type received struct {
	from, to []string
	data     string
}

// serveSMTP answers one mail after another; recipients at refused.example
// don't exist.
func serveSMTP(t *testing.T) (port int, mails <-chan received) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	out := make(chan received, 8)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go talkSMTP(conn, out)
		}
	}()
	return l.Addr().(*net.TCPAddr).Port, out
}

func talkSMTP(conn net.Conn, out chan<- received) {
	defer conn.Close()
	var got received
	r := textproto.NewReader(bufio.NewReader(conn))
	say := func(s string) { _, _ = io.WriteString(conn, s+"\r\n") }
	say("220 ready")
	for {
		line, err := r.ReadLine()
		if err != nil {
			return
		}
		switch verb, _, _ := strings.Cut(strings.ToUpper(line), " "); {
		case verb == "MAIL":
			got.from = append(got.from, line)
			say("250 ok")
		case verb == "RCPT" && strings.Contains(line, "@refused.example"):
			say("550 5.1.1 no such mailbox")
		case verb == "RCPT":
			got.to = append(got.to, line)
			say("250 ok")
		case verb == "DATA":
			say("354 go on")
			data, err := io.ReadAll(r.DotReader())
			if err != nil {
				return
			}
			got.data = string(data)
			say("250 ok")
			out <- got
		case verb == "QUIT":
			say("221 bye")
			return
		default:
			say("250 ok")
		}
	}
}

func waitState(t *testing.T, app core.App, state string) Record {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(2 * time.Millisecond) {
		list, err := List(app, Filter{State: state})
		must(t, err)
		if len(list) == 1 {
			return list[0]
		}
	}
	t.Fatalf("no message became %s", state)
	panic("unreachable")
}

func TestSMTP(t *testing.T) {
	t.Parallel()
	app := newApp(t, Options{})
	port, mails := serveSMTP(t)
	settings := app.Settings()
	settings.SMTP.Enabled, settings.SMTP.Host, settings.SMTP.Port = true, "127.0.0.1", port
	settings.Meta.SenderName, settings.Meta.SenderAddress = `Hof, Haus "&" Co.`, "hof@example.com"
	must(t, queue.Start(app))

	must(t, Send(app, Message{To: netmail.Address{Name: "Doe, Jane", Address: "jane@example.com"}, Template: "test"}))
	var got received
	select {
	case got = <-mails:
	case <-time.After(20 * time.Second):
		t.Fatal("nothing reached the server")
	}
	record := waitState(t, app, Sent)
	m, err := netmail.ReadMessage(strings.NewReader(got.data))
	must(t, err)
	from, err := m.Header.AddressList("From")
	must(t, err)
	to, err := m.Header.AddressList("To")
	must(t, err)
	if len(got.to) != 1 || len(from) != 1 || from[0].Name != `Hof, Haus "&" Co.` || len(to) != 1 || to[0].Name != "Doe, Jane" {
		t.Errorf("recipients %v, from %v, to %v", got.to, from, to)
	}
	if id := m.Header.Get("Message-Id"); id != record.MessageID || len(m.Header["Message-Id"]) != 1 {
		t.Errorf("message ids %q, want %q", m.Header["Message-Id"], record.MessageID)
	}

	must(t, Send(app, Message{To: netmail.Address{Address: "gone@refused.example"}, Template: "test"}))
	if r := waitState(t, app, Failed); r.Attempts != 1 || !strings.Contains(r.Error, "no such mailbox") {
		t.Errorf("a refused recipient: %+v", r)
	}
	if _, err := os.Stat(filepath.Join(app.DataDir(), "outbox")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is an outbox although SMTP is set up: %v", err)
	}
}

func TestSendmailOnlyWhenChosen(t *testing.T) {
	t.Parallel()
	app := newApp(t, Options{Sendmail: true})
	dir := t.TempDir()
	script := filepath.Join(dir, "sendmail")
	must(t, os.WriteFile(script, []byte("#!/bin/sh\nprintf '%s\\n' \"$@\" >\""+dir+"/args\"\ncat >\""+dir+"/mail\"\n"), 0o700))
	s, err := serviceOf(app)
	must(t, err)
	s.sendmail = script
	message := &mailer.Message{
		From: netmail.Address{Address: "a@example.com"}, To: []netmail.Address{{Address: "b@example.com"}},
		Bcc: []netmail.Address{{Address: "hidden@example.com"}}, Subject: "hi", Text: "text", HTML: "<p>html</p>",
	}
	must(t, app.NewMailClient().Send(message))
	args, err := os.ReadFile(filepath.Join(dir, "args"))
	must(t, err)
	if string(args) != "-i\n-f\na@example.com\n--\nb@example.com\nhidden@example.com\n" {
		t.Errorf("arguments %q", args)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "mail"))
	must(t, err)
	if text := string(raw); strings.Contains(text, "hidden@example.com") || strings.Contains(text, "\r") || !strings.Contains(text, "Message-ID: <") {
		t.Errorf("%s", text)
	}

	message.To[0].Address = "-OQueueDirectory=/tmp@example.com"
	if err := app.NewMailClient().Send(message); !errors.Is(err, ErrAddress) {
		t.Errorf("an address like an option: %v", err)
	}
	must(t, os.WriteFile(script, []byte("#!/bin/sh\necho no queue\nexit 75\n"), 0o700))
	message.To[0].Address = "b@example.com"
	if err := app.NewMailClient().Send(message); err == nil || !strings.Contains(err.Error(), "no queue") {
		t.Errorf("a failing program: %v", err)
	}
}

func TestRefusedForGood(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		code int
		msg  string
		want bool
	}{
		{550, "5.1.1 no such user", true}, {550, "5.1.10 null MX", true}, {553, "bad name", true}, {551, "not here", true},
		{550, "5.7.1 blocked", false}, {550, "relaying denied", false}, {535, "5.7.8 wrong password", false},
		{451, "4.7.1 grey-listed", false}, {554, "5.1.8 bad sender", false},
	} {
		err := fmt.Errorf("rcpt: %w", &textproto.Error{Code: c.code, Msg: c.msg})
		if got := refusedForGood(err); got != c.want {
			t.Errorf("%d %s: %v", c.code, c.msg, got)
		}
	}
	if refusedForGood(errors.New("x")) || refusedForGood(nil) {
		t.Error("an error of another kind is final")
	}
}

func TestOldMessagesAreForgotten(t *testing.T) {
	t.Parallel()
	app := newApp(t, Options{})
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ids := map[string]int64{}
	for _, name := range []string{"sent", "failed", "deferred", "new"} {
		id, err := insert(app, row{MessageID: name, To: "a@example.com"}, now)
		must(t, err)
		ids[name] = id
	}
	must(t, markSent(app, ids["sent"], 1, now))
	must(t, mark(app, ids["failed"], Failed, errors.New(strings.Repeat("ä", 1000)), 1, now, now))
	must(t, mark(app, ids["deferred"], Deferred, errors.New("x"), 1, now, now))
	must(t, markSent(app, ids["new"], 1, now.Add(keepFor+time.Hour)))
	for name, want := range map[string]bool{"sent": false, "failed": false, "deferred": true, "new": true} {
		r, err := find(app, ids[name])
		must(t, err)
		if (r != nil) != want {
			t.Errorf("%s: kept %v", name, r != nil)
		}
	}
	must(t, Unmigrate(app))
	if _, err := List(app, Filter{}); err == nil {
		t.Error("listed a table that is gone")
	}
}

func TestMessageID(t *testing.T) {
	t.Parallel()
	same := messageID("k", "https://site.example/", "a@mail.example")
	if same != messageID("k", "https://site.example", "b@other.example") || !strings.HasSuffix(same, "@site.example>") {
		t.Errorf("not stable: %s", same)
	}
	for _, other := range []string{
		messageID("l", "https://site.example", ""), messageID("k", "https://other.example", ""), messageID("", "https://site.example", ""),
	} {
		if other == same {
			t.Errorf("the same for another message: %s", other)
		}
	}
	for site, want := range map[string]string{"": "@mail.example>", "http://[::1]:80": "@mail.example>", "http://müller.example": "@xn--mller-kva.example>"} {
		if id := messageID("", site, "a@mail.example"); !strings.HasSuffix(id, want) {
			t.Errorf("%q: %s", site, id)
		}
	}
	if id := messageID("", "", "nobody"); !strings.HasSuffix(id, "@localhost>") {
		t.Error(id)
	}
}
