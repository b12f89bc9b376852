package forms

import (
	"fmt"

	"bungalow/hooks/forms/field"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase/core"
)

// StarterSlug is the form of the starter site's contact page.
const StarterSlug = "contact"

// Starter makes the form of a new site: who writes, and what. It needs nothing
// to be set up, and where a form has its slug it does nothing.
func Starter(app core.App) error {
	n, err := app.CountRecords(schema.Forms, dbx.HashExp{"slug": StarterSlug})
	if err != nil || n > 0 {
		return err
	}
	c, err := app.FindCollectionByNameOrId(schema.Forms)
	if err != nil {
		return fmt.Errorf("make the contact form: %w", err)
	}
	r := core.NewRecord(c)
	for name, value := range map[string]any{
		"slug": StarterSlug, "title": "Contact", "open": true, "spam_policy": SpamFile,
		"success_message": "Thank you for writing. Your message is here, and somebody will answer it.",
		"fields": []field.Field{
			{Name: "name", Type: field.Text, Label: "Your name", Required: true, Max: "100", Autocomplete: "name"},
			{Name: "email", Type: field.Email, Label: "Your e-mail address", Required: true, Help: "The answer goes there, and nothing else."},
			{Name: "message", Type: field.Textarea, Label: "Your message", Required: true, Rows: 7},
		},
	} {
		r.Set(name, value)
	}
	if err := app.Save(r); err != nil {
		return fmt.Errorf("make the contact form: %w", err)
	}
	return nil
}
