package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"bungalow/hooks/inbox/imap"
	"bungalow/hooks/inbox/smtp"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// stopTime is how long a connection that brings a mail may still take when the
// server stops.
const stopTime = 10 * time.Second

// ways are the running receivers of one app.
type ways struct {
	mu     sync.Mutex
	smtp   *smtp.Server
	cancel context.CancelFunc // of the mailbox
	wait   sync.WaitGroup
	state  MailboxState
	ended  bool
}

// MailboxState is how reading the mailbox goes.
type MailboxState struct {
	On    bool
	Error string // "" while it works
	At    time.Time
}

func waysOf(app core.App) *ways {
	return app.Store().GetOrSet("bungalow.inbox.ways", func() any { return &ways{} }).(*ways)
}

// Mailbox says how reading the mailbox goes, for the settings page.
func Mailbox(app core.App) MailboxState {
	w := waysOf(app)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.state
}

// SMTPAddr is where mail is received by SMTP, "" where it is not.
func SMTPAddr(app core.App) string {
	w := waysOf(app)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.smtp == nil {
		return ""
	}
	return w.smtp.Addr().String()
}

// bindWays starts and stops the receivers with the server.
func bindWays(app core.App, cfg Config) {
	app.OnServe().BindFunc(func(e *core.ServeEvent) error {
		if e.Server == nil || !e.App.HasTable(schema.Messages) { // PocketBase's own tests
			return e.Next()
		}
		if err := StartWays(e.App, cfg); err != nil {
			return err
		}
		if err := e.Next(); err != nil {
			StopWays(e.App)
			return err
		}
		return nil
	})
	changed := func(e *core.RecordEvent) error {
		if e.Record.GetString("feature") == Feature {
			waysOf(e.App).readMailbox(e.App)
		}
		return e.Next()
	}
	app.OnRecordAfterCreateSuccess(schema.Settings).BindFunc(changed)
	app.OnRecordAfterUpdateSuccess(schema.Settings).BindFunc(changed)
	app.OnTerminate().BindFunc(func(e *core.TerminateEvent) error {
		StopWays(e.App)
		return e.Next()
	})
}

// StartWays begins to receive mail by SMTP, where cfg says so, and to read the
// mailbox, where the settings name one.
func StartWays(app core.App, cfg Config) error {
	w := waysOf(app)
	w.mu.Lock()
	w.ended = false
	w.mu.Unlock()
	if cfg.SMTP != "" {
		server, err := startSMTP(app, cfg)
		if err != nil {
			return err
		}
		w.mu.Lock()
		w.smtp = server
		w.mu.Unlock()
		app.Logger().Info("mail is received by SMTP", "address", server.Addr().String())
	}
	w.mu.Lock()
	w.state = MailboxState{At: time.Now()}
	w.mu.Unlock()
	w.readMailboxOn(app)
	return nil
}

// StopWays ends them; a mail that is being brought is stored first.
func StopWays(app core.App) {
	w := waysOf(app)
	w.mu.Lock()
	server, cancel := w.smtp, w.cancel
	w.smtp, w.cancel, w.ended = nil, nil, true
	w.mu.Unlock()
	if cancel != nil {
		cancel()
	}
	if server != nil {
		ctx, done := context.WithTimeout(context.Background(), stopTime)
		defer done()
		if err := server.Stop(ctx); err != nil {
			app.Logger().Warn("connections that brought mail were cut off at the stop", "error", err)
		}
	}
	w.wait.Wait()
}

func startSMTP(app core.App, cfg Config) (*smtp.Server, error) {
	name := domain(app, Address(app).Address)
	config, err := smtp.TLS(cfg.SMTPCert, cfg.SMTPKey, name)
	if err != nil {
		return nil, err
	}
	return smtp.Start(smtp.Config{
		Addr: cfg.SMTP, TLS: config, Domain: name, MaxBytes: MaxMail, Log: app.Logger(),
		Ours: func(address string) (bool, error) { return IsOurs(app, address) },
		Deliver: func(raw []byte, to []string, ip string) error {
			_, err := ReceiveMail(app, raw, Envelope{To: to, IP: ip})
			return translate(err)
		},
	})
}

// translate gives the receivers' own errors.
func translate(err error) error {
	switch {
	case errors.Is(err, ErrTooLarge):
		return smtp.ErrTooLarge
	case errors.Is(err, ErrFull):
		return smtp.ErrFull
	case errors.Is(err, ErrRefused):
		return errors.Join(smtp.ErrRefused, imap.ErrNever)
	}
	return err
}

// readMailbox begins anew with the settings of now, where the server runs.
func (w *ways) readMailbox(app core.App) {
	w.mu.Lock()
	running := !w.state.At.IsZero() && !w.ended
	w.mu.Unlock()
	if running {
		w.readMailboxOn(app)
	}
}

func (w *ways) readMailboxOn(app core.App) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cancel != nil {
		w.cancel()
		w.cancel = nil
	}
	cfg, err := mailbox(app)
	w.state = MailboxState{On: cfg.Server != "", At: time.Now()}
	if err != nil {
		w.state.Error = err.Error()
		app.Logger().Error("the mailbox of the settings can't be read", "error", err)
		return
	}
	if cfg.Server == "" || w.ended {
		return
	}
	ctx, cancel := context.WithCancel(context.Background())
	cfg.State = func(err error) { w.note(ctx, err) }
	w.cancel = cancel
	w.wait.Go(func() { imap.Run(ctx, cfg) })
}

func (w *ways) note(ctx context.Context, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if ctx.Err() != nil {
		return
	}
	w.state = MailboxState{On: true, At: time.Now()}
	if err != nil {
		w.state.Error = err.Error()
	}
}

// mailbox is the mailbox of the settings; its Server is "" where there is none.
func mailbox(app core.App) (imap.Config, error) {
	o, err := Load(app)
	if err != nil || o.IMAPServer == "" {
		return imap.Config{}, err
	}
	name := strings.Join([]string{o.IMAPServer, o.IMAPUser, o.IMAPFolder}, "\x00")
	return imap.Config{
		Server: o.IMAPServer, Security: o.IMAPSecurity, User: o.IMAPUser, Password: o.IMAPPassword, Folder: o.IMAPFolder,
		MaxBytes: MaxMail, Log: app.Logger(),
		Load: func() (imap.Mark, error) { return loadMark(app, name) },
		Save: func(m imap.Mark) error { return saveMark(app, name, m) },
		Deliver: func(raw []byte) error {
			_, err := ReceiveMail(app, raw, Envelope{})
			if errors.Is(err, ErrTooLarge) {
				return imap.ErrNever
			}
			return translate(err)
		},
	}, nil
}

// CheckMailbox signs in to the mailbox of the settings.
func CheckMailbox(ctx context.Context, app core.App) error {
	cfg, err := mailbox(app)
	if err != nil {
		return err
	}
	return imap.Check(ctx, cfg)
}

func loadMark(app core.App, name string) (imap.Mark, error) {
	var rows []struct {
		Validity uint32 `db:"validity"`
		Last     uint32 `db:"last"`
	}
	err := app.DB().NewQuery(`SELECT validity, last FROM inbox_mailboxes WHERE name = {:name}`).Bind(dbx.Params{"name": name}).All(&rows)
	if err != nil || len(rows) == 0 {
		return imap.Mark{}, err
	}
	return imap.Mark{Validity: rows[0].Validity, Last: rows[0].Last}, nil
}

func saveMark(app core.App, name string, m imap.Mark) error {
	_, err := app.NonconcurrentDB().NewQuery(`INSERT INTO inbox_mailboxes (name, validity, last) VALUES ({:name}, {:validity}, {:last})
		ON CONFLICT (name) DO UPDATE SET validity = excluded.validity, last = excluded.last`).
		Bind(dbx.Params{"name": name, "validity": m.Validity, "last": m.Last}).Execute()
	if err != nil {
		return fmt.Errorf("note how far a mailbox was read: %w", err)
	}
	return nil
}
