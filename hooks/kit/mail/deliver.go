package mail

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/mail"
	"net/textproto"
	"os/exec"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/queue"

	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
	"github.com/pocketbase/pocketbase/tools/mailer"
)

// SendEvent is what mail.OnSend announces.
type SendEvent struct {
	hook.Event
	App core.App
	// Message may be changed. What is not fit for a header is cleaned after.
	Message *mailer.Message
	// Template and Key are those of the Message given to Send.
	Template string
	Key      string
}

// OnSend fires before each attempt to send a message of ours (PocketBase's
// own fire OnMailerSend alone, and ours fire both). An error counts as a failed
// attempt; wrapped in queue.NoRetry it refuses the message for good.
func OnSend(app core.App) *hook.Hook[*SendEvent] {
	return events.Of[*SendEvent](app, "mail.OnSend")
}

// hand gives one message to whatever sends it.
func (s *service) hand(app core.App, r *row) error {
	to, err := mail.ParseAddress(r.To)
	if err != nil {
		return queue.NoRetry(fmt.Errorf("%w: %q", ErrAddress, r.To))
	}
	meta := app.Settings().Meta
	m := &mailer.Message{
		From:    mail.Address{Name: cmp.Or(r.FromName, meta.SenderName), Address: meta.SenderAddress},
		To:      []mail.Address{*to},
		Subject: r.Subject, Text: r.Text, HTML: r.HTML,
		Headers: map[string]string{},
	}
	if r.Headers == "" { // stored by an earlier release
		m.Headers[autoSubmitted] = generated
	} else if err := json.Unmarshal([]byte(r.Headers), &m.Headers); err != nil {
		return queue.NoRetry(fmt.Errorf("read the headers of a mail: %w", err))
	}
	m.Headers["Message-ID"] = r.MessageID
	if r.Cc != "" {
		cc, err := mail.ParseAddressList(r.Cc)
		if err != nil {
			return queue.NoRetry(fmt.Errorf("copy to: %w: %q", ErrAddress, r.Cc))
		}
		for _, a := range cc {
			m.Cc = append(m.Cc, *a)
		}
	}
	if r.ReplyTo != "" {
		m.Headers["Reply-To"] = r.ReplyTo
	}
	event := &SendEvent{App: app, Message: m, Template: r.Template}
	if r.Key != nil {
		event.Key = *r.Key
	}
	err = OnSend(app).Trigger(event, func(e *SendEvent) error {
		if e.Message == nil {
			return queue.NoRetry(errors.New("a handler of mail.OnSend took the message away"))
		}
		return app.NewMailClient().Send(e.Message)
	})
	if refusedForGood(err) {
		return queue.NoRetry(err)
	}
	return err
}

// refusedForGood reports whether a server said that this recipient doesn't
// exist. Other permanent refusals (a block list, a wrong password) are often the
// owner's to mend within the three days. RFC 3463 section 3.2 for 5.1.x.
func refusedForGood(err error) bool {
	var reply *textproto.Error
	if !errors.As(err, &reply) || reply.Code < 500 {
		return false
	}
	if enhanced := strings.HasPrefix(reply.Msg, "5."); enhanced {
		return slices.ContainsFunc([]string{"5.1.1 ", "5.1.2 ", "5.1.3 ", "5.1.6 ", "5.1.10 "}, func(code string) bool {
			return strings.HasPrefix(reply.Msg, code)
		})
	}
	return reply.Code == 551 || reply.Code == 553
}

// route is bound to OnMailerSend, after everybody else: it decides where mails
// go that nobody else took, PocketBase's own included.
func (s *service) route(e *core.MailerEvent) error {
	switch e.Mailer.(type) {
	case *mailer.SMTPClient:
		tidy(e.Message)
		cleanName := e.Message.From.Name
		// The SMTP client writes a plain From name as it is, and a comma in it
		// would make two addresses.
		if name := e.Message.From.Name; strings.ContainsAny(name, `()<>[]:;@\,."`) && plainText(name) {
			e.Message.From.Name = `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(name) + `"`
		}
		key, err := s.signature(e.App)
		if err != nil {
			return err
		}
		if client, ok := e.Mailer.(*mailer.SMTPClient); ok && key != nil {
			e.Message.From.Name = cleanName
			e.Mailer = signedSMTP{client: client, sign: key.sign, now: s.cfg.Now}
		}
	case *mailer.Sendmail: // PocketBase's choice where SMTP is off
		tidy(e.Message)
		if s.cfg.Options().Sendmail {
			key, err := s.signature(e.App)
			if err != nil {
				return err
			}
			e.Mailer = sendmail{path: s.sendmail, now: s.cfg.Now, sign: key.sign}
		} else {
			e.Mailer = s.outbox
		}
	}
	return e.Next()
}

// tidy cleans what a hook, or PocketBase's own mail, may have put into headers.
func tidy(m *mailer.Message) {
	m.Subject = cleanLine(m.Subject)
	m.From.Name = cleanLine(m.From.Name)
	for _, list := range [][]mail.Address{m.To, m.Cc, m.Bcc} {
		for i := range list {
			list[i].Name = cleanLine(list[i].Name)
		}
	}
	if m.Headers != nil {
		m.Headers = headersOf(m)
	}
}

func plainText(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r >= 0x7f })
}

// sendmail runs the program of that name with a message of our own making:
// PocketBase's leaves out the text part and every header of the message's own.
type sendmail struct {
	path string
	now  func() time.Time
	sign func(raw []byte) ([]byte, error)
}

// Send implements mailer.Mailer.
func (s sendmail) Send(m *mailer.Message) error {
	path, err := s.find()
	if err != nil {
		return err
	}
	raw, err := compose(m, s.now(), false)
	if err != nil {
		return err
	}
	if s.sign != nil {
		if raw, err = s.sign(raw); err != nil {
			return err
		}
	}
	args := []string{"-i", "-f", m.From.Address, "--"}
	for _, a := range slices.Concat(m.To, m.Cc, m.Bcc) {
		args = append(args, a.Address)
	}
	for _, a := range args[2:] {
		if a != "--" && (strings.HasPrefix(a, "-") || !plain(a)) {
			return fmt.Errorf("%w: %q", ErrAddress, a)
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdin = bytes.NewReader(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))) // as the program expects
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("sendmail: %w: %s", err, oneLine(string(out)))
	}
	return nil
}

func (s sendmail) find() (string, error) {
	for _, path := range []string{s.path, "/usr/sbin/sendmail", "/usr/bin/sendmail", "sendmail"} {
		if path == "" {
			continue
		}
		if found, err := exec.LookPath(path); err == nil {
			return found, nil
		}
	}
	return "", errors.New("the sendmail program was chosen in the settings but is not installed; install it or set up SMTP")
}
