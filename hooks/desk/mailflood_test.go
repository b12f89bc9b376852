package desk_test

import (
	"net/url"
	"testing"
	"time"

	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/sitetest"
)

// Whoever asks for code after code fills nobody's mailbox, and learns nothing.
func TestAStrangerFillsNobodysMailbox(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	bob, _ := sitetest.Staff(t, app, roles.Editor)
	count := func(query string) (n int) {
		t.Helper()
		if err := app.DB().NewQuery(query).Row(&n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for range 8 {
		for _, email := range []string{ada.Email(), "nobody@example.com"} {
			if res, _ := app.Desk("", "/desk/sign-in/code/", url.Values{"email": {email}}.Encode()); res.StatusCode >= 400 {
				t.Fatalf("asking for a code answers %d", res.StatusCode)
			}
		}
	}
	if res, _ := app.Desk("", "/desk/sign-in/code/", url.Values{"email": {bob.Email()}}.Encode()); res.StatusCode >= 400 {
		t.Fatalf("asking for a code answers %d", res.StatusCode)
	}
	if n := count("SELECT count(*) FROM _jobs WHERE kind = 'people.code'"); n != 17 {
		t.Fatalf("%d jobs: who has no account is told apart", n)
	}
	if err := queue.Start(app); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); count("SELECT count(*) FROM _jobs WHERE kind = 'people.code'") > 0; {
		if time.Now().After(deadline) {
			t.Fatal("the jobs are not done")
		}
	}
	_ = queue.Stop(t.Context(), app)
	if n := count("SELECT count(*) FROM _mails WHERE recipient LIKE '%" + ada.Email() + "%'"); n != 5 {
		t.Errorf("%d mails went to Ada", n)
	}
	if n := count("SELECT count(*) FROM _mails WHERE recipient LIKE '%" + bob.Email() + "%'"); n != 1 {
		t.Errorf("%d mails went to Bob", n)
	}
}
