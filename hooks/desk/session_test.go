package desk_test

import (
	"net/http"
	"net/url"
	"testing"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/sitetest"
)

func TestTheCookieBehindAProxy(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	form := url.Values{"email": {ada.Email()}, "password": {sitetest.Password}}.Encode()
	over := func(header ...string) *http.Cookie {
		t.Helper()
		header = append(header, "Content-Type", "application/x-www-form-urlencoded", "Accept", "text/html")
		res, body := app.Do(http.MethodPost, "/desk/sign-in/", form, header...)
		if res.StatusCode != http.StatusSeeOther {
			t.Fatalf("%d %s", res.StatusCode, body)
		}
		return res.Cookies()[0]
	}
	// httptest's requests come from 192.0.2.1, which is no proxy of ours.
	if c := over("X-Forwarded-Proto", "https", "X-Forwarded-For", "203.0.113.1"); c.Name != "session" || c.Secure {
		t.Errorf("an untrusted client's word gives %+v", c)
	}
	app.Settings().TrustedProxy.Headers = []string{"X-Forwarded-For"}
	if c := over("X-Forwarded-Proto", "https", "X-Forwarded-For", "203.0.113.1"); c.Name != "session" || c.Secure {
		t.Errorf("a client from afar gives %+v", c)
	}
	app.RemoteAddr = "127.0.0.1:4000"
	c := over("X-Forwarded-Proto", "https", "X-Forwarded-For", "203.0.113.1")
	if c.Name != "__Host-session" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.SameSite != http.SameSiteLaxMode {
		t.Errorf("the proxy gives %+v", c)
	}
	res, _ := app.Get("/desk/", "Accept", "text/html", "Cookie", "__Host-session="+c.Value, "X-Forwarded-Proto", "https", "X-Forwarded-For", "203.0.113.1")
	if res.StatusCode != http.StatusOK || res.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("behind the proxy the desk answers %d", res.StatusCode)
	}
	if res, _ := app.Get("/desk/", "Accept", "text/html", "Cookie", "session="+c.Value, "X-Forwarded-Proto", "https", "X-Forwarded-For", "203.0.113.1"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("over TLS the plain cookie answers %d", res.StatusCode)
	}
	if res, _ := app.Get("/desk/", "Accept", "text/html", "Cookie", "session="+c.Value); res.StatusCode != http.StatusOK {
		t.Errorf("past the proxy: %d", res.StatusCode)
	}
}
