// Package inbox keeps conversations between visitors and staff: what comes in
// through a form or by mail, and what staff answer.
//
// It promises that a message is stored once, whatever way and however often it
// arrives; that a conversation's number is given once; that a mail joins a
// conversation only where its sender takes part in it and names it by a token
// or a Message-ID, never by its subject; that an answer can be taken back for
// ten seconds and then goes out through the queue; and that what a stranger
// can make grow has a daily limit.
//
// It never answers a machine, never loads what a mail links to, never shows a
// mail's HTML outside a sandbox, and never relays mail for others.
package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"bungalow/hooks/inbox/live"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// Feature is the name of the feature and of its settings record.
const Feature = "inbox"

// Outcomes that a caller treats differently. Their texts may be shown.
var (
	ErrNotFound  = errors.New("this conversation is not there; it may have been merged or erased")
	ErrEmpty     = errors.New("there is nothing to send; write something first")
	ErrTooLong   = errors.New("this is too long; an answer may have 100,000 characters")
	ErrNoAddress = errors.New("this visitor left no e-mail address, so there is nowhere to send an answer; write a note instead")
	ErrTooLate   = errors.New("this answer is on its way already and can't be taken back")
	ErrFull      = errors.New("the inbox takes no more mail today; try again tomorrow")
	ErrTooLarge  = errors.New("this mail is larger than the inbox takes")
	ErrRefused   = errors.New("a handler of inbox.OnMessage refused this message")
	ErrSlow      = errors.New("this search took too long; try longer or rarer words")
	ErrSame      = errors.New("a conversation can't be merged with itself")
)

// Undo is how long an answer waits before it goes out, unless the owner chose
// another time.
const Undo = 10 * time.Second

// Config is what the program decides for the inbox. The zero value works.
type Config struct {
	// SMTP is the address at which mail is received by SMTP, "" for none.
	SMTP string
	// SMTPCert and SMTPKey are the files of its certificate; without them one is
	// made at each start.
	SMTPCert, SMTPKey string
	// Now is the time source (default time.Now).
	Now func() time.Time
}

// service is the state of one app.
type service struct {
	cfg Config
}

func serviceOf(app core.App) *service {
	return app.Store().GetOrSet("bungalow.inbox", func() any {
		return &service{cfg: Config{Now: time.Now}}
	}).(*service)
}

func now(app core.App) time.Time { return serviceOf(app).cfg.Now().UTC() }

// Register binds the inbox to the app. It reads and writes nothing yet.
func Register(app core.App, cfg Config) error {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	serviceOf(app).cfg = cfg
	app.OnRecordCreate(schema.Conversations).BindFunc(numberConversation)
	app.OnRecordCreate(schema.Messages).BindFunc(noteMessage)
	app.OnRecordDelete(schema.Messages).BindFunc(forgetMessage)
	app.OnRecordDelete(schema.Conversations).BindFunc(forgetConversation)
	bindErase(app)
	live.Bind(app)
	bindWays(app, cfg)
	queue.Register(app, queue.Kind{Name: sendKind, Do: func(_ context.Context, app core.App, payload []byte) error {
		var j sendJob
		if err := json.Unmarshal(payload, &j); err != nil {
			return queue.NoRetry(err)
		}
		return send(app, j.Message)
	}})
	mail.OnSend(app).BindFunc(attachFiles)
	mail.OnState(app).BindFunc(followState)
	if err := app.Cron().Add("bungalowInboxWake", "* * * * *", func() {
		if err := wakeSnoozed(app); err != nil {
			app.Logger().Error("conversations that were put off can't be woken", "error", err)
		}
	}); err != nil {
		return fmt.Errorf("plan the waking of conversations: %w", err)
	}
	if err := app.Cron().Add("bungalowInboxSweep", "53 3 * * *", func() {
		if err := sweepSpam(app); err != nil {
			app.Logger().Error("old spam of the inbox can't be deleted", "error", err)
		}
	}); err != nil {
		return fmt.Errorf("plan the deletion of old spam: %w", err)
	}
	return nil
}

// inTransaction runs do with e.App in one transaction: what is written beside
// a record stands or falls with it.
func inTransaction(e *core.RecordEvent, do func() error) error {
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		return do()
	})
}
