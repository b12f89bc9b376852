package desk_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/dbx"
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

// Twelve hours after the last thing that a person did the session is over, in
// the browser as on the server; what an open page asks for by itself is nothing
// that a person did.
func TestASessionLivesByWhatAPersonDoes(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	cookie := sitetest.Cookie(t, app, ada)
	seen := func() (at int64) {
		t.Helper()
		if err := app.DB().NewQuery("SELECT seen FROM _sessions").Row(&at); err != nil {
			t.Fatal(err)
		}
		return at
	}
	ago := func(d time.Duration) int64 {
		t.Helper()
		at := time.Now().Add(-d).Unix()
		if _, err := app.NonconcurrentDB().Update("_sessions", dbx.Params{"seen": at}, nil).Execute(); err != nil {
			t.Fatal(err)
		}
		return at
	}
	ask := func(path string, header ...string) *http.Response {
		t.Helper()
		res, body := app.Get(path, append(header, "Cookie", cookie)...)
		if res.StatusCode >= 500 {
			t.Fatalf("%s answers %d %s", path, res.StatusCode, body)
		}
		return res
	}
	old := ago(11 * time.Hour)
	for _, page := range []string{"/desk/jobs/", "/desk/comments/live/", "/desk/live/"} {
		ask(page, "X-Desk-Watching", "1")
	}
	ctx, end := context.WithCancel(t.Context())
	end() // the stream is over as soon as it is open
	req := httptest.NewRequestWithContext(ctx, http.MethodGet, "/desk/live/", nil)
	req.Header.Set("Accept", "text/event-stream")
	req.Header.Set("Cookie", cookie)
	app.Handler.ServeHTTP(httptest.NewRecorder(), req)
	if seen() != old {
		t.Error("an open page prolongs the session")
	}
	res := ask("/desk/", "Accept", "text/html")
	if seen() == old || len(res.Cookies()) != 1 || res.Cookies()[0].MaxAge != 12*60*60 || "session="+res.Cookies()[0].Value != cookie || !res.Cookies()[0].HttpOnly {
		t.Errorf("a page that a person opens does not prolong it: %v", res.Cookies())
	}
	if now := seen(); len(ask("/desk/", "Accept", "text/html").Cookies()) != 0 || seen() != now {
		t.Error("it is written on each request")
	}
	ago(12*time.Hour + time.Minute)
	if res := ask("/desk/", "Accept", "text/html"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("twelve hours later the desk answers %d", res.StatusCode)
	}
	if res := ask("/desk/live/", "Accept", "text/event-stream"); res.StatusCode != http.StatusUnauthorized {
		t.Errorf("and its stream %d", res.StatusCode)
	}
}
