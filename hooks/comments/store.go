package comments

import (
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"bungalow/hooks/kit/limit"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/secret"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
	"github.com/pocketbase/pocketbase/tools/types"
)

const (
	// keyFor is how long an Idempotency-Key is known.
	keyFor = 24 * time.Hour
	// clickFor is how long the same words of the same visitor are one click.
	clickFor = 2 * time.Minute
	// maxKey is the longest Idempotency-Key, in bytes.
	maxKey = 200
)

// ErrKeyUsed says that an Idempotency-Key stands for another comment.
var ErrKeyUsed = router.NewApiError(422, "This Idempotency-Key was used for another comment. Use a new one for each.", nil)

// once is by what a comment that is sent twice is known again.
type once struct {
	key    string // of the visitor and his Idempotency-Key, or of all that he sent
	digest string // of all that he sent
	since  time.Time
}

// once makes the keyed hashes of a submission. Nobody can guess another
// visitor's, because his address or account is in it.
func (s *Submission) once(app core.App, now time.Time) (once, error) {
	key, err := secret.Derive(app, "comment once")
	if err != nil {
		return once{}, err
	}
	sum := func(parts ...string) string {
		h := hmac.New(sha256.New, key)
		for _, p := range parts {
			fmt.Fprintf(h, "%d:%s", len(p), p)
		}
		return hex.EncodeToString(h.Sum(nil)[:16])
	}
	sender := limit.AddressKey(s.IP)
	if s.Person != nil {
		sender = "account " + s.Person.Id
	}
	o := once{digest: sum(limitedKey(s.Thread), s.Parent, s.Author, s.Email, s.URL, s.Body, fmt.Sprint(s.Notify)), since: now.Add(-clickFor)}
	o.key = sum("click", sender, o.digest)
	if s.Key != "" {
		o.key, o.since = sum("key", sender, s.Key), now.Add(-keyFor)
	}
	return o, nil
}

// find gives the comment that was stored for the same sending, nil for none.
func (o once) find(app core.App) (*core.Record, error) {
	r := &core.Record{}
	err := app.RecordQuery(schema.Comments).
		AndWhere(dbx.NewExp("once = {:once} AND once != '' AND created >= {:since}", dbx.Params{"once": o.key, "since": o.since.UTC().Format(types.DefaultDateLayout)})).
		OrderBy("created DESC").Limit(1).One(r)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("look for the same comment: %w", err)
	case r.GetString("digest") != o.digest:
		return nil, ErrKeyUsed
	}
	return r, nil
}

// draft is a comment on its way into the database. ask means that Akismet has
// the last word.
type draft struct {
	record *core.Record
	ask    bool
	once   once
	stored *core.Record // what is in the database: the record, or an earlier one
}

// store saves a comment with the jobs that follow from it, in one transaction
// with others that arrive at the same time. One that was sent before is not
// stored again: then the earlier one is returned.
func store(app core.App, r *core.Record, ask bool, o once) (*core.Record, error) {
	d := &draft{record: r, ask: ask, once: o}
	r.Set("once", o.key)
	r.Set("digest", o.digest)
	err := serviceOf(app).writer.Write(app, d, writeAll)
	return d.stored, err
}

func writeAll(tx core.App, drafts []*draft) error {
	seen, err := seenOnce(tx, drafts)
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if err := d.write(tx, seen[d.once.key]); err != nil {
			return err
		}
		seen[d.once.key] = true // the next of them may be its double
	}
	return nil
}

// seenOnce finds which drafts may be stored already, in one statement.
func seenOnce(tx core.App, drafts []*draft) (map[string]bool, error) {
	seen := map[string]bool{}
	var keys []string
	for _, d := range drafts {
		if d.once.key != "" {
			keys = append(keys, "'"+d.once.key+"'") // hexadecimal
		}
	}
	if len(keys) == 0 {
		return seen, nil
	}
	var known []string
	err := tx.NonconcurrentDB().NewQuery(`SELECT once FROM comments WHERE once IN (` + strings.Join(keys, ", ") + `) AND once != ''`).Column(&known)
	if err != nil {
		return nil, fmt.Errorf("look for the same comments: %w", err)
	}
	for _, key := range known {
		seen[key] = true
	}
	return seen, nil
}

func (d *draft) write(tx core.App, seen bool) error {
	if seen && d.once.key != "" {
		if earlier, err := d.once.find(tx); err != nil || earlier != nil {
			d.stored = earlier
			return err
		}
	}
	r := d.record
	d.stored = r
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
