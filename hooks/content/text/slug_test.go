package text

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestSlug(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Hello, World!":             "hello-world",
		"Äpfel & Öl für Größe":      "aepfel-oel-fuer-groesse",
		"A\u0308pfel":               "aepfel",
		"Don’t panic":               "dont-panic",
		"Привет мир":                "privet-mir",
		"北京":                        "bei-jing",
		"Smørrebrød på Ærø":         "smoerrebroed-paa-aeroe",
		"  --a__b--  ":              "a-b",
		"already-a-slug-2":          "already-a-slug-2",
		"":                          "post-811c9dc5",
		"🙂":                         "post-7b89db8c",
		strings.Repeat("word ", 40): strings.TrimSuffix(strings.Repeat("word-", 20), "-"),
		strings.Repeat("a", 300):    strings.Repeat("a", 100),
		strings.Repeat("longword ", 9) + strings.Repeat("b", 60): strings.TrimSuffix(strings.Repeat("longword-", 9), "-"),
	} {
		got := Slug(in)
		if strings.HasPrefix(want, "post-") {
			if !strings.HasPrefix(got, "post-") {
				t.Errorf("%q: %q", in, got)
			}
		} else if got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

var slugShape = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func FuzzSlug(f *testing.F) {
	f.Add("Hello")
	f.Add("ß\xff")
	f.Fuzz(func(t *testing.T, title string) {
		s := Slug(title)
		if !slugShape.MatchString(s) || len(s) > 100 || Slug(s) != s {
			t.Errorf("%q: %q, then %q", title, s, Slug(s))
		}
	})
}

func TestExcerpt(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		max  int
		want string
	}{
		{"short", 10, "short"},
		{" a \n b ", 10, "a b"},
		{"one two three", 9, "one two…"},
		{"one two, three", 10, "one two…"},
		{"abcdefghij", 5, "abcd…"},
		{"日本語の文章", 4, "日本語…"},
		{"x", 0, ""},
	} {
		got := Excerpt(c.in, c.max)
		if got != c.want || utf8.RuneCountInString(got) > c.max {
			t.Errorf("%q %d: %q, want %q", c.in, c.max, got, c.want)
		}
	}
}

func TestSnippet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in    string
		terms []string
		max   int
		want  string
	}{
		{"a <b> c", nil, 50, "a &lt;b&gt; c"},
		{"The quick (Brown) fox", []string{"bro"}, 50, "The quick <mark>(Brown)</mark> fox"},
		{strings.Repeat("x ", 100) + "needle y", []string{"needle"}, 40, "… x x x x x <mark>needle</mark> y"},
		{"<script>", []string{"script"}, 40, "<mark>&lt;script&gt;</mark>"},
		{"", []string{"a"}, 40, ""},
	} {
		if got := Snippet(c.in, c.terms, c.max); got != c.want {
			t.Errorf("%q: %q, want %q", c.in, got, c.want)
		}
	}
}
