package desk

import (
	"errors"
	"fmt"
	"math"
	"net/mail"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"bungalow/hooks/kit/web"
	validation "github.com/pocketbase/ozzo-validation/v4"
)

// The longest texts and lists that a form of settings takes, where the field
// names no smaller limit.
const (
	maxText    = 500    // characters
	maxArea    = 20_000 // characters
	maxEntries = 5000   // of a list
)

// Faults says of fields, by their json names, what is wrong with them: English
// sentences for people.
type Faults map[string]string

// Fill sets the fields of a pointer to an options struct from a form, as a
// browser sends it: a switch that is off is absent. A secret that is left empty
// stays; it goes where the form has NAME_remove. What can't be read, or what
// the struct's Validate refuses, is told in the faults; the rest is set.
func Fill(options any, form web.Values) Faults {
	faults := Faults{}
	for _, l := range leaves(reflect.ValueOf(options).Elem()) {
		if err := l.fill(form); err != nil {
			faults[l.name] = err.Error()
		}
	}
	if len(faults) > 0 {
		return faults
	}
	if v, ok := options.(interface{ Validate() error }); ok {
		faults = FaultsOf(v.Validate(), options)
	}
	return faults
}

// FaultsOf reads an error of Validate or Save: validation.Errors, or a text
// that begins with a field's json name and a colon. What belongs to no field
// of the options is told under "".
func FaultsOf(err error, options any) Faults {
	faults := Faults{}
	if err == nil {
		return faults
	}
	var fields validation.Errors
	if errors.As(err, &fields) {
		for name, e := range fields {
			var nested validation.Errors
			if !errors.As(e, &nested) && known(options, name) {
				faults[name] = sentence(e.Error())
				continue
			}
			for n, f := range FaultsOf(e, options) {
				faults[n] = f
			}
		}
		return faults
	}
	if name, text, ok := strings.Cut(err.Error(), ": "); ok && known(options, name) {
		faults[name] = sentence(text)
		return faults
	}
	faults[""] = sentence(err.Error())
	return faults
}

func known(options any, name string) bool {
	return slices.ContainsFunc(leaves(reflect.ValueOf(options).Elem()), func(l leaf) bool { return l.name == name })
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return s
	}
	s = strings.ToUpper(string(r)) + s[n:]
	if !strings.ContainsAny(s[len(s)-1:], ".!?…") {
		s += "."
	}
	return s
}

// Changed names the fields in which two structs of the same type differ, by
// their json names.
func Changed(before, after any) []string {
	old := leaves(reflect.ValueOf(before).Elem())
	var names []string
	for i, l := range leaves(reflect.ValueOf(after).Elem()) {
		if !reflect.DeepEqual(old[i].value.Interface(), l.value.Interface()) {
			names = append(names, l.name)
		}
	}
	return names
}

func (l leaf) fill(form web.Values) error {
	text := strings.TrimSpace(strings.ReplaceAll(form.Get(l.name), "\r\n", "\n"))
	switch l.value.Kind() {
	case reflect.Bool:
		on := form[l.name]
		l.value.SetBool(len(on) > 0 && slices.Contains([]string{"true", "on", "1"}, on[len(on)-1]))
		return nil
	case reflect.Slice:
		return l.fillList(form)
	case reflect.Int, reflect.Int64, reflect.Float64:
		return l.fillNumber(text)
	}
	if l.Tag.Get("kind") == "secret" {
		if text == "" {
			if form.Get(l.name+"_remove") != "" {
				l.value.SetString("")
			}
			return nil
		}
	}
	if err := l.check(text); err != nil {
		return err
	}
	l.value.SetString(text)
	return nil
}

// fillList takes one entry a line, or several values of the same name.
func (l leaf) fillList(form web.Values) error {
	list := []string{}
	for _, value := range form[l.name] {
		for line := range strings.Lines(value) {
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			if err := l.check(line); err != nil {
				return err
			}
			list = append(list, line)
		}
	}
	if len(list) > maxEntries {
		return fault("A list may have at most %d lines.", maxEntries)
	}
	if len(list) == 0 && l.value.Len() == 0 {
		return nil // neither nil nor empty is a change
	}
	l.value.Set(reflect.ValueOf(list).Convert(l.Type))
	return nil
}

func (l leaf) fillNumber(text string) error {
	n, err := strconv.ParseFloat(strings.Replace(text, ",", ".", 1), 64)
	whole := l.value.Kind() != reflect.Float64
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) || whole && n != math.Trunc(n) || math.Abs(n) > 1<<53 {
		if whole {
			return fault("Write a whole number.")
		}
		return fault("Write a number.")
	}
	low, high := l.limit("min", math.Inf(-1)), l.limit("max", math.Inf(1))
	switch {
	case (n < low || n > high) && !math.IsInf(low, 0) && !math.IsInf(high, 0):
		return fault("Choose a number from %s to %s.", l.Tag.Get("min"), l.Tag.Get("max"))
	case n < low:
		return fault("Choose a number of at least %s.", l.Tag.Get("min"))
	case n > high:
		return fault("Choose a number of at most %s.", l.Tag.Get("max"))
	}
	if whole {
		l.value.SetInt(int64(n))
	} else {
		l.value.SetFloat(n)
	}
	return nil
}

func (l leaf) limit(tag string, otherwise float64) float64 {
	n, err := strconv.ParseFloat(l.Tag.Get(tag), 64)
	if err != nil {
		return otherwise
	}
	return n
}

// fault is an error whose text is shown as it is.
func fault(text string, args ...any) error { return fmt.Errorf(text, args...) }

var (
	colour   = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)
	language = regexp.MustCompile(`^[a-z]{2,3}(-[a-z0-9]{2,8})?$`)
)

// check holds a text to its kind and length.
func (l leaf) check(text string) error {
	kind := l.Tag.Get("kind")
	most := maxText
	if kind == "area" {
		most = maxArea
	}
	most = int(l.limit("max", float64(most)))
	if n := utf8.RuneCountInString(text); n > most {
		return fault("This may have at most %d characters.", most)
	} else if least := int(l.limit("min", 0)); n < least {
		return fault("This needs at least %d characters.", least)
	}
	if options := choices(l.Tag.Get("options")); len(options) > 0 && !slices.ContainsFunc(options, func(c Choice) bool { return c.Value == text }) {
		return fault("Choose one of the values of the list.")
	}
	if text == "" {
		return nil
	}
	switch kind {
	case "colour":
		if !colour.MatchString(text) {
			return fault("Write the colour as #rrggbb, for example #1c6b52.")
		}
	case "email":
		if a, err := mail.ParseAddress(text); err != nil || a.Address != text {
			return fault("This is not an e-mail address.")
		}
	case "url":
		if u, err := url.Parse(text); err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" {
			return fault("Write a whole address that begins with https://.")
		}
	case "locale":
		if !language.MatchString(text) {
			return fault("Write a lower-case language code such as en, de or pt-br.")
		}
	case "zone":
		if _, err := time.LoadLocation(text); err != nil {
			return fault("Write the name of a time zone such as Europe/Berlin.")
		}
	}
	return nil
}
