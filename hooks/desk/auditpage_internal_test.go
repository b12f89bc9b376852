package desk

import "testing"

func TestADetailIsWrittenWithoutTheMarksOfJSON(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"null": "null", "{}": "", `{"method":"password"}`: "method: password", `{"was_at":"/a","fields":["title","slug"],"n":3}`: "fields: title slug; n: 3; was at: /a",
		`"a word"`: "a word", "": "",
	} {
		if want == "null" {
			want = ""
		}
		if got := plainDetail(raw); got != want {
			t.Errorf("%s: %q, want %q", raw, got, want)
		}
	}
}
