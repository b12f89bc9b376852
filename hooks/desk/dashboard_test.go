package desk_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

var ticket = regexp.MustCompile(`data-ticket="([^"]+)"`)

func TestTheDashboardOpensSignedIn(t *testing.T) {
	t.Parallel()
	app, owner, cookie := office(t)
	res, body := app.Desk(cookie, "/desk/dashboard/", "x=1")
	found := ticket.FindStringSubmatch(body)
	if res.StatusCode != http.StatusOK || found == nil {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	did(t, app, "account.dashboard")
	redeem := func(cookie string) (int, string) {
		res, body := app.Do(http.MethodPost, "/desk/dashboard/open/", `{"ticket":"`+found[1]+`"}`, "Cookie", cookie, "Content-Type", "application/json", "Accept", "application/json")
		return res.StatusCode, body
	}
	status, body := redeem(cookie)
	var store struct {
		Token  string
		Record struct{ Email, CollectionName string }
	}
	if err := json.Unmarshal([]byte(body), &store); err != nil || status != http.StatusOK || store.Record.Email != owner.Email() || store.Record.CollectionName != core.CollectionNameSuperusers {
		t.Fatalf("%d %s, %v", status, body, err)
	}
	if res, _ := app.JSON(http.MethodGet, "/api/settings", store.Token, ""); res.StatusCode != http.StatusOK {
		t.Errorf("the token opens nothing: %d", res.StatusCode)
	}
	if res, _ := app.JSON(http.MethodPost, "/api/collections/_superusers/auth-refresh", store.Token, ""); res.StatusCode != http.StatusOK {
		t.Errorf("the dashboard can't go on with it: %d", res.StatusCode)
	}
	if status, _ := redeem(cookie); status != http.StatusBadRequest {
		t.Errorf("the ticket works twice: %d", status)
	}
	res, body = app.Desk(cookie, "/desk/dashboard/", "x=1")
	found = ticket.FindStringSubmatch(body)
	other, _ := sitetest.Staff(t, app, roles.Owner)
	if status, _ := redeem(sitetest.Cookie(t, app, other)); res.StatusCode != http.StatusOK || status != http.StatusBadRequest {
		t.Errorf("another owner uses the ticket: %d", status)
	}
	editor, _ := sitetest.Staff(t, app, roles.Editor)
	if res, _ := app.Desk(sitetest.Cookie(t, app, editor), "/desk/dashboard/", "x=1"); res.StatusCode != http.StatusForbidden {
		t.Errorf("an editor gets %d", res.StatusCode)
	}
}

func TestTheDashboardLeadsToTheDesk(t *testing.T) {
	t.Parallel()
	app, owner, _ := office(t)
	twin, err := people.EnsureSuperuser(app, owner)
	if err != nil {
		t.Fatal(err)
	}
	own, _ := twin.NewAuthToken()
	_, members := sitetest.Staff(t, app, roles.Editor)
	for name, c := range map[string]struct {
		token string
		want  int
		shows string
	}{
		"the owner's superuser": {own, http.StatusOK, owner.GetString("name")}, "a superuser alone": {"Bearer " + sitetest.Superuser(t, app), http.StatusOK, "Hello"},
		"a member of staff": {members, http.StatusUnauthorized, ""}, "nobody": {"", http.StatusUnauthorized, ""}, "a made-up token": {"abc", http.StatusUnauthorized, ""},
	} {
		res, _ := app.Do(http.MethodPost, "/desk/enter/", "", "Authorization", c.token, "Accept", "application/json", "Sec-Fetch-Site", "same-origin")
		if res.StatusCode != c.want {
			t.Errorf("%s: %d", name, res.StatusCode)
			continue
		}
		if c.want == http.StatusOK {
			if res, body := app.Desk(cookieOf(t, res), "/desk/", ""); res.StatusCode != http.StatusOK || !strings.Contains(body, c.shows) {
				t.Errorf("%s sees %d", name, res.StatusCode)
			}
		}
	}
	if res, _ := app.Do(http.MethodPost, "/desk/enter/", "", "Authorization", own, "Sec-Fetch-Site", "cross-site", "Accept", "application/json"); res.StatusCode != http.StatusForbidden {
		t.Errorf("another site: %d", res.StatusCode)
	}
	if res, body := app.Get("/_/extensions.js"); res.StatusCode != http.StatusOK || !strings.Contains(body, `href: "/desk/"`) || res.Header.Get("Cache-Control") != "no-cache" {
		t.Errorf("the extension: %d %s", res.StatusCode, body)
	}
}
