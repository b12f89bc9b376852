package people_test

import (
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/sitetest"
)

func TestALinkWorksOnceForItsPurposeAndTime(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	now := time.Now()
	token, err := people.Issue(app, people.Link{Purpose: "invite", Person: "p", Data: "d"}, time.Hour, now)
	if err != nil || len(token) < 40 {
		t.Fatal(token, err)
	}
	for _, wrong := range []func() error{
		func() error { _, err := people.Peek(app, "reset", token, now); return err },
		func() error { _, err := people.Peek(app, "invite", token, now.Add(time.Hour)); return err },
		func() error { _, err := people.Redeem(app, "invite", token+"x", now); return err },
		func() error { _, err := people.Redeem(app, "invite", "", now); return err },
	} {
		if err := wrong(); !errors.Is(err, people.ErrLink) {
			t.Errorf("got %v", err)
		}
	}
	if l, err := people.Peek(app, "invite", token, now); err != nil || l.Person != "p" || l.Data != "d" {
		t.Errorf("%+v, %v", l, err)
	}
	var got atomic.Int32
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			if _, err := people.Redeem(app, "invite", token, now); err == nil {
				got.Add(1)
			}
		})
	}
	wg.Wait()
	if got.Load() != 1 {
		t.Errorf("%d got it", got.Load())
	}
}

func TestACodeIsGuessedFiveTimes(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	now := time.Now()
	token, _ := people.Issue(app, people.Link{Purpose: "code"}, time.Hour, now)
	for i := range 7 {
		if _, err := people.Guess(app, "code", token, now); (err != nil) != (i >= 5) {
			t.Errorf("guess %d: %v", i, err)
		}
	}
}

func TestLinksAreBounded(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	now := time.Now()
	var tokens []string
	for i := range 1100 {
		token, err := people.Issue(app, people.Link{Purpose: "door", Person: strconv.Itoa(i)}, time.Hour, now.Add(time.Duration(i)))
		if err != nil {
			t.Fatal(err)
		}
		tokens = append(tokens, token)
	}
	var n int
	if err := app.DB().NewQuery("SELECT count(*) FROM _links").Row(&n); err != nil || n != 1000 {
		t.Errorf("%d links are kept, %v", n, err)
	}
	if _, err := people.Peek(app, "door", tokens[0], now); err == nil {
		t.Error("the oldest is still there")
	}
	if err := people.Revoke(app, "door", "1099"); err != nil {
		t.Fatal(err)
	}
	if _, err := people.Peek(app, "door", tokens[1099], now); err == nil {
		t.Error("a revoked one works")
	}
	if err := people.Revoke(app, "door", ""); err != nil {
		t.Fatal(err)
	}
	if err := app.DB().NewQuery("SELECT count(*) FROM _links").Row(&n); err != nil || n != 0 {
		t.Errorf("%d are left, %v", n, err)
	}
}

func TestPasswordsThatAreRefused(t *testing.T) {
	t.Parallel()
	long := ""
	for range 80 {
		long += "ab"
	}
	for password, ok := range map[string]bool{
		"correct-horse": true, "äöüäöüäö": true, "short": false, "": false, "Password123": false, "aaaaaaaaaaaa": false,
		long: false, "ada.lovelace": false, "Ada.Lovelace@example.com": false, "ada.lovelace99": true,
	} {
		if fault := people.PasswordFault(password, "ada.lovelace@example.com", ""); (fault == "") != ok {
			t.Errorf("%q: %q", password, fault)
		}
	}
}
