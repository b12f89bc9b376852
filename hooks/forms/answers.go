package forms

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"bungalow/hooks/forms/body"
	"bungalow/hooks/forms/field"
)

// Limits of the fields that a form does not know. Static sites send some.
const (
	maxExtra      = 30
	maxExtraValue = 2000   // characters of one value
	maxExtraBytes = 16_000 // of all together
)

// sortOut divides what was sent into the form's own answers and what it does
// not know. Names that begin with _ are ours and are neither.
func sortOut(f *Form, sent Sent) (answers, extra map[string][]string, problems map[string]field.Problem) {
	answers, problems = field.Check(f.Fields, sent.Values)
	extra = map[string][]string{}
	n, size := 0, 0
	for name, values := range sent.Values {
		if strings.HasPrefix(name, "_") || f.Field(name) != nil {
			continue
		}
		for _, v := range values {
			n, size = n+1, size+len(name)+len(v)
			if unreadable(name) || unreadable(v) || utf8.RuneCountInString(v) > maxExtraValue {
				problems[shown(name)] = field.Problem{Code: field.CodeText}
			}
		}
		extra[name] = values
	}
	if n > maxExtra || size > maxExtraBytes {
		problems["form"] = field.Problem{Code: field.CodeExtra, Args: []any{maxExtra}}
	}
	checkFiles(f, sent.Files, problems)
	return answers, extra, problems
}

// unreadable reports whether a text is no UTF-8 or has control characters
// other than line breaks and tabs.
func unreadable(s string) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.IsControl(r) && r != '\n' && r != '\r' && r != '\t'
	})
}

// shown is a stranger's name of a field as an answer may repeat it.
func shown(name string) string { return oneLine(strings.ToValidUTF8(name, "\uFFFD"), 40) }

// checkFiles adds a problem for each field with a file that can't be kept, or
// without one that is asked for.
func checkFiles(f *Form, files []body.File, problems map[string]field.Problem) {
	counted := map[string]int{}
	for i := range files {
		file := &files[i]
		counted[file.Field]++
		if p := fileProblem(f.Field(file.Field), file); p != nil {
			problems[shown(file.Field)] = *p
		}
	}
	for i := range f.Fields {
		q := &f.Fields[i]
		if _, bad := problems[q.Name]; q.Type == field.File && !bad {
			if p := countProblem(q, counted[q.Name]); p != nil {
				problems[q.Name] = *p
			}
		}
	}
}

func countProblem(q *field.Field, n int) *field.Problem {
	switch {
	case n == 0 && q.Required:
		return &field.Problem{Code: field.CodeRequired}
	case n > 0 && n < q.MinLength():
		return &field.Problem{Code: field.CodeFew, Args: []any{q.MinLength()}}
	}
	return nil
}

func fileProblem(q *field.Field, file *body.File) *field.Problem {
	switch {
	case q == nil || q.Type != field.File:
		return &field.Problem{Code: field.CodeUnknown}
	case file.Fault == body.TooLarge:
		return &field.Problem{Code: field.CodeFileSize, Args: []any{q.MaxBytes() / 1_000_000}}
	case file.Fault == body.TooMany:
		return &field.Problem{Code: field.CodeMany, Args: []any{q.MaxFiles()}}
	case file.Fault == body.Empty:
		return &field.Problem{Code: field.CodeFileEmpty}
	case file.Fault != "":
		return &field.Problem{Code: field.CodeUnknown}
	case !accepts(q, file.Head):
		return &field.Problem{Code: field.CodeFileType, Args: []any{strings.Join(q.Accepted(), ", ")}}
	}
	return nil
}

// inOrder is the JSON object of the answers, in the order of the form's fields;
// a field that may hold several values has a list.
func inOrder(f *Form, answers map[string][]string) []byte {
	var out bytes.Buffer
	out.WriteByte('{')
	put := func(name string, value any) {
		if out.Len() > 1 {
			out.WriteByte(',')
		}
		key, _ := json.Marshal(name)
		raw, _ := json.Marshal(value) // strings and lists of strings always can
		out.Write(key)
		out.WriteByte(':')
		out.Write(raw)
	}
	for i := range f.Fields {
		q := &f.Fields[i]
		values, ok := answers[q.Name]
		switch {
		case !ok:
		case q.Many():
			put(q.Name, values)
		case len(values) > 0:
			put(q.Name, values[0])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		if f.Field(name) == nil { // what a hook added
			put(name, answers[name])
		}
	}
	out.WriteByte('}')
	return out.Bytes()
}

// contact finds who wrote and about what. Each is one line.
func contact(f *Form, answers map[string][]string) (name, email, subject string) {
	first := func(q *field.Field) string {
		if v := answers[q.Name]; len(v) > 0 {
			return v[0]
		}
		return ""
	}
	var given, family string
	for i := range f.Fields {
		q := &f.Fields[i]
		v := first(q)
		key := strings.ToLower(q.Name)
		switch {
		case v == "":
		case q.Type == field.Email && email == "":
			email = strings.ToLower(v)
		case name == "" && (key == "name" || q.Autocomplete == "name"):
			name = v
		case given == "" && (key == "first_name" || key == "firstname" || q.Autocomplete == "given-name"):
			given = v
		case family == "" && (key == "last_name" || key == "lastname" || q.Autocomplete == "family-name"):
			family = v
		case subject == "" && (key == "subject" || key == "betreff"):
			subject = v
		}
	}
	if name == "" {
		name = strings.TrimSpace(given + " " + family)
	}
	name = oneLine(name, maxLine)
	if subject == "" {
		subject = f.Title
		if name != "" {
			subject += ": " + name
		}
	}
	return name, email, oneLine(subject, maxLine)
}

// maxLine is the most characters of a name or subject.
const maxLine = 200

// oneLine makes one line of a text, without control characters, cut at most characters.
func oneLine(s string, most int) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most-1]) + "…"
	}
	return s
}

// Line is one answer as people read it.
type Line struct {
	Name, Label, Value string
	Long               bool // text of several lines
}

// readable lists the answers with their labels in the order of the form.
func readable(f *Form, answers map[string][]string) []Line {
	var out []Line
	for i := range f.Fields {
		q := &f.Fields[i]
		values, ok := answers[q.Name]
		if !ok {
			continue
		}
		labels := make([]string, len(values))
		for n, v := range values {
			labels[n] = v
			if k := slices.IndexFunc(q.Options, func(o field.Option) bool { return o.Value == v }); k >= 0 {
				labels[n] = q.Options[k].Label
			}
		}
		value := strings.Join(labels, ", ")
		out = append(out, Line{Name: q.Name, Label: strings.TrimSuffix(q.Title(), ":"), Value: value, Long: q.Type == field.Textarea})
	}
	for _, name := range slices.Sorted(maps.Keys(answers)) {
		if f.Field(name) == nil {
			value := strings.Join(answers[name], ", ")
			out = append(out, Line{Name: name, Label: name, Value: value, Long: strings.Contains(value, "\n")})
		}
	}
	return out
}

// asText writes lines as a message.
func asText(lines []Line) string {
	var out strings.Builder
	for _, l := range lines {
		if l.Long {
			fmt.Fprintf(&out, "\n%s:\n%s\n\n", l.Label, l.Value)
		} else {
			fmt.Fprintf(&out, "%s: %s\n", l.Label, l.Value)
		}
	}
	return strings.TrimSpace(strings.ReplaceAll(out.String(), "\n\n\n", "\n\n"))
}

// digest is the same for the same content and tells nothing of it.
func digest(key []byte, answers, extra map[string][]string, files []body.File) string {
	h := hmac.New(sha256.New, key)
	for _, m := range []map[string][]string{answers, extra} {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			part(h, name)
			for _, v := range m[name] {
				part(h, v)
			}
		}
		part(h, "")
	}
	for i := range files {
		part(h, files[i].Field)
		part(h, files[i].Name)
		h.Write(files[i].Sum[:])
	}
	return hex.EncodeToString(h.Sum(nil)[:16])
}

// part writes a text so that no other text continues it.
func part(h hash.Hash, s string) { fmt.Fprintf(h, "%d:%s", len(s), s) }
