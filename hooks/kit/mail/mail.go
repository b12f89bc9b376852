// Package mail renders messages and gets them out of the house.
//
// It promises that a message is stored and queued in the caller's transaction,
// that a Key makes sending idempotent, that a message is tried for three days
// and keeps one Message-ID meanwhile, and that nothing a visitor typed can add
// a header or a recipient. Where no SMTP server is set up, every mail of the
// process, PocketBase's own included, becomes a file in pb_data/outbox that
// any mail program opens; so everything works without a network.
//
// It never sends inside a request or a transaction, never starts the
// sendmail program unless that was chosen, and never parses a visitor's text as
// a template.
package mail

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/mail"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	"bungalow/hooks/kit/queue"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// ErrAddress says that a recipient's address can't be used.
var ErrAddress = errors.New("this is not an e-mail address that can receive mail")

// errUnregistered says that Register was not called for this app.
var errUnregistered = errors.New("mail is not set up for this app")

// Site is what the messages say of the site.
type Site struct {
	Name   string
	URL    string // absolute, for links
	Accent string // #rrggbb
}

// Options are the owner's choices.
type Options struct {
	// Sendmail hands mail to the sendmail program where SMTP is off.
	Sendmail bool `json:"sendmail"`
	// DKIMDomain signs for this domain; empty means that of the sender.
	DKIMDomain string `json:"dkim_domain"`
	// DKIMSelector is the key's name in the DNS; empty means DefaultSelector.
	DKIMSelector string `json:"dkim_selector"`
}

// Config says where Register finds what it needs. Only Templates is required.
type Config struct {
	// Templates holds _theme/mail/<name>.txt, <name>.html and layout.html.
	// They are read at each message, so an edited file counts at once.
	Templates fs.FS
	// Site is asked for each message (default: PocketBase's application name
	// and address).
	Site func() Site
	// Options is asked for each delivery (default: none chosen).
	Options func() Options
	// Now is the time source (default time.Now).
	Now func() time.Time
}

// Message is one mail to one person.
type Message struct {
	To      mail.Address
	Cc      []mail.Address // optional
	ReplyTo mail.Address   // optional
	// FromName stands for the sender's name of the settings where it is set.
	FromName string
	// MessageID, InReplyTo and References place the mail in a thread (RFC 5322,
	// section 3.6.4), each id in angle brackets. Without a MessageID the mail
	// gets one. Too many References lose those after the first.
	MessageID  string
	InReplyTo  string
	References []string
	// Personal says that a person wrote this. All others are marked as sent
	// by a machine (RFC 3834), so that no machine answers them.
	Personal bool
	// Unsubscribe is an https address that takes the recipient off a list when
	// something is posted to it (RFC 8058). Every mail that the recipient did
	// not cause by an act of their own has one.
	Unsubscribe string
	// Template names the pair in _theme/mail.
	Template string
	// Locale selects <name>.<locale>.txt and .html where they exist.
	Locale string
	// Data is the templates' .Data.
	Data any
	// Key names the occasion, such as "order-paid/123". While the message is
	// known (90 days after it was sent) another one with this key is not sent.
	Key string
}

// service is the state of one app.
type service struct {
	cfg    Config
	outbox *outbox
	// sendmail is the program's path, looked up when empty.
	sendmail string
}

func serviceOf(app core.App) (*service, error) {
	if s, ok := app.Store().Get("bungalow.mail").(*service); ok {
		return s, nil
	}
	return nil, errUnregistered
}

// Register prepares app to send mail: the queue's kind and the hook that
// replaces PocketBase's sendmail. It touches no database. It returns an error
// when called twice.
func Register(app core.App, cfg Config) error {
	if cfg.Templates == nil {
		return errors.New("mail needs templates")
	}
	if cfg.Site == nil {
		cfg.Site = func() Site {
			meta := app.Settings().Meta
			return Site{Name: meta.AppName, URL: meta.AppURL}
		}
	}
	if cfg.Options == nil {
		cfg.Options = func() Options { return Options{} }
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	s := &service{cfg: cfg, outbox: newOutbox(app, filepath.Join(app.DataDir(), "outbox"), cfg.Now)}
	if app.Store().GetOrSet("bungalow.mail", func() any { return s }) != any(s) {
		return errors.New("mail is registered twice for this app")
	}
	queue.Register(app, queue.Kind{
		Name: kind, Do: s.deliver, Dead: s.giveUp,
		Timeout: 2 * time.Minute, Attempts: len(schedule) + 1, Backoff: backoff, Concurrency: 2,
	})
	app.OnMailerSend().Bind(&hook.Handler[*core.MailerEvent]{
		Id:       "bungalowMailRoute",
		Priority: 9999, // whoever brings a mailer of their own has done so by now
		Func:     s.route,
	})
	return nil
}

// Send renders m, stores it and queues it, all in app's transaction where it
// has one. A known Key makes it do nothing. Errors: ErrAddress, a template
// that is missing or fails, or the database's.
func Send(app core.App, m Message) error {
	s, err := serviceOf(app)
	if err != nil {
		return err
	}
	to, err := cleanAddress(m.To)
	if err != nil {
		return err
	}
	var replyTo string
	if m.ReplyTo.Address != "" {
		a, err := cleanAddress(m.ReplyTo)
		if err != nil {
			return fmt.Errorf("reply-to: %w", err)
		}
		replyTo = a.String()
	}
	cc, err := cleanList(m.Cc)
	if err != nil {
		return fmt.Errorf("copy to: %w", err)
	}
	headers, err := json.Marshal(m.headers())
	if err != nil {
		return fmt.Errorf("send mail %s: %w", m.Template, err)
	}
	site := s.cfg.Site()
	body, err := render(s.cfg.Templates, m, site)
	if err != nil {
		return fmt.Errorf("render mail %s: %w", m.Template, err)
	}
	write := func(tx core.App) error {
		id, err := insert(tx, row{
			Key: key(m.Key), MessageID: cmp.Or(oneID(m.MessageID), messageID(m.Key, site.URL, tx.Settings().Meta.SenderAddress)),
			Template: m.Template, To: to.String(), Cc: cc, ReplyTo: replyTo, FromName: cleanLine(m.FromName), Headers: string(headers),
			Subject: body.subject, Text: body.text, HTML: body.html,
		}, s.cfg.Now())
		if err != nil || id == 0 {
			return err
		}
		return queue.Enqueue(tx, kind, job{ID: id})
	}
	if err := app.RunInTransaction(write); err != nil {
		return fmt.Errorf("send mail %s: %w", m.Template, err)
	}
	return nil
}

func key(k string) *string {
	if k == "" {
		return nil
	}
	return &k
}

// messageID is the same for the same key on the same site, so that a message
// that got out twice (a crash between sending and noting it) folds into one.
func messageID(key, siteURL, sender string) string {
	sum := sha256.Sum256([]byte("bungalow mail\x00" + key))
	id := sum[:16]
	if key == "" {
		id = make([]byte, 16)
		_, _ = rand.Read(id) // never fails since Go 1.24
	}
	_, domain, _ := strings.Cut(sender, "@")
	if u, err := url.Parse(siteURL); err == nil && u.Hostname() != "" && !strings.Contains(u.Hostname(), ":") {
		domain = u.Hostname()
	}
	return "<" + hex.EncodeToString(id) + "@" + cmp.Or(asciiDomain(domain), "localhost") + ">"
}

const kind = "mail.send"

type job struct {
	ID int64 `json:"id"`
}

// schedule is the waits after failed attempts; together three days. Both a
// short outage and grey-listing (RFC 6647) end early in it.
var schedule = []time.Duration{
	time.Minute, 4 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 4 * time.Hour, 8 * time.Hour, 8 * time.Hour,
	12 * time.Hour, 12 * time.Hour, 12 * time.Hour, 12 * time.Hour,
}

func backoff(attempt int) time.Duration {
	return schedule[min(max(attempt, 1), len(schedule))-1]
}

// deliver is the queue's handler.
func (s *service) deliver(ctx context.Context, app core.App, payload []byte) error {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return queue.NoRetry(err)
	}
	m, err := find(app, j.ID)
	if err != nil {
		return err
	}
	if m == nil || m.State == Sent || m.State == Bounced {
		return nil
	}
	n, _ := queue.Attempt(ctx)
	if err := s.hand(app, m); err != nil {
		now := s.cfg.Now()
		return errors.Join(err, mark(app, j.ID, Deferred, err, n, now, now.Add(backoff(n))))
	}
	return markSent(app, j.ID, n, s.cfg.Now())
}

// giveUp notes that the queue has buried the job.
func (s *service) giveUp(tx core.App, payload []byte, cause error) error {
	var j job
	if err := json.Unmarshal(payload, &j); err != nil {
		return err
	}
	res, err := tx.NonconcurrentDB().NewQuery(`UPDATE _mails SET state = 'failed', error = {:error}, next_at = 0, updated = {:now}
		WHERE id = {:id} AND state NOT IN ('sent', 'bounced')`).
		Bind(dbx.Params{"id": j.ID, "error": errorText(cause), "now": s.cfg.Now().UnixMilli()}).Execute()
	if err != nil {
		return err
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return err
	}
	return tell(tx, j.ID)
}
