package forms

import (
	"strings"

	"bungalow/hooks/forms/field"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/pocketbase/core"
)

// verdict is what the layers of kit/spam and the site's own hooks found.
type verdict struct{ spam.Verdict }

// isSpam decides by the form's policy.
func (v verdict) isSpam(policy string) bool {
	switch policy {
	case SpamOff:
		return false
	case SpamStrict:
		return v.Points() >= spam.HoldAt
	}
	return v.Certain()
}

// judge asks the filter. It stands outside of the transaction, because the
// filter remembers what it has seen.
func (d *draft) judge(app core.App) (verdict, error) {
	if d.form.SpamPolicy == SpamOff {
		return verdict{}, nil
	}
	s := submissionOf(d.form, d.answers, d.extra)
	s.IP, s.Token, s.Work, s.Honeypot = d.sent.IP, d.sent.first("_t"), d.sent.first("_pow"), d.sent.first("_hp")
	v, err := spam.Judge(app, s)
	return verdict{v}, err
}

// submissionOf is what the filter looks at and learns from: what was written
// freely, not what was chosen.
func submissionOf(f *Form, answers, extra map[string][]string) spam.Submission {
	name, email, _ := contact(f, answers)
	s := spam.Submission{Purpose: spam.Forms, Key: spamKey(f), Author: name, Email: email}
	var text []string
	for i := range f.Fields {
		q := &f.Fields[i]
		values := answers[q.Name]
		if len(values) == 0 {
			continue
		}
		switch q.Type {
		case field.URL:
			if s.URL == "" {
				s.URL = values[0]
			}
			text = append(text, values...)
		case field.Text, field.Textarea:
			if values[0] != name {
				text = append(text, values...)
			}
		}
	}
	for _, values := range extra {
		text = append(text, values...)
	}
	s.Text = strings.Join(text, "\n")
	return s
}

// spamKey is the form as throttles know it.
func spamKey(f *Form) string { return "form/" + f.ID }
