package hooks

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/cmd"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// Execute runs the command that the operator typed. Its error is one sentence
// for him; Explain makes it one where a library gave it.
func Execute(app *pocketbase.PocketBase, cfg Config) error {
	if cfg.Throwaway != "" {
		defer os.RemoveAll(cfg.Throwaway)
	}
	strict(app.RootCmd)
	if cfg.Standalone || groups(app.RootCmd, os.Args[1:]) {
		return app.RootCmd.Execute()
	}
	return inFolder(app.DataDir(), app.Execute())
}

// groups reports whether the words name a command that only groups others: it
// has nothing to do in a data folder.
func groups(root *cobra.Command, words []string) bool {
	c, _, err := root.Find(words)
	return err == nil && c.HasSubCommands()
}

// strict has the commands that only group others refuse a word that is none of
// them. Cobra would show the help and succeed.
func strict(c *cobra.Command) {
	for _, sub := range c.Commands() {
		strict(sub)
	}
	if !c.HasParent() || !c.HasSubCommands() || c.Runnable() {
		return
	}
	c.RunE = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return c.Help()
		}
		return fmt.Errorf("there is no %q in %s; %s --help lists what there is", args[0], c.CommandPath(), c.CommandPath())
	}
}

// addCommands gives the root command PocketBase's commands and ours.
func addCommands(app core.App, root *cobra.Command, cfg Config) {
	root.Use = "bungalow"
	root.Short = "Everything a website needs behind the page, in one executable."
	root.Version = version()
	root.SetVersionTemplate("{{.Version}}\n")
	root.SilenceUsage = true
	root.SilenceErrors = true
	root.FParseErrWhitelist.UnknownFlags = false
	root.Example = strings.TrimLeft(`
  bungalow serve                      your site at http://localhost:8090
  bungalow serve example.com          the same with a certificate of its own
  bungalow demo                       a rich sample site in a throw-away folder
  bungalow import wordpress site.xml  move in`, "\n")
	seen := cfg
	seen.bind(root.PersistentFlags())
	env := environment(os.Environ())
	root.PersistentPreRunE = func(c *cobra.Command, _ []string) error { return env.fill(c.Flags()) }
	serve := cmd.NewServeCommand(app, true)
	serve.Short = "Starts the site (at http://localhost:8090 unless a domain or --http says otherwise)"
	serve.Example = "  bungalow serve\n  bungalow serve example.com www.example.com\n  bungalow serve --http 127.0.0.1:9000"
	root.AddCommand(serve, demoCommand(app, serve), importCommand(app, cfg), exportCommand(app), themeCommand(), staffCommand(app),
		backupCommand(app), restoreCommand(app), checkCommand(app, cfg), cmd.NewSuperuserCommand(app))
	root.AddCommand(mailCommand(app))
}

// version names what this executable is made of.
func version() string {
	commit, changed := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision" && len(s.Value) >= 12:
				commit = s.Value[:12]
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = "+changes"
			}
		}
	}
	return fmt.Sprintf("Bungalow %s (PocketBase %s, %s, commit %s%s)", Version, pocketbaseVersion(), runtime.Version(), commit, changed)
}

// Version is the release; the release build sets it.
var Version = "0.1.0-dev"

func pocketbaseVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, dep := range info.Deps {
			if dep.Path == "github.com/pocketbase/pocketbase" {
				return dep.Version
			}
		}
	}
	return pocketbase.Version
}
