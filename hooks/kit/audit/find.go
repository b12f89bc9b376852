package audit

import (
	"fmt"
	"strings"
	"time"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// Filter says which lines are wanted; the zero value wants all.
type Filter struct {
	Person     string // id of an account
	Action     string // "post.publish", or "post" for all that begin with "post."
	Collection string
	Record     string
	Text       string    // anywhere in who, what, or the detail
	From, To   time.Time // To is excluded
}

func (f Filter) where() dbx.Expression {
	equal := dbx.HashExp{}
	for column, value := range map[string]string{"actor_record": f.Person, "collection": f.Collection, "record": f.Record} {
		if value != "" {
			equal[column] = value
		}
	}
	all := []dbx.Expression{dbx.NewExp("1 = 1"), equal}
	if f.Action != "" {
		if strings.Contains(f.Action, ".") {
			all = append(all, dbx.HashExp{"action": f.Action})
		} else {
			all = append(all, dbx.NewExp("action >= {:from} AND action < {:to}", dbx.Params{"from": f.Action + ".", "to": f.Action + "/"}))
		}
	}
	if f.Text != "" {
		all = append(all, dbx.Or(dbx.Like("actor", f.Text), dbx.Like("action", f.Text), dbx.Like("detail", f.Text), dbx.Like("record", f.Text)))
	}
	if !f.From.IsZero() {
		all = append(all, dbx.NewExp("at >= {:since}", dbx.Params{"since": stamp(f.From)}))
	}
	if !f.To.IsZero() {
		all = append(all, dbx.NewExp("at < {:until}", dbx.Params{"until": stamp(f.To)}))
	}
	return dbx.And(all...)
}

func stamp(t time.Time) string { return t.UTC().Format(types.DefaultDateLayout) }

// Find gives lines, newest first.
func Find(app core.App, f Filter, limit, offset int) ([]*core.Record, error) {
	lines := []*core.Record{}
	err := app.RecordQuery(schema.Audit).AndWhere(f.where()).OrderBy("at DESC", "rowid DESC").Limit(int64(limit)).Offset(int64(offset)).All(&lines)
	if err != nil {
		return nil, fmt.Errorf("read the audit: %w", err)
	}
	return lines, nil
}

// Count is how many lines the filter lets through.
func Count(app core.App, f Filter) (int, error) {
	n, err := app.CountRecords(schema.Audit, f.where())
	if err != nil {
		return 0, fmt.Errorf("count the audit: %w", err)
	}
	return int(n), nil
}

// Actions lists the actions that were ever done.
func Actions(app core.App) ([]string, error) {
	var all []string
	// One jump through the index for each action, however many lines there are.
	err := app.ConcurrentDB().NewQuery(`SELECT action FROM (WITH RECURSIVE a(action) AS (
			SELECT min(action) FROM audit UNION ALL SELECT (SELECT min(action) FROM audit WHERE action > a.action) FROM a WHERE a.action IS NOT NULL
		) SELECT action FROM a WHERE action IS NOT NULL)`).Column(&all)
	if err != nil {
		return nil, fmt.Errorf("list the actions of the audit: %w", err)
	}
	return all, nil
}
