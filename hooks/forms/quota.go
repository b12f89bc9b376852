package forms

import (
	"sync"
	"time"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// quota counts what each form has taken today (UTC), spam too. It counts in
// memory, and asks the database once a day and form, so that it costs nothing.
type quota struct {
	mu    sync.Mutex
	day   string
	taken map[string]int // by the form's id
}

// take takes one of the day's most. Where the database can't be asked it allows.
func (q *quota) take(app core.App, f *Form, most int, now time.Time) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.turn(now)
	n, known := q.taken[f.ID]
	if !known {
		n = countSince(app, f.ID, q.day+" 00:00:00.000Z")
	}
	if n >= most {
		q.taken[f.ID] = n
		return false
	}
	q.taken[f.ID] = n + 1
	return true
}

// giveBack returns one that came to nothing.
func (q *quota) giveBack(f *Form, now time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.turn(now)
	if q.taken[f.ID] > 0 {
		q.taken[f.ID]--
	}
}

// turn begins a new day.
func (q *quota) turn(now time.Time) {
	if day := now.UTC().Format(time.DateOnly); day != q.day || q.taken == nil {
		q.day, q.taken = day, map[string]int{}
	}
}

// untilTomorrow is how long a form that is full stays so.
func untilTomorrow(now time.Time) time.Duration {
	now = now.UTC()
	return now.Truncate(24 * time.Hour).Add(24 * time.Hour).Sub(now)
}

func countSince(app core.App, form, since string) int {
	var n int
	err := app.DB().Select("count(*)").From(schema.Submissions).
		Where(dbx.HashExp{"form": form}).AndWhere(dbx.NewExp("created >= {:since}", dbx.Params{"since": since})).Row(&n)
	if err != nil {
		app.Logger().Error("a form's submissions of today can't be counted", "error", err)
	}
	return n
}

// stored is a time as the database writes it.
func stored(t time.Time) string { return t.UTC().Format(types.DefaultDateLayout) }
