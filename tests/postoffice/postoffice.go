// Package postoffice is the mail of somebody else, on loopback: a server that
// takes mail by SMTP and keeps it, a mailbox that is read by IMAP, and a server
// that brings mail by SMTP. Tests speak to the site through it as the world
// does. Everything is a real protocol and nothing is a network.
package postoffice

import (
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/mail"
	gosmtp "net/smtp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
	"github.com/emersion/go-smtp"
)

// Mail is one that was taken.
type Mail struct {
	From string
	To   []string // the recipients that the sender named, not those of the header
	Raw  []byte
}

// Header is its header, empty where it can't be read.
func (m Mail) Header() mail.Header {
	parsed, err := mail.ReadMessage(bytes.NewReader(m.Raw))
	if err != nil {
		return mail.Header{}
	}
	return parsed.Header
}

// Server takes every mail.
type Server struct {
	Port int

	mu    sync.Mutex
	mails []Mail
	turn  func(n int)
}

// Serve runs a server until the test ends.
func Serve(t testing.TB) *Server {
	t.Helper()
	s := &Server{}
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.Port = listen.Addr().(*net.TCPAddr).Port
	server := smtp.NewServer(s)
	go func() { _ = server.Serve(listen) }()
	t.Cleanup(func() { _ = server.Close() })
	return s
}

// Settings are PocketBase's, so that a site sends through this server.
func (s *Server) Settings() map[string]any {
	return map[string]any{"smtp": map[string]any{"enabled": true, "host": "127.0.0.1", "port": s.Port}}
}

// Each has fn called with the number of each mail, from 1, after it was kept and
// before its sender is told so. Several may be in fn at once.
func (s *Server) Each(fn func(n int)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.turn = fn
}

// NewSession begins one visit of a sender.
func (s *Server) NewSession(*smtp.Conn) (smtp.Session, error) { return &visit{server: s}, nil }

// All gives what was taken so far, in its order.
func (s *Server) All() []Mail {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mails)
}

// Last gives the last mail to an address.
func (s *Server) Last(to string) (Mail, bool) {
	for _, m := range slices.Backward(s.All()) {
		if slices.Contains(m.To, to) {
			return m, true
		}
	}
	return Mail{}, false
}

type visit struct {
	server *Server
	mail   Mail
}

func (v *visit) Reset()        { v.mail = Mail{} }
func (v *visit) Logout() error { return nil }

func (v *visit) Mail(from string, _ *smtp.MailOptions) error {
	v.mail.From = from
	return nil
}

func (v *visit) Rcpt(to string, _ *smtp.RcptOptions) error {
	v.mail.To = append(v.mail.To, to)
	return nil
}

func (v *visit) Data(r io.Reader) (err error) {
	if v.mail.Raw, err = io.ReadAll(r); err != nil {
		return err
	}
	s := v.server
	s.mu.Lock()
	s.mails = append(s.mails, v.mail)
	n, turn := len(s.mails), s.turn
	s.mu.Unlock()
	if turn != nil {
		turn(n)
	}
	return nil
}

// Bring sends a mail by SMTP as another server does, encrypted with whatever
// certificate there is.
func Bring(address, from string, to []string, raw []byte) error {
	c, err := gosmtp.Dial(address)
	if err != nil {
		return err
	}
	defer c.Close()
	if ok, _ := c.Extension("STARTTLS"); !ok {
		return errors.New("no STARTTLS is offered")
	}
	if err := c.StartTLS(&tls.Config{InsecureSkipVerify: true}); err != nil { // self-made
		return err
	}
	if err := c.Mail(from); err != nil {
		return err
	}
	for _, r := range to {
		if err := c.Rcpt(r); err != nil {
			return err
		}
	}
	w, err := c.Data()
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	return w.Close()
}

// The mailbox's user.
const (
	User     = "hello"
	Password = "secret"
)

// Mailbox is a real IMAP server in memory with one mailbox.
type Mailbox struct {
	Address string

	t    testing.TB
	user *imapmemserver.User

	mu    sync.Mutex
	conns []net.Conn
}

// noting is a listener whose connections can be cut.
type noting struct {
	net.Listener
	box *Mailbox
}

// Accept implements net.Listener.
func (n noting) Accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	if err == nil {
		n.box.mu.Lock()
		n.box.conns = append(n.box.conns, c)
		n.box.mu.Unlock()
	}
	return c, err
}

// Cut ends every connection, as a server does that starts anew, and reports how
// many there were.
func (b *Mailbox) Cut() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	n := len(b.conns)
	for _, c := range b.conns {
		_ = c.Close()
	}
	b.conns = nil
	return n
}

// OpenMailbox runs one until the test ends.
func OpenMailbox(t testing.TB) *Mailbox {
	t.Helper()
	store := imapmemserver.New()
	user := imapmemserver.NewUser(User, Password)
	if err := user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	store.AddUser(user)
	b := &Mailbox{t: t, user: user}
	server := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			return store.NewSession(), nil, nil
		},
		Caps: imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIMAP4rev2: {}, imap.CapIdle: {}}, InsecureAuth: true,
		Logger: log.New(io.Discard, "", 0), // a connection that is cut is no news
	})
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b.Address = listen.Addr().String()
	go func() { _ = server.Serve(noting{listen, b}) }()
	t.Cleanup(func() { _ = server.Close() })
	return b
}

// literal is a mail as the mailbox takes it.
type literal struct{ *bytes.Reader }

func (l literal) Size() int64 { return int64(l.Len()) }

// Put lays a mail into the mailbox.
func (b *Mailbox) Put(raw []byte) {
	b.t.Helper()
	if _, err := b.user.Append("INBOX", literal{bytes.NewReader(raw)}, &imap.AppendOptions{Time: time.Now()}); err != nil {
		b.t.Fatal(err)
	}
}

// Unseen is how many mails in it nobody has read.
func (b *Mailbox) Unseen() int {
	b.t.Helper()
	data, err := b.user.Status("INBOX", &imap.StatusOptions{NumUnseen: true})
	if err != nil {
		b.t.Fatal(err)
	}
	return int(*data.NumUnseen)
}

// Letter writes a mail of plain text; header is more lines.
func Letter(from, to, id, text string, header ...string) []byte {
	head := append([]string{"From: " + from, "To: " + to, "Date: Mon, 2 Feb 2026 10:00:00 +0000",
		"MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8"}, header...)
	if id != "" {
		head = append(head, "Message-ID: "+id)
	}
	if !strings.Contains(strings.Join(header, "\n"), "Subject:") {
		head = append(head, "Subject: Hello")
	}
	return fmt.Appendf(nil, "%s\r\n\r\n%s\r\n", strings.Join(head, "\r\n"), text)
}
