package desk_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/desk"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

func TestSignInLeadsToTheDeskAndOut(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	res, _ := app.Desk("", "/desk/?x=1", "")
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/desk/sign-in/?next=%2Fdesk%2F%3Fx%3D1" {
		t.Fatalf("a stranger gets %d %s", res.StatusCode, res.Header.Get("Location"))
	}
	form := url.Values{"email": {ada.Email()}, "password": {"wrong"}, "next": {"/desk/?x=1"}}
	res, body := app.Desk("", "/desk/sign-in/", form.Encode())
	if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "fit together") || !strings.Contains(body, ada.Email()) {
		t.Errorf("a wrong password: %d %s", res.StatusCode, body)
	}
	form.Set("password", sitetest.Password)
	res, _ = app.Desk("", "/desk/sign-in/", form.Encode())
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/desk/?x=1" {
		t.Fatalf("the right password: %d %s", res.StatusCode, res.Header.Get("Location"))
	}
	session := res.Cookies()[0]
	if !session.HttpOnly || session.SameSite != http.SameSiteLaxMode || session.Secure || session.Name != "session" {
		t.Errorf("the cookie is %+v", session)
	}
	cookie := session.Name + "=" + session.Value
	if res, body := app.Desk(cookie, "/desk/", ""); res.StatusCode != http.StatusOK || !strings.Contains(body, "Hello, editor") || res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("the overview: %d %s", res.StatusCode, body)
	}
	if res, _ := app.Desk(cookie, "/desk/sign-out/", "x=1"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("signing out: %d", res.StatusCode)
	}
	if res, _ := app.Desk(cookie, "/desk/", ""); res.StatusCode != http.StatusSeeOther {
		t.Errorf("after signing out: %d", res.StatusCode)
	}
}

func TestASessionEndsWithItsPersonsRights(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(app core.App, r *core.Record) error{
		"deactivated":  func(app core.App, r *core.Record) error { r.Set("active", false); return app.Save(r) },
		"new password": func(app core.App, r *core.Record) error { r.SetPassword("another-password"); return app.Save(r) },
		"deleted":      func(app core.App, r *core.Record) error { return app.Delete(r) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := sitetest.New(t)
			ada, token := sitetest.Staff(t, app, roles.Editor)
			cookie := sitetest.Cookie(t, app, ada)
			if res, _ := app.Desk(cookie, "/desk/", ""); res.StatusCode != http.StatusOK {
				t.Fatalf("before: %d", res.StatusCode)
			}
			draft := "/api/collections/posts/records/" + sitetest.Make(t, app, schema.Posts, map[string]any{"title": "A draft", "body": "x", "status": "draft"}).Id
			for range 2 { // the second time the account is remembered
				if res, _ := app.JSON(http.MethodGet, draft, token, ""); res.StatusCode != http.StatusOK {
					t.Fatalf("before, the API: %d", res.StatusCode)
				}
			}
			if err := change(app, ada); err != nil {
				t.Fatal(err)
			}
			if res, _ := app.Desk(cookie, "/desk/", ""); res.StatusCode != http.StatusSeeOther {
				t.Errorf("after: %d", res.StatusCode)
			}
			if res, _ := app.JSON(http.MethodGet, draft, token, ""); res.StatusCode == http.StatusOK {
				t.Error("after, the token still opens the API")
			}
			if res, _ := app.JSON(http.MethodPost, "/api/collections/staff/auth-refresh", token, ""); res.StatusCode == http.StatusOK {
				t.Error("after, the token is renewed")
			}
			res, _ := app.JSON(http.MethodPost, "/api/collections/staff/auth-with-password", "", `{"identity":"`+ada.Email()+`","password":"`+sitetest.Password+`"}`)
			if res.StatusCode == http.StatusOK {
				t.Error("after, the old password gives a token")
			}
		})
	}
}

func TestASessionSlidesForTwelveHours(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Author)
	start := time.Now()
	token, err := desk.StartSession(app, ada, "A test", "", start)
	if err != nil {
		t.Fatal(err)
	}
	for _, after := range []time.Duration{11 * time.Hour, 22 * time.Hour, 33 * time.Hour} {
		session, _, err := desk.FindSession(app, token, start.Add(after))
		if err != nil {
			t.Fatalf("used all along, after %v: %v", after, err)
		}
		if prolonged, err := session.Prolong(app, start.Add(after)); err != nil || !prolonged {
			t.Fatalf("%v, %v", prolonged, err)
		}
	}
	if _, _, err := desk.FindSession(app, token, start.Add(46*time.Hour)); err == nil {
		t.Error("thirteen hours unused and still alive")
	}
}

func TestOtherSitesCantWrite(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Owner)
	cookie := sitetest.Cookie(t, app, ada)
	res, _ := app.Do(http.MethodPost, "/desk/sign-out/", "", "Cookie", cookie, "Sec-Fetch-Site", "cross-site", "Origin", "https://evil.example", "Accept", "text/html")
	if res.StatusCode != http.StatusForbidden {
		t.Errorf("another site's form answers %d", res.StatusCode)
	}
	if res, _ := app.Desk(cookie, "/desk/", ""); res.StatusCode != http.StatusOK {
		t.Error("and it did sign out")
	}
}

func TestATokenOfTheAPIOpensNothingHere(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	if res, _ := app.Do(http.MethodGet, "/desk/", "", "Authorization", sitetest.Superuser(t, app), "Accept", "text/html"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a token answers %d", res.StatusCode)
	}
}

func TestAWayBackStaysInTheDesk(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	for _, next := range []string{"https://evil.example/desk/", "//evil.example/desk/", "/blog/", "/desk/sign-in/", "\\\\evil", "%zz", "/desk"} {
		form := url.Values{"email": {ada.Email()}, "password": {sitetest.Password}, "next": {next}}
		if res, _ := app.Desk("", "/desk/sign-in/", form.Encode()); res.Header.Get("Location") != "/desk/" {
			t.Errorf("%q leads to %q", next, res.Header.Get("Location"))
		}
	}
}

func TestErrorsArePagesForPeople(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	cookie := sitetest.Cookie(t, app, ada)
	res, body := app.Desk(cookie, "/desk/no-such-page/", "")
	if res.StatusCode != http.StatusNotFound || !strings.Contains(body, "Nothing is here") || res.Header.Get("Content-Security-Policy") == "" {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, _ := app.Desk(cookie, "/desk/no-such-page", ""); res.StatusCode != http.StatusPermanentRedirect || res.Header.Get("Location") != "/desk/no-such-page/" {
		t.Errorf("without its slash: %d", res.StatusCode)
	}
	if res, body := app.Do(http.MethodGet, "/desk/no-such-page/", "", "Cookie", cookie, "Accept", "application/json"); res.StatusCode != http.StatusNotFound || !strings.HasPrefix(body, "{") {
		t.Errorf("to a script: %d %s", res.StatusCode, body)
	}
}
