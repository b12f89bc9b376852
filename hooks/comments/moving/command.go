package moving

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// Imports are the commands below `import` for comments. They share its flags
// --dry-run and --json.
func Imports(app core.App) []*cobra.Command {
	stream := func(read func(io.Reader) ([]Item, error)) func(string) ([]Item, error) {
		return func(path string) ([]Item, error) {
			f, err := os.Open(path)
			if err != nil {
				return nil, fmt.Errorf("open what is to be moved in: %w. Check the path", err)
			}
			defer f.Close()
			return read(f)
		}
	}
	var out []*cobra.Command
	for _, kind := range []struct {
		name, short string
		read        func(string) ([]Item, error)
	}{
		{"disqus", "Moves the comments of Disqus in (Admin → Export, an .xml file)", stream(Disqus)},
		{"isso", "Moves the comments of Isso in (its database comments.db)", Isso},
		{"remark42", "Moves the comments of Remark42 in (a backup, .gz or not)", stream(Remark42)},
		{"comments", "Moves comments in that `export comments` wrote", stream(Lines)},
	} {
		var rules []string
		c := &cobra.Command{
			Use: kind.name + " FILE", Short: kind.short, Args: cobra.ExactArgs(1),
			Example: "  bungalow import " + kind.name + " FILE --dry-run\n  bungalow import " + kind.name + " FILE --map https://old.example/posts=/blog",
			RunE: func(c *cobra.Command, args []string) error {
				return run(c, app, func() ([]Item, error) { return kind.read(args[0]) }, rules)
			},
		}
		c.Flags().StringArrayVar(&rules, "map", nil, "an address that begins with OLD begins with NEW here, as OLD=NEW; may be repeated")
		out = append(out, c)
	}
	return out
}

func run(c *cobra.Command, app core.App, read func() ([]Item, error), rules []string) error {
	if !app.HasTable(schema.Comments) {
		return errors.New("the feature comments is switched off; run import without --without comments")
	}
	ctx, cancel := signal.NotifyContext(c.Context(), os.Interrupt)
	defer cancel()
	o := Options{Map: rules}
	o.DryRun, _ = c.Flags().GetBool("dry-run")
	asJSON, _ := c.Flags().GetBool("json")
	report, err := move(ctx, app, read, o, c.ErrOrStderr())
	if report != nil {
		write := report.WriteText
		if asJSON {
			write = func(w io.Writer) error {
				enc := json.NewEncoder(w)
				enc.SetIndent("", "  ")
				return enc.Encode(report)
			}
		}
		err = errors.Join(err, write(c.OutOrStdout()))
	}
	return err
}

func move(ctx context.Context, app core.App, read func() ([]Item, error), o Options, stderr io.Writer) (*Report, error) {
	items, err := read()
	if errors.Is(err, ErrBroken) {
		return &Report{DryRun: o.DryRun, Read: len(items), Skipped: []Line{}, Notes: []Line{}, Fault: err.Error()}, err
	}
	if err != nil {
		return nil, err
	}
	bar := progress(stderr, len(items))
	o.Progress = func() { _ = bar.Add(1) }
	report, err := Import(ctx, app, items, o)
	_ = bar.Exit()
	if err != nil {
		return report, fmt.Errorf("%w. What was written stays; run the command again to go on", err)
	}
	return report, nil
}

// progress counts on a terminal and is silent elsewhere.
func progress(w io.Writer, n int) *progressbar.ProgressBar {
	f, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(f.Fd())) {
		return progressbar.DefaultSilent(int64(n))
	}
	return progressbar.NewOptions(n, progressbar.OptionSetWriter(f), progressbar.OptionSetDescription("moving in"),
		progressbar.OptionShowCount(), progressbar.OptionClearOnFinish())
}

// Exports is the command below `export` for comments.
func Exports(app core.App) *cobra.Command {
	return &cobra.Command{
		Use: "comments FILE", Short: "Writes every comment to a file, one JSON object a line (- is the standard output)", Args: cobra.ExactArgs(1),
		Example: "  bungalow export comments comments.jsonl\n  bungalow export comments - | gzip > comments.jsonl.gz",
		RunE: func(c *cobra.Command, args []string) error {
			if !app.HasTable(schema.Comments) {
				return errors.New("the feature comments is switched off; run export without --without comments")
			}
			if args[0] == "-" {
				_, err := Export(app, c.OutOrStdout())
				return err
			}
			f, err := os.OpenFile(args[0], os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return fmt.Errorf("create the file: %w. Choose a name that is free", err)
			}
			n, err := Export(app, f)
			if err = errors.Join(err, f.Close()); err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%d comments are in %s.\n", n, args[0])
			return err
		},
	}
}
