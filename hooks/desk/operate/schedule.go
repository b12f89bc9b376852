package operate

import (
	"errors"
	"fmt"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/metrics"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/cron"
)

// schedule is the page "Backups" of the settings: PocketBase's clock for them.
type schedule struct {
	Every string `json:"every" options:"never=Never,day=Every day,week=Every week on Monday,own=As written below" label:"Make one"`
	Hour  int    `json:"hour" min:"0" max:"23" label:"At the hour" help:"From 0 to 23, in UTC. A quiet hour is best."`
	Keep  int    `json:"keep" min:"1" max:"365" label:"Keep" unit:"backups" help:"Older ones that the schedule made are deleted. Those made by hand stay."`
	Cron  string `json:"cron" max:"100" label:"Own times" help:"A line of cron such as 30 2 * * 1-5, in UTC. Counts where you chose as written below."`
}

func backupSettings() []desk.Setting {
	return []desk.Setting{{
		Feature: "backups", Title: "Backups", Icon: "hard-drive", Order: 60,
		Help:    "When backups are made by themselves.",
		Options: func(app core.App) (any, error) { return loadSchedule(app), nil }, Save: saveSchedule,
		Links: []desk.Link{{Label: "All backups", Href: desk.Href("backups"), Icon: "hard-drive"}},
	}}
}

func loadSchedule(app core.App) *schedule {
	b := app.Settings().Backups
	s := &schedule{Every: "own", Hour: 3, Keep: max(b.CronMaxKeep, 1), Cron: b.Cron}
	var hour int
	switch {
	case b.Cron == "":
		s.Every = "never"
	case scans(b.Cron, "0 %d * * *", &hour):
		s.Every, s.Hour = "day", hour
	case scans(b.Cron, "0 %d * * 1", &hour):
		s.Every, s.Hour = "week", hour
	}
	return s
}

// scans reads the hour of a line that has exactly this form.
func scans(line, form string, hour *int) bool {
	if _, err := fmt.Sscanf(line, form, hour); err != nil {
		return false
	}
	return fmt.Sprintf(form, *hour) == line
}

func (s *schedule) line() string {
	switch s.Every {
	case "never":
		return ""
	case "day":
		return fmt.Sprintf("0 %d * * *", s.Hour)
	case "week":
		return fmt.Sprintf("0 %d * * 1", s.Hour)
	}
	return s.Cron
}

// Validate reads the line of cron where one counts.
func (s *schedule) Validate() error {
	if s.Every != "own" {
		return nil
	}
	if _, err := cron.NewSchedule(s.Cron); err != nil {
		return validation.Errors{"cron": validation.NewError("validation_cron", "This is no line of cron. It has five parts: minute, hour, day, month, weekday.")}
	}
	return nil
}

func saveSchedule(app core.App, options any) error {
	s, ok := options.(*schedule)
	if !ok {
		return errors.New("these are not the settings of the backups")
	}
	all, err := app.Settings().Clone()
	if err != nil {
		return fmt.Errorf("copy PocketBase's settings: %w", err)
	}
	all.Backups.Cron, all.Backups.CronMaxKeep = s.line(), s.Keep
	if err := app.Save(all); err != nil {
		return fmt.Errorf("save PocketBase's settings: %w", err)
	}
	return nil
}

// metricsSetting is the token of /metrics.
func metricsSetting() desk.Setting {
	s := desk.Options(metrics.Feature, "Figures for machines", "Lets a program such as Prometheus watch the site.", metrics.Options{})
	s.Icon, s.Order = "activity", 90
	return s
}
