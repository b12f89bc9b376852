package comments_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"bungalow/hooks/comments"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/spam"
)

// labelled is a comment of the sample.
type labelled struct {
	lang, author, text, url string
	spam, train             bool
}

// sample reads testdata/sample: a file for each language, a line for each
// comment as label|name|text|address of the name. Of each label every second
// one is for learning and the others are for judging.
func sample(t *testing.T) []labelled {
	t.Helper()
	files, err := filepath.Glob("testdata/sample/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []labelled
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		seen := map[string]int{}
		for line := range strings.Lines(string(raw)) {
			parts := append(strings.SplitN(strings.TrimSpace(line), "|", 4), "")
			if len(parts) < 4 || parts[0] != "g" && parts[0] != "s" || parts[2] == "" {
				t.Fatalf("%s: %q", file, line)
			}
			seen[parts[0]]++
			out = append(out, labelled{
				lang: strings.TrimSuffix(filepath.Base(file), ".txt"), author: parts[1], text: parts[2], url: parts[3],
				spam: parts[0] == "s", train: seen[parts[0]]%2 == 1,
			})
		}
	}
	return out
}

func (l labelled) fields() map[string]any {
	return map[string]any{"author": l.author, "email": "someone@mail.example", "url": l.url, "body": l.text}
}

// teach has a moderator decide about every comment for learning.
func teach(t *testing.T, site *sitetest.Site, all []labelled) {
	t.Helper()
	for _, l := range all {
		if !l.train {
			continue
		}
		p := post(t, site, l.fields())
		to := map[bool]string{true: schema.CommentSpam, false: schema.CommentApproved}[l.spam]
		for _, step := range []string{schema.CommentPending, to} { // a decision teaches, whatever it was before
			if _, err := comments.Decide(site.TestApp, by, step, p.ID); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// tally is how comments of one kind were judged.
type tally struct{ good, goodHeld, goodFiled, spam, spamHeld, spamFiled int }

func (n *tally) add(isSpam bool, status string) {
	held, filed := status == schema.CommentPending, status == schema.CommentSpam
	to := [3]*int{&n.good, &n.goodHeld, &n.goodFiled}
	if isSpam {
		to = [3]*int{&n.spam, &n.spamHeld, &n.spamFiled}
	}
	*to[0]++
	if held {
		*to[1]++
	}
	if filed {
		*to[2]++
	}
}

func (n tally) String() string {
	share := func(part, of int) float64 { return 100 * float64(part) / float64(max(of, 1)) }
	return fmt.Sprintf("of %d good comments %d were filed (%.1f %%) and %d held; of %d spam %d were filed and %d held (%.1f %% caught)",
		n.good, n.goodFiled, share(n.goodFiled, n.good), n.goodHeld, n.spam, n.spamFiled, n.spamHeld, share(n.spamFiled+n.spamHeld, n.spam))
}

// TestTheFilterOnALabelledSample prints how good the filter is on a site where
// everybody may write: it learns from one half of the sample and judges the
// other. Neither time nor proof of work helps it.
func TestTheFilterOnALabelledSample(t *testing.T) {
	t.Parallel()
	all := sample(t)
	site := newSite(t, nil)
	teach(t, site, all)
	total, languages, layers := tally{}, map[string]*tally{}, map[string]*tally{}
	for _, l := range all {
		if l.train {
			continue
		}
		p := post(t, site, l.fields())
		if languages[l.lang] == nil {
			languages[l.lang] = &tally{}
		}
		total.add(l.spam, p.Status)
		languages[l.lang].add(l.spam, p.Status)
		r, err := site.FindRecordById(schema.Comments, p.ID)
		if err != nil {
			t.Fatal(err)
		}
		var v spam.Verdict
		if err := r.UnmarshalJSONField("verdict", &v); err != nil {
			t.Fatal(err)
		}
		for _, reason := range v.Reasons {
			if layers[reason.Layer] == nil {
				layers[reason.Layer] = &tally{}
			}
			layers[reason.Layer].add(l.spam, p.Status)
		}
		if l.spam == (p.Status == schema.CommentApproved) && (l.spam || p.Status == schema.CommentSpam) || !l.spam && p.Status != schema.CommentApproved {
			t.Logf("%s, spam %v, %s (%.3f): %s: %s", l.lang, l.spam, p.Status, v.Probability, l.author, l.text)
		}
	}
	t.Logf("%d comments, %d to learn from: %v", len(all), len(all)-total.good-total.spam, total)
	for _, lang := range slices.Sorted(maps.Keys(languages)) {
		t.Logf("%s: %v", lang, languages[lang])
	}
	for _, layer := range slices.Sorted(maps.Keys(layers)) {
		n := layers[layer]
		t.Logf("layer %s spoke of %d spam and %d good ones", layer, n.spam, n.good)
	}
	if len(all) < 400 || len(languages) < 3 || total.goodFiled*100 > total.good || (total.spamHeld+total.spamFiled)*100 < total.spam*90 {
		t.Error("the filter is worse than it has to be")
	}
}
