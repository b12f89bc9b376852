package spam

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/kit/safehttp"
	"github.com/pocketbase/pocketbase/core"
)

func teach(t testing.TB, f *Filter, n int) {
	t.Helper()
	for i := range n {
		good := Submission{Purpose: Comments, Text: fmt.Sprintf("I baked this bread on Sunday and my %d children loved the crust", i)}
		bad := Submission{Purpose: Comments, Text: fmt.Sprintf("cheap casino bonus win money now %d click here", i)}
		if err := Learn(f.app, fmt.Sprint("good", i), good, Good); err != nil {
			t.Fatal(err)
		}
		if err := Learn(f.app, fmt.Sprint("bad", i), bad, Bad); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTheFilterLearnsOnTheSpot(t *testing.T) {
	t.Parallel()
	f, _ := testFilter(t)
	spam := Submission{Known: true, Text: "win a casino bonus now"}
	if v := judge(t, f, spam); v.Probability != 0.5 || len(v.Words) > 0 {
		t.Errorf("it knows before it learned: %+v", v)
	}
	teach(t, f, leastLearned)
	spam.Text += " cheap money" // not the same text again
	v := judge(t, f, spam)
	if v.Probability < 0.99 || v.Action() == Accept || len(v.Words) == 0 || v.Words[0].Spam < 0.9 {
		t.Errorf("%+v", v)
	}
	if v := judge(t, f, Submission{Known: true, Text: "my children loved the bread"}); v.Probability > 0.1 || v.Action() != Accept {
		t.Errorf("%+v", v)
	}
	if v := judge(t, f, Submission{Known: true, Purpose: Forms, Text: "win cheap casino bonus money"}); v.Probability != 0.5 {
		t.Errorf("forms know what comments learned: %+v", v)
	}
}

func counts(t testing.TB, f *Filter, word string) count {
	t.Helper()
	m, err := f.readModel(Comments)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.load(Comments); err != nil {
		t.Fatal(err)
	}
	f.model.mu.RLock()
	defer f.model.mu.RUnlock()
	inMemory := f.model.by[Comments]
	if inMemory.words[word] != m.words[word] || inMemory.total != m.total {
		t.Errorf("%q in memory %v of %v, in the table %v of %v", word, inMemory.words[word], inMemory.total, m.words[word], m.total)
	}
	return m.words[word]
}

func TestLearningIsUndoneAndReplaced(t *testing.T) {
	t.Parallel()
	f, _ := testFilter(t)
	s := Submission{Purpose: Comments, Text: "perhaps perhaps tomorrow"}
	steps := []struct {
		do   func() error
		want count
	}{
		{func() error { return nil }, count{}},
		{func() error { return Learn(f.app, "x", s, Good) }, count{good: 1}},
		{func() error { return Learn(f.app, "x", s, Good) }, count{good: 1}},
		{func() error { return Learn(f.app, "x", Submission{Purpose: Comments, Text: "edited"}, Bad) }, count{}},
		{func() error { return Learn(f.app, "y", s, Bad) }, count{spam: 1}},
		{func() error { return Unlearn(f.app, Comments, "y") }, count{}},
		{func() error { return Unlearn(f.app, Comments, "never") }, count{}},
	}
	for i, step := range steps {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got := counts(t, f, "perhaps"); got != step.want {
			t.Errorf("step %d: %v", i, got)
		}
	}
}

func TestLearningIsPartOfTheTransaction(t *testing.T) {
	t.Parallel()
	f, _ := testFilter(t)
	counts(t, f, "word")
	err := f.app.RunInTransaction(func(tx core.App) error {
		if err := Learn(tx, "x", Submission{Purpose: Comments, Text: "word"}, Bad); err != nil {
			return err
		}
		return io.ErrUnexpectedEOF
	})
	if err == nil {
		t.Fatal("no error")
	}
	if got := counts(t, f, "word"); got != (count{}) {
		t.Errorf("%v was learned in a transaction that failed", got)
	}
}

func TestTheTablesAreBounded(t *testing.T) {
	t.Parallel()
	f, c := testFilter(t)
	teach(t, f, 12)
	if err := prune(f.app, Comments, 40, 5); err != nil {
		t.Fatal(err)
	}
	var words, texts int
	_ = f.app.DB().NewQuery(`SELECT count(*) FROM _spam_words`).Row(&words)
	_ = f.app.DB().NewQuery(`SELECT count(*) FROM _spam_learned`).Row(&texts)
	if words != 36 || texts != 5 {
		t.Errorf("%d words and %d texts are left", words, texts)
	}
	if got := counts(t, f, "casino"); got.spam != 12 {
		t.Errorf("a word that is often seen went: %v", got)
	}
	if err := Sweep(f.app, c.at); err != nil {
		t.Fatal(err)
	}
	if n := len(tokens(Submission{Text: longText()})); n > maxTokens {
		t.Errorf("%d tokens of one text", n)
	}
}

func longText() string {
	var b strings.Builder
	for i := range 3000 {
		fmt.Fprintf(&b, "word%d ", i)
	}
	return b.String()
}

func TestExportHasEveryWord(t *testing.T) {
	t.Parallel()
	f, _ := testFilter(t)
	teach(t, f, 3)
	var out bytes.Buffer
	if err := Export(f.app, Comments, &out); err != nil {
		t.Fatal(err)
	}
	var first struct{ Spam, Good int }
	line, _ := out.ReadBytes('\n')
	if err := json.Unmarshal(line, &first); err != nil || first.Spam != 3 || first.Good != 3 || !strings.Contains(out.String(), `"casino bonus"`) {
		t.Errorf("%s, %v", line, err)
	}
}

func TestFisherKnowsItsEnds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		p        []float64
		low, top float64
	}{{nil, 0.5, 0.5}, {[]float64{0.5}, 0.49, 0.51}, {[]float64{0.99, 0.98, 0.97}, 0.95, 1}, {[]float64{0.01, 0.02, 0.03}, 0, 0.05}, {[]float64{0.99, 0.01}, 0.45, 0.55}, {[]float64{1, 1, 1, 1}, 0.99, 1}} {
		var list []Word
		for _, p := range c.p {
			list = append(list, Word{Spam: p})
		}
		if got := fisher(list); got < c.low || got > c.top || math.IsNaN(got) {
			t.Errorf("%v: %v", c.p, got)
		}
	}
}

func TestAkismetIsAskedAndUnderstood(t *testing.T) {
	t.Parallel()
	var asked string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.FormValue("comment_content") + " " + r.FormValue("api_key")
		switch r.FormValue("comment_author") {
		case "viagra":
			w.Header().Set("X-akismet-pro-tip", "discard")
			fmt.Fprint(w, "true")
		case "ada":
			fmt.Fprint(w, "false")
		default:
			fmt.Fprint(w, "invalid")
		}
	}))
	defer server.Close()
	client := safehttp.Client(safehttp.Options{AllowLoopback: true, Timeout: 10 * time.Second})
	for author, want := range map[string][3]bool{"viagra": {true, true, false}, "ada": {false, false, false}, "": {false, false, true}} {
		isSpam, blatant, err := ask(context.Background(), client, server.URL, "key", Question{Author: author, Text: "words"})
		if got := [3]bool{isSpam, blatant, err != nil}; got != want || asked != "words key" {
			t.Errorf("%q: %v %v, asked %q", author, got, err, asked)
		}
	}
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	if err := Defaults().Validate(); err != nil {
		t.Error(err)
	}
	for field, o := range map[string]Options{
		"min_seconds": {MinSeconds: -1}, "max_links": {MaxLinks: 1000}, "block": {Block: []string{"203.0.113.0/240"}},
	} {
		if err := o.Validate(); err == nil || !strings.HasPrefix(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func FuzzJudge(f *testing.F) {
	filter, _ := testFilter(f)
	teach(f, filter, leastLearned)
	f.Add("a", "b@c", "https://x.example", "text", "1.x", "e30=")
	f.Add("\xff", "@", "http://[", "пр\u200bивет 日本語 https://", "", "====")
	f.Fuzz(func(t *testing.T, author, email, url, text, token, work string) {
		v, err := Judge(filter.app, Submission{Purpose: Comments, Author: author, Email: email, URL: url, Text: text, Token: token, Work: work, IP: text})
		if err != nil || math.IsNaN(v.Probability) || v.Probability < 0 || v.Probability > 1 {
			t.Errorf("%+v, %v", v, err)
		}
	})
}
