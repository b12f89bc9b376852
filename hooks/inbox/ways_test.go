package inbox_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"bungalow/tests/postoffice"
	"github.com/pocketbase/pocketbase/core"
)

// start lets a site receive by SMTP and, where there is a server, by IMAP.
func start(t testing.TB, app *sitetest.Site, imapServer string) (smtpAddr string) {
	t.Helper()
	o := inbox.Defaults()
	if imapServer != "" {
		o.IMAPServer, o.IMAPSecurity, o.IMAPUser, o.IMAPPassword = imapServer, "none", postoffice.User, postoffice.Password
	}
	o.Aliases = []string{"sales@haus.example", "@all.example"}
	check(t, settings.Save(app, inbox.Feature, o))
	check(t, inbox.StartWays(app, inbox.Config{SMTP: "127.0.0.1:0"}))
	t.Cleanup(func() { inbox.StopWays(app) })
	return inbox.SMTPAddr(app)
}

func TestMailComesBySMTPAndByIMAPOnce(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	box := postoffice.OpenMailbox(t)
	box.Put(letter("old@example.com", "<waiting@x>", "waiting before the start"))
	address := start(t, app, box.Address)
	c, m := answered(t, app)
	reply := must2(inbox.ReplyAddress(app, c.Id))(t)
	raw := letter("Ann <ann@example.com>", "<answer@x>", "Thank you!\r\n\r\nOn Mon, 2 Feb 2026, Haus wrote:\r\n> At ten.", "In-Reply-To: "+m.GetString("message_id"))
	check(t, postoffice.Bring(address, "ann@example.com", []string{reply}, raw))
	box.Put(append([]byte("Received: by a mailbox\r\n"), raw...))
	box.Put(letter("bea@example.com", "<last@x>", "last"))
	until(t, "the mailbox is read", func() bool {
		n, err := app.CountRecords(schema.Messages)
		check(t, err)
		return n == 5 // the form, its answer, the reply once, and two others
	})
	list := must[[]*core.Record](t)(inbox.Messages(app, c.Id))
	if len(list) != 3 || list[2].GetString("text") != "Thank you!" || !strings.Contains(list[2].GetString("quoted"), "At ten.") {
		t.Fatalf("%d messages", len(list))
	}
	if s := inbox.Mailbox(app); !s.On || s.Error != "" {
		t.Errorf("%+v", s)
	}
	// Whoever looks into the mailbox sees what the inbox has.
	until(t, "all is marked as seen", func() bool {
		return box.Unseen() == 0
	})
}

// 300 mails of 15 threads come in random order by SMTP and by IMAP at once, some
// of them twice: each is stored once, in its conversation.
func TestThreeHundredMailsByTwoWaysAtOnce(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	by, _, _ := actor(t, app)
	box := postoffice.OpenMailbox(t)
	address := start(t, app, box.Address)
	const threads, each = 15, 20
	type post struct{ raw []byte }
	var posts []post
	ids := make([]string, threads)
	for thread := range threads {
		from := fmt.Sprintf("p%d@example.com", thread)
		c := must[*core.Record](t)(inbox.Receive(app, inbox.Submission{Subject: "Same subject", Name: from, Email: from, Text: "begin"}))
		m := must[*core.Record](t)(inbox.Reply(app, by, c.Id, inbox.Answer{Text: "go on"}))
		ids[thread] = c.Id
		for i := range each {
			head := []string{"Subject: Re: Same subject", "References: " + m.GetString("message_id")}
			if i%4 > 0 { // most name the mail before too
				head = append(head, fmt.Sprintf("In-Reply-To: <%d.%d@x>", thread, i-1))
			}
			posts = append(posts, post{letter(from, fmt.Sprintf("<%d.%d@x>", thread, i), fmt.Sprintf("mail %d of %d", i, thread), head...)})
		}
	}
	for _, i := range rand.Perm(len(posts))[:60] {
		posts = append(posts, posts[i])
	}
	rand.Shuffle(len(posts), func(i, j int) { posts[i], posts[j] = posts[j], posts[i] })
	began := time.Now()
	var wait sync.WaitGroup
	for worker := range 4 {
		wait.Go(func() {
			for i := worker; i < len(posts); i += 4 {
				if i%2 == 0 {
					box.Put(posts[i].raw)
				} else if err := postoffice.Bring(address, "p@example.com", []string{"hello@haus.example"}, posts[i].raw); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wait.Wait()
	until(t, "all mails are here", func() bool {
		n, err := app.CountRecords(schema.Messages)
		check(t, err)
		return n >= threads*(each+2)
	})
	until(t, "the mailbox is read to its end", func() bool {
		return box.Unseen() == 0
	})
	t.Logf("%d deliveries of %d mails in %s", len(posts), threads*each, time.Since(began).Round(time.Millisecond))
	for thread, id := range ids {
		seen := map[string]bool{}
		for _, m := range must[[]*core.Record](t)(inbox.Messages(app, id)) {
			if m.GetString("direction") == "in" && m.GetString("kind") == "mail" {
				seen[m.GetString("message_id")] = true
				if !strings.HasSuffix(m.GetString("text"), fmt.Sprintf(" of %d", thread)) {
					t.Errorf("thread %d has %q", thread, m.GetString("text"))
				}
			}
		}
		if len(seen) != each {
			t.Errorf("thread %d has %d mails", thread, len(seen))
		}
	}
	if n, _ := app.CountRecords(schema.Conversations); n != threads {
		t.Errorf("%d conversations", n)
	}
	if n, _ := app.CountRecords(schema.Messages); n != threads*(each+2) {
		t.Errorf("%d messages", n)
	}
}

// Fifty ways to have a mail passed on, none of which works.
func TestItIsNoRelay(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	address := start(t, app, "")
	ways := []string{
		"victim@other.example", "victim%other.example@haus.example", "victim@other.example@haus.example", "@haus.example:victim@other.example",
		"other.example!victim", "other.example!victim@haus.example", "victim@[127.0.0.1]", "victim@[IPv6:::1]", "victim@localhost", "victim",
		"<victim@other.example>", "\"victim@other.example\"@haus.example", "\"victim%other.example\"@haus.example", "victim@haus.example",
		"root@haus.example", "hello@haus.example.other.example", "hello@other.example", "hello@haus", "hello@.haus.example", "hello@haus.example.",
		"hello@sub.haus.example", "hello@haus.example,victim@other.example", "hello@haus.example;victim@other.example", "hello@haus.example victim@other.example",
		"hello@haus.example\tvictim@other.example", "hello@haus.example>,<victim@other.example", "+hello@haus.example", "@haus.example", "hello@", "",
		"postmaster@other.example", "postmaster", "abuse@haus.example", "hello%haus.example@other.example", "victim+hello@haus.example",
		"hello@haus.example%0d%0aRCPT TO:<victim@other.example>", "h\u0435llo@haus.example", "hello@hau\u0455.example", "HELLO@HAUS.EXAMPLE.other.example",
		"sales@other.example", "sales%all.example@haus.example", "x@notall.example", "x@all.example.other.example", "x@sub.all.example",
		"@all.example,@haus.example:victim@other.example", "victim@127.0.0.1", "victim@0x7f000001", "victim#other.example@haus.example",
		"victim:other.example@haus.example", "hello@haus.example@other.example", "/dev/null@haus.example", "|cat@haus.example",
	}
	if len(ways) < 50 {
		t.Fatalf("only %d ways", len(ways))
	}
	c, err := textproto.Dial("tcp", address)
	check(t, err)
	defer c.Close()
	say := func(line string) int {
		t.Helper()
		check(t, c.PrintfLine("%s", line))
		code, _, err := c.ReadResponse(0)
		if err != nil && code == 0 {
			t.Fatalf("%q: %v", line, err)
		}
		return code
	}
	_, _, err = c.ReadResponse(220)
	check(t, err)
	say("EHLO other.example")
	if code := say("MAIL FROM:<hello@haus.example>"); code != 250 { // as if it were our own
		t.Fatalf("MAIL answers %d", code)
	}
	for _, to := range ways {
		if code := say("RCPT TO:<" + to + ">"); code < 500 {
			t.Errorf("%q is taken: %d", to, code)
			say("RSET")
			say("MAIL FROM:<x@other.example>")
		}
	}
	if code := say("DATA"); code == 354 {
		t.Error("a mail to nobody is taken")
	}
	for _, to := range []string{"hello@haus.example", "HELLO+x@Haus.Example", "sales@haus.example", "anybody@all.example", "postmaster@haus.example"} {
		if code := say("RCPT TO:<" + to + ">"); code != 250 {
			t.Errorf("%q answers %d", to, code)
		}
	}
	if n, _ := app.CountRecords(schema.Messages); n != 0 {
		t.Errorf("%d messages", n)
	}
}

func TestWhatASenderIsToldBySMTP(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	address := start(t, app, "")
	to := []string{"hello@haus.example"}
	if err := postoffice.Bring(address, "", to, letter("a@example.com", "<1@x>", "from the null sender")); err != nil {
		t.Error(err)
	}
	loop := letter("a@example.com", "<2@x>", "x", strings.TrimSuffix(strings.Repeat("Received: x\r\n", 60), "\r\n"))
	if err := postoffice.Bring(address, "a@example.com", to, loop); err == nil || !strings.HasPrefix(err.Error(), "554") {
		t.Errorf("a loop: %v", err)
	}
	large := letter("a@example.com", "<3@x>", strings.Repeat(strings.Repeat("x", 998)+"\r\n", inbox.MaxMail/1000+1))
	if err := postoffice.Bring(address, "a@example.com", to, large); err == nil || !strings.HasPrefix(err.Error(), "552") {
		t.Errorf("a large mail: %v", err)
	}
	if err := postoffice.Bring(address, "a@example.com", strings.Split(strings.Repeat("hello@haus.example ", 21), " ")[:21], letter("a@example.com", "<4@x>", "x")); err == nil || !strings.HasPrefix(err.Error(), "452") {
		t.Errorf("21 recipients: %v", err)
	}
	var open []net.Conn
	defer func() {
		for _, c := range open {
			_ = c.Close()
		}
	}()
	refused := false
	for range 15 {
		c, err := net.Dial("tcp", address)
		check(t, err)
		open = append(open, c)
		p := textproto.NewConn(c)
		_, _, err = p.ReadResponse(0)
		check(t, err)
		check(t, p.PrintfLine("EHLO x"))
		if code, _, _ := p.ReadResponse(0); code == 421 {
			refused = true
		}
	}
	if !refused {
		t.Error("one address may open any number of connections")
	}
	inbox.StopWays(app)
	if _, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		t.Error("it listens after the stop")
	}
}

func TestAProviderPostsMail(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	key := must[string](t)(inbox.InboundSecret(app))
	raw := string(letter("Ann <ann@example.com>", "<1@x>", "Hello"))
	post := func(body string, header ...string) int {
		res, _ := app.Do(http.MethodPost, inbox.InboundPath, body, header...)
		return res.StatusCode
	}
	for name, test := range map[string]struct {
		want   int
		header []string
	}{
		"nothing": {401, nil}, "wrong": {401, []string{"Authorization", "Bearer x"}}, "empty": {401, []string{"Authorization", "Bearer "}},
	} {
		if got := post(raw, test.header...); got != test.want {
			t.Errorf("%s: %d", name, got)
		}
	}
	if got := post(raw, "Authorization", "Bearer "+key, "Content-Type", "message/rfc822"); got != 201 {
		t.Errorf("the first time: %d", got)
	}
	if got := post(raw, "Authorization", "Bearer "+key); got != 200 {
		t.Errorf("again: %d", got)
	}
	if got := post(" ", "Authorization", "Bearer "+key); got != 400 {
		t.Errorf("nothing: %d", got)
	}
	if got := post(strings.Repeat("x", inbox.MaxMail+1), "Authorization", "Bearer "+key); got != 413 {
		t.Errorf("too much: %d", got)
	}
	got := 0
	for range 30 {
		if got = post(raw, "Authorization", "Bearer guess"); got == 429 {
			break
		}
	}
	if got != 429 {
		t.Error("the secret may be guessed without end")
	}
	if n, _ := app.CountRecords(schema.Messages); n != 1 {
		t.Errorf("%d messages", n)
	}
}

func TestThePasswordOfTheMailboxIsSealed(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	server := postoffice.OpenMailbox(t).Address
	o := inbox.Defaults()
	o.IMAPServer, o.IMAPSecurity, o.IMAPUser, o.IMAPPassword = server, "none", postoffice.User, postoffice.Password
	check(t, inbox.SaveOptions(app, o))
	record, err := app.FindFirstRecordByData(schema.Settings, "feature", inbox.Feature)
	check(t, err)
	if raw := record.GetString("value"); strings.Contains(raw, `"imap_password":"secret"`) || !strings.Contains(raw, `"imap_password":"sealed:`) {
		t.Errorf("stored as %s", raw)
	}
	stored := must[inbox.Options](t)(inbox.Load(app))
	if stored.IMAPPassword != "secret" {
		t.Errorf("read as %q", stored.IMAPPassword)
	}
	check(t, inbox.SaveOptions(app, stored))
	check(t, inbox.CheckMailbox(t.Context(), app))
	o.IMAPPassword = "wrong"
	check(t, inbox.SaveOptions(app, o))
	if err := inbox.CheckMailbox(t.Context(), app); err == nil || strings.Contains(err.Error(), "wrong") {
		t.Errorf("%v", err)
	}
	o.Address, o.Notify = "no address", []string{"x"}
	if err := inbox.SaveOptions(app, o); err == nil {
		t.Error("anything can be an address")
	}
}
