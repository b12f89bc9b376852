package exports

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"

	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// Command is `export`, with a command for each kind.
func Command(app core.App) *cobra.Command {
	root := &cobra.Command{
		Use:   "export",
		Short: "Writes the site out as plain files",
		Long:  "Writes the site out as plain files, into a new folder or, where PATH ends in .zip, into an archive.\nNothing that is there is written over.",
		Example: "  bungalow export markdown ~/my-site\n  bungalow export markdown my-site.zip\n" +
			"  bungalow export all ~/everything",
	}
	for _, kind := range Kinds() {
		root.AddCommand(&cobra.Command{
			Use: kind.Name + " PATH", Short: kind.Short, Args: cobra.ExactArgs(1), Example: "  bungalow export " + kind.Name + " PATH",
			RunE: func(c *cobra.Command, args []string) error { return run(c, app, kind, args[0]) },
		})
	}
	return root
}

func run(c *cobra.Command, app core.App, kind Kind, path string) error {
	if kind.Name == "markdown" && !app.HasTable(schema.Posts) {
		return errors.New("the feature content is switched off; run export without --without content")
	}
	to, err := sink(path)
	if err != nil {
		return fmt.Errorf("export into %s: %w", path, err)
	}
	ctx, cancel := signal.NotifyContext(c.Context(), os.Interrupt)
	defer cancel()
	report, err := kind.Do(ctx, app, to)
	if err = errors.Join(err, to.Close()); err != nil {
		return fmt.Errorf("%w. What was written stays; name a new folder to try again", err)
	}
	return report.WriteText(c.OutOrStdout())
}

// sink makes the folder or the archive.
func sink(path string) (Sink, error) {
	if !strings.HasSuffix(strings.ToLower(path), ".zip") {
		return Folder(path)
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return nil, err
	}
	return archive{Zip(file), file}, nil
}

// archive closes its file too.
type archive struct {
	Sink
	file *os.File
}

func (a archive) Close() error { return errors.Join(a.Sink.Close(), a.file.Close()) }

// WriteText writes the report for people.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(r.Counts)) {
		fmt.Fprintf(&b, "%-14s %9d\n", name, r.Counts[name])
	}
	if len(r.Skipped) > 0 {
		fmt.Fprintf(&b, "\nNot in it (%d):\n  %s\n", len(r.Skipped), strings.Join(r.Skipped, "\n  "))
	}
	_, err := io.WriteString(w, b.String())
	return err
}
