package spam

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Label is what staff said of a submission.
type Label string

// The labels.
const (
	Good Label = "good"
	Bad  Label = "spam"
)

const (
	tableWords = "_spam_words"
	// maxWords is how many words of a purpose are kept; beyond it the rarest go.
	maxWords = 60_000
	// maxLearned is of how many texts learning can be undone.
	maxLearned = 20_000
	// pruneEvery is after how many texts the limits are looked at.
	pruneEvery = 64
)

// learnedRow is a text that was learned.
type learnedRow struct {
	Label  string `db:"label"`
	Tokens string `db:"tokens"`
}

// Learn takes what staff said of the submission named ref, once: saying the
// same again changes nothing, saying the opposite replaces it. Given a
// transaction's app it becomes part of the transaction.
func Learn(app core.App, ref string, s Submission, label Label) error {
	return relearn(app, s.Purpose, ref, label, tokens(s))
}

// Unlearn takes back what was learned of ref; nothing where nothing was.
func Unlearn(app core.App, p Purpose, ref string) error {
	return relearn(app, p, ref, "", nil)
}

func relearn(app core.App, p Purpose, ref string, label Label, words []string) error {
	return app.RunInTransaction(func(tx core.App) error {
		var before learnedRow
		err := tx.NonconcurrentDB().NewQuery(`SELECT label, tokens FROM _spam_learned WHERE purpose = {:p} AND ref = {:ref}`).
			Bind(dbx.Params{"p": string(p), "ref": ref}).One(&before)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("learn: %w", err)
		}
		if before.Label == string(label) {
			return nil
		}
		if before.Label != "" {
			if err := takeBack(tx, p, ref, before); err != nil {
				return err
			}
		}
		if label == "" {
			return nil
		}
		return take(tx, p, ref, label, words)
	})
}

// deltaOf is one text of a label, n times.
func deltaOf(label Label, n int32) count {
	if label == Bad {
		return count{spam: n}
	}
	return count{good: n}
}

func takeBack(tx core.App, p Purpose, ref string, before learnedRow) error {
	var words []string
	if err := json.Unmarshal([]byte(before.Tokens), &words); err != nil {
		return fmt.Errorf("take back what was learned: %w", err)
	}
	d := deltaOf(Label(before.Label), -1)
	bind := dbx.Params{"p": string(p), "ref": ref, "spam": d.spam, "good": d.good, "words": before.Tokens}
	for _, query := range []string{
		`DELETE FROM _spam_learned WHERE purpose = {:p} AND ref = {:ref}`,
		`UPDATE _spam_totals SET spam = max(0, spam + {:spam}), good = max(0, good + {:good}) WHERE purpose = {:p}`,
		`UPDATE _spam_words SET spam = max(0, spam + {:spam}), good = max(0, good + {:good})
			WHERE purpose = {:p} AND word IN (SELECT value FROM json_each({:words}))`,
	} {
		if _, err := tx.NonconcurrentDB().NewQuery(query).Bind(bind).Execute(); err != nil {
			return fmt.Errorf("take back what was learned: %w", err)
		}
	}
	afterCommit(tx, func() { Of(tx).model.apply(p, words, d) })
	return nil
}

func take(tx core.App, p Purpose, ref string, label Label, words []string) error {
	list, err := json.Marshal(words)
	if err != nil {
		return fmt.Errorf("learn: %w", err)
	}
	now := time.Now()
	d := deltaOf(label, 1)
	bind := dbx.Params{"p": string(p), "ref": ref, "label": string(label), "words": string(list),
		"spam": d.spam, "good": d.good, "day": now.Unix() / 86400, "now": now.UnixMilli()}
	for _, query := range []string{
		`INSERT INTO _spam_learned (purpose, ref, label, tokens, at) VALUES ({:p}, {:ref}, {:label}, {:words}, {:now})`,
		`INSERT INTO _spam_totals (purpose, spam, good) VALUES ({:p}, {:spam}, {:good})
			ON CONFLICT (purpose) DO UPDATE SET spam = spam + excluded.spam, good = good + excluded.good`,
		`INSERT INTO _spam_words (purpose, word, spam, good, seen)
			SELECT {:p}, value, {:spam}, {:good}, {:day} FROM json_each({:words}) WHERE true
			ON CONFLICT (purpose, word) DO UPDATE SET spam = spam + excluded.spam, good = good + excluded.good, seen = excluded.seen`,
	} {
		if _, err := tx.NonconcurrentDB().NewQuery(query).Bind(bind).Execute(); err != nil {
			return fmt.Errorf("learn: %w", err)
		}
	}
	afterCommit(tx, func() { Of(tx).model.apply(p, words, d) })
	return pruneNowAndThen(tx, p)
}

// afterCommit runs fn once the transaction's change can be read.
func afterCommit(app core.App, fn func()) {
	app.TxInfo().OnComplete(func(err error) error {
		if err == nil {
			fn()
		}
		return nil
	})
}

func pruneNowAndThen(tx core.App, p Purpose) error {
	var texts int
	err := tx.NonconcurrentDB().NewQuery(`SELECT spam + good FROM _spam_totals WHERE purpose = {:p}`).
		Bind(dbx.Params{"p": string(p)}).Row(&texts)
	if err != nil {
		return fmt.Errorf("learn: %w", err)
	}
	if texts%pruneEvery != 0 {
		return nil
	}
	return prune(tx, p, maxWords, maxLearned)
}

// prune keeps the tables within their limits: the rarest words that were not
// seen for longest go, and the oldest texts can no longer be undone.
func prune(app core.App, p Purpose, words, texts int) error {
	bind := dbx.Params{"p": string(p), "words": words, "keep": words * 9 / 10, "texts": texts}
	var have int
	err := app.NonconcurrentDB().NewQuery(`SELECT count(*) FROM _spam_words WHERE purpose = {:p}`).Bind(bind).Row(&have)
	if err != nil {
		return fmt.Errorf("prune the learned words: %w", err)
	}
	if have > words {
		bind["drop"] = have - words*9/10
		_, err = app.NonconcurrentDB().NewQuery(`DELETE FROM _spam_words WHERE purpose = {:p} AND word IN (
			SELECT word FROM _spam_words WHERE purpose = {:p} ORDER BY spam + good, seen, word LIMIT {:drop})`).Bind(bind).Execute()
		if err != nil {
			return fmt.Errorf("prune the learned words: %w", err)
		}
		Of(app).model.forget()
		if app.TxInfo() != nil {
			afterCommit(app, Of(app).model.forget)
		}
	}
	_, err = app.NonconcurrentDB().NewQuery(`DELETE FROM _spam_learned WHERE purpose = {:p} AND ref IN (
		SELECT ref FROM _spam_learned WHERE purpose = {:p} ORDER BY at DESC, ref LIMIT -1 OFFSET {:texts})`).Bind(bind).Execute()
	if err != nil {
		return fmt.Errorf("prune the learned texts: %w", err)
	}
	return nil
}

// Sweep keeps the tables within their limits and throws away old keys of
// addresses. It runs every night.
func Sweep(app core.App, now time.Time) error {
	if !app.HasTable(tableWords) {
		return nil
	}
	for _, p := range purposes {
		if err := prune(app, p, maxWords, maxLearned); err != nil {
			return err
		}
	}
	if _, err := app.NonconcurrentDB().NewQuery(`DELETE FROM _spam_words WHERE spam = 0 AND good = 0`).Execute(); err != nil {
		return fmt.Errorf("prune the learned words: %w", err)
	}
	return Of(app).dropSalts(app, now)
}

// Export writes the learned words of a purpose as lines of JSON, the totals
// first.
func Export(app core.App, p Purpose, w io.Writer) error {
	m, err := Of(app).readModel(p)
	if err != nil {
		return err
	}
	type line struct {
		Purpose Purpose `json:"purpose,omitempty"`
		Word    string  `json:"word,omitempty"`
		Spam    int32   `json:"spam"`
		Good    int32   `json:"good"`
	}
	enc := json.NewEncoder(w)
	if err := enc.Encode(line{Purpose: p, Spam: m.total.spam, Good: m.total.good}); err != nil {
		return fmt.Errorf("export the learned words: %w", err)
	}
	for word, c := range m.words {
		if err := enc.Encode(line{Word: word, Spam: c.spam, Good: c.good}); err != nil {
			return fmt.Errorf("export the learned words: %w", err)
		}
	}
	return nil
}
