package forms

import (
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"bungalow/hooks/forms/field"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"golang.org/x/text/unicode/norm"
)

// draftField is a field as the builder's form has it: everything is a text, and
// what is written wrong stays to be mended.
type draftField struct {
	Name, Type, Label, Help, Min, Max, Pattern, Message  string
	Placeholder, Default, Options, MaxSize, Autocomplete string
	Required, Multiple, Open                             bool
	Accept                                               []string
}

// Takes reports whether the builder shows an input for the field's type.
func (d draftField) Takes(what string) bool { return slices.Contains(inputsOf[d.Type], what) }

// Accepts reports whether a kind of file is ticked.
func (d draftField) Accepts(kind string) bool { return slices.Contains(d.Accept, kind) }

// Title is what the builder calls the field.
func (d draftField) Title() string {
	if d.Label != "" {
		return d.Label
	}
	return d.Name
}

// inputsOf lists what the builder asks of a field besides its label and name.
var inputsOf = map[string][]string{
	field.Text:     {"required", "help", "placeholder", "bounds", "pattern", "autocomplete"},
	field.Email:    {"required", "help", "placeholder", "pattern"},
	field.Tel:      {"required", "help", "placeholder", "pattern"},
	field.URL:      {"required", "help", "placeholder", "pattern"},
	field.Number:   {"required", "help", "placeholder", "bounds"},
	field.Date:     {"required", "help", "bounds"},
	field.Textarea: {"required", "help", "placeholder", "bounds", "pattern"},
	field.Select:   {"required", "help", "options", "multiple"},
	field.Radio:    {"required", "help", "options"},
	field.Checkbox: {"required", "help", "options"},
	field.File:     {"required", "help", "multiple", "files"},
	field.Hidden:   {"default"},
	field.Consent:  {"required", "help"},
}

// draftOf is a stored field for the builder.
func draftOf(f field.Field) draftField {
	var options []string
	for _, o := range f.Options {
		if o.Label != o.Value && o.Label != "" {
			options = append(options, o.Value+" | "+o.Label)
		} else {
			options = append(options, o.Value)
		}
	}
	d := draftField{
		Name: f.Name, Type: f.Type, Label: f.Label, Help: f.Help, Min: string(f.Min), Max: string(f.Max), Pattern: f.Pattern, Message: f.Message,
		Placeholder: f.Placeholder, Default: f.Default, Options: strings.Join(options, "\n"), Autocomplete: f.Autocomplete,
		Required: f.Required, Multiple: f.Multiple, Accept: f.Accept,
	}
	if f.MaxSize > 0 {
		d.MaxSize = strconv.Itoa(f.MaxSize)
	}
	return d
}

// field makes the definition; an unreadable number is kept as a text, which
// field.Parse then refuses with its reason.
func (d draftField) field() map[string]any {
	out := map[string]any{"name": d.Name, "type": d.Type, "label": d.Label}
	text := func(key, value string) {
		if value != "" {
			out[key] = value
		}
	}
	text("help", d.Help)
	text("placeholder", d.Placeholder)
	if d.Takes("required") && d.Required {
		out["required"] = true
	}
	if d.Takes("bounds") || d.Takes("files") && d.Multiple || d.Type == field.Checkbox && d.Options != "" || d.Multiple && d.Type == field.Select {
		text("min", d.Min)
		text("max", d.Max)
	}
	if d.Takes("pattern") {
		text("pattern", d.Pattern)
		text("message", d.Message)
	}
	if d.Takes("multiple") && d.Multiple {
		out["multiple"] = true
	}
	if options := optionsOf(d.Options); d.Takes("options") && len(options) > 0 {
		out["options"] = options
	}
	if d.Takes("default") {
		text("default", d.Default)
	}
	if d.Takes("autocomplete") {
		text("autocomplete", d.Autocomplete)
	}
	if d.Takes("files") {
		if len(d.Accept) > 0 {
			out["accept"] = d.Accept
		}
		if n, err := strconv.Atoi(d.MaxSize); err == nil {
			out["max_size"] = n
		}
	}
	return out
}

// optionsOf reads one option a line: a text, or "value | what is shown".
func optionsOf(text string) []field.Option {
	var out []field.Option
	for _, line := range lines(text) {
		value, label, has := strings.Cut(line, "|")
		value, label = strings.TrimSpace(value), strings.TrimSpace(label)
		if !has || label == "" {
			label = value
		}
		out = append(out, field.Option{Value: value, Label: label})
	}
	return out
}

// readDraft reads the fields of the builder's form in the order in which they
// stand there.
func readDraft(form url.Values) []draftField {
	var out []draftField
	for _, i := range form["order"] {
		if len(out) > field.MaxFields {
			break
		}
		get := func(name string) string { return strings.TrimSpace(form.Get("f." + i + "." + name)) }
		d := draftField{
			Name: get("name"), Type: get("type"), Label: get("label"), Help: get("help"), Min: get("min"), Max: get("max"),
			Pattern: get("pattern"), Message: get("message"), Placeholder: get("placeholder"), Default: get("default"),
			Options: get("options"), MaxSize: get("max_size"), Autocomplete: get("autocomplete"),
			Required: get("required") != "", Multiple: get("multiple") != "", Open: get("open") != "", Accept: form["f."+i+".accept"],
		}
		if !slices.Contains(field.Types, d.Type) {
			d.Type = field.Text
		}
		out = append(out, d)
	}
	return out
}

// named gives a name to the fields that have none: a new field gets it of its
// label when the form is saved, and keeps it.
func named(drafts []draftField) []draftField {
	for i := range drafts {
		if drafts[i].Name == "" {
			drafts[i].Name = freeName(drafts[i].Label, drafts)
		}
	}
	return drafts
}

var notOfName = regexp.MustCompile(`[^a-z0-9]+`)

// freeName makes a field's name of its label.
func freeName(label string, others []draftField) string {
	plain := strings.Map(func(r rune) rune {
		if r >= 0x300 && r < 0x370 { // the accents that NFKD takes off
			return -1
		}
		return r
	}, norm.NFKD.String(strings.ToLower(label)))
	base := strings.Trim(notOfName.ReplaceAllString(plain, "_"), "_")
	if base == "" || base[0] >= '0' && base[0] <= '9' {
		base = strings.Trim("field_"+base, "_")
	}
	base = strings.Trim(base[:min(len(base), 30)], "_")
	name := base
	for n := 2; slices.ContainsFunc(others, func(d draftField) bool { return strings.EqualFold(d.Name, name) }); n++ {
		name = base + "_" + strconv.Itoa(n)
	}
	return name
}

// change does what a button of the builder says: "add:TYPE", "up:N", "down:N",
// "remove:N", "double:N". It gives the place of the field that was meant.
func change(fields []draftField, do string) ([]draftField, int) {
	verb, arg, _ := strings.Cut(do, ":")
	if verb == "add" {
		if !slices.Contains(field.Types, arg) || len(fields) >= field.MaxFields {
			return fields, -1
		}
		return append(fields, newField(arg)), len(fields)
	}
	n, err := strconv.Atoi(arg)
	if err != nil || n < 0 || n >= len(fields) {
		return fields, -1
	}
	switch verb {
	case "up":
		if n > 0 {
			fields[n-1], fields[n] = fields[n], fields[n-1]
			n--
		}
	case "down":
		if n < len(fields)-1 {
			fields[n+1], fields[n] = fields[n], fields[n+1]
			n++
		}
	case "remove":
		return slices.Delete(fields, n, n+1), min(n, len(fields)-2)
	case "double":
		if len(fields) < field.MaxFields {
			twin := fields[n]
			twin.Name = ""
			return slices.Insert(fields, n+1, twin), n + 1
		}
	}
	return fields, n
}

// labelOf is the first label of a new field, in English for the theme of the desk.
var labelOf = map[string]string{
	field.Text: "Short text", field.Email: "E-mail address", field.Tel: "Telephone", field.URL: "Web address", field.Number: "Number", field.Date: "Date",
	field.Textarea: "Long text", field.Select: "List", field.Radio: "One of several", field.Checkbox: "Tick boxes", field.File: "File", field.Hidden: "Hidden value", field.Consent: "Consent",
}

func newField(kind string) draftField {
	d := draftField{Type: kind, Label: labelOf[kind], Open: true}
	switch kind {
	case field.Select, field.Radio, field.Checkbox:
		d.Options = "First\nSecond"
	case field.Consent:
		d.Label, d.Required = "I agree that what I send is stored and used to answer me.", true
	}
	return d
}

// fieldsJSON is what forms.fields gets.
func fieldsJSON(drafts []draftField) []byte {
	list := make([]map[string]any, len(drafts))
	for i, d := range drafts {
		list[i] = d.field()
	}
	raw, _ := json.Marshal(list) // texts, numbers and lists of them always can
	return raw
}

// fillForm writes what the builder's form says into a record.
func fillForm(r *core.Record, form url.Values, drafts []draftField) {
	for _, name := range []string{"title", "slug", "intro", "locale", "closed_message", "submit_label", "success_message", "success_url",
		"recipients", "origins", "reply_subject", "reply_body", "spam_policy"} {
		r.Set(name, strings.TrimSpace(strings.ReplaceAll(form.Get(name), "\r\n", "\n")))
	}
	for _, name := range []string{"open", "reply_on"} {
		r.Set(name, form.Get(name) != "")
	}
	for _, name := range []string{"max_per_day", "retention_days"} {
		n, _ := strconv.Atoi(strings.TrimSpace(form.Get(name))) // nothing means the default
		r.Set(name, n)
	}
	r.Set("fields", string(fieldsJSON(drafts)))
}

// freeSlug makes a form's slug of its title.
func freeSlug(app core.App, title string) (string, error) {
	base := strings.ReplaceAll(freeName(title, nil), "_", "-")
	slug := base
	for n := 2; n < 10_000; n++ {
		_, err := app.FindFirstRecordByData(schema.Forms, "slug", slug)
		if err != nil {
			return slug, nil
		}
		slug = base + "-" + strconv.Itoa(n)
	}
	return "", fmt.Errorf("find a free slug")
}
