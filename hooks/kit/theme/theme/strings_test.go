package theme

import (
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/pocketbase/pocketbase/tools/types"
)

func speaking(t *testing.T) *Theme {
	t.Helper()
	fsys := builtIn()
	fsys["_theme/strings/en.json"] = &fstest.MapFile{Data: []byte(`{
		"plain": "Plain", "percent": "100%%", "verbs": "%s has %d", "about": "About {name}", "first": "{0}-{1}",
		"posts": {"one": "one post", "other": "{n} posts"}, "old": {"one": "%d year", "other": "%d years"},
		"page": "Page", "braces": "a { b {c} %", "lonely": "%s"}`)}
	fsys["_theme/strings/de.json"] = &fstest.MapFile{Data: []byte(`{"plain": "Einfach"}`)}
	fsys["_theme/strings/fr.json"] = &fstest.MapFile{Data: []byte(`{"month.3": "mars"}`)}
	th, err := Load("", fsys, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return th
}

func TestT(t *testing.T) {
	t.Parallel()
	th := speaking(t)
	for _, tt := range []struct {
		locale, key string
		args        []any
		want        string
	}{
		{"en", "plain", nil, "Plain"},
		{"de", "plain", nil, "Einfach"},
		{"de-AT", "plain", nil, "Einfach"},
		{"de", "page", nil, "Page"},
		{"xx", "plain", nil, "Plain"},
		{"", "plain", nil, "Plain"},
		{"en", "nowhere", []any{1}, "nowhere"},
		{"en", "percent", nil, "100%"},
		{"en", "percent", []any{1}, "100%"},
		{"en", "verbs", []any{"Ann", 3}, "Ann has 3"},
		{"en", "verbs", []any{"%d {n}"}, "%d {n} has %d"},
		{"en", "about", []any{"name", "Ann"}, "About Ann"},
		{"en", "about", []any{map[string]any{"name": "Bob"}}, "About Bob"},
		{"en", "about", []any{"Ann"}, "About {name}"},
		{"en", "first", []any{"a", "b"}, "a-b"},
		{"en", "posts", []any{1}, "one post"},
		{"en", "posts", []any{0}, "0 posts"},
		{"en", "posts", []any{uint8(2)}, "2 posts"},
		{"en", "posts", []any{map[string]any{"n": 1}}, "one post"},
		{"en", "posts", nil, "{n} posts"},
		{"en", "old", []any{1}, "1 year"},
		{"en", "old", []any{7}, "7 years"},
		{"en", "braces", []any{"x"}, "a { b {c} %"},
		{"en", "lonely", []any{[]int{1}}, "[1]"},
	} {
		if got := th.T(tt.locale, tt.key, tt.args...); got != tt.want {
			t.Errorf("T(%q, %q, %v) = %q, want %q", tt.locale, tt.key, tt.args, got, tt.want)
		}
	}
}

func TestTranslateFindsTheLanguage(t *testing.T) {
	t.Parallel()
	th := speaking(t)
	for _, tt := range []struct {
		first any
		args  []any
		want  string
	}{
		{"plain", nil, "Plain"},
		{"de", []any{"plain"}, "Einfach"},
		{data{Lang: "de"}, []any{"plain"}, "Einfach"},
		{&data{Lang: "de"}, []any{"plain"}, "Einfach"},
		{struct{ Locale string }{"de"}, []any{"plain"}, "Einfach"},
		{map[string]any{"Locale": "de"}, []any{"plain"}, "Einfach"},
		{nil, []any{"plain"}, "Plain"},
		{(*data)(nil), []any{"plain"}, "Plain"},
		{42, []any{"plain"}, "Plain"},
		{"en", []any{"posts", 1}, "one post"},
	} {
		if got, err := th.translate(tt.first, tt.args...); err != nil || got != tt.want {
			t.Errorf("t %v %v = %q, %v; want %q", tt.first, tt.args, got, err, tt.want)
		}
	}
	if _, err := th.translate(nil); err == nil {
		t.Error("a key is needed")
	}
	if _, err := th.translate("de", 1); err == nil {
		t.Error("a key must be a string")
	}
}

func TestDates(t *testing.T) {
	t.Parallel()
	th := speaking(t)
	d := time.Date(2026, 3, 5, 23, 30, 0, 0, time.FixedZone("", 3600))
	stored, err := types.ParseDateTime(d)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		locale    any
		value     any
		long, iso string
	}{
		{"en", d, "5 March 2026", "2026-03-05T22:30:00Z"},
		{"en-GB", &d, "5 March 2026", "2026-03-05T22:30:00Z"},
		{data{Lang: "de"}, d, "5. März 2026", "2026-03-05T22:30:00Z"},
		{"fr", d, "5 mars 2026", "2026-03-05T22:30:00Z"},
		{"ja", d, "2026-03-05", "2026-03-05T22:30:00Z"},
		{"de-CH", stored, "5. März 2026", "2026-03-05T22:30:00Z"},
		{"", "2026-03-05T22:30:00Z", "5 March 2026", "2026-03-05T22:30:00Z"},
		{"en", time.Time{}, "", ""},
		{"en", nil, "", ""},
		{"en", (*time.Time)(nil), "", ""},
		{"en", "", "", ""},
	} {
		long, err1 := th.date(tt.locale, tt.value)
		iso, err2 := isodate(tt.value)
		if long != tt.long || iso != tt.iso || err1 != nil || err2 != nil {
			t.Errorf("%v %v: %q, %q, %v, %v", tt.locale, tt.value, long, iso, err1, err2)
		}
	}
	for _, bad := range []any{"soon", 5} {
		if _, err := th.date("en", bad); err == nil {
			t.Errorf("%v is no date", bad)
		}
	}
}

func TestDict(t *testing.T) {
	t.Parallel()
	if m, err := dict("a", 1, "b", nil); err != nil || len(m) != 2 || m["a"] != 1 {
		t.Errorf("%v, %v", m, err)
	}
	if _, err := dict("a"); err == nil {
		t.Error("a name without a value")
	}
	if _, err := dict(1, 2); err == nil {
		t.Error("a name that is no string")
	}
}

func FuzzCatalogue(f *testing.F) {
	f.Add([]byte(`{"a": "b", "c": {"one": "%d", "other": "{n}"}}`), "a")
	f.Add([]byte(`{"a": [}`), "%s {0}")
	f.Fuzz(func(t *testing.T, source []byte, arg string) {
		into := map[string]message{}
		if err := readCatalogue(source, into); err != nil && lineOf(source, err) > 1+strings.Count(string(source), "\n") {
			t.Fatalf("a line past the end: %v", err)
		}
		fill(arg, []any{arg, 1, map[string]any{"x": arg}})
		for _, m := range into {
			fill(m.other, []any{arg, 1})
		}
	})
}
