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
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// unowned gives a site without an owner and the path of its first-start link.
func unowned(t *testing.T) (*sitetest.Site, string) {
	t.Helper()
	app := sitetest.New(t)
	link, err := desk.WelcomeLink(app, time.Now())
	if err != nil || link == "" {
		t.Fatalf("%q, %v", link, err)
	}
	return app, link
}

func newOwner(link string, more ...string) string {
	_, token, _ := strings.Cut(link, "token=")
	form := url.Values{"token": {token}, "title": {"Ada's garden"}, "name": {"Ada"}, "email": {"ada@example.com"}, "password": {"three quiet herons"}}
	for i := 0; i+1 < len(more); i += 2 {
		form.Set(more[i], more[i+1])
	}
	return form.Encode()
}

// cookieOf is the Cookie header of the session that an answer gives.
func cookieOf(t *testing.T, res *http.Response) string {
	t.Helper()
	for _, c := range res.Cookies() {
		if c.Name == "session" && c.Value != "" {
			return c.Name + "=" + c.Value
		}
	}
	t.Fatalf("no session in an answer with %d", res.StatusCode)
	return ""
}

func TestTheFirstStartMakesOnePerson(t *testing.T) {
	t.Parallel()
	app, link := unowned(t)
	if res, body := app.Desk("", link, ""); res.StatusCode != http.StatusOK || !strings.Contains(body, "Your site is live") || res.Header.Get("Referrer-Policy") != "no-referrer" {
		t.Fatalf("the page: %d %s", res.StatusCode, body)
	}
	res, body := app.Desk("", "/desk/welcome/", newOwner(link))
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/desk/" {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	if res, body := app.Desk(cookieOf(t, res), "/desk/", ""); res.StatusCode != http.StatusOK || !strings.Contains(body, "Hello, Ada") || !strings.Contains(body, "Ada&#39;s garden") {
		t.Errorf("the desk: %d %s", res.StatusCode, body)
	}
	for _, collection := range []string{schema.Staff, core.CollectionNameSuperusers} {
		res, body := app.JSON(http.MethodPost, "/api/collections/"+collection+"/auth-with-password", "", `{"identity":"ada@example.com","password":"three quiet herons"}`)
		if res.StatusCode != http.StatusOK {
			t.Errorf("%s: %d %s", collection, res.StatusCode, body)
		}
	}
	ada, err := app.FindAuthRecordByEmail(schema.Staff, "ada@example.com")
	if err != nil || ada.GetString("role") != "owner" || !ada.GetBool("active") || !ada.Verified() || ada.GetDateTime("last_sign_in").IsZero() {
		t.Errorf("%v, %v", ada, err)
	}
	if site, _ := settings.LoadSite(app); site.Title != "Ada's garden" || app.Settings().Meta.AppName != "Ada's garden" || app.Settings().Meta.AppURL != "http://example.com" {
		t.Errorf("%+v %+v", site, app.Settings().Meta)
	}
	for _, used := range []string{link, "/desk/welcome/"} {
		form := ""
		if used == "/desk/welcome/" {
			form = newOwner(link, "email", "eve@example.com")
		}
		if res, body := app.Desk("", used, form); res.StatusCode != http.StatusNotFound || !strings.Contains(body, "does not work any more") {
			t.Errorf("used again, %s answers %d", used, res.StatusCode)
		}
	}
	if next, err := desk.WelcomeLink(app, time.Now()); err != nil || next != "" {
		t.Errorf("with an owner there is a link %q, %v", next, err)
	}
}

func TestTheFirstStartsLinkDies(t *testing.T) {
	t.Parallel()
	app, link := unowned(t)
	second, err := desk.WelcomeLink(app, time.Now().Add(-31*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	for name, dead := range map[string]string{"before the last": link, "after 30 minutes": second, "made up": "/desk/welcome/?token=abc", "none": "/desk/welcome/"} {
		if res, _ := app.Desk("", dead, ""); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	for name, own := range map[string]func(){
		"a superuser": func() { sitetest.Superuser(t, app) },
		"an owner":    func() { sitetest.Staff(t, app, roles.Owner) },
	} {
		app, link := app, link
		if name == "an owner" {
			app, link = unowned(t)
		} else if link, err = desk.WelcomeLink(app, time.Now()); err != nil {
			t.Fatal(err)
		}
		if res, _ := app.Desk("", link, ""); res.StatusCode != http.StatusOK {
			t.Fatalf("before %s: %d", name, res.StatusCode)
		}
		if name == "an owner" {
			sitetest.Staff(t, app, roles.Owner)
		} else {
			own()
		}
		if res, _ := app.Desk("", "/desk/welcome/", newOwner(link)); res.StatusCode != http.StatusNotFound {
			t.Errorf("once there is %s: %d", name, res.StatusCode)
		}
	}
}

func TestTheFirstStartsFormSaysWhatIsMissing(t *testing.T) {
	t.Parallel()
	app, link := unowned(t)
	for field, c := range map[string][2]string{
		"title": {"", "Give your site a title"}, "name": {" ", "Write the name"}, "email": {"ada", "Write an e-mail address"}, "password": {"12345678", "first passwords that anybody tries"},
	} {
		res, body := app.Desk("", "/desk/welcome/", newOwner(link, field, c[0]))
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, c[1]) || !strings.Contains(body, `id="f-`+field+`-error"`) {
			t.Errorf("%s: %d %s", field, res.StatusCode, body)
		}
		if strings.Contains(body, "three quiet herons") || strings.Contains(body, "12345678") {
			t.Error("the password is sent back")
		}
	}
	if n, _ := app.CountRecords(schema.Staff); n != 0 {
		t.Errorf("%d accounts were made", n)
	}
	if res, _ := app.Desk("", "/desk/welcome/", newOwner(link)); res.StatusCode != http.StatusSeeOther {
		t.Errorf("after mistakes the link answers %d", res.StatusCode)
	}
}

func TestTheLinkIsOnNoPublicPage(t *testing.T) {
	t.Parallel()
	app, link := unowned(t)
	_, token, _ := strings.Cut(link, "token=")
	for _, path := range []string{"/", "/desk/", "/desk/sign-in/", "/robots.txt", "/sitemap.xml", "/healthz"} {
		if res, body := app.Get(path, "Accept", "text/html"); strings.Contains(body+res.Header.Get("Location"), token) {
			t.Errorf("%s shows the link", path)
		}
	}
}
