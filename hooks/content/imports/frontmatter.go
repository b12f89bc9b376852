package imports

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/pelletier/go-toml/v2"
)

const (
	// maxFrontMatter is the longest front matter in bytes.
	maxFrontMatter = 64 << 10
	// maxAliases is how many YAML aliases a front matter may use; nested they
	// multiply what they stand for.
	maxAliases = 20
	// maxBrackets is how many brackets may stand open at once.
	maxBrackets = 50
)

var errTooMuchMatter = fmt.Errorf("its front matter is longer than %d KB", maxFrontMatter>>10)

// yamlPlace is how the YAML reader begins an error: [line:column].
var yamlPlace = regexp.MustCompile(`^\[(\d+):\d+\] `)

var yamlAlias = regexp.MustCompile(`(?m)(^|[\s,\[{:-])\*[^\s*]`)

// looksYAML tells a front matter that was not closed from a rule.
var looksYAML = regexp.MustCompile(`\A[A-Za-z_-]+:(\s|\n|$)`)

// matter is a front matter with keys in lower case without hyphens and
// underscores, so that pubDate, pub_date and PubDate are the same.
type matter map[string]any

// splitMatter parts a file into its front matter and its body. Files of Hugo,
// Jekyll and Astro begin with --- (YAML), +++ (TOML) or { (JSON); all others
// are body. The error says what is wrong with the front matter; the body is
// returned then too.
func splitMatter(file string) (m matter, body string, err error) {
	file = strings.ReplaceAll(strings.TrimPrefix(file, "\ufeff"), "\r\n", "\n")
	first, rest, _ := strings.Cut(file, "\n")
	switch first = strings.TrimRight(first, " \t"); {
	case first == "---":
		head, body, found := cutFence(rest, "---", "...")
		if !found && looksYAML.MatchString(rest) {
			return nil, file, errors.New("its front matter begins with --- and has no closing ---")
		}
		if !found {
			return nil, file, nil // a horizontal rule
		}
		m, err := readMatter(head, readYAML)
		return m, body, err
	case first == "+++":
		head, body, found := cutFence(rest, "+++", "+++")
		if !found {
			return nil, file, errors.New("its front matter begins with +++ and has no closing +++")
		}
		m, err := readMatter(head, readTOML)
		return m, body, err
	case strings.HasPrefix(file, "{") && !strings.HasPrefix(file, "{{") && !strings.HasPrefix(file, "{%"):
		return jsonMatter(file)
	}
	return nil, file, nil
}

func cutFence(rest, end, other string) (head, body string, found bool) {
	at := 0
	for line := range strings.Lines(rest) {
		if bare := strings.TrimRight(line, " \t\n"); bare == end || bare == other {
			return rest[:at], rest[at+len(line):], true
		}
		at += len(line)
	}
	return "", "", false
}

func jsonMatter(file string) (matter, string, error) {
	d := json.NewDecoder(strings.NewReader(file[:min(len(file), maxFrontMatter)]))
	var raw map[string]any
	if err := d.Decode(&raw); err != nil {
		if len(file) > maxFrontMatter && errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, file, errTooMuchMatter
		}
		at := int64(len(file)) // it ends early
		var wrong *json.SyntaxError
		if errors.As(err, &wrong) {
			at = wrong.Offset
		}
		line := 1 + strings.Count(file[:min(at, int64(len(file)))], "\n")
		return nil, file, fmt.Errorf("its front matter is no readable JSON: line %d: %w", line, err)
	}
	return fold(raw), file[d.InputOffset():], nil
}

func readMatter(head string, read func(string) (map[string]any, error)) (m matter, err error) {
	if err := boundedMatter(head); err != nil {
		return nil, err
	}
	// The readers are other people's; a mistake of theirs costs one file.
	defer func() {
		if r := recover(); r != nil {
			m, err = nil, errors.New("its front matter can't be read")
		}
	}()
	raw, err := read(head)
	return fold(raw), err
}

func boundedMatter(head string) error {
	if len(head) > maxFrontMatter {
		return errTooMuchMatter
	}
	if len(yamlAlias.FindAllStringIndex(head, maxAliases+1)) > maxAliases {
		return fmt.Errorf("its front matter uses more than %d aliases", maxAliases)
	}
	open := 0
	for _, c := range head {
		switch c {
		case '[', '{':
			open++
		case ']', '}':
			open = max(0, open-1)
		}
		if open > maxBrackets {
			return errors.New("its front matter is nested too deeply")
		}
	}
	for line := range strings.Lines(head) {
		if strings.Count(line[:len(line)-len(strings.TrimLeft(line, "-? \t"))], "-") > maxBrackets {
			return errors.New("its front matter is nested too deeply")
		}
	}
	return nil
}

func readYAML(head string) (map[string]any, error) {
	var raw map[string]any
	if strings.TrimSpace(head) == "" {
		return nil, nil
	}
	if err := yaml.Unmarshal([]byte(head), &raw); err != nil {
		return nil, fmt.Errorf("its front matter is no readable YAML: %s", yamlPlace.ReplaceAllStringFunc(oneLine(err), func(place string) string {
			n, _ := strconv.Atoi(yamlPlace.FindStringSubmatch(place)[1])
			return fmt.Sprintf("line %d: ", n+1) // the file begins with ---
		}))
	}
	return raw, nil
}

func readTOML(head string) (map[string]any, error) {
	var raw map[string]any
	if err := toml.NewDecoder(bytes.NewReader([]byte(head))).Decode(&raw); err != nil {
		line := ""
		var wrong *toml.DecodeError
		if errors.As(err, &wrong) {
			row, _ := wrong.Position()
			line = fmt.Sprintf("line %d: ", row+1) // the file begins with +++
		}
		return nil, fmt.Errorf("its front matter is no readable TOML: %s%s", line, strings.TrimPrefix(oneLine(err), "toml: "))
	}
	return raw, nil
}

// oneLine is the first line of an error; parsers draw the place below it.
func oneLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func fold(raw map[string]any) matter {
	m := matter{}
	for k, v := range raw {
		m[foldKey(k)] = v
	}
	// Zola keeps tags and categories one level down.
	if below, ok := m["taxonomies"].(map[string]any); ok {
		for k, v := range below {
			if _, set := m[foldKey(k)]; !set {
				m[foldKey(k)] = v
			}
		}
	}
	return m
}

func foldKey(k string) string {
	return strings.NewReplacer("-", "", "_", "").Replace(strings.ToLower(k))
}

// text returns the first of the keys that holds text.
func (m matter) text(keys ...string) string {
	for _, k := range keys {
		if s := plain(m[k]); s != "" {
			return s
		}
	}
	return ""
}

func plain(v any) string {
	switch v := v.(type) {
	case nil, []any, map[string]any, bool:
		return ""
	case string:
		return strings.TrimSpace(v)
	case time.Time:
		return v.Format(time.RFC3339)
	}
	return fmt.Sprint(v)
}

// flag returns whether the key is set, and to what.
func (m matter) flag(key string) (value, set bool) {
	switch v := m[key].(type) {
	case bool:
		return v, true
	case string:
		return strings.EqualFold(v, "true") || strings.EqualFold(v, "yes") || v == "1", v != ""
	case nil:
		return false, false
	}
	n := plain(m[key])
	return n == "1", n == "0" || n == "1"
}

// list returns a list of texts; one text is a list of one, or of several where
// commas part them. An entry may be a map with a name.
func (m matter) list(keys ...string) []string {
	var out []string
	for _, k := range keys {
		switch v := m[k].(type) {
		case []any:
			for _, e := range v {
				if inner, ok := e.([]any); ok {
					out = append(out, matter{"": inner}.list("")...)
				} else if named, ok := e.(map[string]any); ok {
					e = first(plain(named["name"]), plain(named["title"]))
				}
				if s := plain(e); s != "" {
					out = append(out, s)
				}
			}
		case map[string]any:
			if s := first(plain(v["name"]), plain(v["title"])); s != "" {
				out = append(out, s)
			}
		default:
			for _, s := range strings.Split(plain(v), ",") {
				if s = strings.TrimSpace(s); s != "" {
					out = append(out, s)
				}
			}
		}
	}
	return out
}

// dateLayouts are the ways in which people write dates into front matter.
var dateLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05 -07:00", "2006-01-02 15:04 -0700",
	"2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05 MST", time.DateTime, "2006-01-02 15:04", time.DateOnly, "2006/01/02", "2006-1-2",
	"January 2, 2006", "Jan 2, 2006", "Jan 2 2006", "January 2 2006", "2 January 2006", "2 Jan 2006", "02.01.2006", time.RFC1123Z, time.RFC1123, time.RFC850, time.ANSIC,
}

// date returns the first of the keys that holds a time.
func (m matter) date(keys ...string) time.Time {
	for _, k := range keys {
		if t := readDate(m[k]); !t.IsZero() {
			return t
		}
	}
	return time.Time{}
}

func readDate(v any) time.Time {
	if t, ok := v.(time.Time); ok {
		return sane(t)
	}
	s := plain(v)
	for _, layout := range dateLayouts {
		if t, err := time.Parse(layout, s); err == nil {
			return sane(t)
		}
	}
	return time.Time{}
}

// sane drops years that no database column holds.
func sane(t time.Time) time.Time {
	if y := t.Year(); y < 1000 || y > 9998 {
		return time.Time{}
	}
	return t.UTC()
}
