package hooks

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"bungalow/hooks/kit/backup"
	"bungalow/hooks/kit/health"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// bindBackup tells backups what belongs to a site.
func bindBackup(app core.App, cfg Config) {
	folder := func(set, name string) string {
		if set != "" {
			return set
		}
		return filepath.Join(app.DataDir(), "..", name)
	}
	backup.Bind(app, backup.Config{
		Version: Version, PocketBase: pocketbaseVersion(),
		Beside: map[string]string{
			"pb_public": cfg.publicDir(app), "pb_hooks": folder(cfg.HooksDir, "pb_hooks"), "pb_migrations": folder(cfg.MigrationsDir, "pb_migrations"),
		},
	}, restoreRules())
}

func restoreRules() backup.Rules {
	return backup.Rules{Known: knownMigration, Free: health.DiskFree}
}

// knownMigration reports whether this build has a migration that a database went
// through: PocketBase's, ours, or one of a Go developer's own.
func knownMigration(file string) bool {
	lists := []*core.MigrationsList{&core.SystemMigrations, &core.AppMigrations}
	for _, f := range features() {
		lists = append(lists, f.migrations)
	}
	for _, list := range lists {
		if slices.ContainsFunc(list.Items(), func(m *core.Migration) bool { return m.File == file }) {
			return true
		}
	}
	return false
}

func backupCommand(app core.App) *cobra.Command {
	return &cobra.Command{
		Use:   "backup [PATH]",
		Short: "Puts the whole site into one file, also while it is serving",
		Long: "Puts the databases, the uploads, the site's key and the folders pb_public, pb_hooks and\n" +
			"pb_migrations into one zip file. The site may serve meanwhile: what is in the file is one\n" +
			"moment of it. PATH is a file that does not exist yet, or a folder; without it the file goes\n" +
			"to the backups of the data folder, which the desk lists. Whoever has the file has the site\n" +
			"and its secrets: keep it safe.",
		Example: "  bungalow backup\n  bungalow backup /mnt/disk/\n  bungalow backup site.zip",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			file, err := backupPath(app, args)
			if err != nil {
				return err
			}
			cfg, _, err := backup.Of(app)
			if err != nil {
				return err
			}
			m, err := backup.Create(contextOf(c), app, cfg, file)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "The site is in %s (%d files).\n", file, m.Files)
			if m.Elsewhere {
				fmt.Fprintln(c.OutOrStdout(), "Its uploads lie on S3 and are not in it: back the bucket up too.")
			}
			return nil
		},
	}
}

func contextOf(c *cobra.Command) context.Context {
	if ctx := c.Context(); ctx != nil {
		return ctx
	}
	return context.Background()
}

// backupPath is the file that the operator means.
func backupPath(app core.App, args []string) (string, error) {
	name := backup.Name(app, time.Now())
	if len(args) == 0 {
		dir := filepath.Join(app.DataDir(), core.LocalBackupsDirName)
		return filepath.Join(dir, name), os.MkdirAll(dir, 0o755)
	}
	if info, err := os.Stat(args[0]); err == nil && info.IsDir() {
		return filepath.Join(args[0], name), nil
	} else if strings.HasSuffix(args[0], string(os.PathSeparator)) {
		return "", fmt.Errorf("there is no folder %s", args[0])
	}
	return args[0], nil
}

func restoreCommand(app core.App) *cobra.Command {
	return &cobra.Command{
		Use:   "restore FILE",
		Short: "Brings a site back from a backup, into an empty folder",
		Long: "Checks a backup from its first byte to its last and opens it into the data folder, which\n" +
			"must be empty or not there; pb_public, pb_hooks and pb_migrations go beside it. A damaged file\n" +
			"changes nothing. Backups of PocketBase open too.",
		Example: "  bungalow restore backup_my_site_20260401030000.zip\n  bungalow restore site.zip --dir /srv/site/pb_data",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			m, err := backup.Restore(contextOf(c), restoreRules(), args[0], app.DataDir())
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "The site is back in %s.\n", app.DataDir())
			if m.Elsewhere {
				fmt.Fprintln(c.OutOrStdout(), "Its uploads lie on S3 and were not in the backup.")
			}
			return nil
		},
	}
}
