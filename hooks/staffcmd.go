package hooks

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"bungalow/hooks/kit/audit"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// terminal is who acts in a command.
var terminal = audit.System("the terminal")

// staffCommand manages the staff's accounts from the terminal.
func staffCommand(app core.App) *cobra.Command {
	c := &cobra.Command{Use: "staff", Short: "Accounts of the people who run the site"}
	c.AddCommand(staffAddCommand(app), staffFactorCommand(app))
	return c
}

func staffAddCommand(app core.App) *cobra.Command {
	var role, name string
	c := &cobra.Command{
		Use:     "add EMAIL",
		Short:   "Invites somebody and prints the link",
		Long:    "Invites somebody to the staff and prints the link of the invitation. It works once, for seven days.",
		Example: "  bungalow staff add ada@example.com --role editor\n  bungalow staff add ada@example.com --role owner --name Ada",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			_, token, err := people.Invite(app, terminal, name, args[0], roles.Role(role), time.Now())
			if invalid, ok := errors.AsType[validation.Errors](err); ok {
				for field, fault := range invalid {
					if field == "role" {
						return fmt.Errorf("there is no role %q; choose one of %s", role, roleNames())
					}
					return fmt.Errorf("%s: %w", args[0], fault)
				}
			}
			if err != nil {
				return err
			}
			base := strings.TrimRight(app.Settings().Meta.AppURL, "/")
			fmt.Fprintf(c.OutOrStdout(), "%s joins as %s by this link, within seven days:\n\n  %s/desk/invitation/?token=%s\n", args[0], role, base, token)
			return nil
		},
	}
	c.Flags().StringVar(&role, "role", string(roles.Author), "what the person may do: "+roleNames())
	c.Flags().StringVar(&name, "name", "", "the person's name, who may change it")
	return c
}

func roleNames() string {
	names := make([]string, len(roles.All))
	for i, r := range roles.All {
		names[i] = string(r)
	}
	return strings.Join(names, ", ")
}

func staffFactorCommand(app core.App) *cobra.Command {
	return &cobra.Command{
		Use:     "factor-off EMAIL",
		Short:   "Switches the second factor of an account off, for who lost the phone and the recovery codes",
		Example: "  bungalow staff factor-off ada@example.com",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			person, err := app.FindAuthRecordByEmail(schema.Staff, people.Identity(args[0]))
			if err != nil {
				return fmt.Errorf("nobody of the staff has the address %s", args[0])
			}
			err = app.RunInTransaction(func(tx core.App) error {
				if err := people.SwitchOff(tx, person.Id); err != nil {
					return err
				}
				return audit.Write(tx, terminal, "staff.factor_off", schema.Staff, person.Id, nil)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "The password alone opens the account of %s now.\n", args[0])
			return nil
		},
	}
}
