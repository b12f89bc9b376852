package hooks

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/kit/desk"
	"bungalow/hooks/kit/health"
	"bungalow/hooks/kit/mail"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/secret"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/theme"
	"bungalow/hooks/site"
	"bungalow/pb_public"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// errFaults ends the command check where something is not in order.
var errFaults = errors.New("not everything is in order; what is wrong stands above")

// dialTime is how long a mail server may take to answer.
const dialTime = 10 * time.Second

// checkers are what every site is looked through for.
func checkers(cfg Config) []health.Checker {
	return []health.Checker{
		{Name: "data folder", Do: checkFolder},
		{Name: "disk", Do: checkDisk},
		{Name: "clock", Do: checkClock},
		{Name: "databases", Do: checkDatabases},
		{Name: "settings", Do: func(_ context.Context, app core.App) []string { return checkSettings(app, cfg) }},
		{Name: "templates", Do: func(_ context.Context, app core.App) []string { return checkTemplates(app, cfg) }},
		{Name: "mail", Do: checkMail},
		{Name: "jobs", Do: checkJobs},
	}
}

func checkCommand(app core.App, cfg Config) *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Looks whether everything is in order",
		Long: "Looks at the data folder and the disk, the clock, the databases, the settings, the templates,\n" +
			"whether the mail server answers, and at what each feature has to say. Each fault is a\n" +
			"sentence that says what to do; the exit code is then 1. It may run while the site serves.",
		Example: "  bungalow check\n  bungalow check --dir /srv/site/pb_data",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			found := false
			for _, one := range append(checkers(cfg), health.Checkers(app)...) {
				faults := one.Do(contextOf(c), app)
				if len(faults) == 0 {
					fmt.Fprintf(c.OutOrStdout(), "ok     %s\n", one.Name)
				}
				for _, f := range faults {
					found = true
					fmt.Fprintf(c.OutOrStdout(), "FAULT  %s: %s\n", one.Name, strings.Join(strings.Fields(f), " "))
				}
			}
			if found {
				return errFaults
			}
			return nil
		},
	}
}

func checkFolder(_ context.Context, app core.App) (faults []string) {
	f, err := os.CreateTemp(app.DataDir(), ".check-")
	if err != nil {
		return []string{fmt.Sprintf("nothing can be written to %s (%v); give this user the right to", app.DataDir(), err)}
	}
	if err := errors.Join(f.Close(), os.Remove(f.Name())); err != nil {
		faults = append(faults, fmt.Sprintf("a file can't be removed from %s (%v)", app.DataDir(), err))
	}
	key := filepath.Join(app.DataDir(), secret.FileName)
	if info, err := os.Stat(key); err == nil && runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0 {
		faults = append(faults, fmt.Sprintf("others may read the site's key; run: chmod 600 %s", key))
	}
	if _, err := secret.Derive(app, "check"); err != nil {
		faults = append(faults, err.Error())
	}
	return faults
}

func checkDisk(_ context.Context, app core.App) []string {
	if free, known := health.DiskFree(app.DataDir()); known && free < health.MinFree {
		return []string{fmt.Sprintf("the disk has %d MB left; free some space", free>>20)}
	}
	return nil
}

// checkClock compares with what was written here before: a clock that runs
// behind publishes late and refuses sign-ins.
func checkClock(_ context.Context, app core.App) []string {
	var last int64 // microseconds
	err := app.DB().NewQuery("SELECT coalesce(max(applied), 0) FROM _migrations").Row(&last)
	if err != nil {
		return []string{fmt.Sprintf("the list of migrations can't be read (%v)", err)}
	}
	if behind := time.UnixMicro(last).Sub(time.Now()); behind > 5*time.Minute {
		return []string{fmt.Sprintf("the clock of this machine is at least %s behind; set it, best by NTP", behind.Round(time.Minute))}
	}
	return nil
}

func checkDatabases(ctx context.Context, app core.App) (faults []string) {
	for name, db := range map[string]dbx.Builder{"data.db": app.DB(), "auxiliary.db": app.AuxDB()} {
		var found []string
		if err := db.NewQuery("PRAGMA integrity_check(3)").WithContext(ctx).Column(&found); err != nil {
			faults = append(faults, fmt.Sprintf("%s can't be checked (%v)", name, err))
		} else if len(found) != 1 || found[0] != "ok" {
			faults = append(faults, fmt.Sprintf("%s is damaged (%s); stop the site and restore a backup", name, strings.Join(found, "; ")))
		}
	}
	return faults
}

func checkSettings(app core.App, cfg Config) (faults []string) {
	if _, err := settings.LoadSite(app); err != nil {
		faults = append(faults, err.Error())
	}
	Routes(app, cfg) // joins the parts of the desk
	d := desk.Of(app)
	if d == nil {
		return faults
	}
	for _, s := range d.Settings() {
		options, err := s.Options(app)
		if err == nil {
			if v, ok := options.(interface{ Validate() error }); ok {
				if err = v.Validate(); err != nil {
					err = fmt.Errorf("%w; mend it at the desk under Settings → %s", err, s.Title)
				}
			}
		}
		if err != nil && s.Feature != settings.SiteFeature {
			faults = append(faults, err.Error())
		}
	}
	return faults
}

func checkTemplates(app core.App, cfg Config) []string {
	files := theme.Overlay(cfg.publicDir(app), pb_public.Files)
	icon, err := site.Icons(files, "_theme/icons")
	if err != nil {
		return []string{err.Error()}
	}
	t, err := theme.Load(cfg.publicDir(app), pb_public.Files, theme.Options{Funcs: map[string]any{"icon": icon}})
	if err != nil {
		return []string{err.Error()}
	}
	var faults []string
	for _, err := range []error{t.CheckSection("desk"), mail.Check(t.FS())} {
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			faults = append(faults, err.Error())
		}
	}
	return faults
}

// checkMail asks the mail server for its greeting.
func checkMail(ctx context.Context, app core.App) []string {
	smtp := app.Settings().SMTP
	if !smtp.Enabled {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	address := net.JoinHostPort(smtp.Host, strconv.Itoa(smtp.Port))
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return []string{fmt.Sprintf("the mail server %s doesn't answer (%v); look at the desk under Settings → Mail", address, err)}
	}
	_ = conn.Close()
	return nil
}

func checkJobs(_ context.Context, app core.App) []string {
	counts, err := queue.Status(app)
	if err != nil {
		return []string{err.Error()}
	}
	if counts.Dead > 0 {
		return []string{fmt.Sprintf("%d jobs have failed for good; look at the desk under Jobs, and try them again or drop them", counts.Dead)}
	}
	return nil
}
