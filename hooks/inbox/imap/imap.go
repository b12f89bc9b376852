// Package imap reads a mailbox (RFC 9051) into the inbox: it looks when it
// starts, when the server has news (IDLE, RFC 2177), and every minute, because
// not every server tells in IDLE what came just before it.
//
// It promises that a mail is stored before it is marked as seen, that where it
// stopped it goes on, and that a mail which can't be stored is tried again. It
// deletes nothing, and does not fetch a mailbox's past: the first look takes
// what is unread of the last two weeks.
package imap

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
)

const (
	dialTime  = 30 * time.Second
	pollEvery = time.Minute
	past      = 14 * 24 * time.Hour
	firstWait = 2 * time.Second
	lastWait  = 5 * time.Minute
	tries     = 5 // of one mail, before it is passed over
)

// ErrNever says that a mail will never be stored, so that it is passed over.
var ErrNever = errors.New("this mail is not taken")

// Mark is how far a mailbox was read.
type Mark struct {
	Validity uint32 // of the numbers; another one means a new mailbox
	Last     uint32 // the highest number that was read
}

// Config is the mailbox and what to do with its mails.
type Config struct {
	Server   string // host or host:port
	Security string // "tls" (the default), "starttls" or "none"
	User     string
	Password string
	Folder   string
	MaxBytes int64
	Load     func() (Mark, error)
	Save     func(Mark) error
	Deliver  func(raw []byte) error
	// State is told what the connection does, for the settings page; nil tells nobody.
	State func(err error)
	Log   *slog.Logger
	// TLS is for tests; nil checks the server's certificate as usual.
	TLS *tls.Config
}

// Run reads the mailbox until ctx ends, connecting again after a failure.
func Run(ctx context.Context, cfg Config) {
	wait := firstWait
	for ctx.Err() == nil {
		began := time.Now()
		err := watch(ctx, cfg)
		if ctx.Err() != nil {
			return
		}
		if cfg.State != nil {
			cfg.State(err)
		}
		cfg.Log.Warn("the mailbox can't be read; it is tried again", "error", err, "after", wait)
		if time.Since(began) > lastWait {
			wait = firstWait
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
		wait = min(2*wait, lastWait)
	}
}

// Check connects, signs in and opens the folder, for the settings page.
func Check(ctx context.Context, cfg Config) error {
	c, _, err := connect(ctx, cfg, nil)
	if err != nil {
		return err
	}
	_ = c.Logout().Wait() // how it says goodbye changes nothing
	return c.Close()
}

// address is where to connect; the port follows from the encryption.
func (c Config) address() string {
	if _, _, err := net.SplitHostPort(c.Server); err == nil {
		return c.Server
	}
	if c.Security == "tls" || c.Security == "" {
		return net.JoinHostPort(c.Server, "993")
	}
	return net.JoinHostPort(c.Server, "143")
}

// connect opens the folder. news gets a word when the server has some.
func connect(ctx context.Context, cfg Config, news chan<- struct{}) (*imapclient.Client, *imap.SelectData, error) {
	host, _, err := net.SplitHostPort(cfg.address())
	if err != nil {
		return nil, nil, fmt.Errorf("the server %q can't be meant: %w", cfg.Server, err)
	}
	options := &imapclient.Options{
		Dialer: &net.Dialer{Timeout: dialTime}, TLSConfig: cfg.TLS,
		UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: func(data *imapclient.UnilateralDataMailbox) {
			if data.NumMessages != nil {
				select {
				case news <- struct{}{}:
				default:
				}
			}
		}},
	}
	if options.TLSConfig == nil {
		options.TLSConfig = &tls.Config{ServerName: host, MinVersion: tls.VersionTLS12}
	}
	var c *imapclient.Client
	switch cfg.Security {
	case "none":
		c, err = imapclient.DialInsecure(cfg.address(), options)
	case "starttls":
		c, err = imapclient.DialStartTLS(cfg.address(), options)
	default:
		c, err = imapclient.DialTLS(cfg.address(), options)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("connect to the mailbox: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.Close() })
	fail := func(act string, err error) (*imapclient.Client, *imap.SelectData, error) {
		stop()
		_ = c.Close()
		return nil, nil, fmt.Errorf("%s: %w", act, err)
	}
	if err := c.Login(cfg.User, cfg.Password).Wait(); err != nil {
		return fail("sign in to the mailbox", err)
	}
	folder := cfg.Folder
	if folder == "" {
		folder = "INBOX"
	}
	data, err := c.Select(folder, nil).Wait()
	if err != nil {
		return fail("open the folder "+folder, err)
	}
	return c, data, nil
}

// watch reads what is there, and then what comes, until something fails.
func watch(ctx context.Context, cfg Config) error {
	news := make(chan struct{}, 1)
	c, data, err := connect(ctx, cfg, news)
	if err != nil {
		return err
	}
	defer c.Close()
	r := &reader{cfg: cfg, client: c, failed: map[imap.UID]int{}}
	if err := r.begin(data); err != nil {
		return err
	}
	if cfg.State != nil {
		cfg.State(nil)
	}
	for {
		soon, err := r.look(ctx)
		if err != nil {
			return err
		}
		if err := rest(ctx, c, news, soon); err != nil {
			return err
		}
	}
}

// rest waits for news, or for the next look, which is soon after mail came:
// more may have come while that was read.
func rest(ctx context.Context, c *imapclient.Client, news <-chan struct{}, soon bool) error {
	wait := pollEvery
	if soon {
		wait = firstWait
	}
	var idle *imapclient.IdleCommand
	if c.Caps().Has(imap.CapIdle) {
		var err error
		if idle, err = c.Idle(); err != nil {
			return fmt.Errorf("wait for mail: %w", err)
		}
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-c.Closed():
		return errors.New("the mail server closed the connection")
	case <-news:
	case <-timer.C:
	}
	if idle == nil {
		return c.Noop().Wait()
	}
	if err := idle.Close(); err != nil {
		return fmt.Errorf("wait for mail: %w", err)
	}
	if err := idle.Wait(); err != nil && !strings.Contains(err.Error(), "idle") {
		return fmt.Errorf("wait for mail: %w", err)
	}
	return nil
}
