package mail

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/secret"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// AnswerEvery is how often one address gets an automatic answer at most,
// whichever feature sends it (RFC 3834, section 2).
const AnswerEvery = 24 * time.Hour

var answeredSQL = []string{
	// Who got an automatic answer, as a keyed hash that is dropped after a day.
	`CREATE TABLE IF NOT EXISTS _mail_answered (address TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID`,
	`CREATE INDEX IF NOT EXISTS _mail_answered_at ON _mail_answered (at)`,
}

// MigrateAnswered creates the table of automatic answers where it is missing.
func MigrateAnswered(app core.App) error {
	return app.RunInTransaction(func(tx core.App) error { return run(tx, answeredSQL) })
}

// UnmigrateAnswered drops it.
func UnmigrateAnswered(app core.App) error {
	if _, err := app.NonconcurrentDB().NewQuery(`DROP TABLE IF EXISTS _mail_answered`).Execute(); err != nil {
		return fmt.Errorf("drop the table of automatic answers: %w", err)
	}
	return nil
}

// robots are the left sides of addresses behind which a program may answer.
var robots = []string{"mailer-daemon", "postmaster", "noreply", "no-reply", "donotreply", "do-not-reply", "bounce", "bounces", "abuse", "listserv", "majordomo"}

// Answer sends m as an automatic answer, and reports whether it does: not to an
// address that got one within a day, however it is written, nor to a program or
// to this site's own address, nor to what can't receive mail. It is part of
// app's transaction where that is one.
func Answer(app core.App, m Message) (sent bool, err error) {
	s, err := serviceOf(app)
	if err != nil {
		return false, err
	}
	local, domain, ok := cutLast(strings.ToLower(strings.TrimSpace(m.To.Address)), "@")
	local, _, _ = strings.Cut(local, "+")
	mailbox := local + "@" + asciiDomain(domain)
	switch {
	case !ok, slices.Contains(robots, local), strings.HasPrefix(local, "owner-"), strings.HasSuffix(local, "-request"),
		strings.EqualFold(mailbox, app.Settings().Meta.SenderAddress):
		return false, nil
	}
	hash, err := addressHash(app, mailbox)
	if err != nil {
		return false, err
	}
	err = app.RunInTransaction(func(tx core.App) error {
		first, err := firstToday(tx, hash, s.cfg.Now())
		if err != nil || !first {
			return err
		}
		m.Personal, sent = false, true
		return Send(tx, m)
	})
	if err != nil {
		sent = false
	}
	if errors.Is(err, ErrAddress) {
		err = nil // some addresses can write and not be written to
	}
	return sent, err
}

// firstToday notes an automatic answer, and reports false where there was one.
func firstToday(tx core.App, hash string, now time.Time) (bool, error) {
	bind := dbx.Params{"address": hash, "now": now.UnixMilli(), "before": now.Add(-AnswerEvery).UnixMilli()}
	if _, err := tx.NonconcurrentDB().NewQuery(`DELETE FROM _mail_answered WHERE at <= {:before}`).Bind(bind).Execute(); err != nil {
		return false, fmt.Errorf("forget old automatic answers: %w", err)
	}
	res, err := tx.NonconcurrentDB().NewQuery(`INSERT INTO _mail_answered (address, at) VALUES ({:address}, {:now}) ON CONFLICT DO NOTHING`).Bind(bind).Execute()
	if err != nil {
		return false, fmt.Errorf("note an automatic answer: %w", err)
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

func addressHash(app core.App, mailbox string) (string, error) {
	key, err := secret.Derive(app, "mail answered")
	if err != nil {
		return "", fmt.Errorf("know an address again: %w", err)
	}
	h := hmac.New(sha256.New, key)
	h.Write([]byte(mailbox))
	return hex.EncodeToString(h.Sum(nil)[:16]), nil
}
