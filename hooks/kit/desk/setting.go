package desk

import (
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
//	help:"…"                     a sentence below the field
//	unit:"days"                  after the field
//	options:"open,first_time"    a choice instead of free text
//	min:"1" max:"90"             of a number, or of a text's length
//	kind:"text|area|secret|colour|email|url|list|locale|zone|media"
//	group:"Spam"                 a heading before this field
//
// A bool is a switch, an int or float a number, a []string a list with one
// entry a line. A secret is written, never shown. The struct may have
// Validate() error, whose validation.Errors are shown beside the fields by
// their json names.
type Setting struct {
	Feature string // the record of the collection settings
	Title   string // English
	Help    string // English, a sentence or two below the title
	Icon    string
	Access  web.Access // "" is the owner's
	Order   int
	// Options gives a pointer to a new struct with what is stored.
	Options func(app core.App) (any, error)
	// Save stores what Options gave, changed.
	Save func(app core.App, options any) error
}

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
	Options                              []string
	Min, Max                             string
	Value                                string
	On                                   bool // a switch's state
	Set                                  bool // a secret is stored
}

// Fields reads the fields of a pointer to an options struct.
func Fields(options any) []Field {
	v := reflect.ValueOf(options).Elem()
	var fields []Field
	for i := range v.NumField() {
		f := v.Type().Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if !f.IsExported() || name == "" || name == "-" || f.Tag.Get("kind") == "hidden" {
			continue
		}
		fields = append(fields, field(f, name, v.Field(i)))
	}
	return fields
}

func field(f reflect.StructField, name string, value reflect.Value) Field {
	out := Field{
		Name: name, Label: f.Tag.Get("label"), Help: f.Tag.Get("help"), Unit: f.Tag.Get("unit"),
		Kind: f.Tag.Get("kind"), Group: f.Tag.Get("group"), Min: f.Tag.Get("min"), Max: f.Tag.Get("max"),
	}
	if out.Label == "" {
		words := strings.ReplaceAll(name, "_", " ")
		out.Label = strings.ToUpper(words[:1]) + words[1:]
	}
	if o := f.Tag.Get("options"); o != "" {
		out.Options, out.Kind = strings.Split(o, ","), "choice"
	}
	switch value.Kind() {
	case reflect.Bool:
		out.Kind, out.On = "switch", value.Bool()
	case reflect.Slice:
		if out.Kind == "" {
			out.Kind = "list"
		}
		lines := make([]string, value.Len())
		for i := range lines {
			lines[i] = fmt.Sprint(value.Index(i).Interface())
		}
		out.Value = strings.Join(lines, "\n")
	case reflect.Int, reflect.Int64, reflect.Float64:
		if out.Kind == "" {
			out.Kind = "number"
		}
		out.Value = fmt.Sprint(value.Interface())
	default:
		if out.Kind == "" {
			out.Kind = "text"
		}
		out.Value = fmt.Sprint(value.Interface())
	}
	if out.Kind == "secret" {
		out.Set, out.Value = out.Value != "", ""
	}
	return out
}
