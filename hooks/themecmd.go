package hooks

import (
	"fmt"

	"bungalow/hooks/kit/theme"
	"bungalow/pb_public"
	"github.com/spf13/cobra"
)

// themeCommand works on the built-in theme; it opens no data folder.
func themeCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "theme",
		Short: "Works on the theme",
	}
	c.AddCommand(&cobra.Command{
		Use:   "eject DIR",
		Short: "Copies the built-in theme out for editing",
		Long: "Copies the built-in theme into DIR. Put it into the public folder of your site (pb_public\n" +
			"beside the data folder) and keep the files that you change: a file there wins over the\n" +
			"built-in one of the same name. Nothing existing is overwritten.",
		Example: "  bungalow theme eject pb_public",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := theme.Eject(pb_public.Files, args[0]); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "The theme lies in %s.\n", args[0])
			return nil
		},
	})
	return c
}
