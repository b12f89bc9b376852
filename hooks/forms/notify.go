package forms

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"html/template"
	"net/mail"
	"strings"
	"sync"
	"time"

	sitemail "bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"github.com/pocketbase/pocketbase/core"
)

// notifyKind is the job that writes a submission's mails. It is enqueued in
// the transaction that stores the submission, so that a visitor never waits
// for templates, and a crash loses nothing.
const notifyKind = "forms.notify"

type notifyJob struct {
	Submission string `json:"submission"`
}

// notify is the queue's handler.
func (s *service) notify(_ context.Context, app core.App, payload []byte) error {
	var job notifyJob
	if err := json.Unmarshal(payload, &job); err != nil {
		return queue.NoRetry(err)
	}
	r, err := app.FindRecordById(schema.Submissions, job.Submission)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // erased meanwhile
	}
	if err != nil {
		return fmt.Errorf("read submission: %w", err)
	}
	record, err := app.FindRecordById(schema.Forms, r.GetString("form"))
	if err != nil {
		return fmt.Errorf("read the form of a submission: %w", err)
	}
	form, err := FromRecord(record)
	if err != nil {
		return queue.NoRetry(err)
	}
	for _, to := range form.Recipients {
		if err := s.tell(app, form, r, to); err != nil {
			return err
		}
	}
	return s.reply(app, form, r)
}

// notice is what the template form-notify shows.
type notice struct {
	Form, Name, Email, Subject string
	Lines, Extra               []Line
	Files                      []File
	Link                       string // the submission in the desk, "" without an address of the site
}

// tell writes to one recipient.
func (s *service) tell(app core.App, form *Form, r *core.Record, to mail.Address) error {
	now := s.now()
	m := sitemail.Message{To: to, Locale: form.Locale, Template: "form-notify", Key: "form-notify/" + r.Id + "/" + to.Address}
	n := notice{Form: form.Title, Name: r.GetString("name"), Email: r.GetString("email"), Subject: r.GetString("subject")}
	if base := strings.TrimRight(app.Settings().Meta.AppURL, "/"); base != "" {
		n.Link = base + "/desk/submissions/" + r.Id + "/"
	}
	if !s.told.allow(form.ID+" "+to.Address, s.options(app).MailsPerHour, now) {
		m.Template, m.Key = "form-more", fmt.Sprintf("form-more/%s/%s/%d", form.ID, to.Address, now.Unix()/3600)
	} else {
		answers, extra := contentOf(r)
		n.Lines, n.Extra, n.Files = readable(form, answers), readable(&Form{}, extra), filesOf(r)
	}
	if n.Email != "" && m.Template == "form-notify" {
		m.ReplyTo = mail.Address{Name: n.Name, Address: n.Email}
	}
	m.Data = n
	if err := sitemail.Send(app, m); err != nil && !errors.Is(err, sitemail.ErrAddress) {
		return fmt.Errorf("tell a recipient: %w", err)
	}
	return nil
}

// hourly counts notifications by form and recipient, as many keys as staff
// have written down.
type hourly struct {
	mu   sync.Mutex
	hour int64
	n    map[string]int
}

func (h *hourly) allow(key string, most int, now time.Time) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if hour := now.Unix() / 3600; hour != h.hour || h.n == nil {
		h.hour, h.n = hour, map[string]int{}
	}
	h.n[key]++
	return h.n[key] <= most
}

// answer is what the template form-reply shows.
type answer struct {
	Subject, Text string
	HTML          template.HTML
}

// reply writes the form's own answer to the sender, unless the address got an
// automatic answer of the site within a day.
func (s *service) reply(app core.App, form *Form, r *core.Record) error {
	email := r.GetString("email")
	if !form.ReplyOn || email == "" {
		return nil
	}
	return app.RunInTransaction(func(tx core.App) error {
		site, err := settings.LoadSite(tx)
		if err != nil {
			return err
		}
		answers, _ := contentOf(r)
		m := sitemail.Message{
			To: mail.Address{Name: r.GetString("name"), Address: email}, Locale: form.Locale,
			Template: "form-reply", Key: "form-reply/" + r.Id, Data: fillIn(form, answers, site.Title),
		}
		if conversation := r.GetString("conversation"); conversation != "" && s.cfg.Inbox != nil {
			if m.ReplyTo, err = s.cfg.Inbox.ReplyTo(tx, conversation); err != nil {
				return fmt.Errorf("find the address for answers: %w", err)
			}
		}
		sent, err := sitemail.Answer(tx, m)
		if err != nil {
			return fmt.Errorf("answer the sender: %w", err)
		}
		if !sent {
			return nil
		}
		r.Set("replied_at", s.now())
		return tx.SaveNoValidate(r)
	})
}

// contentOf reads a submission's answers and what the form did not know.
func contentOf(r *core.Record) (answers, extra map[string][]string) {
	return valuesOf(r.GetString("data")), valuesOf(r.GetString("extra"))
}

// valuesOf reads a JSON object whose values are texts or lists of texts.
func valuesOf(raw string) map[string][]string {
	var object map[string]any
	if json.Unmarshal([]byte(raw), &object) != nil {
		return nil
	}
	out := make(map[string][]string, len(object))
	for name, v := range object {
		list, isList := v.([]any)
		if !isList {
			list = []any{v}
		}
		for _, one := range list {
			if one != nil {
				out[name] = append(out[name], fmt.Sprint(one))
			}
		}
	}
	return out
}

// filesOf reads what is known of a submission's files.
func filesOf(r *core.Record) []File {
	var files []File
	if r.UnmarshalJSONField("uploads", &files) != nil {
		return nil
	}
	for i := range files {
		files[i].Path = r.BaseFilesPath() + "/" + files[i].Stored
	}
	return files
}
