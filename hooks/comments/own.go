package comments

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"time"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/secret"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

// ErrNotYours says that a comment can't be changed with this token, or not any
// more.
var ErrNotYours = router.NewForbiddenError("This comment can't be changed any more.", nil)

// EditToken is what lets its author change a comment while it is young.
// Nothing is stored for it.
func EditToken(app core.App, r *core.Record) (string, error) {
	key, err := secret.Derive(app, "comment edit")
	if err != nil {
		return "", err
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(r.Id + " " + r.GetDateTime("created").String()))
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil)[:18]), nil
}

// mine finds the comment that the token belongs to, while it may be changed.
func mine(app core.App, id, token string) (*core.Record, error) {
	r, err := app.FindRecordById(schema.Comments, id)
	if err != nil {
		return nil, err
	}
	want, err := EditToken(app, r)
	if err != nil {
		return nil, err
	}
	window := time.Duration(optionsOf(app).EditMinutes) * time.Minute
	if !hmac.Equal([]byte(want), []byte(token)) || time.Since(r.GetDateTime("created").Time()) > window || r.GetBool("removed") ||
		r.GetString("source_key") != "" || r.GetString("status") == schema.CommentTrash {
		return nil, ErrNotYours
	}
	return r, nil
}

// EditOwn changes the text of the visitor's own comment. What it becomes is
// judged as a new one is, so that nobody slips spam in afterwards.
func EditOwn(app core.App, id, token, body, ip string) (*core.Record, error) {
	if err := spam.Of(app).Allow(ip, "comment edit"); err != nil {
		return nil, err
	}
	r, err := mine(app, id, token)
	if err != nil {
		return nil, err
	}
	before := tidy(r.GetString("body"))
	if err := setBody(app, r, body); err != nil {
		return nil, err
	}
	if r.GetString("body") == before {
		return r, nil
	}
	r.Set("once", "") // the first words, sent again, are another comment
	v, err := spam.Judge(app, spam.Submission{
		Purpose: spam.Comments, Key: "comment edit", IP: ip, Author: r.GetString("author"), Email: r.GetString("email"),
		URL: r.GetString("url"), Text: r.GetString("body"), Known: true,
	})
	if err != nil {
		return nil, err
	}
	// That it resembles its own first version is no fault.
	v.Reasons = slices.DeleteFunc(v.Reasons, func(reason spam.Reason) bool { return reason.Layer == spam.LayerDuplicate })
	if v.Action() != spam.Accept && r.GetString("staff") == "" {
		r.Set("status", schema.CommentPending)
		if v.Action() == spam.File {
			r.Set("status", schema.CommentSpam)
		}
		r.Set("score", v.Points())
		r.Set("verdict", v)
	}
	if err := app.SaveWithContext(quietly(context.Background()), r); err != nil {
		return nil, fmt.Errorf("save the comment: %w", err)
	}
	return r, nil
}

// DeleteOwn takes the visitor's own comment back. Where others answered it,
// "removed" stays in its place.
func DeleteOwn(app core.App, id, token, ip string) error {
	if err := spam.Of(app).Allow(ip, "comment edit"); err != nil {
		return err
	}
	if _, err := mine(app, id, token); err != nil {
		return err
	}
	return app.RunInTransaction(func(tx core.App) error {
		r, err := tx.FindRecordById(schema.Comments, id)
		if err != nil {
			return err
		}
		return remove(tx, r)
	})
}

// remove deletes a comment, or empties it where it has answers. Call it with
// the app of a transaction.
func remove(tx core.App, r *core.Record) error {
	if err := spam.Unlearn(tx, spam.Comments, r.Id); err != nil {
		return err
	}
	answers, err := tx.CountRecords(schema.Comments, dbx.HashExp{"parent": r.Id})
	if err != nil {
		return fmt.Errorf("count the answers: %w", err)
	}
	if answers == 0 {
		if err := tx.Delete(r); err != nil {
			return fmt.Errorf("delete the comment: %w", err)
		}
		return nil
	}
	// The source key stays, or an import that is repeated would bring it back.
	for _, name := range []string{"author", "email", "url", "body", "agent", "address", "user", "staff", "badge", "once", "digest"} {
		r.Set(name, "")
	}
	r.Set("html", "<p></p>")
	r.Set("notify", false)
	r.Set("pinned", false)
	r.Set("removed", true)
	r.Set("verdict", nil)
	r.Set("status", schema.CommentTrash)
	if err := tx.SaveWithContext(quietly(context.Background()), r); err != nil {
		return fmt.Errorf("empty the comment: %w", err)
	}
	return nil
}

// ErrReaction says that a reaction is none that the owner offers.
var ErrReaction = errors.New("this reaction is not offered here")

// maxReactions is how many people may react to one comment.
const maxReactions = 10_000

// React notes one person's reaction to a comment, replacing an earlier one. The
// same again, or an empty one, takes it back.
func React(app core.App, id, person, kind string) (*core.Record, error) {
	if kind != "" && !slices.Contains(optionsOf(app).Reactions, kind) {
		return nil, ErrReaction
	}
	var r *core.Record
	err := app.RunInTransaction(func(tx core.App) error {
		var err error
		if r, err = tx.FindRecordById(schema.Comments, id); err != nil {
			return err
		}
		if r.GetString("status") != schema.CommentApproved {
			return router.NewNotFoundError("", nil)
		}
		_, had, err := reactionsOf(tx, id)
		if err != nil {
			return err
		}
		if err := toggle(tx, id, person, kind); err != nil {
			return err
		}
		counts, has, err := reactionsOf(tx, id)
		if err != nil {
			return err
		}
		r.Set("reactions", counts)
		r.Set("votes", r.GetInt("votes")+has-had) // imported votes stay
		return tx.SaveWithContext(quietly(context.Background()), r)
	})
	if err != nil {
		return nil, err
	}
	return r, nil
}

func toggle(tx core.App, id, person, kind string) error {
	bind := dbx.Params{"c": id, "p": person, "k": kind, "at": time.Now().Unix(), "most": maxReactions}
	var had []string
	if err := tx.NonconcurrentDB().NewQuery(`SELECT kind FROM _comment_reactions WHERE comment = {:c} AND person = {:p}`).Bind(bind).Column(&had); err != nil {
		return fmt.Errorf("read the reaction: %w", err)
	}
	query := `INSERT INTO _comment_reactions (comment, person, kind, at) SELECT {:c}, {:p}, {:k}, {:at}
		WHERE (SELECT count(*) FROM _comment_reactions WHERE comment = {:c}) < {:most}
		ON CONFLICT (comment, person) DO UPDATE SET kind = excluded.kind, at = excluded.at`
	if kind == "" || len(had) > 0 && had[0] == kind {
		query = `DELETE FROM _comment_reactions WHERE comment = {:c} AND person = {:p}`
	}
	if _, err := tx.NonconcurrentDB().NewQuery(query).Bind(bind).Execute(); err != nil {
		return fmt.Errorf("save the reaction: %w", err)
	}
	return nil
}

// reactionsOf counts the reactions to a comment.
func reactionsOf(tx core.App, id string) (map[string]int, int, error) {
	var rows []struct {
		Kind string `db:"kind"`
		N    int    `db:"n"`
	}
	err := tx.NonconcurrentDB().NewQuery(`SELECT kind, count(*) AS n FROM _comment_reactions WHERE comment = {:c} GROUP BY kind`).
		Bind(dbx.Params{"c": id}).All(&rows)
	if err != nil {
		return nil, 0, fmt.Errorf("count the reactions: %w", err)
	}
	counts, total := map[string]int{}, 0
	for _, row := range rows {
		counts[row.Kind] = row.N
		total += row.N
	}
	return counts, total, nil
}
