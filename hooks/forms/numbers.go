package forms

import (
	"fmt"
	"strconv"
	"time"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// Day is what came on one day (UTC).
type Day struct {
	Day  string `db:"day"` // 2006-01-02
	OK   int    `db:"ok"`
	Spam int    `db:"spam"`
}

// numbersByDay counts the last days, the oldest first, of one form or of all.
func numbersByDay(app core.App, form string, now time.Time, days int) ([]Day, error) {
	first := now.UTC().AddDate(0, 0, 1-days)
	var rows []Day
	q := app.DB().Select("substr(created, 1, 10) AS day", "sum(status = 'ok') AS ok", "sum(status = 'spam') AS spam").
		From(schema.Submissions).Where(dbx.NewExp("created >= {:from}", dbx.Params{"from": first.Format(time.DateOnly)})).GroupBy("day")
	if form != "" {
		q.AndWhere(dbx.HashExp{"form": form})
	}
	if err := q.All(&rows); err != nil {
		return nil, fmt.Errorf("count submissions by day: %w", err)
	}
	byDay := map[string]Day{}
	for _, r := range rows {
		byDay[r.Day] = r
	}
	out := make([]Day, days)
	for i := range out {
		day := first.AddDate(0, 0, i).Format(time.DateOnly)
		out[i] = byDay[day]
		out[i].Day = day
	}
	return out, nil
}

// Numbers are a form's.
type Numbers struct {
	ID     string `db:"id"`
	Title  string `db:"title"`
	Slug   string `db:"slug"`
	Open   bool   `db:"open"`
	Total  int    `db:"total"`
	Spam   int    `db:"spam"`
	People int    `db:"people"` // different addresses of mail
	Last   string `db:"last"`
	Days   []Day  `db:"-"`
}

// SpamShare is the part of spam in per cent.
func (n Numbers) SpamShare() int {
	if n.Total == 0 {
		return 0
	}
	return (n.Spam*100 + n.Total/2) / n.Total
}

// Bar is one column of the chart, in units of its drawing.
type Bar struct {
	X, Y, Height int
	Label        string
}

// chart sizes.
const (
	barWidth    = 10
	chartHeight = 60
)

// Bars draws the days.
func (n Numbers) Bars() []Bar {
	most := 1
	for _, d := range n.Days {
		most = max(most, d.OK)
	}
	var bars []Bar
	for i, d := range n.Days {
		height := d.OK * chartHeight / most
		if d.OK > 0 {
			height = max(height, 2)
		}
		bars = append(bars, Bar{X: i * barWidth, Y: chartHeight - height, Height: height, Label: d.Day + ": " + count(d.OK)})
	}
	return bars
}

// Month is the sum of the days that are not spam.
func (n Numbers) Month() int {
	total := 0
	for _, d := range n.Days {
		total += d.OK
	}
	return total
}

// numbersOf counts every form.
func numbersOf(app core.App, now time.Time, days int) ([]Numbers, error) {
	var all []Numbers
	err := app.DB().Select("f.id", "f.title", "f.slug", "f.open", "count(s.id) AS total", "coalesce(sum(s.status = 'spam'), 0) AS spam",
		"count(DISTINCT nullif(s.email, '')) AS people", "coalesce(max(s.created), '') AS last").
		From(schema.Forms+" f").LeftJoin(schema.Submissions+" s", dbx.NewExp("s.form = f.id")).
		GroupBy("f.id").OrderBy("f.title").All(&all)
	if err != nil {
		return nil, fmt.Errorf("count submissions: %w", err)
	}
	for i := range all {
		if days == 0 {
			continue
		}
		if all[i].Days, err = numbersByDay(app, all[i].ID, now, days); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func showNumbers(e *desk.Event) error {
	s, err := of(e.App)
	if err != nil {
		return err
	}
	all, err := numbersOf(e.App, s.now(), 30)
	if err != nil {
		return err
	}
	return e.Render("desk/forms/numbers.html", e.T("Numbers of the forms"), all, "/assets/css/desk-forms.css")
}

func count(n int) string { return strconv.Itoa(n) }
