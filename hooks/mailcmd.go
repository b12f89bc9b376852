package hooks

import (
	"fmt"

	"bungalow/hooks/kit/mail"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// mailCommand groups what an operator does about mail.
func mailCommand(app core.App) *cobra.Command {
	group := &cobra.Command{Use: "mail", Short: "Signs mail, so that it is believed"}
	group.AddCommand(&cobra.Command{
		Use: "dkim", Short: "Makes the key that signs mails, and prints what the DNS needs", Args: cobra.NoArgs,
		Example: "  bungalow mail dkim",
		RunE: func(c *cobra.Command, _ []string) error {
			key, err := mail.MakeDKIM(app)
			if err != nil {
				return err
			}
			name, text, err := key.Record()
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "Mails of %s are signed from now on. Enter this TXT record in the DNS of the domain:\n\n%s\n%s\n", key.Domain, name, text)
			return err
		},
	})
	return group
}
