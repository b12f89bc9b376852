package pb_migrations

import (
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
)

func init() {
	add(&Forms, "1764001100_forms_create.go", func(app core.App) error {
		if err := create(app, forms()); err != nil {
			return err
		}
		form, err := id(app, schema.Forms)
		if err != nil {
			return err
		}
		return create(app, submissions(form))
	}, func(app core.App) error {
		return drop(app, schema.Submissions, schema.Forms)
	})
}

// forms says what is asked and of whom; a stranger sees a form at /f/{slug},
// never its record, which names the recipients.
func forms() *core.Collection {
	c := core.NewBaseCollection(schema.Forms)
	staffOnly(roles.Rule(roles.FormsEdit)).set(c)
	c.Fields.Add(
		&core.TextField{Name: "slug", Required: true, Max: 80, Presentable: true},
		&core.TextField{Name: "title", Required: true, Max: 200, Presentable: true},
		&core.TextField{Name: "intro", Max: 5000},
		&core.TextField{Name: "locale", Max: 20},
		&core.JSONField{Name: "fields", MaxSize: 100_000},
		&core.BoolField{Name: "open"},
		&core.TextField{Name: "closed_message", Max: 2000},
		&core.TextField{Name: "submit_label", Max: 100},
		&core.TextField{Name: "success_message", Max: 5000},
		&core.TextField{Name: "success_url", Max: 2000},
		// One address, or one origin, a line.
		&core.TextField{Name: "recipients", Max: 4000},
		&core.TextField{Name: "origins", Max: 4000},
		&core.BoolField{Name: "reply_on"},
		&core.TextField{Name: "reply_subject", Max: 300},
		&core.TextField{Name: "reply_body", Max: 20_000},
		&core.SelectField{Name: "spam_policy", MaxSelect: 1, Values: []string{"file", "strict", "off"}},
		zeroOr("max_per_day", 1_000_000),
		zeroOr("retention_days", 36_500),
	)
	stamps(c)
	c.AddIndex("idx_forms_slug", true, "slug", "")
	return c
}

// zeroOr is a whole number from 0, which stands for the feature's default.
func zeroOr(name string, most float64) *core.NumberField {
	zero := 0.0
	return &core.NumberField{Name: name, Min: &zero, Max: &most, OnlyInt: true}
}

// submissions holds what visitors sent. Only the form's own door makes one, and
// only the desk moves it to spam and back, because the filter learns from it.
func submissions(form string) *core.Collection {
	c := core.NewBaseCollection(schema.Submissions)
	answer := roles.Rule(roles.InboxAnswer)
	rules{list: &answer, view: &answer, delete: &answer}.set(c)
	c.Fields.Add(
		&core.RelationField{Name: "form", CollectionId: form, MaxSelect: 1, Required: true},
		&core.JSONField{Name: "data", MaxSize: 2_000_000},
		&core.JSONField{Name: "extra", MaxSize: 100_000},
		&core.FileField{Name: "files", MaxSelect: 50, MaxSize: 100 << 20, Protected: true},
		// uploads says of each file which field it came in and what its sender called it.
		&core.JSONField{Name: "uploads", MaxSize: 100_000},
		&core.SelectField{Name: "status", MaxSelect: 1, Required: true, Values: []string{schema.SubmissionOK, schema.SubmissionSpam}},
		&core.NumberField{Name: "score"},
		&core.JSONField{Name: "reasons", MaxSize: 20_000},
		&core.TextField{Name: "name", Max: 300, Presentable: true},
		&core.TextField{Name: "email", Max: 320, Presentable: true},
		&core.TextField{Name: "subject", Max: 300},
		// conversation is the id that the inbox gave it, "" without the inbox.
		&core.TextField{Name: "conversation", Max: 100},
		&core.TextField{Name: "locale", Max: 20},
		// once and digest know the same post again.
		&core.TextField{Name: "once", Max: 100, Hidden: true},
		&core.TextField{Name: "digest", Max: 100, Hidden: true},
		// replied_at is when the form's own answer was written to the sender.
		&core.DateField{Name: "replied_at"},
	)
	stamps(c)
	c.AddIndex("idx_submissions_form", false, "form, status, created", "")
	c.AddIndex("idx_submissions_status", false, "status, created", "")
	c.AddIndex("idx_submissions_email", false, "email, created", "email != ''")
	c.AddIndex("idx_submissions_once", false, "once", "once != ''")
	return c
}
