package text

import (
	"errors"
	"strings"
	"testing"
)

func TestCountWords(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]int{
		"": 0, " \n\t ": 0, "one": 1, "one two": 2, "don't co-operate": 2, "don’t": 1, "3.14": 2, "e-mail me@example.org": 4, "— … !": 0,
		"日本語": 3, "日本 go 語": 4, "カタカナ": 4, "안녕 세계": 2, "Привет, мир!": 2, "नमस्ते दुनिया": 2, "مرحبا بالعالم": 2, "👩‍👩‍👧 ok": 1,
	} {
		if got := CountWords(in); got != want {
			t.Errorf("%q has %d words, want %d", in, got, want)
		}
	}
}

func TestMinutes(t *testing.T) {
	t.Parallel()
	for words, want := range map[int]int{0: 1, 1: 1, 200: 1, 299: 1, 300: 2, 500: 3, 2000: 10} {
		if got := Minutes(words); got != want {
			t.Errorf("%d words take %d minutes, want %d", words, got, want)
		}
	}
	r, err := Render(Markdown, strings.Repeat("漢字。", 500))
	if err != nil || r.Words != 1000 || r.Minutes != 5 {
		t.Errorf("a thousand characters: %d words, %d minutes, %v", r.Words, r.Minutes, err)
	}
}

// A slug is the address of a page: the same title gives the same one for ever,
// and a slug given again stays as it is.
func TestSlugOfManyLanguages(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Crème brûlée": "creme-brulee", "El Niño — ¿qué?": "el-nino-que", "Łódź": "lodz", "İstanbul'da": "istanbulda", "Ελληνικά": "ellenika", "Україна": "ukrayina",
		"שלום עולם": "shlvm-vlm", "C++ & C#": "c-c", "50 % off!": "50-off", "a/b\\c": "a-b-c", "https://example.org/x": "https-example-org-x", "TITLE": "title",
		"ﬁne ①": "fine-1", "tab\tand\nline": "tab-and-line", "na\u00a0ve": "na-ve", "zero\u200bwidth": "zerowidth", "..": "post-", "%2e%2e": "2e-2e", "Straße": "strasse", "naïve": "naive",
		"العربية": "lrby", "Tiếng Việt": "tieng-viet", "한국어": "hangugeo", "2024-01-02 News": "2024-01-02-news",
	} {
		got := Slug(in)
		if got != want && !(want == "post-" && strings.HasPrefix(got, want)) {
			t.Errorf("%q gives %q, want %q", in, got, want)
		}
		if Slug(got) != got || Slug(in) != got {
			t.Errorf("%q gives %q, and that %q", in, got, Slug(got))
		}
	}
}

func TestLimitsAtTheirEdge(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		format, body string
		want         error
	}{
		"longest":             {HTML, strings.Repeat("a", MaxBody), nil},
		"one byte more":       {HTML, strings.Repeat("a", MaxBody+1), ErrTooLong},
		"quotes that fit":     {Markdown, strings.Repeat(">", 50) + " a", nil},
		"one quote too many":  {Markdown, strings.Repeat(">", maxNesting+1) + " a", ErrTooDeep},
		"notes that fit":      {Markdown, strings.Repeat("[a]: b\n", maxDefinitions), nil},
		"one note too many":   {Markdown, strings.Repeat("[a]: b\n", maxDefinitions+1), ErrTooDeep},
		"elements that fit":   {HTML, strings.Repeat("<div>", 400), nil},
		"a rule is no quote":  {Markdown, strings.Repeat("-", 5000), nil},
		"spaces are no depth": {Markdown, strings.Repeat(" ", 5000) + "a", nil},
	} {
		if _, err := Render(c.format, c.body); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if got := Sanitize(strings.Repeat("<div>", 1000)); !strings.HasPrefix(got, "&lt;div&gt;") {
		t.Errorf("what is too deep is not shown as text: %.40s", got)
	}
}
