package hooks

import (
	"io"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// A mistyped kind of import once showed the help, ended with exit code 0 and
// left a new database behind.
func TestAMistypedSubcommandIsAnError(t *testing.T) {
	t.Parallel()
	cases := []struct {
		line, wrong string
		group       bool
	}{
		{"import wordpress site.xml", "", false},
		{"import wordpres site.xml", `there is no "wordpres" in bungalow import`, true},
		{"import", "", true},
		{"serve example.com", "", false},
		{"impart", "unknown command", false},
	}
	for _, c := range cases {
		root := &cobra.Command{Use: "bungalow", SilenceErrors: true, SilenceUsage: true}
		imports := &cobra.Command{Use: "import"}
		done := func(*cobra.Command, []string) error { return nil }
		imports.AddCommand(&cobra.Command{Use: "wordpress", RunE: done})
		root.AddCommand(imports, &cobra.Command{Use: "serve", RunE: done, Args: cobra.ArbitraryArgs})
		root.SetOut(io.Discard)
		strict(root)
		words := strings.Fields(c.line)
		if got := groups(root, words); got != c.group {
			t.Errorf("%s: groups is %v", c.line, got)
		}
		root.SetArgs(words)
		if err := root.Execute(); (err != nil) != (c.wrong != "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s gives %v, want %q", c.line, err, c.wrong)
		}
	}
}
