package receive_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/inbox/receive"
	"bungalow/hooks/kit/sitetest"
)

// What the samples' writers wrote, by the first and last words of it; whole is
// where nothing may be taken away.
var samples = map[string]struct {
	ends  string // last words of the reply
	whole bool
}{
	"correct_sig.txt": {ends: "-- signature."}, "email_1.txt": {ends: "-Abhishek Kona"}, "email_2.txt": {ends: "riak-users_lists.basho.com", whole: false},
	"email_2_1.txt": {ends: "Outlook with a reply"}, "email_3.txt": {ends: "-Abhishek Kona"}, "email_4.txt": {ends: "problem with it."},
	"email_5.txt": {ends: "for a while.", whole: true}, "email_6.txt": {ends: "torch of pixels"}, "email_19.txt": {ends: "proper rendering."},
	"email_20.txt": {ends: "On Thursday."}, "email_blackberry.txt": {ends: "another email"}, "email_bullets.txt": {ends: "- and another"},
	"email_custom_quote_header.txt": {ends: "Thank you!"}, "email_customer_quote_header_2.txt": {ends: "very much."},
	"email_customer_quote_header_3.txt": {ends: "merci d'avance"}, "email_emoji.txt": {ends: "🎉"},
}

func TestSplitKnowsTheCommonPrograms(t *testing.T) {
	t.Parallel()
	dir := sitetest.Material(t, "mail/replies")
	files, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil || len(files) < 30 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		text := strings.ReplaceAll(string(raw), "\r\n", "\n")
		reply, quoted := receive.Split(text)
		want, known := samples[name]
		switch {
		case name == "email_2.txt":
			if !strings.Contains(reply, "would do it.") || !strings.Contains(reply, "> What is the best way") {
				t.Errorf("%s: an answer between the quoted lines was taken apart:\n%s", name, reply)
			}
		case name == "email_21.txt":
			if quoted != "" {
				t.Errorf("%s: quoted %.200q", name, quoted)
			}
		case known:
			if !strings.HasSuffix(reply, want.ends) || want.whole != (quoted == "") {
				t.Errorf("%s: reply ends with %q, quoted %.100q", name, reply[max(0, len(reply)-60):], quoted)
			}
		default: // the samples that differ only in what introduces the quoted text
			if !strings.HasSuffix(reply, "quis. Fusce sed odio id arcu varius aliquet nec nec nibh.") || quoted == "" {
				t.Errorf("%s: reply ends with %q", name, reply[max(0, len(reply)-100):])
			}
		}
	}
}

func TestSplitLeavesWhatWasWritten(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, reply string }{
		"bottom":       {"On Mon, 2 Feb 2026, Ann <a@x.de> wrote:\n> When?\n\nAt ten.", "On Mon, 2 Feb 2026, Ann <a@x.de> wrote:\n> When?\n\nAt ten."},
		"forward":      {"Please look.\n\n---------- Forwarded message ---------\nFrom: Bob <b@x.de>\nSubject: x", "Please look.\n\n---------- Forwarded message ---------"},
		"only quote":   {"> a\n> b", "> a\n> b"},
		"gmail":        {"Yes.\n\nAm Mo., 2. Feb. 2026 um 10:00 Uhr schrieb Ann <a@x.de>:\n\n> Wann?", "Yes."},
		"outlook":      {"Ja.\n\nVon: Ann <a@x.de>\nGesendet: Montag\nAn: Bob\nBetreff: x\n\nWann?", "Ja."},
		"outlook rule": {"Yes.\n\n________________________________\nFrom: Ann <a@x.de>\nSent: Monday\nTo: Bob\nSubject: x", "Yes."},
		"apple":        {"Yes.\n\n> On 2. Feb 2026, at 10:00, Ann <a@x.de> wrote:\n> \n> When?", "Yes."},
		"proton":       {"Yes.\n\nSent with Proton Mail secure email.\n\nOn Monday, February 2nd, 2026 at 10:00, Ann <a@x.de> wrote:\n\n> When?", "Yes."},
		"russian":      {"Да.\n\n02.02.2026 10:00, Ann <a@x.de> пишет:\n> Когда?", "Да."},
		"japanese":     {"はい。\n\n2026年2月2日(月) 10:00 Ann <a@x.de>:\n\n> いつ?", "はい。"},
		"a list":       {"From: the top\nit goes on", "From: the top\nit goes on"},
		"he wrote":     {"She wrote:\nnothing at all", "She wrote:\nnothing at all"},
		"empty":        {"", ""},
		"dashes":       {"a\n---\nb", "a\n---\nb"},
	} {
		if reply, _ := receive.Split(test.text); reply != test.reply {
			t.Errorf("%s: %q, want %q", name, reply, test.reply)
		}
	}
}

// Nothing is lost, and no text takes long.
func FuzzSplit(f *testing.F) {
	for _, s := range []string{"On 1 Jan 2026, a@b wrote:\n> x", "> a\nb\n> c\n\nd", "--\nx", "From: a@b\nTo: c\nSubject: d", strings.Repeat("On 1 a@b\n", 50), "\n\n", "On Thursday:\n\nLorem"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		start := time.Now()
		reply, quoted := receive.Split(text)
		if took := time.Since(start); took > 2*time.Second+time.Duration(len(text))*time.Microsecond {
			t.Fatalf("%d bytes took %s", len(text), took)
		}
		bare := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if bare(reply+quoted) != bare(text) {
			t.Fatalf("%q became %q and %q", text, reply, quoted)
		}
	})
}
