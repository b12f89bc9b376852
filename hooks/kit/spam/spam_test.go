package spam

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/altcha-org/altcha-lib-go"
	"github.com/pocketbase/pocketbase/tests"
)

// clock is a time that a test moves.
type clock struct{ at time.Time }

func (c *clock) now() time.Time { return c.at }

// testFilter is the filter of a new app with the tables, and its clock.
func testFilter(t testing.TB) (*Filter, *clock) {
	t.Helper()
	app, err := tests.NewTestApp()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(app.Cleanup)
	if err := Migrate(app); err != nil {
		t.Fatal(err)
	}
	if _, err := app.NonconcurrentDB().NewQuery(`CREATE TABLE settings (id TEXT PRIMARY KEY, feature TEXT, value TEXT)`).Execute(); err != nil {
		t.Fatal(err)
	}
	c := &clock{at: time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)}
	f := newFilter(app, c.now)
	app.Store().Set("bungalow.spam", f)
	return f, c
}

// set stores options as the owner would.
func set(t testing.TB, f *Filter, o Options) {
	t.Helper()
	raw, _ := json.Marshal(o)
	_, err := f.app.NonconcurrentDB().NewQuery(`INSERT INTO settings (id, feature, value) VALUES ('1', 'spam', {:v}) ON CONFLICT (id) DO UPDATE SET value = excluded.value`).
		Bind(map[string]any{"v": string(raw)}).Execute()
	if err != nil {
		t.Fatal(err)
	}
	f.options.forget()
}

// solved is a challenge with its answer.
func solved(t testing.TB, f *Filter) (token, work string) {
	t.Helper()
	c, err := f.Challenge()
	if err != nil {
		t.Fatal(err)
	}
	s, err := altcha.SolveChallenge(c.Work.Challenge, c.Work.Salt, altcha.SHA256, int(c.Work.MaxNumber), 0, nil)
	if err != nil || s == nil {
		t.Fatalf("not solved: %v", err)
	}
	raw, _ := json.Marshal(altcha.Payload{Algorithm: c.Work.Algorithm, Challenge: c.Work.Challenge,
		Number: int64(s.Number), Salt: c.Work.Salt, Signature: c.Work.Signature})
	return c.Token, base64.StdEncoding.EncodeToString(raw)
}

func judge(t testing.TB, f *Filter, s Submission) Verdict {
	t.Helper()
	if s.Purpose == "" {
		s.Purpose = Comments
	}
	v, err := Judge(f.app, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func layers(v Verdict) string {
	var out []string
	for _, r := range v.Reasons {
		out = append(out, r.Layer)
	}
	return strings.Join(out, " ")
}

func TestAFormThatABrowserSentIsTrusted(t *testing.T) {
	t.Parallel()
	f, c := testFilter(t)
	token, work := solved(t, f)
	c.at = c.at.Add(20 * time.Second)
	s := Submission{IP: "198.51.100.7", Author: "Ada", Email: "ada@example.org", Text: "A kind and thoughtful answer.", Token: token, Work: work}
	if v := judge(t, f, s); v.Action() != Accept || len(v.Reasons) > 0 {
		t.Errorf("%+v", v)
	}
	s.Text = "Another text, with the proof of the first."
	if v := judge(t, f, s); v.Action() != Hold || layers(v) != LayerWork {
		t.Errorf("a proof used twice: %+v", v)
	}
}

func TestWhatIsWrongWithATokenLowersTrustAndNeverFiles(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		wait  time.Duration
		spoil func(s *Submission)
		want  Action
		layer string
	}{
		"no script":      {time.Minute, func(s *Submission) { s.Token, s.Work = "", "" }, Hold, "work"},
		"no time":        {time.Minute, func(s *Submission) { s.Token = "" }, Accept, "time"},
		"no work":        {time.Minute, func(s *Submission) { s.Work = "" }, Hold, "work"},
		"too fast":       {time.Second, func(*Submission) {}, Hold, "time"},
		"forged time":    {time.Minute, func(s *Submission) { s.Token = "zzzz." + s.Token[strings.Index(s.Token, ".")+1:] }, Accept, "time"},
		"nonsense":       {time.Minute, func(s *Submission) { s.Token, s.Work = "x", "y" }, Hold, "time work"},
		"old":            {30 * time.Hour, func(*Submission) {}, Hold, "time work"},
		"only work old":  {2 * time.Hour, func(*Submission) {}, Hold, "work"},
		"long nonsense":  {time.Minute, func(s *Submission) { s.Work = strings.Repeat("A", 5000) }, Hold, "work"},
		"another number": {time.Minute, func(s *Submission) { s.Work = tamper(s.Work) }, Hold, "work"},
		"known person":   {0, func(s *Submission) { s.Token, s.Work, s.Known = "", "", true }, Accept, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, clock := testFilter(t)
			token, work := solved(t, f)
			clock.at = clock.at.Add(c.wait)
			s := Submission{IP: "198.51.100.7", Author: "Ada", Text: "A kind and thoughtful answer.", Token: token, Work: work}
			c.spoil(&s)
			if v := judge(t, f, s); v.Action() != c.want || layers(v) != c.layer {
				t.Errorf("%s %q: %+v", v.Action(), layers(v), v)
			}
		})
	}
}

func tamper(work string) string {
	raw, _ := base64.StdEncoding.DecodeString(work)
	var p altcha.Payload
	_ = json.Unmarshal(raw, &p)
	p.Number++
	raw, _ = json.Marshal(p)
	return base64.StdEncoding.EncodeToString(raw)
}

func TestEachLayerSaysWhy(t *testing.T) {
	t.Parallel()
	o := Defaults()
	o.Block = []string{"# notes", "cheap watches", "bad.example", "troll@example.org", "203.0.113.0/24", "2001:db8::/32"}
	o.Disposable = []string{"mine.example"}
	for name, c := range map[string]struct {
		s     Submission
		want  Action
		layer string
	}{
		"honeypot":        {Submission{Honeypot: "x"}, File, "honeypot"},
		"words":           {Submission{Text: "Buy CHEAP  watches, here"}, File, "block"},
		"parts of words":  {Submission{Text: "cheapish watchesx"}, Accept, ""},
		"domain":          {Submission{Text: "see https://www.bad.example/x"}, File, "block"},
		"domain below":    {Submission{URL: "https://a.bad.example"}, File, "block"},
		"domain of mail":  {Submission{Email: "x@bad.example"}, File, "block"},
		"another domain":  {Submission{Text: "see https://notbad.example/x"}, Accept, ""},
		"mail":            {Submission{Email: "Troll@Example.org"}, File, "block"},
		"network":         {Submission{IP: "203.0.113.9"}, File, "block"},
		"network v6":      {Submission{IP: "2001:db8::9"}, File, "block"},
		"mapped":          {Submission{IP: "::ffff:203.0.113.9"}, File, "block"},
		"disposable":      {Submission{Email: "a@mailinator.com"}, Hold, "disposable"},
		"disposable sub":  {Submission{Email: "a@x.yopmail.com"}, Hold, "disposable"},
		"disposable more": {Submission{Email: "a@mine.example"}, Hold, "disposable"},
		"two links":       {Submission{Text: "https://a.example https://b.example"}, Accept, ""},
		"four links":      {Submission{Text: "https://a.example https://b.example www.c.example http://d.example"}, Hold, "links"},
		"name is a link":  {Submission{Author: "www.pills.example"}, Hold, "links"},
		"forum links":     {Submission{Text: "[url=http://x.example]x[/url]"}, Hold, "links"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f, _ := testFilter(t)
			set(t, f, o)
			c.s.Known = true
			if v := judge(t, f, c.s); v.Action() != c.want || layers(v) != c.layer {
				t.Errorf("%s %q: %+v", v.Action(), layers(v), v)
			}
		})
	}
}

func TestTheSameTextFromManyIsSpam(t *testing.T) {
	t.Parallel()
	f, c := testFilter(t)
	text := "I really enjoyed this wonderful article about the many ways of baking bread at home, thank you."
	want := []Action{Accept, Hold, File, File}
	for i, w := range want {
		if v := judge(t, f, Submission{Known: true, IP: fmt.Sprintf("198.51.100.%d", i), Text: text}); v.Action() != w {
			t.Errorf("copy %d: %s %+v", i, v.Action(), v.Reasons)
		}
	}
	near := strings.Replace(text, "bread", "cakes", 1)
	if v := judge(t, f, Submission{Known: true, IP: "192.0.2.1", Text: near}); v.Action() == Accept {
		t.Errorf("nearly the same: %+v", v)
	}
	if v := judge(t, f, Submission{Known: true, IP: "192.0.2.2", Text: "A wholly different sentence about cats, dogs, and what they think of each other at night."}); v.Action() != Accept {
		t.Errorf("another text: %+v", v)
	}
	if v := judge(t, f, Submission{Known: true, Purpose: Forms, IP: "192.0.2.3", Text: text}); v.Action() != Accept {
		t.Errorf("the same text to a form: %+v", v)
	}
	c.at = c.at.Add(recentFor + time.Minute)
	if v := judge(t, f, Submission{Known: true, IP: "192.0.2.4", Text: text}); v.Action() != Accept {
		t.Errorf("the same text a day later: %+v", v)
	}
	for range 5 {
		if v := judge(t, f, Submission{Known: true, Text: "Thanks!"}); v.Action() != Accept {
			t.Errorf("a word of thanks: %+v", v)
		}
	}
}

func TestWhatAStrangerMaySendIsLimited(t *testing.T) {
	t.Parallel()
	f, c := testFilter(t)
	sent := 0
	var many *TooManyError
	for ; sent < 1000; sent++ {
		if err := f.Allow("198.51.100.7", "/blog/a/"); errors.As(err, &many) {
			break
		}
	}
	if sent != perAddressBurst || many.Seconds() < 1 {
		t.Errorf("%d passed, then %v", sent, many)
	}
	if err := f.Allow("198.51.100.8", "/blog/a/"); err != nil {
		t.Errorf("another visitor: %v", err)
	}
	passed := 0
	for i := range 2000 {
		if f.Allow(fmt.Sprintf("10.0.%d.%d", i/250, i%250), "/blog/b/") == nil {
			passed++
		}
	}
	if passed != perKeyBurst {
		t.Errorf("%d passed to one thread", passed)
	}
	set(t, f, Options{NoLimits: true})
	for range 100 {
		if err := f.Allow("198.51.100.7", "/blog/a/"); err != nil {
			t.Fatal(err)
		}
	}
	c.at = c.at.Add(time.Minute)
	set(t, f, Options{})
	held := 0
	for i := range floodBurst + 5 {
		if judge(t, f, Submission{Known: true, Key: "/blog/c/", IP: fmt.Sprint(i), Text: fmt.Sprint("no ", i)}).Action() == Hold {
			held++
		}
	}
	if held != 5 {
		t.Errorf("%d of a flood were held", held)
	}
}

func TestTheMemoryOfProofsIsBounded(t *testing.T) {
	t.Parallel()
	var s spent
	now := time.Unix(1000, 0)
	for i := range maxSpent + 10 {
		if !s.use(fmt.Sprint(i), now.Add(time.Hour), now) {
			t.Fatalf("%d was used", i)
		}
	}
	if len(s.until) > maxSpent || s.use(fmt.Sprint(maxSpent), now.Add(time.Hour), now) {
		t.Errorf("%d are remembered", len(s.until))
	}
	if !s.use("x", now.Add(3*time.Hour), now.Add(2*time.Hour)) || len(s.until) != 1 {
		t.Errorf("%d are remembered after they expired", len(s.until))
	}
}

func TestAddressesAreHashedWithKeysThatAreThrownAway(t *testing.T) {
	t.Parallel()
	f, c := testFilter(t)
	one, err := AddressHash(f.app, "2001:db8:1:2::3", c.at)
	if err != nil {
		t.Fatal(err)
	}
	same, _ := AddressHash(f.app, "2001:db8:1:2:ffff::1", c.at)
	other, _ := AddressHash(f.app, "2001:db8:1:3::3", c.at)
	if one != same || one == other || strings.Contains(one, "2001") {
		t.Errorf("%s %s %s", one, same, other)
	}
	later := c.at.Add(period)
	both, err := AddressHashes(f.app, "2001:db8:1:2::3", later)
	if err != nil || len(both) != 2 || both[1] != one || both[0] == one {
		t.Errorf("%v, %v", both, err)
	}
	if Forgotten(one, later) || !Forgotten(one, later.Add(period)) {
		t.Error("the hash lives too long or too short")
	}
	if err := f.dropSalts(f.app, later.Add(period)); err != nil {
		t.Fatal(err)
	}
	if again, _ := AddressHash(f.app, "2001:db8:1:2::3", c.at); again == one {
		t.Error("the key was not thrown away")
	}
}

func TestHooksAddReasons(t *testing.T) {
	t.Parallel()
	var v Verdict
	v.Add("mine", 30, "Because %s.", "so")
	v.Add("mine", 30, "And %d.", 2)
	if v.Points() != 60 || v.Action() != Hold || v.Reasons[0].Detail != "Because so." {
		t.Errorf("%+v", v)
	}
}
