package forms

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pocketbase/pocketbase/core"
)

// attempt writes drafts in one transaction.
func attempt(tx core.App, drafts []*draft) error {
	if len(drafts) == 1 {
		return drafts[0].attemptIn(tx, true)
	}
	seen, err := onceOf(tx, drafts)
	if err != nil {
		return err
	}
	for _, d := range drafts {
		if err := d.attemptIn(tx, seen[d.once]); err != nil {
			return err
		}
		seen[d.once] = true // the next of them may be its double
	}
	return nil
}

// onceOf finds which of a batch were ever stored before, in one statement.
func onceOf(tx core.App, batch []*draft) (map[string]bool, error) {
	var asked strings.Builder
	for i, d := range batch {
		if i > 0 {
			asked.WriteString(", ")
		}
		asked.WriteString("'" + d.once + "'") // hexadecimal
	}
	var known []string
	err := tx.DB().NewQuery(`SELECT once FROM submissions WHERE once IN (` + asked.String() + `) AND once != ''`).Column(&known)
	if err != nil {
		return nil, fmt.Errorf("look for the same submissions: %w", err)
	}
	seen := make(map[string]bool, len(batch))
	for _, once := range known {
		seen[once] = true
	}
	return seen, nil
}

// attemptIn writes the draft in a transaction, from the beginning: what an earlier
// attempt or its hooks changed is forgotten. seen says that the same may be stored.
func (d *draft) attemptIn(tx core.App, seen bool) error {
	fresh := core.NewRecord(d.record.Collection())
	fresh.Id = d.record.Id
	d.record, d.answers = fresh, maps.Clone(d.asSent)
	d.verdict.Reasons = slices.Clone(d.judged.Reasons)
	if seen {
		var err error
		if d.receipt, err = d.before(tx); err != nil || d.receipt.Again {
			return err
		}
	}
	d.receipt = Receipt{ID: d.record.Id}
	return d.write(tx)
}
