package desk_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// others is a provider that says of everybody to be this address.
func others(t *testing.T, app *sitetest.Site, email string, verified bool) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		var answer any = map[string]any{"access_token": "abc", "token_type": "Bearer"}
		if r.URL.Path == "/me" {
			answer = map[string]any{"sub": "1", "email": email, "email_verified": verified, "name": "Somebody"}
		} else if _ = r.ParseForm(); r.PostForm.Get("code_verifier") == "" || !strings.HasSuffix(r.PostForm.Get("redirect_uri"), "/desk/sign-in/callback/") {
			w.WriteHeader(http.StatusBadRequest)
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	c, err := app.FindCollectionByNameOrId(schema.Staff)
	if err != nil {
		t.Fatal(err)
	}
	pkce := true
	c.OAuth2.Enabled = true
	c.OAuth2.Providers = []core.OAuth2ProviderConfig{{
		Name: "oidc", ClientId: "id", ClientSecret: "secret", DisplayName: "Our Office", PKCE: &pkce,
		AuthURL: server.URL + "/auth", TokenURL: server.URL + "/token", UserInfoURL: server.URL + "/me",
	}}
	if err := app.Save(c); err != nil {
		t.Fatal(err)
	}
}

func TestAProviderLetsInWhoIsHereAlready(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		verified, active, known, ok bool
	}{
		"a member": {true, true, true, true}, "an address that is not verified": {false, true, true, false},
		"an inactive member": {true, false, true, false}, "a stranger": {true, true, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := sitetest.New(t)
			ada, _ := sitetest.Staff(t, app, roles.Editor)
			ada.Set("active", c.active)
			if err := app.Save(ada); err != nil {
				t.Fatal(err)
			}
			email := ada.Email()
			if !c.known {
				email = "stranger@example.com"
			}
			others(t, app, email, c.verified)
			if _, body := app.Desk("", "/desk/sign-in/", ""); !strings.Contains(body, "Sign in with Our Office") {
				t.Fatal("there is no button")
			}
			res, _ := app.Desk("", "/desk/sign-in/with/oidc/?next=/desk/account/", "")
			to, err := url.Parse(res.Header.Get("Location"))
			if err != nil || res.StatusCode != http.StatusSeeOther || to.Query().Get("code_challenge") == "" {
				t.Fatalf("%d %s", res.StatusCode, to)
			}
			kept, state := cookieNamed(res, "desk_oauth2"), to.Query().Get("state")
			back := "/desk/sign-in/callback/?code=xyz&state="
			for _, wrong := range [][2]string{{kept, "other"}, {"", state}, {"desk_oauth2=made-up", state}} {
				if res, _ := app.Desk(wrong[0], back+wrong[1], ""); cookieNamed(res, "session") != "" {
					t.Errorf("%v signs in", wrong)
				}
			}
			res, _ = app.Desk(kept, back+state, "")
			if in := cookieNamed(res, "session") != ""; in != c.ok || in && res.Header.Get("Location") != "/desk/account/" {
				t.Errorf("signed in is %v: %d %s", in, res.StatusCode, res.Header.Get("Location"))
			}
			if n, _ := app.CountRecords(schema.Staff); n != 1 {
				t.Errorf("%d accounts now", n)
			}
		})
	}
}

func TestAProviderThatIsNotThere(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	if res, _ := app.Desk("", "/desk/sign-in/with/oidc/", ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("got %d", res.StatusCode)
	}
}
