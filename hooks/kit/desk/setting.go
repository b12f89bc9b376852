package desk

import (
	"cmp"
	"fmt"
	"reflect"
	"strings"

	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/core"
)

// Setting is a page of settings, whose form is drawn from a struct. Each field
// of the struct has a json name and may have these tags:
//
//	label:"Close after"          English; the default is made from the json name
//	help:"…"                     a sentence below the label
//	unit:"days"                  after the field
//	options:"open,held=Held back" a choice instead of free text, each with its words
//	min:"1" max:"90"             of a number, or of a text's length
//	kind:"text|area|secret|colour|email|url|list|locale|zone|media|hidden"
//	group:"Spam"                 a heading before this field
//
// A bool is a switch, an int or float a number, a []string a list with one
// entry a line. A secret is written, never shown, and lies encrypted in the
// database. Fields of an embedded struct belong to the form; fields of any
// other type do not. The struct may have Validate() error: validation.Errors
// are shown beside the fields by their json names, and so is an error that
// begins with such a name and a colon.
type Setting struct {
	Feature string // the record of the collection settings
	Slug    string // its address; "" is the Feature
	Title   string // English
	Help    string // English, a sentence or two below the title
	Icon    string
	Access  web.Access // "" is the owner's
	Order   int
	// Options gives a pointer to a new struct with what is stored.
	Options func(app core.App) (any, error)
	// Save stores what Options gave, changed.
	Save func(app core.App, options any) error
	// Links lead on from the page: a preview, a test.
	Links []Link
	// Page is the template with the form, "" is that of all settings. Its .Data
	// is the same.
	Page   string
	Assets []string // more styles and scripts of the page
}

// Link leads to another page of the desk or, with Post, does something there.
type Link struct {
	Label, Href, Icon string
	Post              bool
}

// Address is the last part of the page's address.
func (s Setting) Address() string { return cmp.Or(s.Slug, s.Feature) }

// Options makes a Setting of a feature's options struct.
func Options[T any](feature, title, help string, defaults T) Setting {
	return Setting{
		Feature: feature, Title: title, Help: help,
		Options: func(app core.App) (any, error) {
			o, err := settings.Load(app, feature, defaults)
			return &o, err
		},
		Save: func(app core.App, options any) error {
			o, ok := options.(*T)
			if !ok {
				return fmt.Errorf("the settings of %s are a %T", feature, options)
			}
			return settings.Save(app, feature, *o)
		},
	}
}

// Field is one field of a setting, as templates draw it.
type Field struct {
	Name, Label, Help, Unit, Kind, Group string
	Options                              []Choice
	Min, Max                             string
	Value                                string
	On                                   bool // a switch's state
	Set                                  bool // a secret is stored
	Error                                string
}

// Choice is one of the values that a field may have.
type Choice struct{ Value, Label string }

// Fields reads the fields of a pointer to an options struct.
func Fields(options any) []Field {
	var fields []Field
	for _, l := range leaves(reflect.ValueOf(options).Elem()) {
		fields = append(fields, l.field())
	}
	return fields
}

// leaf is one field of an options struct.
type leaf struct {
	reflect.StructField
	name  string
	value reflect.Value
}

// leaves lists the fields that a form has.
func leaves(v reflect.Value) []leaf {
	var all []leaf
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Anonymous && f.Type.Kind() == reflect.Struct {
			all = append(all, leaves(v.Field(i))...)
			continue
		}
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "" || name == "-" || f.Tag.Get("kind") == "hidden" || !drawable(f.Type) {
			continue
		}
		all = append(all, leaf{f, name, v.Field(i)})
	}
	return all
}

func drawable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Bool, reflect.String, reflect.Int, reflect.Int64, reflect.Float64:
		return true
	case reflect.Slice:
		return t.Elem().Kind() == reflect.String
	}
	return false
}

func (l leaf) field() Field {
	tag := l.Tag
	out := Field{
		Name: l.name, Label: tag.Get("label"), Help: tag.Get("help"), Unit: tag.Get("unit"),
		Kind: tag.Get("kind"), Group: tag.Get("group"), Min: tag.Get("min"), Max: tag.Get("max"),
	}
	if out.Label == "" {
		out.Label = words(l.name)
	}
	for _, o := range choices(tag.Get("options")) {
		out.Options, out.Kind = append(out.Options, o), "choice"
	}
	switch l.value.Kind() {
	case reflect.Bool:
		out.Kind, out.On = "switch", l.value.Bool()
	case reflect.Slice:
		out.Kind = cmp.Or(out.Kind, "list")
		out.Value = strings.Join(l.value.Interface().([]string), "\n")
	case reflect.Int, reflect.Int64, reflect.Float64:
		out.Kind = cmp.Or(out.Kind, "number")
		out.Value = fmt.Sprint(l.value.Interface())
	default:
		out.Kind = cmp.Or(out.Kind, "text")
		out.Value = l.value.String()
	}
	if out.Kind == "secret" {
		out.Set, out.Value = out.Value != "", ""
	}
	return out
}

// choices reads the tag options: values with commas between, each with its
// words behind an equals sign where they don't follow from it.
func choices(tag string) []Choice {
	var all []Choice
	for _, o := range strings.Split(tag, ",") {
		value, label, ok := strings.Cut(o, "=")
		if !ok {
			label = words(value)
		}
		if o != "" {
			all = append(all, Choice{value, label})
		}
	}
	return all
}

// words makes a label of a name in snake case.
func words(name string) string {
	s := strings.ReplaceAll(name, "_", " ")
	if s == "" {
		return ""
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
