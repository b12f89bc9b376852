package forms

import (
	"fmt"
	"strings"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Judge files a submission as spam, or takes it out, as staff say: the filter
// learns from it, its conversation follows, and what comes out of the spam is
// announced to the form's recipients as if it had just come.
func Judge(app core.App, by audit.Actor, id string, isSpam bool) error {
	return app.RunInTransaction(func(tx core.App) error {
		r, err := tx.FindRecordById(schema.Submissions, id)
		if err != nil {
			return fmt.Errorf("find submission: %w", err)
		}
		if err := judge(tx, r, isSpam); err != nil {
			return err
		}
		action := "submission.not_spam"
		if isSpam {
			action = "submission.spam"
		}
		return audit.Write(tx, by, action, schema.Submissions, id, nil)
	})
}

func judge(tx core.App, r *core.Record, isSpam bool) error {
	s, err := of(tx)
	if err != nil {
		return err
	}
	record, err := tx.FindRecordById(schema.Forms, r.GetString("form"))
	if err != nil {
		return fmt.Errorf("find the form of a submission: %w", err)
	}
	form, err := FromRecord(record)
	if err != nil {
		return err
	}
	status, label := schema.SubmissionOK, spam.Good
	if isSpam {
		status, label = schema.SubmissionSpam, spam.Bad
	}
	changed := r.GetString("status") != status
	r.Set("status", status)
	if err := tx.SaveNoValidate(r); err != nil {
		return fmt.Errorf("judge submission: %w", err)
	}
	answers, extra := contentOf(r)
	if err := spam.Learn(tx, r.Id, submissionOf(form, answers, extra), label); err != nil {
		return err
	}
	if conversation := r.GetString("conversation"); conversation != "" && s.cfg.Inbox != nil {
		if err := s.cfg.Inbox.Judge(tx, conversation, isSpam); err != nil {
			return fmt.Errorf("judge the conversation: %w", err)
		}
	}
	if isSpam || !changed || len(form.Recipients) == 0 && !form.ReplyOn {
		return nil
	}
	return queue.Enqueue(tx, notifyKind, notifyJob{Submission: r.Id})
}

// followConversation files a submission with its conversation, when staff moved
// that in the inbox.
func followConversation(e *core.RecordEvent) error {
	was, is := e.Record.Original().GetString("status"), e.Record.GetString("status")
	if err := e.Next(); err != nil {
		return err
	}
	const inSpam = schema.ConversationSpam
	if (was == inSpam) == (is == inSpam) {
		return nil
	}
	found, err := e.App.FindAllRecords(schema.Submissions, dbx.HashExp{"conversation": e.Record.Id})
	if err != nil {
		return fmt.Errorf("find the submission of a conversation: %w", err)
	}
	for _, r := range found {
		if (r.GetString("status") == schema.SubmissionSpam) == (is == inSpam) {
			continue
		}
		if err := judge(e.App, r, is == inSpam); err != nil {
			return err
		}
	}
	return nil
}

// Remove deletes a submission for good, files included.
func Remove(app core.App, by audit.Actor, id string) error {
	return app.RunInTransaction(func(tx core.App) error {
		r, err := tx.FindRecordById(schema.Submissions, id)
		if err != nil {
			return fmt.Errorf("find submission: %w", err)
		}
		if err := tx.Delete(r); err != nil {
			return fmt.Errorf("delete submission: %w", err)
		}
		return audit.Write(tx, by, "submission.delete", schema.Submissions, id, nil)
	})
}

// EraseContact has every feature erase what it keeps of a person, and gives the
// numbers by collection.
func EraseContact(app core.App, by audit.Actor, email string) (map[string]int, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	removed := map[string]int{}
	err := app.RunInTransaction(func(tx core.App) error {
		e := &events.EraseEvent{App: tx, By: by, Email: email, Removed: removed}
		if err := events.OnErase(tx).Trigger(e); err != nil {
			return err
		}
		return audit.Write(tx, by, "person.erase", "", "", removed)
	})
	if err != nil {
		return nil, fmt.Errorf("erase a contact: %w", err)
	}
	return removed, nil
}

// RemoveForm deletes a form with all of its submissions, some at a time.
func RemoveForm(app core.App, by audit.Actor, id string) error {
	record, err := app.FindRecordById(schema.Forms, id)
	if err != nil {
		return fmt.Errorf("find form: %w", err)
	}
	// Closed first, so that none comes in while they go.
	record.Set("open", false)
	if err := app.Save(record); err != nil {
		return fmt.Errorf("close form: %w", err)
	}
	if err := sweep(app, dbx.HashExp{"form": id}); err != nil {
		return err
	}
	return app.RunInTransaction(func(tx core.App) error {
		if err := tx.Delete(record); err != nil {
			return fmt.Errorf("delete form: %w", err)
		}
		return audit.Write(tx, by, "form.delete", schema.Forms, id, map[string]string{"slug": record.GetString("slug")})
	})
}
