package mail

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"time"

	"bungalow/hooks/kit/queue"
	"github.com/pocketbase/pocketbase/core"
)

// ErrNoMail says that no message has this id, or none in a state that allows
// the act.
var ErrNoMail = errors.New("there is no such message, or it is not in a state that allows this")

// Body is a message with its text.
type Body struct {
	Record
	ReplyTo, Text, HTML string
}

// Find gives one message; ErrNoMail where it is not there any more.
func Find(app core.App, id int64) (Body, error) {
	r, err := find(app, id)
	if err != nil {
		return Body{}, err
	}
	if r == nil {
		return Body{}, ErrNoMail
	}
	return Body{Record: r.record(), ReplyTo: r.ReplyTo, Text: r.Text, HTML: r.HTML}, nil
}

// Counts is the number of messages in each state.
func Counts(app core.App) (map[string]int, error) {
	var rows []struct {
		State string
		N     int
	}
	if err := app.ConcurrentDB().NewQuery(`SELECT state, count(*) AS n FROM _mails GROUP BY state`).All(&rows); err != nil {
		return nil, fmt.Errorf("count mails: %w", err)
	}
	counts := map[string]int{}
	for _, r := range rows {
		counts[r.State] = r.N
	}
	return counts, nil
}

// Again sends a message once more that was sent, came back or has failed: as a new one
// with a Message-ID of its own, so that no mail program hides it as known.
func Again(app core.App, id int64) error {
	s, err := serviceOf(app)
	if err != nil {
		return err
	}
	r, err := find(app, id)
	if err != nil {
		return err
	}
	if r == nil || r.State != Sent && r.State != Failed && r.State != Bounced {
		return ErrNoMail
	}
	r.Key = nil
	r.MessageID = messageID("", s.cfg.Site().URL, app.Settings().Meta.SenderAddress)
	err = app.RunInTransaction(func(tx core.App) error {
		made, err := insert(tx, *r, s.cfg.Now())
		if err != nil {
			return err
		}
		return queue.Enqueue(tx, kind, job{ID: made})
	})
	if err != nil {
		return fmt.Errorf("send mail again: %w", err)
	}
	return nil
}

// File is a mail in the outbox, where no server is set up.
type File struct {
	Name string
	Size int64
	At   time.Time
}

// Outbox lists the files of the outbox, the newest first.
func Outbox(app core.App) ([]File, error) {
	s, err := serviceOf(app)
	if err != nil {
		return nil, err
	}
	files := s.outbox.files()
	list := make([]File, 0, len(files))
	for _, f := range slices.Backward(files) {
		at, _ := time.Parse("20060102T150405.000Z", f.name[:min(len(f.name), 20)])
		list = append(list, File{Name: f.name, Size: f.size, At: at})
	}
	return list, nil
}

var outboxName = regexp.MustCompile(`^[0-9TZ.]{20}-[0-9a-f]{12}\.eml$`)

// ReadOutbox gives a file of the outbox; fs.ErrNotExist where there is none.
func ReadOutbox(app core.App, name string) ([]byte, error) {
	s, err := serviceOf(app)
	if err != nil {
		return nil, err
	}
	if !outboxName.MatchString(name) {
		return nil, fs.ErrNotExist
	}
	return os.ReadFile(filepath.Join(s.outbox.dir, name))
}

// Way says how the mail of app leaves the house: "smtp", "sendmail" or
// "outbox".
func Way(app core.App) string {
	s, err := serviceOf(app)
	switch {
	case app.Settings().SMTP.Enabled:
		return "smtp"
	case err == nil && s.cfg.Options().Sendmail:
		return "sendmail"
	}
	return "outbox"
}
