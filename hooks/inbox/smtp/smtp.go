// Package smtp receives mail by SMTP (RFC 5321) for the inbox's own addresses.
//
// It promises that a mail is stored before it is acknowledged, that a fault of
// ours is a temporary one for the sender's server, and that time, size, number
// and pace of what strangers send are bounded. It never sends anything, so it
// can be no relay; it refuses every recipient that is not ours by name.
package smtp

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"bungalow/hooks/kit/limit"
	"github.com/emersion/go-smtp"
)

// Bounds of what strangers may do.
const (
	MaxRecipients  = 20
	MaxConnections = 100 // at once
	MaxOfOne       = 10  // at once, of one address
	Burst          = 200 // mails of one address at once, and then one each …
	Every          = 3 * time.Second
	maxHops        = 50 // Received fields; more is a loop (RFC 5321, section 6.3)
	patience       = time.Minute
)

// Outcomes of Deliver that are told to the sender's server as what they are.
// Every other error is a fault of ours, and the mail may come again.
var (
	ErrTooLarge = errors.New("the mail is too large")
	ErrFull     = errors.New("no more mail is taken today")
	ErrRefused  = errors.New("this mail is not taken")
)

// Config is what the receiver needs.
type Config struct {
	Addr     string      // to listen on, such as ":2525"
	TLS      *tls.Config // for STARTTLS
	Domain   string      // in the greeting
	MaxBytes int64
	// Ours reports whether a recipient's address is one of the inbox.
	Ours func(address string) (bool, error)
	// Deliver stores a mail that the server at ip brought.
	Deliver func(raw []byte, to []string, ip string) error
	Log     *slog.Logger
}

// Server is a running receiver.
type Server struct {
	cfg    Config
	server *smtp.Server
	listen net.Listener
	pace   *limit.Limiter
	done   chan struct{}

	mu   sync.Mutex
	open map[string]int // connections by limit.AddressKey
	all  int
	// conns are all connections by their remote address, busy those on which a
	// mail is being brought.
	conns map[string]net.Conn
	busy  map[string]bool
}

// Start listens and serves until Stop.
func Start(cfg Config) (*Server, error) {
	listen, err := net.Listen("tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("receive mail at %s: %w", cfg.Addr, err)
	}
	s := &Server{
		cfg: cfg, listen: listen, done: make(chan struct{}), open: map[string]int{}, conns: map[string]net.Conn{}, busy: map[string]bool{},
		pace: limit.New(limit.Config{Burst: Burst, Every: Every}),
	}
	s.server = smtp.NewServer(smtp.BackendFunc(s.session))
	s.server.Domain = cfg.Domain
	s.server.TLSConfig = cfg.TLS
	s.server.MaxRecipients = MaxRecipients
	s.server.MaxMessageBytes = cfg.MaxBytes
	s.server.ReadTimeout, s.server.WriteTimeout = patience, patience
	s.server.EnableSMTPUTF8 = true
	s.server.ErrorLog = logger{cfg.Log}
	go func() {
		defer close(s.done)
		if err := s.server.Serve(tracked{listen, s}); err != nil && !errors.Is(err, smtp.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
			cfg.Log.Error("mail is no longer received by SMTP", "error", err)
		}
	}()
	return s, nil
}

// tracked knows every open connection, so that a stop need not wait for idle
// ones.
type tracked struct {
	net.Listener
	server *Server
}

// Accept implements net.Listener.
func (t tracked) Accept() (net.Conn, error) {
	conn, err := t.Listener.Accept()
	if err != nil {
		return nil, err
	}
	t.server.mu.Lock()
	defer t.server.mu.Unlock()
	t.server.conns[conn.RemoteAddr().String()] = conn
	return &tracedConn{Conn: conn, server: t.server}, nil
}

type tracedConn struct {
	net.Conn
	server *Server
}

// Close implements net.Conn.
func (c *tracedConn) Close() error {
	c.server.mu.Lock()
	delete(c.server.conns, c.RemoteAddr().String())
	c.server.mu.Unlock()
	return c.Conn.Close()
}

// Addr is where the receiver listens.
func (s *Server) Addr() net.Addr { return s.listen.Addr() }

// Stop takes no new connections, closes those that bring nothing just now, and
// lets the others end until ctx does.
func (s *Server) Stop(ctx context.Context) error {
	_ = s.listen.Close() // Shutdown does so too, and says if it can't
	s.mu.Lock()
	for from, conn := range s.conns {
		if !s.busy[from] {
			_ = conn.Close()
		}
	}
	s.mu.Unlock()
	err := s.server.Shutdown(ctx)
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	if err != nil {
		_ = s.server.Close() // they had their time
	}
	<-s.done
	if err != nil {
		return fmt.Errorf("stop the mail receiver: %w", err)
	}
	return nil
}

// session begins a connection, or refuses it where there are too many.
func (s *Server) session(c *smtp.Conn) (smtp.Session, error) {
	host, _, err := net.SplitHostPort(c.Conn().RemoteAddr().String())
	if err != nil {
		host = ""
	}
	key := limit.AddressKey(host)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all >= MaxConnections || s.open[key] >= MaxOfOne {
		return nil, &smtp.SMTPError{Code: 421, EnhancedCode: smtp.EnhancedCode{4, 7, 0}, Message: "Too many connections, come back later"}
	}
	s.all++
	s.open[key]++
	return &session{server: s, key: key, ip: host, from: c.Conn().RemoteAddr().String()}, nil
}

func (s *Server) leave(one *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all--
	if s.open[one.key]--; s.open[one.key] <= 0 {
		delete(s.open, one.key)
	}
}

func (s *Server) setBusy(one *session, busy bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if busy {
		s.busy[one.from] = true
	} else {
		delete(s.busy, one.from)
	}
}

// session is one connection.
type session struct {
	server *Server
	key    string
	ip     string
	from   string
	once   sync.Once
	to     []string
}

// Reset implements smtp.Session.
func (s *session) Reset() { s.to = nil }

// Logout implements smtp.Session.
func (s *session) Logout() error {
	s.once.Do(func() { s.server.leave(s) })
	return nil
}

// Mail implements smtp.Session. Any sender may write, also the null sender of
// reports; who it is, the mail's own header says.
func (s *session) Mail(string, *smtp.MailOptions) error {
	if ok, _ := s.server.pace.Allow(s.key); !ok {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 7, 1}, Message: "Too many mails, come back later"}
	}
	return nil
}

// Rcpt implements smtp.Session: it takes our own addresses and no other.
func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	ours, err := s.server.cfg.Ours(to)
	if err != nil {
		s.server.cfg.Log.Error("a recipient can't be looked up", "error", err)
		return temporary
	}
	if !ours {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 1}, Message: "This server takes no mail for that address"}
	}
	s.to = append(s.to, to)
	return nil
}

var temporary = &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "A fault on our side, try again later"}

// Data implements smtp.Session: the mail is stored before it is acknowledged.
func (s *session) Data(r io.Reader) error {
	s.server.setBusy(s, true)
	defer s.server.setBusy(s, false)
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // too large, or the line broke
	}
	head, _, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
	if strings.Count(strings.ToLower("\n"+string(head)), "\nreceived:") > maxHops {
		return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 4, 6}, Message: "This mail goes round in circles"}
	}
	err = s.server.cfg.Deliver(raw, s.to, s.ip)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, ErrTooLarge):
		return &smtp.SMTPError{Code: 552, EnhancedCode: smtp.EnhancedCode{5, 3, 4}, Message: "This mail is too large"}
	case errors.Is(err, ErrFull):
		return &smtp.SMTPError{Code: 452, EnhancedCode: smtp.EnhancedCode{4, 3, 1}, Message: "No more mail is taken today"}
	case errors.Is(err, ErrRefused):
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 7, 0}, Message: "This mail is not taken"}
	}
	s.server.cfg.Log.Error("a mail could not be stored", "error", err)
	return temporary
}

// logger gives the library's lines to ours; they may hold what strangers sent,
// so only that there was one is kept.
type logger struct{ log *slog.Logger }

// Printf implements smtp.Logger.
func (l logger) Printf(format string, _ ...any) { l.log.Debug("smtp", "about", format) }

// Println implements smtp.Logger.
func (l logger) Println(...any) { l.log.Debug("smtp") }
