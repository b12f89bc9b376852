package inbox_test

import (
	"bytes"
	"io"
	"net"
	"net/http"
	netmail "net/mail"
	"net/url"
	"strings"
	"sync"
	"testing"

	"bungalow/hooks/inbox"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/emersion/go-smtp"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/mailer"
)

// sink is a mail server of somebody else, who keeps what comes.
type sink struct {
	mu    sync.Mutex
	mails [][]byte
}

func (s *sink) NewSession(*smtp.Conn) (smtp.Session, error) { return s, nil }
func (s *sink) Reset()                                      {}
func (s *sink) Logout() error                               { return nil }
func (s *sink) Mail(string, *smtp.MailOptions) error        { return nil }
func (s *sink) Rcpt(string, *smtp.RcptOptions) error        { return nil }
func (s *sink) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	s.mu.Lock()
	s.mails = append(s.mails, raw)
	s.mu.Unlock()
	return err
}

// to gives the last mail to an address, nil where none came yet.
func (s *sink) to(address string) *netmail.Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.mails) - 1; i >= 0; i-- {
		m, err := netmail.ReadMessage(bytes.NewReader(s.mails[i]))
		if err == nil && strings.Contains(m.Header.Get("To"), address) {
			return m
		}
	}
	return nil
}

// A visitor fills in a form; the team is told and the visitor thanked by real
// mail; staff answer at the desk; the visitor's mail program answers by SMTP and
// the same mail lies in the mailbox too: one conversation, each message once.
func TestFromAFormToAConversationByMail(t *testing.T) {
	t.Parallel()
	app := newSite(t)
	server := &sink{}
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	receiver := smtp.NewServer(server)
	go func() { _ = receiver.Serve(listen) }()
	t.Cleanup(func() { _ = receiver.Close() })
	port := listen.Addr().(*net.TCPAddr).Port
	app.OnMailerSend().BindFunc(func(e *core.MailerEvent) error { // the test app's own mailer sends nothing
		e.Mailer = &mailer.SMTPClient{Host: "127.0.0.1", Port: port}
		return e.Next()
	})
	s := app.Settings()
	s.SMTP.Enabled, s.SMTP.Host, s.SMTP.Port = true, "127.0.0.1", port
	check(t, app.Save(s))
	mailServer, user := mailbox(t)
	address := start(t, app, mailServer)
	sitetest.Make(t, app, schema.Forms, map[string]any{
		"slug": "ask", "title": "Ask us", "open": true, "recipients": "team@haus.example", "spam_policy": "off",
		"reply_on": true, "reply_subject": "Thank you", "reply_body": "We have your message.",
		"fields": `[{"name":"name","type":"text","required":true},{"name":"email","type":"email","required":true},{"name":"message","type":"textarea"}]`,
	})
	run(t, app)
	res, body := app.JSON(http.MethodPost, "/f/ask", "", `{"name":"Ann","email":"ann@example.com","message":"When do you open?"}`)
	if res.StatusCode != http.StatusCreated {
		t.Fatalf("the form answers %d %s", res.StatusCode, body)
	}
	until(t, "the team is told and the visitor thanked", func() bool {
		return server.to("team@haus.example") != nil && server.to("ann@example.com") != nil
	})
	list, err := app.FindAllRecords(schema.Conversations)
	check(t, err)
	if len(list) != 1 {
		t.Fatalf("%d conversations", len(list))
	}
	c := list[0]

	_, person, _ := actor(t, app)
	form := url.Values{"text": {"At ten."}}.Encode()
	res, body = app.Do(http.MethodPost, inbox.Path(c.Id)+"reply/", form, "Cookie", sitetest.Cookie(t, app, person),
		"Accept", "text/html", "Sec-Fetch-Site", "same-origin", "Content-Type", "application/x-www-form-urlencoded")
	if res.StatusCode != http.StatusSeeOther {
		t.Fatalf("the desk answers %d %.300s", res.StatusCode, body)
	}
	later(app)
	var answer *netmail.Message
	until(t, "the answer is delivered", func() bool {
		answer = server.to("ann@example.com")
		return answer != nil && answer.Header.Get("Auto-Submitted") == ""
	})
	replyTo, err := netmail.ParseAddress(answer.Header.Get("Reply-To"))
	check(t, err)
	raw := letter("Ann <ann@example.com>", "<thanks@example.com>", "Thank you!", "In-Reply-To: "+answer.Header.Get("Message-Id"), "Subject: Re: something")
	check(t, bring(address, "ann@example.com", []string{replyTo.Address}, raw))
	put(t, user, raw)
	put(t, user, letter("late@example.com", "<late@example.com>", "the mailbox was read up to here"))
	until(t, "the mailbox is read", func() bool {
		n, err := app.CountRecords(schema.Conversations)
		check(t, err)
		return n == 2
	})
	messages := must[[]*core.Record](t)(inbox.Messages(app, c.Id))
	var got []string
	for _, m := range messages {
		got = append(got, m.GetString("direction")+" "+m.GetString("kind")+" "+m.GetString("state"))
	}
	if want := "in form received, out reply sent, in mail received"; strings.Join(got, ", ") != want {
		t.Errorf("the conversation is %v, want %s", got, want)
	}
}
