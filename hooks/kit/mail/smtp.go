package mail

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/pocketbase/pocketbase/tools/mailer"
)

// smtpPatience is how long one delivery may take.
const smtpPatience = 90 * time.Second

// signedSMTP sends by the server of PocketBase's settings like PocketBase's own
// client, whose messages can't be signed because it composes and sends in one.
type signedSMTP struct {
	client *mailer.SMTPClient
	sign   func(raw []byte) ([]byte, error)
	now    func() time.Time
}

// Send implements mailer.Mailer.
func (s signedSMTP) Send(m *mailer.Message) error {
	raw, err := compose(m, s.now(), false)
	if err != nil {
		return err
	}
	if raw, err = s.sign(raw); err != nil {
		return err
	}
	conn, err := s.dial()
	if err != nil {
		return err
	}
	defer conn.Close()
	c, err := smtp.NewClient(conn, s.client.Host)
	if err != nil {
		return err
	}
	defer c.Close()
	if err := s.greet(c); err != nil {
		return err
	}
	if err := c.Mail(m.From.Address); err != nil {
		return err
	}
	for _, to := range slices.Concat(m.To, m.Cc, m.Bcc) {
		if err := c.Rcpt(to.Address); err != nil {
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
	if err := w.Close(); err != nil {
		return err
	}
	_ = c.Quit() // the mail is accepted; how the server says goodbye changes nothing
	return nil
}

func (s signedSMTP) dial() (net.Conn, error) {
	addr := net.JoinHostPort(s.client.Host, strconv.Itoa(s.client.Port))
	dialer := &net.Dialer{Timeout: 20 * time.Second}
	var conn net.Conn
	var err error
	if s.client.TLS {
		conn, err = tls.DialWithDialer(dialer, "tcp", addr, &tls.Config{ServerName: s.client.Host, MinVersion: tls.VersionTLS12})
	} else {
		conn, err = dialer.Dial("tcp", addr)
	}
	if err != nil {
		return nil, err
	}
	return conn, conn.SetDeadline(time.Now().Add(smtpPatience))
}

// greet says hello, takes the encryption that is offered, and signs in.
func (s signedSMTP) greet(c *smtp.Client) error {
	if s.client.LocalName != "" {
		if err := c.Hello(s.client.LocalName); err != nil {
			return err
		}
	}
	if ok, _ := c.Extension("STARTTLS"); ok && !s.client.TLS {
		if err := c.StartTLS(&tls.Config{ServerName: s.client.Host, MinVersion: tls.VersionTLS12}); err != nil {
			return err
		}
	}
	if s.client.Username == "" && s.client.Password == "" {
		return nil
	}
	if s.client.AuthMethod == mailer.SMTPAuthLogin {
		return c.Auth(&loginAuth{s.client.Username, s.client.Password})
	}
	return c.Auth(smtp.PlainAuth("", s.client.Username, s.client.Password, s.client.Host))
}

// loginAuth is the LOGIN method, which some servers want and the standard
// library lacks.
type loginAuth struct{ username, password string }

// Start implements smtp.Auth.
func (a *loginAuth) Start(server *smtp.ServerInfo) (string, []byte, error) {
	if ip := net.ParseIP(server.Name); !server.TLS && server.Name != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return "", nil, errors.New("the password is not sent over a connection without encryption")
	}
	return "LOGIN", nil, nil
}

// Next implements smtp.Auth.
func (a *loginAuth) Next(prompt []byte, more bool) ([]byte, error) {
	if !more {
		return nil, nil
	}
	switch strings.ToLower(strings.TrimSpace(string(prompt))) {
	case "username:", "user name":
		return []byte(a.username), nil
	case "password:":
		return []byte(a.password), nil
	}
	return nil, fmt.Errorf("the mail server asks something unknown: %q", prompt)
}
