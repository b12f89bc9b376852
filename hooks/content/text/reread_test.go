package text

import "testing"

func TestProseIsTheRunningText(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"# Title\n\nFirst *words*.\n\n```go\nx := 1\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nSecond[^1].\n\n[^1]: A note.": "First words.\nSecond.",
		"# Only a title":       "Only a title",
		"- one\n- two":         "one\ntwo",
		"> Quoted.\n\nSaid.":   "Quoted.\nSaid.",
		"":                     "",
		"![a picture](/x.png)": "",
	} {
		out, err := Render(Markdown, body)
		if err != nil {
			t.Fatal(err)
		}
		if got := Prose(out.HTML); got != want {
			t.Errorf("%q gives %q, want %q", body, got, want)
		}
	}
	if Plain("<p>a</p><p>b</p>") != "a\nb" || len(Contents("<h2 id=\"a\">A</h2>")) != 1 {
		t.Error("what was rendered can't be read again")
	}
}

func TestProseLeavesShortcodesOut(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`<p>Before.</p><p>{{ form "contact" }}</p><p>After.</p>`: "Before.\nAfter.",
		`<p>Write {{ form "contact" }} to show it.</p>`:          `Write {{ form "contact" }} to show it.`,
	} {
		if got := Prose(body); got != want {
			t.Errorf("%s: %q, want %q", body, got, want)
		}
	}
}
