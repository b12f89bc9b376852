package operate

import (
	"errors"
	"net/url"
	"strconv"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// perPage is how many rows the lists here show.
const perPage = 50

// jobRow is a job as the list shows it.
type jobRow struct {
	queue.Job
	Due, Changed time.Time
	Data         string
}

// jobsPage is what the template gets.
type jobsPage struct {
	Tabs  []desk.Tab
	State string
	Rows  []jobRow
	Older string // the address of the next page
}

func listJobs(e *desk.Event) error {
	state := e.Request.URL.Query().Get("state")
	counts, err := queue.Status(e.App)
	if err != nil {
		return err
	}
	page := jobsPage{State: state}
	for _, t := range []struct {
		state, label string
		n            int
	}{{"", "All", counts.Waiting + counts.Running + counts.Dead}, {queue.Waiting, "Waiting", counts.Waiting}, {queue.Running, "Running", counts.Running}, {queue.Dead, "Failed", counts.Dead}} {
		page.Tabs = append(page.Tabs, desk.Tab{Label: e.T(t.label), Href: filtered("jobs", t.state), Count: t.n, Current: t.state == state})
	}
	if state != "" && state != queue.Waiting && state != queue.Running && state != queue.Dead {
		return e.NotFoundError("", nil)
	}
	before, _ := strconv.ParseInt(e.Request.URL.Query().Get("before"), 10, 64)
	jobs, err := queue.List(e.App, queue.Filter{State: state, Before: before, Limit: perPage + 1})
	if err != nil {
		return err
	}
	if len(jobs) > perPage {
		jobs = jobs[:perPage]
		page.Older = older("jobs", state, jobs[perPage-1].ID)
	}
	for _, j := range jobs {
		page.Rows = append(page.Rows, jobRow{Job: j, Due: j.RunAt, Changed: j.Updated, Data: cut(string(j.Payload), 2000)})
	}
	return e.Render("desk/operate/jobs.html", e.T("Jobs"), page, assets)
}

// filtered is the address of a list with one state.
func filtered(path, state string) string {
	if state == "" {
		return desk.Href(path)
	}
	return desk.Href(path) + "?state=" + state
}

func older(path, state string, id int64) string {
	q := url.Values{"before": {strconv.FormatInt(id, 10)}}
	if state != "" {
		q.Set("state", state)
	}
	return desk.Href(path) + "?" + q.Encode()
}

func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return s[:most] + "…"
}

// changeJob tries a failed job again, has a waiting one run at once, or drops
// one.
func changeJob(e *desk.Event) error {
	id, err := strconv.ParseInt(e.Request.PathValue("id"), 10, 64)
	if err != nil {
		return e.NotFoundError("", err)
	}
	form, err := web.Read(e.RequestEvent)
	if err != nil {
		return err
	}
	acts := map[string]struct {
		do     func(app core.App, id int64) error
		notice string
	}{
		"retry": {queue.Retry, "The job is tried again."},
		"hurry": {queue.Hurry, "The job runs at the next moment."},
		"drop":  {queue.Drop, "The job is gone."},
	}
	act, ok := acts[form.Get("act")]
	if !ok {
		return e.BadRequestError("Choose what to do with the job.", nil)
	}
	err = e.App.RunInTransaction(func(tx core.App) error {
		if err := act.do(tx, id); err != nil {
			return err
		}
		return audit.Write(tx, e.Actor(), "job."+form.Get("act"), "", strconv.FormatInt(id, 10), nil)
	})
	back := filtered("jobs", e.Request.URL.Query().Get("state"))
	if errors.Is(err, queue.ErrNoJob) {
		return e.Leave(back, desk.Notice{Kind: "warning", Text: e.T("The job is not in that state any more, so nothing was done.")})
	}
	if err != nil {
		return err
	}
	return e.Done(back, act.notice)
}

// deadJobs is the number beside "Jobs".
func deadJobs(app core.App, _ *core.Record) (int, error) {
	counts, err := queue.Status(app)
	return counts.Dead, err
}
