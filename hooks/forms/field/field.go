// Package field says what a form may ask and checks what was answered. It is
// pure: no database, no HTTP.
//
// It promises that a definition which Parse takes can be shown and checked, and
// that what Check lets through is valid UTF-8 without control characters, on
// one line where the field has one. It never changes what a person wrote, but
// for the space around it, line ends, and marks that turn the reading direction.
package field

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The types of a field.
const (
	Text     = "text"
	Email    = "email"
	Tel      = "tel"
	URL      = "url"
	Number   = "number"
	Date     = "date"
	Textarea = "textarea"
	Select   = "select"
	Radio    = "radio"
	Checkbox = "checkbox"
	File     = "file"
	Hidden   = "hidden"
	Consent  = "consent"
)

// Types lists them in the order in which the builder offers them.
var Types = []string{Text, Email, Tel, URL, Number, Date, Textarea, Select, Radio, Checkbox, File, Hidden, Consent}

// Limits of a definition.
const (
	MaxFields  = 60
	MaxOptions = 200
	MaxFiles   = 5 // fields of the type file

	maxName    = 40
	maxLabel   = 300
	maxHelp    = 1000
	maxOption  = 200
	maxPattern = 300
)

// Limits of an answer, in characters unless said otherwise.
const (
	TextDefault     = 500
	TextMost        = 2000
	TextareaDefault = 10_000
	TextareaMost    = 50_000
	// FileDefaultMB and FileMostMB bound one file, in megabytes (10^6 bytes).
	FileDefaultMB = 10
	FileMostMB    = 50
	// FileMostCount is how many files one field may take.
	FileMostCount = 10
)

// Field is one question. Its JSON is what forms.fields holds.
type Field struct {
	Name     string `json:"name"`
	Type     string `json:"type"`
	Label    string `json:"label,omitempty"`
	Help     string `json:"help,omitempty"`
	Required bool   `json:"required,omitempty"`
	// Min and Max bound the characters of a text, the value of a number or a
	// date, and how many options or files may be chosen.
	Min Bound `json:"min,omitempty"`
	Max Bound `json:"max,omitempty"`
	// Pattern is a regular expression (RE2) that the whole answer must match;
	// Message is what is said where it does not.
	Pattern     string   `json:"pattern,omitempty"`
	Message     string   `json:"message,omitempty"`
	Options     []Option `json:"options,omitempty"`
	Placeholder string   `json:"placeholder,omitempty"`
	// Default is what the field holds at first; of a hidden field, its value.
	Default string `json:"default,omitempty"`
	// Multiple lets a select or a file field take several.
	Multiple bool `json:"multiple,omitempty"`
	// Accept lists what files may be, by content: names of Kinds.
	Accept []string `json:"accept,omitempty"`
	// MaxSize is the most megabytes of one file.
	MaxSize      int    `json:"max_size,omitempty"`
	Rows         int    `json:"rows,omitempty"`
	Autocomplete string `json:"autocomplete,omitempty"`

	pattern *regexp.Regexp
}

// Option is one choice; its JSON is an object or a text that is both.
type Option struct {
	Value string `json:"value"`
	Label string `json:"label,omitempty"`
}

// UnmarshalJSON takes {"value":…,"label":…} or a text.
func (o *Option) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*o = Option{Value: s, Label: s}
		return nil
	}
	type plain Option
	if err := json.Unmarshal(raw, (*plain)(o)); err != nil {
		return err
	}
	if o.Label == "" {
		o.Label = o.Value
	}
	return nil
}

// Bound is a limit as it was written: a number, a date, or "" for none.
type Bound string

// UnmarshalJSON takes a number or a text.
func (b *Bound) UnmarshalJSON(raw []byte) error {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		*b = Bound(strings.TrimSpace(s))
		return nil
	}
	var n json.Number
	if err := json.Unmarshal(raw, &n); err != nil {
		return err
	}
	*b = Bound(n.String())
	return nil
}

// MarshalJSON writes a number where it is one.
func (b Bound) MarshalJSON() ([]byte, error) {
	if _, err := strconv.ParseFloat(string(b), 64); err == nil && json.Valid([]byte(b)) {
		return []byte(b), nil
	}
	return json.Marshal(string(b))
}

// whole is the bound as a count, fallback where there is none.
func (b Bound) whole(fallback int) int {
	n, err := strconv.Atoi(string(b))
	if err != nil {
		return fallback
	}
	return n
}

// Title is the label, or the name where there is none.
func (f *Field) Title() string {
	if f.Label != "" {
		return f.Label
	}
	return f.Name
}

// Many reports whether the field may hold several values.
func (f *Field) Many() bool {
	return f.Type == Checkbox && len(f.Options) > 0 || f.Type == Select && f.Multiple || f.Type == File && f.Multiple
}

// MaxLength is the most characters of a text, MinLength the fewest.
func (f *Field) MaxLength() int {
	switch f.Type {
	case Textarea:
		return f.Max.whole(TextareaDefault)
	case Email:
		return 254
	case URL:
		return f.Max.whole(TextMost)
	case Tel:
		return f.Max.whole(40)
	}
	return f.Max.whole(TextDefault)
}

// MinLength is the fewest characters of an answer that is given.
func (f *Field) MinLength() int { return f.Min.whole(0) }

// MaxFiles is how many files the field takes.
func (f *Field) MaxFiles() int {
	if !f.Multiple {
		return 1
	}
	return f.Max.whole(FileMostCount)
}

// MaxBytes is the largest size of one file.
func (f *Field) MaxBytes() int64 {
	if f.MaxSize == 0 {
		return FileDefaultMB * 1_000_000
	}
	return int64(f.MaxSize) * 1_000_000
}

var (
	nameForm = regexp.MustCompile(`^[a-zA-Z][a-zA-Z0-9_-]*$`)
	autoForm = regexp.MustCompile(`^[a-z][a-z0-9 -]{0,60}$`)
)

// Parse reads a definition as forms.fields holds it. The error says which field
// and what about it, for whoever wrote it.
func Parse(raw []byte) ([]Field, error) {
	var fields []Field
	if err := json.Unmarshal(raw, &fields); err != nil {
		return nil, fmt.Errorf("the fields must be a list of objects, each with a name and a type")
	}
	if len(fields) == 0 {
		return nil, fmt.Errorf("a form needs at least one field")
	}
	if len(fields) > MaxFields {
		return nil, fmt.Errorf("a form may have at most %d fields", MaxFields)
	}
	seen, files := map[string]bool{}, 0
	for i := range fields {
		f := &fields[i]
		if err := f.prepare(); err != nil {
			return nil, fmt.Errorf("field %d (%s): %w", i+1, shorten(f.Name), err)
		}
		if key := strings.ToLower(f.Name); seen[key] {
			return nil, fmt.Errorf("field %d (%s): another field has this name", i+1, f.Name)
		} else {
			seen[key] = true
		}
		if f.Type == File {
			files++
		}
	}
	if files > MaxFiles {
		return nil, fmt.Errorf("a form may have at most %d fields for files", MaxFiles)
	}
	return fields, nil
}

func shorten(s string) string {
	if utf8.RuneCountInString(s) > maxName {
		return string([]rune(s)[:maxName]) + "…"
	}
	return s
}

// prepare checks one field and compiles its pattern.
func (f *Field) prepare() error {
	if f.Type == "" {
		f.Type = Text
	}
	switch {
	case !nameForm.MatchString(f.Name) || len(f.Name) > maxName:
		return fmt.Errorf("a name begins with a letter and has at most %d letters, digits, - and _", maxName)
	case !slices.Contains(Types, f.Type):
		return fmt.Errorf("there is no type %q; there are: %s", shorten(f.Type), strings.Join(Types, ", "))
	case !autoForm.MatchString(f.Autocomplete) && f.Autocomplete != "":
		return fmt.Errorf("autocomplete is a word such as email or street-address")
	case f.Rows < 0 || f.Rows > 40:
		return fmt.Errorf("rows is a number from 1 to 40")
	}
	for _, t := range []struct {
		what, text string
		most       int
	}{{"label", f.Label, maxLabel}, {"help", f.Help, maxHelp}, {"message", f.Message, maxLabel}, {"placeholder", f.Placeholder, maxLabel}, {"default", f.Default, maxHelp}} {
		if utf8.RuneCountInString(t.text) > t.most {
			return fmt.Errorf("the %s has more than %d characters", t.what, t.most)
		}
		if unfit(t.text, t.what == "help" || t.what == "default") {
			return fmt.Errorf("the %s has characters that can't be shown", t.what)
		}
	}
	for _, check := range []func() error{f.preparePattern, f.prepareOptions, f.prepareBounds, f.prepareFile} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (f *Field) preparePattern() error {
	if f.Pattern == "" {
		return nil
	}
	if !slices.Contains([]string{Text, Email, Tel, URL, Textarea, Hidden}, f.Type) {
		return fmt.Errorf("a pattern goes with a text, not with the type %s", f.Type)
	}
	if len(f.Pattern) > maxPattern {
		return fmt.Errorf("the pattern is longer than %d bytes", maxPattern)
	}
	re, err := regexp.Compile(`^(?:` + f.Pattern + `)$`)
	if err != nil {
		return fmt.Errorf("the pattern is no regular expression (RE2): %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
	}
	f.pattern = re
	return nil
}

func (f *Field) prepareOptions() error {
	chooses := f.Type == Select || f.Type == Radio
	switch {
	case chooses && len(f.Options) == 0:
		return fmt.Errorf("a %s needs options", f.Type)
	case len(f.Options) > MaxOptions:
		return fmt.Errorf("there may be at most %d options", MaxOptions)
	case len(f.Options) > 0 && !chooses && f.Type != Checkbox:
		return fmt.Errorf("a %s has no options", f.Type)
	}
	seen := map[string]bool{}
	for _, o := range f.Options {
		switch {
		case strings.TrimSpace(o.Value) == "" || o.Value != strings.TrimSpace(o.Value):
			return fmt.Errorf("an option needs a value without space around it")
		case utf8.RuneCountInString(o.Value) > maxOption || utf8.RuneCountInString(o.Label) > maxOption:
			return fmt.Errorf("an option has more than %d characters", maxOption)
		case unfit(o.Value, false) || unfit(o.Label, false):
			return fmt.Errorf("an option has characters that can't be shown")
		case seen[o.Value]:
			return fmt.Errorf("the option %q is there twice", shorten(o.Value))
		}
		seen[o.Value] = true
	}
	return nil
}

// shared by the types whose bounds are counts.
var mostOf = map[string]int{
	Text: TextMost, Email: 254, Tel: TextMost, URL: TextMost, Hidden: TextMost, Textarea: TextareaMost,
	Select: MaxOptions, Checkbox: MaxOptions, File: FileMostCount,
}

func (f *Field) prepareBounds() error {
	if f.Min == "" && f.Max == "" {
		return nil
	}
	var parse func(Bound) (float64, bool)
	switch f.Type {
	case Number:
		parse = func(b Bound) (float64, bool) { return number(string(b)) }
	case Date:
		parse = func(b Bound) (float64, bool) {
			t, ok := date(string(b))
			return float64(t.Unix()), ok
		}
	default:
		most, counts := mostOf[f.Type]
		if !counts {
			return fmt.Errorf("a %s has no min and no max", f.Type)
		}
		parse = func(b Bound) (float64, bool) {
			n, err := strconv.Atoi(string(b))
			return float64(n), err == nil && n >= 0 && n <= most
		}
	}
	var low, high float64
	ok := true
	if f.Min != "" {
		low, ok = parse(f.Min)
	}
	if ok && f.Max != "" {
		high, ok = parse(f.Max)
	}
	switch {
	case !ok && f.Type == Date:
		return fmt.Errorf("min and max of a date are written as 2006-01-02")
	case !ok && mostOf[f.Type] > 0:
		return fmt.Errorf("min and max are whole numbers from 0 to %d", mostOf[f.Type])
	case !ok:
		return fmt.Errorf("min and max must be numbers")
	case f.Min != "" && f.Max != "" && low > high:
		return fmt.Errorf("min is larger than max")
	case f.Max != "" && high == 0 && mostOf[f.Type] > 0:
		return fmt.Errorf("a max of 0 leaves nothing to write")
	}
	return nil
}
