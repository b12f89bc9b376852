package imports

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// ErrIncomplete says that a source could not be read to its end. What was read
// is written, and the report says where it broke off.
var ErrIncomplete = errors.New("not everything could be read")

// Command is `import`, with a command for each system. comments may be nil
// where that feature is switched off.
func Command(app core.App, comments CommentImporter) *cobra.Command {
	var o Options
	var asJSON bool
	root := &cobra.Command{
		Use:   "import",
		Short: "Moves another system's content in",
		Long: "Moves another system's content in. Running it again brings what changed there and doubles nothing.\n" +
			"Nothing that is here is overwritten or removed: a taken address gets -2 and is listed.",
		Example: "  bungalow import wordpress export.xml --dry-run\n  bungalow import wordpress export.xml --media\n" +
			"  bungalow import ghost my-site.json\n  bungalow import markdown ~/my-hugo-site",
	}
	root.PersistentFlags().BoolVar(&o.DryRun, "dry-run", false, "report what would happen and change nothing (a live site can't save meanwhile)")
	root.PersistentFlags().BoolVar(&o.Media, "media", false, "fetch the pictures and files too")
	root.PersistentFlags().BoolVar(&asJSON, "json", false, "write the report as JSON")
	for _, kind := range []struct {
		name, short string
		read        func(string) Stream
	}{
		{"wordpress", "Moves a WordPress export in (Tools → Export, an .xml file)", WordPress},
		{"ghost", "Moves a Ghost export in (Settings → Labs → Export, a .json file)", Ghost},
		{"markdown", "Moves a folder of Markdown in, as Hugo, Jekyll and Astro keep it", MarkdownFolder},
	} {
		root.AddCommand(&cobra.Command{
			Use: kind.name + " PATH", Short: kind.short, Args: cobra.ExactArgs(1),
			Example: "  bungalow import " + kind.name + " PATH --dry-run\n  bungalow import " + kind.name + " PATH --media",
			RunE: func(c *cobra.Command, args []string) error {
				run := o
				run.Source, run.Comments = kind.name+" "+args[0], comments
				return runImport(c, app, kind.read(args[0]), args[0], run, asJSON)
			},
		})
	}
	return root
}

func runImport(c *cobra.Command, app core.App, stream Stream, path string, o Options, asJSON bool) error {
	if _, err := os.Stat(path); err != nil {
		return fmt.Errorf("open what is to be moved in: %w. Check the path", err)
	}
	if !app.HasTable(schema.Posts) {
		return errors.New("the feature content is switched off; run import without --without content")
	}
	ctx, cancel := signal.NotifyContext(c.Context(), os.Interrupt)
	defer cancel()
	bar := progress(c.ErrOrStderr())
	o.Progress = func() { _ = bar.Add(1) }
	report, err := Import(ctx, app, stream, o)
	_ = bar.Exit()
	if err != nil {
		return fmt.Errorf("%w. What was written stays; run the command again to go on", err)
	}
	if o.Media && !o.DryRun {
		if err := fetchAll(ctx, app, c.ErrOrStderr(), report); err != nil {
			return err
		}
	}
	write := report.WriteText
	if asJSON {
		write = report.WriteJSON
	}
	if err := write(c.OutOrStdout()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if report.Fault != "" {
		return fmt.Errorf("%w: %s", ErrIncomplete, report.Fault)
	}
	return nil
}

// progress counts items on a terminal and is silent elsewhere.
func progress(w io.Writer) *progressbar.ProgressBar {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return progressbar.DefaultSilent(-1)
	}
	return progressbar.NewOptions(-1, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("moving in"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("items"), progressbar.OptionClearOnFinish())
}

// fetchAll runs the queue until every file was tried once. Those that failed
// for now are tried again while the site runs.
func fetchAll(ctx context.Context, app core.App, stderr io.Writer, report *Report) error {
	if err := queue.Start(app); err != nil {
		return fmt.Errorf("fetch files: %w", err)
	}
	bar := progress(stderr)
	bar.Describe("fetching files")
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	left := -1
	for left != 0 && ctx.Err() == nil {
		n, err := untried(app)
		if err != nil {
			return err
		}
		if left > n {
			_ = bar.Add(left - n)
		}
		if left = n; left == 0 {
			break
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	_ = bar.Exit()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
	defer cancel()
	if err := queue.Stop(drain, app); err != nil {
		return err
	}
	return unfetched(app, report)
}

// untried counts the files that were not asked for yet or are just being
// fetched.
func untried(app core.App) (int, error) {
	n := 0
	for _, state := range []string{queue.Waiting, queue.Running} {
		jobs, err := queue.List(app, queue.Filter{Kind: fetchKind, State: state, Limit: 500})
		if err != nil {
			return 0, err
		}
		for _, j := range jobs {
			if state == queue.Running || j.Attempts == 0 {
				n++
			}
		}
	}
	return n, nil
}

// unfetched names the files that are not here, and why.
func unfetched(app core.App, report *Report) error {
	for _, state := range []string{queue.Waiting, queue.Dead} {
		jobs, err := queue.List(app, queue.Filter{Kind: fetchKind, State: state, Limit: 500})
		if err != nil {
			return err
		}
		for _, j := range jobs {
			why := "it could not be fetched: " + j.Error
			if state == queue.Waiting {
				why += "; it is tried again while the site runs"
			}
			report.Notes = append(report.Notes, Line{KindMedia, mediaSource(app, j.Payload), why})
		}
	}
	return nil
}
