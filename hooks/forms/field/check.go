package field

import (
	"math"
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// Problem says what is wrong with an answer: Words with the args, unless the
// form's owner wrote a sentence.
type Problem struct {
	Code string
	Args []any
	Own  string // the owner's own words, "" for none
}

// The codes of problems. As an API answers them they begin with "validation_".
const (
	CodeRequired  = "required"
	CodeConsent   = "consent"
	CodeEmail     = "invalid_email"
	CodeTel       = "invalid_tel"
	CodeURL       = "invalid_url"
	CodeNumber    = "invalid_number"
	CodeDate      = "invalid_date"
	CodeOption    = "invalid_option"
	CodePattern   = "invalid_pattern"
	CodeText      = "invalid_text"  // NUL, control characters, bytes that are no UTF-8
	CodeLines     = "single_line"   // a line break where there may be none
	CodeTooShort  = "too_short"     // args: fewest characters
	CodeTooLong   = "too_long"      // args: most characters
	CodeLow       = "too_low"       // args: smallest value
	CodeHigh      = "too_high"      // args: largest value
	CodeFew       = "too_few"       // args: fewest
	CodeMany      = "too_many"      // args: most
	CodeOne       = "only_one"      // several values where one is asked for
	CodeFileSize  = "file_size"     // args: most megabytes
	CodeFileType  = "file_type"     // args: what is taken
	CodeFileEmpty = "file_empty"    //
	CodeNoFile    = "not_a_file"    // a text where a file is asked for
	CodeUnknown   = "unknown_file"  // a file where none is asked for
	CodeExtra     = "unknown_field" // more unknown fields than are kept
)

// Check gives the clean answers by field name, in which what was left empty is
// missing, and the problems by field name. values may hold more than the fields.
// Files are not looked at: a field for files is a problem if it holds text.
func Check(fields []Field, values map[string][]string) (answers map[string][]string, problems map[string]Problem) {
	answers, problems = make(map[string][]string, len(fields)), map[string]Problem{}
	for i := range fields {
		f := &fields[i]
		clean, problem := f.check(values[f.Name])
		if problem != nil {
			problems[f.Name] = *problem
		} else if len(clean) > 0 {
			answers[f.Name] = clean
		}
	}
	return answers, problems
}

func (f *Field) check(given []string) ([]string, *Problem) {
	var clean []string
	for _, raw := range given {
		v, problem := f.clean(raw)
		if problem != nil {
			return nil, problem
		}
		if v != "" && !slices.Contains(clean, v) {
			clean = append(clean, v)
		}
	}
	switch {
	case f.Type == File && len(clean) > 0:
		return nil, &Problem{Code: CodeNoFile}
	case f.Type == File:
		return nil, nil
	case len(clean) == 0 && f.Required && f.Type == Consent:
		return nil, f.problem(CodeConsent)
	case len(clean) == 0 && f.Required:
		return nil, &Problem{Code: CodeRequired}
	case len(clean) == 0:
		return nil, nil
	case len(clean) > 1 && !f.Many():
		return nil, &Problem{Code: CodeOne}
	}
	for i, v := range clean {
		v, problem := f.value(v)
		if problem != nil {
			return nil, problem
		}
		clean[i] = v
	}
	if f.Many() {
		if least := f.Min.whole(0); len(clean) < least {
			return nil, &Problem{Code: CodeFew, Args: []any{least}}
		}
		if most := f.Max.whole(MaxOptions); len(clean) > most {
			return nil, &Problem{Code: CodeMany, Args: []any{most}}
		}
	}
	return clean, nil
}

// problem is one for which the owner may have written own words.
func (f *Field) problem(code string) *Problem { return &Problem{Code: code, Own: f.Message} }

// clean refuses what no text may hold, and trims.
func (f *Field) clean(raw string) (string, *Problem) {
	if !utf8.ValidString(raw) {
		return "", &Problem{Code: CodeText}
	}
	if f.Type == Textarea {
		raw = strings.ReplaceAll(strings.ReplaceAll(raw, "\r\n", "\n"), "\r", "\n")
	}
	v := strings.TrimSpace(strings.Map(turned, raw))
	if f.Type != Textarea && strings.ContainsAny(v, "\r\n\u2028\u2029\u0085\v\f") {
		return "", &Problem{Code: CodeLines}
	}
	if unfit(v, true) {
		return "", &Problem{Code: CodeText}
	}
	if f.Type == Consent || f.Type == Checkbox && len(f.Options) == 0 {
		return ticked(v), nil
	}
	return v, nil
}

// turned drops the marks that override the reading direction, with which a text
// can be made to read as another one.
func turned(r rune) rune {
	if r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
		return -1
	}
	return r
}

// unfit reports whether a text is no UTF-8 or has control characters.
func unfit(s string, lines bool) bool {
	return !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool {
		return unicode.Is(unicode.Cc, r) && !(lines && (r == '\n' || r == '\t'))
	})
}

// value checks one answer that is not empty.
func (f *Field) value(v string) (string, *Problem) {
	switch f.Type {
	case Number, Date:
		return f.measured(v)
	case Select, Radio:
		return f.chosen(v)
	case Checkbox:
		if len(f.Options) > 0 {
			return f.chosen(v)
		}
		return Yes, nil
	case Consent:
		return Yes, nil
	}
	n := utf8.RuneCountInString(v)
	switch {
	case n > f.MaxLength():
		return "", &Problem{Code: CodeTooLong, Args: []any{f.MaxLength()}}
	case n < f.MinLength():
		return "", &Problem{Code: CodeTooShort, Args: []any{f.MinLength()}}
	case f.Type == Email && !IsEmail(v):
		return "", f.problem(CodeEmail)
	case f.Type == Tel && !tel.MatchString(v):
		return "", f.problem(CodeTel)
	case f.Type == URL && !isURL(v):
		return "", f.problem(CodeURL)
	case f.pattern != nil && !f.pattern.MatchString(v):
		return "", f.problem(CodePattern)
	}
	return v, nil
}

// Yes is what a single ticked box is stored as.
const Yes = "yes"

// ticked turns what a client may send for a ticked box into Yes, and for an
// empty one into "".
func ticked(v string) string {
	switch strings.ToLower(v) {
	case "", "false", "0", "off", "no":
		return ""
	}
	return Yes
}

func (f *Field) chosen(v string) (string, *Problem) {
	if !slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == v }) {
		return "", &Problem{Code: CodeOption}
	}
	return v, nil
}

// measured checks a number or a date against its bounds.
func (f *Field) measured(v string) (string, *Problem) {
	measure := func(s string) (float64, bool) { return number(s) }
	code := CodeNumber
	if f.Type == Date {
		code = CodeDate
		measure = func(s string) (float64, bool) {
			t, ok := date(s)
			return float64(t.Unix()), ok
		}
	}
	n, ok := measure(v)
	if !ok {
		return "", f.problem(code)
	}
	if low, ok := measure(string(f.Min)); ok && n < low {
		return "", &Problem{Code: CodeLow, Args: []any{string(f.Min)}}
	}
	if high, ok := measure(string(f.Max)); ok && n > high {
		return "", &Problem{Code: CodeHigh, Args: []any{string(f.Max)}}
	}
	return v, nil
}

var (
	decimal = regexp.MustCompile(`^[+-]?(\d{1,30}(\.\d{1,30})?|\.\d{1,30})([eE][+-]?\d{1,3})?$`)
	tel     = regexp.MustCompile(`^[+(]{0,2}[0-9][0-9 ()/.\-\x{00A0}]{1,38}( ?(ext|x|#)\.? ?[0-9]{1,8})?$`)
)

func number(s string) (float64, bool) {
	if !decimal.MatchString(s) {
		return 0, false
	}
	n, err := strconv.ParseFloat(s, 64)
	return n, err == nil && !math.IsInf(n, 0)
}

func date(s string) (time.Time, bool) {
	t, err := time.Parse(time.DateOnly, s)
	return t, err == nil && t.Year() > 0
}

func isURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.Hostname() != "" && !strings.ContainsAny(s, " <>\"")
}

// IsEmail reports whether mail can be sent to the address: one that RFC 5321
// allows, without quotes and comments, with a domain that has a dot.
func IsEmail(s string) bool {
	at := strings.LastIndexByte(s, '@')
	if at < 1 || at > 64 || len(s) > 254 {
		return false
	}
	local, domain := s[:at], s[at+1:]
	if strings.ContainsFunc(local, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`"<>(),:;\[]@`, r)
	}) {
		return false
	}
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil || len(ascii) > 190 || !strings.Contains(ascii, ".") || strings.ContainsAny(domain, " ,<>()[]:;\\\"") {
		return false
	}
	parsed, err := mail.ParseAddress(local + "@" + ascii)
	return err == nil && parsed.Address == local+"@"+ascii
}
