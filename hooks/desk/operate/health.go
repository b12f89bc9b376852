package operate

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/health"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/queue"
	"github.com/pocketbase/pocketbase/core"
)

// Sign is how one part of the site is.
type Sign struct {
	Label string
	State string // "good", "warn" or "bad"
	Text  string
	Href  string // where it is mended, "" for nowhere
}

// Limits of what counts as well.
const (
	lowDisk   = 1 << 30            // bytes
	oldBackup = 8 * 24 * time.Hour // since the last one
	lateJob   = 15 * time.Minute   // after it was due
)

// teller translates an English text for whoever reads it.
type teller = func(english string, args ...any) string

// Health looks at what the owner has to know about.
func Health(ctx context.Context, app core.App, speak teller) ([]Sign, error) {
	jobs, err := jobSign(app, speak)
	if err != nil {
		return nil, err
	}
	mails, err := mailSign(app, speak)
	if err != nil {
		return nil, err
	}
	signs := []Sign{diskSign(app, speak), jobs, mails}
	list, err := backups(ctx, app)
	if err != nil {
		return append(signs, Sign{"Backups", "bad", speak("The place for backups can't be read."), desk.Href("backups")}), nil
	}
	return append(signs, backupSign(app, speak, list, time.Now())), nil
}

func diskSign(app core.App, speak teller) Sign {
	s := Sign{Label: "Disk", State: "good", Text: speak("The database has %s.", size(databaseSize(app)))}
	free, known := health.DiskFree(app.DataDir())
	if !known {
		return s
	}
	s.Text = speak("%s are free, the database has %s.", size(int64(min(free, 1<<62))), size(databaseSize(app)))
	switch {
	case free < health.MinFree:
		s.State = "bad"
	case free < lowDisk:
		s.State = "warn"
	}
	return s
}

// databaseSize is that of the files of data.db, in bytes.
func databaseSize(app core.App) (total int64) {
	for _, name := range []string{"data.db", "data.db-wal"} {
		if info, err := os.Stat(filepath.Join(app.DataDir(), name)); err == nil {
			total += info.Size()
		}
	}
	return total
}

func jobSign(app core.App, speak teller) (Sign, error) {
	s := Sign{Label: "Jobs", State: "good", Text: speak("Nothing waits."), Href: desk.Href("jobs")}
	counts, err := queue.Status(app)
	if err != nil {
		return s, err
	}
	var due int64 // milliseconds
	err = app.ConcurrentDB().NewQuery(`SELECT coalesce(min(run_at), 0) FROM _jobs WHERE state = 'waiting'`).Row(&due)
	if err != nil {
		return s, fmt.Errorf("find the oldest job: %w", err)
	}
	switch {
	case counts.Dead > 0:
		s.State, s.Text = "bad", speak("%d failed for good.", counts.Dead)
	case due > 0 && time.Since(time.UnixMilli(due)) > lateJob:
		s.State, s.Text = "warn", speak("%d wait, the first one for %d minutes.", counts.Waiting, int(time.Since(time.UnixMilli(due)).Minutes()))
	case counts.Waiting+counts.Running > 0:
		s.Text = speak("%d wait, %d are running.", counts.Waiting, counts.Running)
	}
	return s, nil
}

func mailSign(app core.App, speak teller) (Sign, error) {
	s := Sign{Label: "Mail", State: "good", Text: speak("Messages get out."), Href: desk.Href("mail")}
	counts, err := mail.Counts(app)
	if err != nil {
		return s, err
	}
	switch {
	case mail.Way(app) == "outbox":
		s.State, s.Text, s.Href = "warn", speak("Messages become files. Set up a mail server."), desk.Href("settings/mail")
	case counts[mail.Failed] > 0:
		s.State, s.Text = "bad", speak("%d messages failed.", counts[mail.Failed])
	case counts[mail.Deferred] > 0:
		s.State, s.Text = "warn", speak("%d messages are tried again later.", counts[mail.Deferred])
	}
	return s, nil
}

func backupSign(app core.App, speak teller, list []kept, now time.Time) Sign {
	s := Sign{Label: "Backups", State: "good", Href: desk.Href("backups")}
	switch {
	case len(list) == 0 && app.Settings().Backups.Cron == "":
		s.State, s.Text, s.Href = "warn", speak("There is none, and no schedule makes one."), desk.Href("settings/backups")
	case len(list) == 0:
		s.State, s.Text = "warn", speak("There is none yet.")
	case now.Sub(list[0].when) > oldBackup:
		s.State, s.Text = "warn", speak("The last one is %d days old.", int(now.Sub(list[0].when).Hours()/24))
	default:
		switch days := int(now.Sub(list[0].when).Hours() / 24); days {
		case 0:
			s.Text = speak("The last one is of the last 24 hours.")
		case 1:
			s.Text = speak("The last one is a day old.")
		default:
			s.Text = speak("The last one is %d days old.", days)
		}
	}
	return s
}
