package desk

import "testing"

func TestTheDetailOfALineIsPlain(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		``: "", `null`: "", `"a word"`: "a word", `{`: "{", `{}`: "", `{"title":"A"}`: "title: A",
		`{"fields":["title","accent"],"by_mail":true}`:                     "by mail: true; fields: title, accent",
		`{"kind":"markdown","counts":{"pages":{"created":1,"skipped":0}}}`: "counts: (pages: (created: 1, skipped: 0)); kind: markdown",
	} {
		if got := plainDetail(raw); got != want {
			t.Errorf("%s is written %q, want %q", raw, got, want)
		}
	}
}
