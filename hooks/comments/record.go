package comments

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/dbx"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/hook"
)

// bindRecords keeps what follows from a comment in step with it, whoever
// writes: the branch it hangs on, what the filter learned, who is told, and
// the pages that show it.
func bindRecords(app core.App, s *service) {
	app.OnRecordCreate(schema.Comments).BindFunc(createRecord)
	app.OnRecordUpdate(schema.Comments).BindFunc(updateRecord)
	app.OnRecordDelete(schema.Comments).BindFunc(deleteRecord)
	shown := func(e *core.RecordEvent) error {
		before, after := e.Record.Original().GetString("status"), e.Record.GetString("status")
		if before == schema.CommentApproved || after == schema.CommentApproved {
			cache.Of(e.App).Bump(threadKey, threadKey+"/"+e.Record.GetString("thread"))
			s.hub.announce(e.App, e.Record)
		}
		s.hub.nudge()
		return e.Next()
	}
	// The pages are dropped before anybody else hears of the change.
	first := func() *hook.Handler[*core.RecordEvent] {
		return &hook.Handler[*core.RecordEvent]{Func: shown, Priority: -9998}
	}
	app.OnRecordAfterCreateSuccess(schema.Comments).Bind(first())
	app.OnRecordAfterUpdateSuccess(schema.Comments).Bind(first())
	app.OnRecordAfterDeleteSuccess(schema.Comments).Bind(first())
}

// bumpThreads drops what memory holds of the threads, after raw SQL. In a
// transaction it does so after the commit.
func bumpThreads(app core.App, threads ...string) {
	keys := []string{schema.Comments, threadKey, rulesKey}
	for _, t := range threads {
		keys = append(keys, threadKey+"/"+t)
	}
	bumpAfter(app, keys...)
}

// inOne runs do with the event's app in one transaction: PocketBase saves a
// record alone without one.
func inOne(e *core.RecordEvent, do func() error) error {
	if e.App.TxInfo() != nil {
		return do()
	}
	outer := e.App
	defer func() { e.App = outer }()
	return outer.RunInTransaction(func(tx core.App) error {
		e.App = tx
		return do()
	})
}

// quiet marks a change that is no moderator's decision: nothing is learned.
type quiet struct{}

func quietly(ctx context.Context) context.Context { return context.WithValue(ctx, quiet{}, true) }

func createRecord(e *core.RecordEvent) error {
	return inOne(e, func() error {
		r := e.Record
		if r.Id == "" {
			r.Set("id", core.GenerateDefaultRandomId())
		}
		if err := hang(e.App, r); err != nil {
			return err
		}
		if r.GetString("html") == "" {
			r.Set("html", Render(r.GetString("body"), optionsOf(e.App).Images))
		}
		if err := e.Next(); err != nil {
			return err
		}
		if r.GetString("status") == schema.CommentApproved && r.GetString("source_key") == "" {
			return approved(e.App, r)
		}
		return nil
	})
}

// hang finds the branch of a new comment.
func hang(app core.App, r *core.Record) error {
	parent := r.GetString("parent")
	r.Set("root", r.Id)
	r.Set("depth", 0)
	if parent == "" {
		return nil
	}
	var up struct {
		Thread string `db:"thread"`
		Root   string `db:"root"`
		Depth  int    `db:"depth"`
	}
	err := app.NonconcurrentDB().Select("thread", "root", "depth").From(schema.Comments).Where(dbx.HashExp{"id": parent}).One(&up)
	if errors.Is(err, sql.ErrNoRows) || err == nil && up.Thread != r.GetString("thread") {
		return validation.Errors{"parent": validation.NewError("validation_parent", "The comment that this answers is not there any more.")}
	}
	if err != nil {
		return fmt.Errorf("find the comment above: %w", err)
	}
	r.Set("root", up.Root)
	r.Set("depth", up.Depth+1)
	return nil
}

func updateRecord(e *core.RecordEvent) error {
	return inOne(e, func() error {
		r := e.Record
		before := &core.Record{}
		err := e.App.RecordQuery(schema.Comments).AndWhere(dbx.HashExp{"id": r.Id}).One(before)
		if err != nil {
			return fmt.Errorf("read what is stored: %w", err)
		}
		if err := stay(e.App, before, r); err != nil {
			return err
		}
		if err := e.Next(); err != nil {
			return err
		}
		from, to := before.GetString("status"), r.GetString("status")
		if from == to {
			return nil
		}
		if e.Context == nil || e.Context.Value(quiet{}) == nil {
			if err := learn(e.App, r, to); err != nil {
				return err
			}
		}
		if to == schema.CommentApproved {
			return approved(e.App, r)
		}
		return nil
	})
}

// stay refuses to move a comment. PocketBase takes the parent away when that
// is deleted: then the branch gets a new root.
func stay(app core.App, before, r *core.Record) error {
	if r.GetString("thread") != before.GetString("thread") {
		return validation.Errors{"thread": validation.NewError("validation_fixed", "A comment can't move to another thread.")}
	}
	parent := r.GetString("parent")
	if parent == before.GetString("parent") {
		r.Set("root", before.GetString("root"))
		r.Set("depth", before.GetInt("depth"))
		return nil
	}
	if parent != "" {
		return validation.Errors{"parent": validation.NewError("validation_fixed", "A comment can't become the answer to another one.")}
	}
	r.Set("root", r.Id)
	r.Set("depth", 0)
	return reroot(app, r.Id)
}

// reroot gives the branch below a comment that is now at the top its root.
func reroot(app core.App, id string) error {
	_, err := app.NonconcurrentDB().NewQuery(`UPDATE comments SET root = {:id}, depth = (
			WITH RECURSIVE below(id, depth) AS (SELECT {:id}, 0 UNION ALL
				SELECT c.id, b.depth + 1 FROM comments c JOIN below b ON c.parent = b.id)
			SELECT depth FROM below WHERE below.id = comments.id)
		WHERE id IN (WITH RECURSIVE below(id) AS (SELECT {:id} UNION SELECT c.id FROM comments c JOIN below b ON c.parent = b.id) SELECT id FROM below)`).
		Bind(dbx.Params{"id": id}).Execute()
	if err != nil {
		return fmt.Errorf("give a branch its root: %w", err)
	}
	return nil
}

func deleteRecord(e *core.RecordEvent) error {
	return inOne(e, func() error {
		if err := e.Next(); err != nil {
			return err
		}
		_, err := e.App.NonconcurrentDB().NewQuery(`DELETE FROM _comment_reactions WHERE comment = {:id}`).Bind(dbx.Params{"id": e.Record.Id}).Execute()
		if err != nil {
			return fmt.Errorf("delete the reactions: %w", err)
		}
		return nil
	})
}

// learn teaches the filter what a moderator decided. A comment that waits
// again is forgotten; one in the trash says nothing of spam.
func learn(app core.App, r *core.Record, status string) error {
	switch status {
	case schema.CommentApproved:
		return spam.Learn(app, r.Id, submissionOf(r), spam.Good)
	case schema.CommentSpam:
		return spam.Learn(app, r.Id, submissionOf(r), spam.Bad)
	case schema.CommentPending:
		return spam.Unlearn(app, spam.Comments, r.Id)
	}
	return nil
}

// submissionOf is a stored comment as the filter reads it.
func submissionOf(r *core.Record) spam.Submission {
	return spam.Submission{
		Purpose: spam.Comments, Key: r.GetString("thread"), Author: r.GetString("author"),
		Email: r.GetString("email"), URL: r.GetString("url"), Text: r.GetString("body"),
	}
}

// approved announces a comment that visitors may see from now on, and has
// those told who asked for it.
func approved(app core.App, r *core.Record) error {
	event := &events.CommentApproveEvent{App: app, Record: r}
	return events.OnCommentApprove(app).Trigger(event, func(e *events.CommentApproveEvent) error {
		if err := e.Next(); err != nil {
			return err
		}
		if r.GetString("parent") == "" || !optionsOf(app).MailReplies {
			return nil
		}
		above, err := askedFor(app, r)
		if err != nil || len(above) == 0 {
			return err
		}
		return queue.Enqueue(app, jobReplies, commentJob{ID: r.Id})
	})
}

// commentJob is the payload of the jobs about one comment.
type commentJob struct {
	ID string `json:"id"`
}

// statuses lists the values of comments.status.
var statuses = []string{schema.CommentPending, schema.CommentApproved, schema.CommentSpam, schema.CommentTrash}

func knownStatus(s string) bool { return slices.Contains(statuses, s) }
