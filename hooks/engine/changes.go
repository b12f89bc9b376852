package engine

import (
	"slices"
	"strconv"
)

// rowsKept is how many rows of a table a commit names; one that changes more
// changes them all.
const rowsKept = 32

// changeSet names the rows that commits changed, by table.
type changeSet map[string]*changedRows

type changedRows struct {
	ids []int64
	all bool
}

// add notes rows of a table. An insert names its row as the old one too.
func (c changeSet) add(table string, rows ...int64) {
	known := c[table]
	if known == nil {
		known = &changedRows{}
		c[table] = known
	}
	for _, row := range rows {
		switch {
		case known.all || slices.Contains(known.ids, row):
		case len(known.ids) == rowsKept:
			known.all, known.ids = true, nil
		default:
			known.ids = append(known.ids, row)
		}
	}
}

// take moves everything from other.
func (c changeSet) take(other changeSet) {
	for table, rows := range other {
		if c[table] == nil {
			c[table] = rows
			continue
		}
		c.add(table, rows.ids...)
		c[table].all = c[table].all || rows.all
	}
	clear(other)
}

// keys are what an answer may depend on: each table, and its rows.
func (c changeSet) keys() []string {
	keys := make([]string, 0, 4*len(c))
	for table, rows := range c {
		keys = append(keys, table)
		if rows.all {
			keys = append(keys, anyRow(table))
		}
		for _, id := range rows.ids {
			keys = append(keys, oneRow(table, id))
		}
	}
	return keys
}

// anyRow is bumped by a commit that changed more rows of a table than it names.
func anyRow(table string) string { return table + "#" }

// oneRow is bumped by a commit that changed the row and not many others.
func oneRow(table string, id int64) string { return table + "#" + strconv.FormatInt(id, 10) }
