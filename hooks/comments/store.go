package comments

import (
	"fmt"

	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

// store saves a comment with the jobs that follow from it, in one transaction
// with others that arrive at the same time.
func store(app core.App, r *core.Record, ask bool) error {
	return serviceOf(app).writer.Write(app, &draft{r, ask}, func(tx core.App, drafts []*draft) error {
		for _, d := range drafts {
			if err := d.write(tx); err != nil {
				return err
			}
		}
		return nil
	})
}

// draft is a comment on its way into the database. ask means that Akismet has
// the last word.
type draft struct {
	record *core.Record
	ask    bool
}

func (d *draft) write(tx core.App) error {
	r := d.record
	r.MarkAsNew() // an earlier attempt may have failed
	if err := tx.Save(r); err != nil {
		return fmt.Errorf("save the comment: %w", err)
	}
	kind := ""
	switch {
	case d.ask:
		kind = jobAkismet
	case r.GetString("status") == schema.CommentPending && optionsOf(tx).MailModerators:
		kind = jobHeld
	}
	if kind != "" {
		if err := queue.Enqueue(tx, kind, commentJob{ID: r.Id}); err != nil {
			return err
		}
	}
	if !r.GetBool("notify") {
		return nil
	}
	return queue.Enqueue(tx, jobConfirm, commentJob{ID: r.Id})
}
