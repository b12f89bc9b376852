package forms

import (
	"database/sql"
	"errors"
	"fmt"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"bungalow/hooks/forms/field"
	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/schema"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
)

// Values of forms.spam_policy.
const (
	SpamFile   = "file"   // what looks like spam is filed as spam
	SpamStrict = "strict" // so is what is only doubtful
	SpamOff    = "off"    // nothing is judged
)

// Form is a form as it is shown and checked.
type Form struct {
	ID, Slug, Title, Intro string
	Locale                 string // "" is the site's
	Fields                 []field.Field
	Open                   bool
	ClosedMessage          string
	SubmitLabel            string
	SuccessMessage         string
	SuccessURL             string
	Recipients             []mail.Address
	Origins                []string
	ReplyOn                bool
	ReplySubject           string
	ReplyBody              string
	SpamPolicy             string
	MaxPerDay              int // 0 is the setting's
	RetentionDays          int // 0 keeps for good
}

// Field is the field of that name, nil where there is none.
func (f *Form) Field(name string) *field.Field {
	for i := range f.Fields {
		if f.Fields[i].Name == name {
			return &f.Fields[i]
		}
	}
	return nil
}

// TakesFiles reports whether a field asks for files.
func (f *Form) TakesFiles() bool {
	return slices.ContainsFunc(f.Fields, func(f field.Field) bool { return f.Type == field.File })
}

// ErrNoForm says that no form has this slug.
var ErrNoForm = errors.New("there is no such form")

// known is a form in memory, good while its record does not change.
type known struct {
	form   *Form
	record *core.Record
	stamp  cache.Stamp
}

// find gives the form of a slug from memory, or reads it.
func (s *service) find(app core.App, slug string) (*Form, *core.Record, error) {
	if len(slug) > maxSlug {
		return nil, nil, ErrNoForm
	}
	if k, ok := s.known.Load(slug); ok && k.(*known).stamp.Fresh() {
		return k.(*known).form, k.(*known).record, nil
	}
	stamp := cache.Of(app).Stamp()
	stamp.Uses(schema.Forms)
	record, err := app.FindFirstRecordByData(schema.Forms, "slug", slug)
	if errors.Is(err, sql.ErrNoRows) {
		s.known.Delete(slug)
		return nil, nil, ErrNoForm
	}
	if err != nil {
		return nil, nil, fmt.Errorf("find form: %w", err)
	}
	form, err := FromRecord(record)
	if err != nil {
		return nil, nil, err
	}
	s.known.Store(slug, &known{form: form, record: record, stamp: stamp})
	return form, record, nil
}

// FromRecord reads a record of forms. The error is that of the definition.
func FromRecord(r *core.Record) (*Form, error) {
	fields, err := field.Parse([]byte(r.GetString("fields")))
	if err != nil {
		return nil, fmt.Errorf("the form %s can't be used: %w", r.GetString("slug"), err)
	}
	f := &Form{
		ID: r.Id, Slug: r.GetString("slug"), Title: r.GetString("title"), Intro: r.GetString("intro"), Locale: r.GetString("locale"),
		Fields: fields, Open: r.GetBool("open"), ClosedMessage: r.GetString("closed_message"), SubmitLabel: r.GetString("submit_label"),
		SuccessMessage: r.GetString("success_message"), SuccessURL: r.GetString("success_url"),
		Origins: lines(r.GetString("origins")), ReplyOn: r.GetBool("reply_on"),
		ReplySubject: r.GetString("reply_subject"), ReplyBody: r.GetString("reply_body"),
		SpamPolicy: r.GetString("spam_policy"), MaxPerDay: r.GetInt("max_per_day"), RetentionDays: r.GetInt("retention_days"),
	}
	for _, line := range lines(r.GetString("recipients")) {
		if to, err := mail.ParseAddress(line); err == nil {
			f.Recipients = append(f.Recipients, *to)
		}
	}
	return f, nil
}

// lines are the lines of a text that are not empty.
func lines(text string) []string {
	var out []string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}

const (
	maxSlug       = 80
	maxRecipients = 20
	maxOrigins    = 50
)

var (
	slugForm   = regexp.MustCompile(`^[a-z0-9]+(?:[-_][a-z0-9]+)*$`)
	localeForm = regexp.MustCompile(`^([a-z]{2,3}(-[a-z0-9]{2,8})?)?$`)
)

// validateForm refuses a form that could not be shown, answered or delivered.
func validateForm(e *core.RecordEvent) error {
	r := e.Record
	if r.GetString("spam_policy") == "" {
		r.Set("spam_policy", SpamFile)
	}
	wrong := validation.Errors{}
	fail := func(name, text string) { wrong[name] = validation.NewError("validation_invalid_"+name, text) }
	if slug := r.GetString("slug"); !slugForm.MatchString(slug) || len(slug) > maxSlug {
		fail("slug", "Write lower-case letters, digits and single hyphens, such as contact or spring-fair.")
	}
	if !localeForm.MatchString(r.GetString("locale")) {
		fail("locale", "Write a lower-case language code such as en, de or pt-br, or nothing for the site's own.")
	}
	fields, err := field.Parse([]byte(r.GetString("fields")))
	if err != nil {
		fail("fields", sentence(err))
	}
	if text := badRecipient(lines(r.GetString("recipients"))); text != "" {
		fail("recipients", text)
	}
	if text := badOrigin(lines(r.GetString("origins"))); text != "" {
		fail("origins", text)
	}
	if to := r.GetString("success_url"); to != "" && !safeTarget(to) {
		fail("success_url", "Write an address that begins with https://, http:// or a single slash.")
	}
	if r.GetBool("reply_on") {
		if strings.TrimSpace(r.GetString("reply_body")) == "" {
			fail("reply_body", "Write the answer that is sent, or switch it off.")
		}
		if err == nil && !slices.ContainsFunc(fields, func(f field.Field) bool { return f.Type == field.Email }) {
			fail("reply_on", "Nobody can be answered: the form has no field for an e-mail address.")
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	return e.Next()
}

// sentence is an error's text as people read it.
func sentence(err error) string {
	text := err.Error()
	return strings.ToUpper(text[:1]) + text[1:] + "."
}

func badRecipient(list []string) string {
	if len(list) > maxRecipients {
		return fmt.Sprintf("A form may have at most %d recipients.", maxRecipients)
	}
	for _, line := range list {
		to, err := mail.ParseAddress(line)
		if err != nil || !field.IsEmail(to.Address) {
			return fmt.Sprintf("%q is not an e-mail address; write one on each line.", line)
		}
	}
	return ""
}

func badOrigin(list []string) string {
	if len(list) > maxOrigins {
		return fmt.Sprintf("A form may name at most %d origins.", maxOrigins)
	}
	for _, line := range list {
		if origin(line) != line {
			return fmt.Sprintf("%q is not an origin; write one such as https://www.example.com on each line, without a path.", line)
		}
	}
	return ""
}

// origin is the scheme and host of an address in the form in which browsers
// send them, "" where it has none.
func origin(address string) string {
	u, err := url.Parse(address)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil {
		return ""
	}
	host := strings.ToLower(u.Host)
	if u.Scheme == "https" {
		host = strings.TrimSuffix(host, ":443")
	} else {
		host = strings.TrimSuffix(host, ":80")
	}
	return u.Scheme + "://" + host
}

// safeTarget reports whether a visitor may be sent there: another site over
// http, or a path of this one.
func safeTarget(to string) bool {
	if strings.ContainsFunc(to, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\\' }) {
		return false
	}
	if strings.HasPrefix(to, "/") {
		return !strings.HasPrefix(to, "//")
	}
	return origin(to) != ""
}
