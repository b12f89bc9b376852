package people_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/sitetest"
)

// door tries a password at the desk and gives the status and the page.
func door(app *sitetest.Site, email, password string, header ...string) (*http.Response, string) {
	form := url.Values{"email": {email}, "password": {password}}.Encode()
	header = append([]string{"Accept", "text/html", "Content-Type", "application/x-www-form-urlencoded"}, header...)
	return app.Do(http.MethodPost, "/desk/sign-in/", form, header...)
}

// rest tries it at PocketBase's API.
func rest(app *sitetest.Site, email, password string) (*http.Response, string) {
	return app.JSON(http.MethodPost, "/api/collections/staff/auth-with-password", "", `{"identity":"`+email+`","password":"`+password+`"}`)
}

func TestGuessingIsSlowForEveryAccountAlike(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"known", "unknown", "inactive"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			app := sitetest.New(t)
			ada, _ := sitetest.Staff(t, app, roles.Editor)
			email := ada.Email()
			switch kind {
			case "unknown":
				email = "nobody@example.com"
			case "inactive":
				ada.Set("active", false)
				if err := app.Save(ada); err != nil {
					t.Fatal(err)
				}
			}
			wrong := 0
			for range 5 { // half at the desk, half at the API: one count
				if res, body := door(app, email, "guess"); res.StatusCode == http.StatusUnprocessableEntity && strings.Contains(body, "fit together") {
					wrong++
				}
				if res, body := rest(app, strings.ToUpper(email[:1])+email[1:], "guess"); res.StatusCode == http.StatusBadRequest && strings.Contains(body, "Failed to authenticate.") {
					wrong++
				}
			}
			if wrong != 10 {
				t.Errorf("%d of ten were called wrong", wrong)
			}
			res, body := door(app, email, sitetest.Password)
			if res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" || !strings.Contains(body, "too many tries") {
				t.Errorf("the eleventh at the desk: %d %s", res.StatusCode, body)
			}
			if res, _ := rest(app, email, sitetest.Password); res.StatusCode != http.StatusTooManyRequests || res.Header.Get("Retry-After") == "" {
				t.Errorf("the eleventh at the API: %d", res.StatusCode)
			}
		})
	}
}

func TestAnInactiveAccountIsAnsweredLikeNone(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	sitetest.Staff(t, app, roles.Editor) // PocketBase compares with any account's hash
	ada.Set("active", false)
	if err := app.Save(ada); err != nil {
		t.Fatal(err)
	}
	for _, try := range []func(*sitetest.Site, string, string) (*http.Response, string){
		rest, func(a *sitetest.Site, e, p string) (*http.Response, string) { return door(a, e, p) },
	} {
		inactive, body := try(app, ada.Email(), sitetest.Password)
		nobody, other := try(app, strings.Replace(ada.Email(), "editor", "nobody", 1), sitetest.Password)
		if inactive.StatusCode/100 == 2 || inactive.StatusCode != nobody.StatusCode || strings.ReplaceAll(body, "editor", "nobody") != other {
			t.Errorf("%d %s\n%d %s", inactive.StatusCode, body, nobody.StatusCode, other)
		}
	}
}

func TestUnknownAccountsTakeAsLong(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	best := map[string]time.Duration{}
	for range 8 { // in turns, so that a busy machine slows both alike
		for _, email := range []string{ada.Email(), "nobody@example.com"} {
			start := time.Now()
			if _, err := people.CheckPassword(t.Context(), app, email, "wrong"); err != people.ErrWrong {
				t.Fatal(err)
			}
			if took := time.Since(start); best[email] == 0 || took < best[email] {
				best[email] = took
			}
		}
	}
	known, unknown := best[ada.Email()], best["nobody@example.com"]
	if ratio := float64(known) / float64(unknown); ratio < 0.33 || ratio > 3 {
		t.Errorf("known takes %v, unknown %v", known, unknown)
	}
}

func TestARightPasswordCostsNothing(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	for i := range 12 {
		if res, body := rest(app, ada.Email(), sitetest.Password); res.StatusCode != http.StatusOK {
			t.Fatalf("sign-in %d: %d %s", i, res.StatusCode, body)
		}
	}
}

func TestAStrangersGuessesDontLockTheBrowserThatIsKnown(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	res, _ := door(app, ada.Email(), sitetest.Password)
	var mark string
	for _, c := range res.Cookies() {
		if c.Name == "desk_browser" {
			mark = c.Name + "=" + c.Value
		}
	}
	throttle := people.ThrottleOf(app)
	for range 20 {
		_, _ = throttle.Take(app, ada.Email(), "198.51.100.7", "")
	}
	if res, _ := door(app, ada.Email(), sitetest.Password); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a browser that is not known: %d", res.StatusCode)
	}
	if res, body := door(app, ada.Email(), sitetest.Password, "Cookie", mark); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the known browser: %d %s", res.StatusCode, body)
	}
	if res, _ := door(app, ada.Email(), sitetest.Password, "Cookie", "desk_browser=made.up"); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("a made-up mark: %d", res.StatusCode)
	}
}

func TestOneAddressCantTryManyAccounts(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	throttle := people.ThrottleOf(app)
	for i := range 40 {
		_, err := throttle.Take(app, strings.Repeat("a", i+1)+"@example.com", "2001:db8::1", "")
		if (err != nil) != (i >= 30) {
			t.Fatalf("try %d: %v", i, err)
		}
	}
	if err := throttle.TakeAddress("2001:db8::ffff"); err == nil {
		t.Error("another address of the same network is free")
	}
	if _, err := throttle.Take(app, "", "192.0.2.1", ""); err != nil {
		t.Errorf("another network: %v", err)
	}
}

func TestGuessingPocketBasesCodesIsSlow(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	for range 30 {
		app.JSON(http.MethodPost, "/api/collections/staff/auth-with-otp", "", `{"otpId":"x","password":"1"}`)
	}
	if res, _ := app.JSON(http.MethodPost, "/api/collections/staff/auth-with-otp", "", `{"otpId":"x","password":"1"}`); res.StatusCode != http.StatusTooManyRequests {
		t.Errorf("the 31st answers %d", res.StatusCode)
	}
	if res, _ := app.JSON(http.MethodPost, "/api/collections/users/auth-with-otp", "", `{"otpId":"x","password":"1"}`); res.StatusCode == http.StatusTooManyRequests {
		t.Error("visitors' accounts are slowed too")
	}
}
