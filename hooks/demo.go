package hooks

import (
	"crypto/rand"
	"fmt"
	"strings"

	"bungalow/hooks/content/demo"
	"bungalow/hooks/forms"
	"bungalow/hooks/inbox"
	"bungalow/hooks/inbox/sample"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"github.com/spf13/cobra"
)

// demoEmail is the owner of a demo.
const demoEmail = "owner@example.com"

// demoCommand is serve on a throw-away folder with a rich sample site.
func demoCommand(app core.App, serve *cobra.Command) *cobra.Command {
	c := &cobra.Command{
		Use:   "demo",
		Short: "Shows a rich sample site in a throw-away folder",
		Long: "Shows a rich sample site. It lives in a throw-away folder that is removed at the end;\n" +
			"with --dir DIR it stays there, and that folder must not hold a site yet.",
		Example: "  bungalow demo\n  bungalow demo --http localhost:9000",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, args []string) error {
			password, err := seedDemo(app)
			if err != nil {
				return err
			}
			fmt.Printf("\nThe sample site is ready. Sign in at /desk/ as\n\n  %s\n  %s\n\n", demoEmail, password)
			return serve.RunE(serve, nil)
		},
	}
	c.Flags().AddFlagSet(serve.PersistentFlags())
	return c
}

// writtenForm sends the contact form of the sample, or where forms are switched
// off begins the conversation without one.
func writtenForm(tx core.App) sample.Form {
	return func(name, email, message string) (string, error) {
		if !tx.HasTable(schema.Forms) {
			c, err := inbox.Receive(tx, inbox.Submission{Name: name, Email: email, Subject: name, Text: message})
			if err != nil {
				return "", err
			}
			return c.Id, nil
		}
		receipt, err := forms.Submit(tx, forms.StarterSlug, forms.Sent{Values: map[string][]string{"name": {name}, "email": {email}, "message": {message}}})
		if err != nil {
			return "", err
		}
		r, err := tx.FindRecordById(schema.Submissions, receipt.ID)
		if err != nil {
			return "", err
		}
		return r.GetString("conversation"), nil
	}
}

// seedDemo fills a new folder and gives the owner's password.
func seedDemo(app core.App) (password string, err error) {
	taken := true
	err = takeInstall(app, func(tx core.App) error {
		taken = false
		if tx.HasTable(schema.Forms) {
			if err := forms.Starter(tx); err != nil {
				return err
			}
		}
		if tx.HasTable(schema.Posts) {
			if err := demo.Seed(tx); err != nil {
				return err
			}
		}
		password = strings.ToLower(rand.Text()[:12])
		owner, err := people.MakeOwner(tx, "Demo Owner", demoEmail, password)
		if err != nil || !tx.HasTable(schema.Conversations) {
			return err
		}
		return sample.Seed(tx, owner, writtenForm(tx))
	})
	if err != nil {
		return "", fmt.Errorf("make the sample site: %w", err)
	}
	if taken {
		return "", fmt.Errorf("%s holds a site already; give demo an empty folder, or none at all", app.DataDir())
	}
	return password, nil
}
