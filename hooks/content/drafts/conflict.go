package drafts

import (
	"fmt"

	"github.com/pocketbase/pocketbase/core"
)

// Conflict says that somebody has saved a text after the writer had opened it.
// Nothing was written; it holds both versions, so that a person can choose.
type Conflict struct {
	Record *core.Record // as it is stored now
	Base   string       // of the record as it is stored now
	Theirs Version
	Yours  Version
}

// Error is a sentence for people.
func (c *Conflict) Error() string {
	return fmt.Sprintf("%q has been changed since you opened it. Compare both versions before you save.", c.Record.GetString("title"))
}

// held gives the Conflict, or nil where the record is still as at base. An
// empty base never conflicts: it is the API's way to say "whatever is there".
func held(record *core.Record, base string, yours Version) error {
	if base == "" {
		return nil
	}
	now, err := Base(record)
	if err != nil {
		return err
	}
	if now == base {
		return nil
	}
	return &Conflict{Record: record, Base: now, Theirs: VersionOf(record), Yours: normal(record, yours)}
}
