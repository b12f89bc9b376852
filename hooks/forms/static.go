package forms

import (
	"encoding/json"
	"fmt"
	"html"
	"strings"

	"bungalow/hooks/forms/field"
)

// StaticHTML is the form as plain HTML for a site that lives elsewhere, with
// the address to which it is sent.
func StaticHTML(f *Form, base string) string {
	var out strings.Builder
	enctype := ""
	if f.TakesFiles() {
		enctype = ` enctype="multipart/form-data"`
	}
	fmt.Fprintf(&out, "<form method=\"post\" action=\"%s\"%s>\n", html.EscapeString(base+action(f)), enctype)
	for i := range f.Fields {
		staticField(&out, &f.Fields[i])
	}
	out.WriteString("  <p hidden><label>Leave this empty <input name=\"_hp\" tabindex=\"-1\" autocomplete=\"off\"></label></p>\n")
	label := f.SubmitLabel
	if label == "" {
		label = "Send"
	}
	fmt.Fprintf(&out, "  <button type=\"submit\">%s</button>\n</form>\n", html.EscapeString(label))
	return out.String()
}

func staticField(out *strings.Builder, q *field.Field) {
	e := html.EscapeString
	name, label, required := e(q.Name), e(q.Title()), ""
	if q.Required {
		required = " required"
	}
	switch {
	case q.Type == field.Hidden:
		fmt.Fprintf(out, "  <input type=\"hidden\" name=\"%s\" value=\"%s\">\n", name, e(q.Default))
	case q.Type == field.Textarea:
		fmt.Fprintf(out, "  <p><label>%s<br><textarea name=\"%s\" rows=\"6\" maxlength=\"%d\"%s></textarea></label></p>\n", label, name, q.MaxLength(), required)
	case q.Type == field.Select:
		many := ""
		if q.Multiple {
			many = " multiple"
		}
		fmt.Fprintf(out, "  <p><label>%s<br><select name=\"%s\"%s%s>\n", label, name, many, required)
		if !q.Multiple {
			out.WriteString("    <option value=\"\"></option>\n")
		}
		for _, o := range q.Options {
			fmt.Fprintf(out, "    <option value=\"%s\">%s</option>\n", e(o.Value), e(o.Label))
		}
		out.WriteString("  </select></label></p>\n")
	case len(q.Options) > 0:
		fmt.Fprintf(out, "  <fieldset><legend>%s</legend>\n", label)
		if q.Type != field.Radio {
			required = ""
		}
		for _, o := range q.Options {
			fmt.Fprintf(out, "    <label><input type=\"%s\" name=\"%s\" value=\"%s\"%s> %s</label>\n", q.Type, name, e(o.Value), required, e(o.Label))
		}
		out.WriteString("  </fieldset>\n")
	case q.Type == field.Checkbox || q.Type == field.Consent:
		fmt.Fprintf(out, "  <p><label><input type=\"checkbox\" name=\"%s\" value=\"yes\"%s> %s</label></p>\n", name, required, label)
	case q.Type == field.File:
		many := ""
		if q.Multiple {
			many = " multiple"
		}
		fmt.Fprintf(out, "  <p><label>%s<br><input type=\"file\" name=\"%s\" accept=\"%s\"%s%s></label></p>\n", label, name, e(q.AcceptAttribute()), many, required)
	default:
		fmt.Fprintf(out, "  <p><label>%s<br><input type=\"%s\" name=\"%s\"%s></label></p>\n", label, q.Type, name, required)
	}
}

// curl is a call of the form with JSON, to try it.
func curl(f *Form, base string) string {
	sample := map[string]string{}
	for i := range f.Fields {
		q := &f.Fields[i]
		switch {
		case !q.Required || q.Type == field.File:
		case q.Type == field.Email:
			sample[q.Name] = "ada@example.com"
		case len(q.Options) > 0:
			sample[q.Name] = q.Options[0].Value
		case q.Type == field.Consent || q.Type == field.Checkbox:
			sample[q.Name] = field.Yes
		case q.Type == field.Number:
			sample[q.Name] = "1"
		case q.Type == field.Date:
			sample[q.Name] = "2027-03-31"
		default:
			sample[q.Name] = "Ada"
		}
	}
	raw, _ := json.Marshal(sample)
	quoted := strings.ReplaceAll(string(raw), "'", `'\''`)
	return "curl " + base + action(f) + " -H 'Content-Type: application/json' \\\n  -d '" + quoted + "'"
}
