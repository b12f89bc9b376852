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

// Health looks at what the owner has to know about.
func Health(ctx context.Context, app core.App) ([]Sign, error) {
	jobs, err := jobSign(app)
	if err != nil {
		return nil, err
	}
	mails, err := mailSign(app)
	if err != nil {
		return nil, err
	}
	signs := []Sign{diskSign(app), jobs, mails}
	list, err := backups(ctx, app)
	if err != nil {
		return append(signs, Sign{"Backups", "bad", "The place for backups can't be read.", desk.Href("backups")}), nil
	}
	return append(signs, backupSign(app, list, time.Now())), nil
}

func diskSign(app core.App) Sign {
	s := Sign{Label: "Disk", State: "good", Text: "The database has " + size(databaseSize(app)) + "."}
	free, known := health.DiskFree(app.DataDir())
	if !known {
		return s
	}
	s.Text = fmt.Sprintf("%s are free, the database has %s.", size(int64(min(free, 1<<62))), size(databaseSize(app)))
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

func jobSign(app core.App) (Sign, error) {
	s := Sign{Label: "Jobs", State: "good", Text: "Nothing waits.", Href: desk.Href("jobs")}
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
		s.State, s.Text = "bad", fmt.Sprintf("%d failed for good.", counts.Dead)
	case due > 0 && time.Since(time.UnixMilli(due)) > lateJob:
		s.State, s.Text = "warn", fmt.Sprintf("%d wait, the first one for %s.", counts.Waiting, time.Since(time.UnixMilli(due)).Round(time.Minute))
	case counts.Waiting+counts.Running > 0:
		s.Text = fmt.Sprintf("%d wait, %d are running.", counts.Waiting, counts.Running)
	}
	return s, nil
}

func mailSign(app core.App) (Sign, error) {
	s := Sign{Label: "Mail", State: "good", Text: "Messages get out.", Href: desk.Href("mail")}
	counts, err := mail.Counts(app)
	if err != nil {
		return s, err
	}
	switch {
	case mail.Way(app) == "outbox":
		s.State, s.Text, s.Href = "warn", "Messages become files. Set up a mail server.", desk.Href("settings/mail")
	case counts[mail.Failed] > 0:
		s.State, s.Text = "bad", fmt.Sprintf("%d messages failed.", counts[mail.Failed])
	case counts[mail.Deferred] > 0:
		s.State, s.Text = "warn", fmt.Sprintf("%d messages are tried again later.", counts[mail.Deferred])
	}
	return s, nil
}

func backupSign(app core.App, list []kept, now time.Time) Sign {
	s := Sign{Label: "Backups", State: "good", Href: desk.Href("backups")}
	switch {
	case len(list) == 0 && app.Settings().Backups.Cron == "":
		s.State, s.Text, s.Href = "warn", "There is none, and no clock makes one.", desk.Href("settings/backups")
	case len(list) == 0:
		s.State, s.Text = "warn", "There is none yet."
	case now.Sub(list[0].when) > oldBackup:
		s.State, s.Text = "warn", fmt.Sprintf("The last one is %d days old.", int(now.Sub(list[0].when).Hours()/24))
	default:
		s.Text = "The last one is of " + list[0].At.Text + "."
	}
	return s
}
