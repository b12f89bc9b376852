package desk_test

import (
	"slices"
	"testing"

	"bungalow/hooks/kit/desk"
)

type merged struct {
	Title  string   `json:"title"`
	On     bool     `json:"on"`
	Days   int      `json:"days"`
	Lines  []string `json:"lines"`
	Secret string   `json:"secret" kind:"secret"`
}

func TestTwoPeoplesSettingsAreMerged(t *testing.T) {
	t.Parallel()
	key := []byte("a key")
	seen := merged{Title: "A", Days: 3, Lines: []string{"x"}, Secret: "s"}
	theirs := merged{Title: "B", Days: 3, Lines: []string{"x", "y"}, On: true, Secret: "t"}
	for name, c := range map[string]struct {
		sent, want  merged
		kept, clash []string
	}{
		"nothing of mine":      {seen, theirs, []string{"title", "on", "lines", "secret"}, nil},
		"something else":       {merged{"A", false, 9, []string{"x"}, "s"}, merged{"B", true, 9, []string{"x", "y"}, "t"}, []string{"title", "on", "lines", "secret"}, nil},
		"the same":             {theirs, theirs, nil, nil},
		"another title":        {merged{"C", false, 3, []string{"x"}, "s"}, merged{"C", true, 3, []string{"x", "y"}, "t"}, []string{"on", "lines", "secret"}, []string{"title"}},
		"another secret, list": {merged{"B", true, 3, nil, "u"}, merged{"B", true, 3, nil, "u"}, nil, []string{"lines", "secret"}},
	} {
		sent := c.sent
		kept, clash := desk.Merge(&theirs, &sent, desk.MarksOf(&seen, key), key)
		if !slices.Equal(kept, c.kept) || !slices.Equal(clash, c.clash) || len(desk.Changed(&c.want, &sent)) > 0 {
			t.Errorf("%s: kept %v, clash %v, %+v", name, kept, clash, sent)
		}
	}
	sent := seen
	if kept, clash := desk.Merge(&theirs, &sent, nil, key); len(kept)+len(clash) > 0 {
		t.Errorf("without marks: %v, %v", kept, clash)
	}
	if desk.MarksOf(&seen, key)["secret"] == desk.MarksOf(&seen, []byte("another"))["secret"] {
		t.Error("a mark does not depend on the key")
	}
}
