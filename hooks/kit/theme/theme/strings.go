package theme

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"reflect"
	"strconv"
	"strings"
)

// fallback is the language that every string exists in.
const fallback = "en"

// catalogues are the strings of each locale by key.
type catalogues map[string]map[string]message

// message is one string, or its forms for one and for any other number.
type message struct{ one, other string }

// readStrings reads _theme/strings/LOCALE.json. A catalogue on disk replaces
// the built-in one string by string: keys that it does not have yet, because
// it was copied from an older version, stay.
func (t *Theme) readStrings() (catalogues, error) {
	all := catalogues{}
	for _, fsys := range []fs.FS{t.embedded, t.fsys} {
		files, err := fs.Glob(fsys, path.Join(root, "strings", "*.json"))
		if err != nil {
			return nil, fmt.Errorf("list the theme's strings: %w", err)
		}
		for _, file := range files {
			source, err := fs.ReadFile(fsys, file)
			if err != nil {
				return nil, fmt.Errorf("read the theme's strings: %w", err)
			}
			locale := strings.TrimSuffix(path.Base(file), ".json")
			if all[locale] == nil {
				all[locale] = map[string]message{}
			}
			if err := readCatalogue(source, all[locale]); err != nil {
				return nil, t.faultAt(file, lineOf(source, err), err.Error(), err)
			}
		}
	}
	return all, nil
}

// readCatalogue adds to into: {"key": "text", "key": {"one": "…", "other": "…"}}.
func readCatalogue(source []byte, into map[string]message) error {
	var raw map[string]any
	if err := json.Unmarshal(source, &raw); err != nil {
		return err
	}
	for key, value := range raw {
		switch v := value.(type) {
		case string:
			into[key] = message{v, v}
		case map[string]any:
			one, ok1 := v["one"].(string)
			other, ok2 := v["other"].(string)
			if !ok1 || !ok2 || len(v) != 2 {
				return fmt.Errorf("%q needs a text for \"one\" and for \"other\", and nothing else", key)
			}
			into[key] = message{one, other}
		default:
			return fmt.Errorf("%q must be a text", key)
		}
	}
	return nil
}

func lineOf(source []byte, err error) int {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return 0
	}
	end := min(max(syntax.Offset, 0), int64(len(source)))
	return 1 + strings.Count(string(source[:end]), "\n")
}

// T returns the string of key in locale; where it is missing, in the language
// alone ("de" for "de-AT"), then in English, then the key itself. In it, %s and
// %d stand for the args in order, and {name} for the value of a pair among
// args ("name", value), of a map, or for the first number as {n} or {count}.
// Of a string with two forms the first number among args chooses.
func (t *Theme) T(locale, key string, args ...any) string {
	m, ok := t.current.Load().strings.find(locale, key)
	if !ok {
		return key
	}
	n, counted := count(args)
	if counted && n == 1 {
		return fill(m.one, args)
	}
	return fill(m.other, args)
}

func (c catalogues) find(locale, key string) (message, bool) {
	language, _, _ := strings.Cut(locale, "-")
	for _, l := range [...]string{locale, language, fallback} {
		if m, ok := c[l][key]; ok {
			return m, true
		}
	}
	return message{}, false
}

// count finds the first whole number among args.
func count(args []any) (int64, bool) {
	for _, a := range args {
		if m, ok := a.(map[string]any); ok {
			for _, name := range []string{"n", "count"} {
				if n, ok := m[name]; ok {
					return count([]any{n})
				}
			}
			continue
		}
		switch v := reflect.ValueOf(a); {
		case v.CanInt():
			return v.Int(), true
		case v.CanUint():
			return int64(v.Uint()), true
		}
	}
	return 0, false
}

// fill puts args into s. What they hold is never looked at for verbs, and what
// has no argument stays as it is written.
func fill(s string, args []any) string {
	if len(args) == 0 || !strings.ContainsAny(s, "%{") {
		return strings.ReplaceAll(s, "%%", "%")
	}
	var b strings.Builder
	next := 0
	for i := 0; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "%%"):
			b.WriteByte('%')
			i++
		case strings.HasPrefix(s[i:], "%s"), strings.HasPrefix(s[i:], "%d"), strings.HasPrefix(s[i:], "%v"):
			if next >= len(args) {
				b.WriteByte(s[i])
				continue
			}
			fmt.Fprint(&b, args[next])
			next++
			i++
		case s[i] == '{':
			name, _, closed := strings.Cut(s[i+1:], "}")
			value, ok := named(name, args)
			if !closed || !ok {
				b.WriteByte(s[i])
				continue
			}
			fmt.Fprint(&b, value)
			i += len(name) + 1
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// named finds the value of {name}.
func named(name string, args []any) (any, bool) {
	for i, a := range args {
		if m, ok := a.(map[string]any); ok {
			if v, ok := m[name]; ok {
				return v, true
			}
		}
		if a == any(name) && i%2 == 0 && i+1 < len(args) {
			return args[i+1], true
		}
	}
	if name == "n" || name == "count" {
		if n, ok := count(args); ok {
			return n, true
		}
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(args) {
		return args[i], true
	}
	return nil, false
}

// translate is T for templates: {{t .Lang "key" args}}, or {{t . "key" args}}
// with data that has a Lang or Locale; {{t "key"}} alone is English.
func (t *Theme) translate(first any, args ...any) (string, error) {
	if len(args) == 0 {
		key, ok := first.(string)
		if !ok {
			return "", errors.New("t needs a language or the page's data, and a key")
		}
		return t.T(fallback, key), nil
	}
	key, ok := args[0].(string)
	if !ok {
		return "", fmt.Errorf("t needs a key that is a string, got %T", args[0])
	}
	return t.T(localeOf(first), key, args[1:]...), nil
}

// localeOf reads a locale from a string, or from a fieldor key of
// data named Lang or Locale.
func localeOf(data any) string {
	v := reflect.ValueOf(data)
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	switch v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Struct:
		for _, name := range []string{"Lang", "Locale"} {
			if f := v.FieldByName(name); f.IsValid() && f.Kind() == reflect.String {
				return f.String()
			}
		}
	case reflect.Map:
		if m, ok := v.Interface().(map[string]any); ok {
			for _, name := range []string{"Lang", "Locale"} {
				if s, ok := m[name].(string); ok {
					return s
				}
			}
		}
	}
	return fallback
}
