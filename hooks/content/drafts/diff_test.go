package drafts_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/content/drafts"
)

// written shows a diff as [-removed-]{+added+}.
func written(pieces []drafts.Piece) string {
	var out strings.Builder
	for _, p := range pieces {
		switch p.Kind {
		case drafts.Removed:
			out.WriteString("[-" + p.Text + "-]")
		case drafts.Added:
			out.WriteString("{+" + p.Text + "+}")
		default:
			out.WriteString(p.Text)
		}
	}
	return out.String()
}

func TestDiff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ a, b, want string }{
		{"", "", ""},
		{"same", "same", "same"},
		{"", "new", "{+new+}"},
		{"old", "", "[-old-]"},
		{"the red house", "the blue house", "the [-red-]{+blue+} house"},
		{"a b c", "a c", "a [-b -]c"},
		{"one\ntwo\nthree\n", "one\n2\nthree\n", "one\n[-two-]{+2+}\nthree\n"},
		{"one\ntwo\n", "zero\none\ntwo\n", "{+zero\n+}one\ntwo\n"},
		{"<p>Hello</p>", "<p class=x>Hello</p>", "[-<p>-]{+<p class=x>+}Hello</p>"},
		{"don't stop", "don’t stop", "[-don't-]{+don’t+} stop"},
		{"红房子", "蓝房子", "[-红-]{+蓝+}房子"},
		{"the a the b the", "the b the a the", ""},
	} {
		pieces := drafts.Diff(c.a, c.b)
		if got := written(pieces); c.want != "" && got != c.want {
			t.Errorf("%q → %q: %s, want %s", c.a, c.b, got, c.want)
		}
		restores(t, c.a, c.b, pieces)
	}
}

// restores holds that both texts can be read from their diff.
func restores(t *testing.T, a, b string, pieces []drafts.Piece) {
	t.Helper()
	var first, second strings.Builder
	for _, p := range pieces {
		if p.Kind != drafts.Added {
			first.WriteString(p.Text)
		}
		if p.Kind != drafts.Removed {
			second.WriteString(p.Text)
		}
	}
	if first.String() != a || second.String() != b {
		t.Fatalf("the diff of %.80q and %.80q does not hold them", a, b)
	}
}

// Texts as long as may be stored are compared in seconds, whatever is in them.
func TestDiffOfLongTexts(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	random := func(words, vocabulary int) string {
		var out strings.Builder
		for range words {
			out.WriteString(strings.Repeat("x", 1+r.IntN(vocabulary)))
			out.WriteByte(" \n"[r.IntN(2)])
		}
		return out.String()
	}
	for name, pair := range map[string][2]string{
		"rewritten":   {random(200_000, 9), random(200_000, 9)},
		"one line":    {strings.ReplaceAll(random(200_000, 9), "\n", " "), strings.ReplaceAll(random(200_000, 9), "\n", " ")},
		"the same":    {strings.Repeat("word\n", 400_000), strings.Repeat("word\n", 399_999)},
		"only tags":   {strings.Repeat("<", 500_000), strings.Repeat("<", 499_999) + ">"},
		"turned over": {strings.Repeat("a b c d e f g ", 40_000), strings.Repeat("g f e d c b a ", 40_000)},
	} {
		start := time.Now()
		restores(t, pair[0], pair[1], drafts.Diff(pair[0], pair[1]))
		t.Logf("%s: %v", name, time.Since(start).Round(time.Millisecond))
	}
}

func FuzzDiff(f *testing.F) {
	f.Add("the red house", "the blue house")
	f.Add("a\nb\nc", "c\nb\na")
	f.Add("<p>\xff</p>", "<")
	f.Fuzz(func(t *testing.T, a, b string) { restores(t, a, b, drafts.Diff(a, b)) })
}
