package comments_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/comments"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/spam"
	"github.com/pocketbase/pocketbase/core"
)

// number asks the database for one number.
func number(t *testing.T, site *sitetest.Site, query string) (n int) {
	t.Helper()
	if err := site.DB().NewQuery(query).Row(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// Erasing a person everywhere reaches what comments keep: words, reactions,
// what the address wants, and the mails to it. Others keep theirs.
func TestAPersonIsErasedEverywhere(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	site.RemoteAddr = "198.51.100.1:1"
	bob := post(t, site, map[string]any{"author": "Bob", "email": "bob@example.org", "body": "Bob's words."})
	site.RemoteAddr = ""
	ada := post(t, site, map[string]any{"notify": true, "parent": bob.ID})
	lonely := post(t, site, map[string]any{"body": "Nobody answers this."})
	react := func(id, kind string) {
		t.Helper()
		if res, body := site.JSON(http.MethodPost, "/api/site/comments/"+id+"/reactions", "", `{"reaction":"`+kind+`"}`); res.StatusCode != 200 {
			t.Fatal(body)
		}
	}
	react(bob.ID, "👍")
	site.RemoteAddr = "198.51.100.1:1"
	react(bob.ID, "👍")
	react(ada.ID, "❤️")
	post(t, site, map[string]any{"author": "Bob", "email": "bob@example.org", "parent": ada.ID, "body": "An answer."})
	if sent := mails(t, site); len(sent) != 1 {
		t.Fatalf("%q", sent)
	}
	removed := map[string]int{}
	err := site.RunInTransaction(func(tx core.App) error {
		return events.OnErase(tx).Trigger(&events.EraseEvent{App: tx, By: by, Email: "ada@example.org", Removed: removed})
	})
	if err != nil || removed[schema.Comments] != 2 {
		t.Fatalf("%v %v", removed, err)
	}
	for query, want := range map[string]int{
		`SELECT count(*) FROM comments WHERE email LIKE 'ada%' OR author = 'Ada' OR body LIKE '%kind%'`: 0,
		`SELECT count(*) FROM comments`:                                             3, // Bob's two, and Ada's without her words
		`SELECT count(*) FROM _comment_mail`:                                        0,
		`SELECT count(*) FROM _mails`:                                               0,
		`SELECT count(*) FROM _comment_reactions WHERE comment = '` + bob.ID + `'`:  1,
		`SELECT votes FROM comments WHERE id = '` + bob.ID + `'`:                    1,
		`SELECT count(*) FROM comments WHERE id = '` + lonely.ID + `'`:              0,
		`SELECT count(*) FROM comments WHERE once != '' AND id = '` + ada.ID + `'`:  0,
		`SELECT count(*) FROM comments WHERE agent != '' AND id = '` + ada.ID + `'`: 0,
	} {
		if got := number(t, site, query); got != want {
			t.Errorf("%s: %d, want %d", query, got, want)
		}
	}
	if l := list(t, site, ""); l.Count != 2 || l.Items[0].Reactions["👍"] != 1 || !l.Items[0].Replies[0].Removed {
		t.Errorf("%+v", l.Items[0])
	}
	conserved(t, site)
}

// What is kept for a while only is gone after it: the browser's name after 30
// days, the hash of the address after two periods, old spam that nobody answered.
func TestWhatIsKeptForAWhileGoes(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	res, body := site.Do(http.MethodPost, "/api/site/comments", `{"thread":"`+thread+`","author":"Ada","body":"From a browser."}`, "Content-Type", "application/json", "User-Agent", "Netscape 4")
	if res.StatusCode != http.StatusCreated {
		t.Fatal(body)
	}
	filed := post(t, site, map[string]any{"_hp": "x", "body": "Filed."})
	answered := post(t, site, map[string]any{"body": "Thrown away, but answered."})
	post(t, site, map[string]any{"parent": answered.ID, "body": "The answer."})
	if _, err := comments.Decide(site.TestApp, by, schema.CommentTrash, answered.ID); err != nil {
		t.Fatal(err)
	}
	agents := `SELECT count(*) FROM comments WHERE agent = 'Netscape 4'`
	hashes := `SELECT count(*) FROM comments WHERE address != ''`
	for _, step := range []struct {
		by                   string
		agents, hashes, rows int
	}{{"-29 days", 1, 4, 4}, {"-2 days", 0, 3, 3}, {"-32 days", 0, 0, 3}} {
		age(t, site, step.by)
		if err := comments.Sweep(site.TestApp); err != nil {
			t.Fatal(err)
		}
		if a, h, r := number(t, site, agents), number(t, site, hashes), number(t, site, `SELECT count(*) FROM comments`); a != step.agents || h != step.hashes || r != step.rows {
			t.Errorf("after %s: %d browsers, %d hashes, %d comments; want %+v", step.by, a, h, r, step)
		}
	}
	if _, err := site.FindRecordById(schema.Comments, filed.ID); err == nil {
		t.Error("old spam is kept")
	}
}

// The hash of one address is another one in the next period, and two periods
// later nobody can make it again.
func TestTheHashOfAnAddressRotates(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	now := time.Now()
	hash := func(at time.Time) string {
		t.Helper()
		h, err := spam.AddressHash(site.TestApp, "192.0.2.1", at)
		if err != nil || strings.Contains(h, "192") {
			t.Fatalf("%s %v", h, err)
		}
		return h
	}
	first, later := hash(now), now.AddDate(0, 0, 61)
	if again := hash(now); again != first {
		t.Errorf("%s and %s", first, again)
	}
	if hash(now.AddDate(0, 0, 30)) == first || hash(later) == first {
		t.Error("it stays the same")
	}
	if err := spam.Sweep(site.TestApp, later); err != nil {
		t.Fatal(err)
	}
	if again := hash(now); again == first || !spam.Forgotten(first, later) {
		t.Error("its key is still there")
	}
}

// Who reacted is counted once for each person, up to the limit of a comment.
func TestReactionsOfAccountsAndGuests(t *testing.T) {
	t.Parallel()
	site := newSite(t, nil)
	p := post(t, site, nil)
	for i, person := range []string{"user:a", "user:b", "guest"} {
		if r, err := comments.React(site.TestApp, p.ID, person, "🎉"); err != nil || r.GetInt("votes") != i+1 {
			t.Errorf("%s: %v", person, err)
		}
	}
	if r, err := comments.React(site.TestApp, p.ID, "user:a", ""); err != nil || r.GetInt("votes") != 2 {
		t.Errorf("taken back: %v", err)
	}
	if _, err := comments.React(site.TestApp, "aaaaaaaaaaaaaaa", "guest", "🎉"); err == nil {
		t.Error("a reaction to nothing")
	}
	if _, err := comments.Decide(site.TestApp, by, schema.CommentSpam, p.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := comments.React(site.TestApp, p.ID, "guest2", "🎉"); err == nil {
		t.Error("a reaction to what nobody sees")
	}
}
