package forms

import (
	"fmt"
	"strings"
	"time"

	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// atOnce is how many submissions one transaction of the sweep deletes, so that
// visitors don't wait behind it.
const atOnce = 100

// forgetSubmission takes back what the filter learned of a submission that is
// deleted: nothing of a person stays.
func forgetSubmission(e *core.RecordEvent) error {
	if err := spam.Unlearn(e.App, spam.Forms, e.Record.Id); err != nil {
		return err
	}
	return e.Next()
}

// Erase deletes every submission that came with this address, files included,
// and gives their number. Call it in a transaction to have all or nothing.
func Erase(app core.App, email string) (int, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	if email == "" {
		return 0, nil
	}
	n := 0
	for {
		found, err := app.FindRecordsByFilter(schema.Submissions, "email = {:email} && email != ''", "", atOnce, 0, dbx.Params{"email": email})
		if err != nil {
			return n, fmt.Errorf("find the submissions of a person: %w", err)
		}
		for _, r := range found {
			if err := app.Delete(r); err != nil {
				return n, fmt.Errorf("erase submission: %w", err)
			}
			n++
		}
		if len(found) < atOnce {
			return n, nil
		}
	}
}

func bindErase(app core.App) {
	events.OnErase(app).BindFunc(func(e *events.EraseEvent) error {
		n, err := Erase(e.App, e.Email)
		if err != nil {
			return err
		}
		e.Removed[schema.Submissions] += n
		return e.Next()
	})
}

// Sweep deletes spam that is older than the settings keep it, and what forms
// with a number of retention days have kept longer.
func Sweep(app core.App, now time.Time) error {
	s, err := of(app)
	if err != nil {
		return err
	}
	spamBefore := stored(now.AddDate(0, 0, -s.options(app).SpamDays))
	if err := sweep(app, dbx.And(dbx.HashExp{"status": schema.SubmissionSpam},
		dbx.NewExp("created < {:before}", dbx.Params{"before": spamBefore}))); err != nil {
		return err
	}
	kept, err := app.FindAllRecords(schema.Forms, dbx.NewExp("retention_days > 0"))
	if err != nil {
		return fmt.Errorf("list the forms that keep for a time: %w", err)
	}
	for _, form := range kept {
		before := stored(now.AddDate(0, 0, -form.GetInt("retention_days")))
		if err := sweep(app, dbx.And(dbx.HashExp{"form": form.Id},
			dbx.NewExp("created < {:before}", dbx.Params{"before": before}))); err != nil {
			return err
		}
	}
	return nil
}

// sweep deletes what matches, some at a time.
func sweep(app core.App, which dbx.Expression) error {
	for {
		n := 0
		err := app.RunInTransaction(func(tx core.App) error {
			var old []*core.Record
			if err := tx.RecordQuery(schema.Submissions).AndWhere(which).Limit(atOnce).All(&old); err != nil {
				return err
			}
			for _, r := range old {
				if err := tx.Delete(r); err != nil {
					return err
				}
			}
			n = len(old)
			return nil
		})
		if err != nil {
			return fmt.Errorf("delete old submissions: %w", err)
		}
		if n < atOnce {
			return nil
		}
	}
}
