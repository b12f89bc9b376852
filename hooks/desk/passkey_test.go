package desk_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// door is a site as a browser on the machine itself sees it.
type door struct {
	*sitetest.Site
	t *testing.T
}

// post sends what a script sends, with the cookie of a session or "".
func (d door) post(cookie, path string, body any) (*http.Response, string) {
	d.t.Helper()
	raw, err := json.Marshal(body)
	if err != nil {
		d.t.Fatal(err)
	}
	return d.Do(http.MethodPost, "http://localhost"+path, string(raw), "Content-Type", "application/json", "Accept", "application/json", "Sec-Fetch-Site", "same-origin", "Cookie", cookie)
}

// start asks for a ceremony, which must be granted.
func (d door) start(cookie, path string, body any) (w wanted) {
	d.t.Helper()
	res, text := d.post(cookie, path, body)
	if res.StatusCode != http.StatusOK || json.Unmarshal([]byte(text), &w) != nil || w.Options.PublicKey.Challenge == "" {
		d.t.Fatalf("%s answers %d %s", path, res.StatusCode, text)
	}
	return w
}

func (d door) begin(cookie string) wanted {
	d.t.Helper()
	return d.start(cookie, "/desk/account/passkeys/start/", map[string]any{"password": sitetest.Password})
}

func (d door) add(cookie, token string, credential any) int {
	d.t.Helper()
	res, _ := d.post(cookie, "/desk/account/passkeys/", map[string]any{"token": token, "credential": credential, "name": "A key"})
	return res.StatusCode
}

// signIn answers a ceremony and gives the status and the new session.
func (d door) signIn(token string, credential any) (status int, cookie string) {
	d.t.Helper()
	res, _ := d.post("", "/desk/sign-in/passkey/", map[string]any{"token": token, "credential": credential})
	for _, c := range res.Cookies() {
		if c.Name == "session" && c.Value != "" {
			cookie = "session=" + c.Value
		}
	}
	return res.StatusCode, cookie
}

func (d door) challenge() wanted {
	d.t.Helper()
	return d.start("", "/desk/sign-in/passkey/start/", map[string]any{})
}

// registered is a site with somebody who has a passkey.
func registered(t *testing.T) (d door, ada *core.Record, cookie string, a *authenticator) {
	t.Helper()
	d = door{sitetest.New(t), t}
	ada, _ = sitetest.Staff(t, d, roles.Editor)
	cookie, a = sitetest.Cookie(t, d, ada), newAuthenticator(t)
	w := d.begin(cookie)
	if status := d.add(cookie, w.Token, a.create(w)); status != http.StatusOK {
		t.Fatalf("registering answers %d", status)
	}
	return d, ada, cookie, a
}

func TestAPasskeySignsInUntilItIsRemoved(t *testing.T) {
	t.Parallel()
	d, ada, cookie, a := registered(t)
	for range 2 {
		w := d.challenge()
		status, session := d.signIn(w.Token, a.get(w))
		if status != http.StatusOK || session == "" {
			t.Fatalf("signing in answers %d", status)
		}
		if res, _ := d.Desk(session, "/desk/", ""); res.StatusCode != http.StatusOK {
			t.Errorf("the session opens the desk with %d", res.StatusCode)
		}
	}
	line, err := d.FindFirstRecordByFilter(schema.Audit, "action = 'staff.sign_in'")
	if err != nil || !strings.Contains(line.GetString("detail"), "passkey") || line.GetString("actor_record") != ada.Id {
		t.Errorf("the audit says %v, %v", line, err)
	}
	_, page := d.Desk(cookie, "/desk/account/", "")
	if !strings.Contains(page, "A key") {
		t.Error("the account does not list the key")
	}
	bob, _ := sitetest.Staff(t, d, roles.Editor)
	remove := "/desk/account/passkeys/" + b64(a.id) + "/remove/"
	if res, _ := d.Desk(sitetest.Cookie(t, d, bob), remove, "x=1"); res.StatusCode != http.StatusNotFound {
		t.Errorf("another removes it: %d", res.StatusCode)
	}
	if res, _ := d.Desk(cookie, remove, "x=1"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("removing answers %d", res.StatusCode)
	}
	w := d.challenge()
	if status, session := d.signIn(w.Token, a.get(w)); status != http.StatusForbidden || session != "" {
		t.Errorf("removed, it answers %d", status)
	}
}

// What is wrong with an answer, and that it then opens nothing.
func TestAPasskeysAnswerIsChecked(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(d door, ada *core.Record, a *authenticator) (token string, answer map[string]any){
		"another origin": func(d door, _ *core.Record, a *authenticator) (string, map[string]any) {
			a.origin = "http://evil.example"
			w := d.challenge()
			return w.Token, a.get(w)
		},
		"another port": func(d door, _ *core.Record, a *authenticator) (string, map[string]any) {
			a.origin = "http://localhost:8091"
			w := d.challenge()
			return w.Token, a.get(w)
		},
		"another site's name": func(d door, _ *core.Record, a *authenticator) (string, map[string]any) {
			a.site = "evil.example"
			w := d.challenge()
			return w.Token, a.get(w)
		},
		"nobody there": func(d door, _ *core.Record, a *authenticator) (string, map[string]any) {
			a.flags = userVerified
			w := d.challenge()
			return w.Token, a.get(w)
		},
		"nobody verified": func(d door, _ *core.Record, a *authenticator) (string, map[string]any) {
			a.flags = userPresent
			w := d.challenge()
			return w.Token, a.get(w)
		},
		"another's challenge": func(d door, _ *core.Record, a *authenticator) (string, map[string]any) {
			return d.challenge().Token, a.get(d.challenge())
		},
		"another key": func(d door, _ *core.Record, a *authenticator) (string, map[string]any) {
			other := newAuthenticator(d.t)
			other.id, other.handle = a.id, a.handle
			w := d.challenge()
			return w.Token, other.get(w)
		},
		"an unknown key": func(d door, _ *core.Record, a *authenticator) (string, map[string]any) {
			other := newAuthenticator(d.t)
			other.handle = a.handle
			w := d.challenge()
			return w.Token, other.get(w)
		},
		"in another's name": func(d door, _ *core.Record, a *authenticator) (string, map[string]any) {
			bob, _ := sitetest.Staff(d.t, d, roles.Owner)
			a.handle = []byte(bob.Id)
			w := d.challenge()
			return w.Token, a.get(w)
		},
		"a counter that does not grow": func(d door, _ *core.Record, a *authenticator) (string, map[string]any) {
			w := d.challenge()
			if status, _ := d.signIn(w.Token, a.get(w)); status != http.StatusOK {
				d.t.Fatalf("the first time answers %d", status)
			}
			a.counter-- // a copy of the key, made before
			w = d.challenge()
			return w.Token, a.get(w)
		},
		"somebody who left": func(d door, ada *core.Record, a *authenticator) (string, map[string]any) {
			ada.Set("active", false)
			if err := d.Save(ada); err != nil {
				d.t.Fatal(err)
			}
			w := d.challenge()
			return w.Token, a.get(w)
		},
		"a made-up token": func(d door, _ *core.Record, a *authenticator) (string, map[string]any) {
			return strings.Repeat("x", 43), a.get(d.challenge())
		},
		"the token of a registration": func(d door, ada *core.Record, a *authenticator) (string, map[string]any) {
			w := d.begin(sitetest.Cookie(d.t, d, ada))
			return w.Token, a.get(w)
		},
		"no answer": func(d door, _ *core.Record, _ *authenticator) (string, map[string]any) {
			return d.challenge().Token, map[string]any{"id": 7}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, ada, _, a := registered(t)
			token, answer := spoil(d, ada, a)
			if status, session := d.signIn(token, answer); status/100 != 4 || session != "" {
				t.Errorf("it answers %d with a session: %v", status, session != "")
			}
		})
	}
}

func TestAChallengeCountsOnce(t *testing.T) {
	t.Parallel()
	d, _, cookie, a := registered(t)
	w := d.challenge()
	answer := a.get(w)
	if status, _ := d.signIn(w.Token, answer); status != http.StatusOK {
		t.Fatalf("the first time answers %d", status)
	}
	if status, session := d.signIn(w.Token, answer); status/100 != 4 || session != "" {
		t.Errorf("played again, it answers %d", status)
	}
	// Neither does a registration.
	other := newAuthenticator(t)
	w = d.begin(cookie)
	made := other.create(w)
	if status := d.add(cookie, w.Token, made); status != http.StatusOK {
		t.Fatalf("a second key answers %d", status)
	}
	if status := d.add(cookie, w.Token, made); status/100 != 4 {
		t.Errorf("registered again, it answers %d", status)
	}
}

func TestAPasskeyIsMadeByItsOwnerAlone(t *testing.T) {
	t.Parallel()
	d, _, cookie, _ := registered(t)
	bob, _ := sitetest.Staff(t, d, roles.Author)
	bobs := sitetest.Cookie(t, d, bob)
	if res, _ := d.post(cookie, "/desk/account/passkeys/start/", map[string]any{"password": "not it"}); res.StatusCode/100 != 4 {
		t.Errorf("without the password it answers %d", res.StatusCode)
	}
	a := newAuthenticator(t)
	w := d.begin(cookie)
	if status := d.add(bobs, w.Token, a.create(w)); status != http.StatusForbidden {
		t.Errorf("what Ada began, Bob ends with %d", status)
	}
	for name, spoil := range map[string]func(a *authenticator){
		"another origin":      func(a *authenticator) { a.origin = "https://localhost" },
		"another site's name": func(a *authenticator) { a.site = "example.com" },
		"nobody verified":     func(a *authenticator) { a.flags = userPresent },
	} {
		a := newAuthenticator(t)
		spoil(a)
		w := d.begin(bobs)
		if status := d.add(bobs, w.Token, a.create(w)); status/100 != 4 {
			t.Errorf("%s: registering answers %d", name, status)
		}
	}
	if _, page := d.Desk(bobs, "/desk/account/", ""); strings.Contains(page, "A key") {
		t.Error("Bob has a key")
	}
	// A number is no name, and a name needs TLS: browsers offer nothing there.
	for _, host := range []string{"http://127.0.0.1", "http://example.com"} {
		if res, _ := d.Do(http.MethodPost, host+"/desk/sign-in/passkey/start/", "{}", "Content-Type", "application/json", "Accept", "application/json"); res.StatusCode != http.StatusBadRequest {
			t.Errorf("%s answers %d", host, res.StatusCode)
		}
	}
}

func TestAnAccountHasAtMostTwentyPasskeys(t *testing.T) {
	t.Parallel()
	d, ada, cookie, _ := registered(t)
	for range 19 {
		if _, err := d.NonconcurrentDB().NewQuery("INSERT INTO _passkeys SELECT hex(randomblob(16)), person, name, credential, created, used FROM _passkeys WHERE person = '" + ada.Id + "' LIMIT 1").Execute(); err != nil {
			t.Fatal(err)
		}
	}
	a := newAuthenticator(t)
	w := d.begin(cookie)
	if status := d.add(cookie, w.Token, a.create(w)); status != http.StatusBadRequest {
		t.Errorf("the twenty-first answers %d", status)
	}
}
