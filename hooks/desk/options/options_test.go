package options_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/spam"
)

// owner is a site with the cookie of its owner.
func owner(t *testing.T) (*sitetest.Site, string) {
	t.Helper()
	app := sitetest.New(t)
	person, _ := sitetest.Staff(t, app, roles.Owner)
	return app, sitetest.Cookie(t, app, person)
}

// forms are what the pages hold at the beginning, as a browser sends it.
var forms = map[string]url.Values{
	"site": {"title": {"Corner"}, "tagline": {"x"}, "description": {""}, "locale": {"en"}, "locales": {"de\r\nfr"}, "time_zone": {"Europe/Berlin"},
		"currency": {"usd"}, "posts_per_page": {"12"}, "address": {"https://example.com/"}},
	"appearance": {"accent": {"#334455"}, "logo": {""}, "favicon": {""}},
	"visitors":   {"coming_soon": {"true"}, "coming_soon_text": {"In May."}, "sign_up": {"true"}},
	"mail": {"sender_name": {"Ada"}, "sender_address": {"ada@example.com"}, "way": {"smtp"}, "host": {"smtp.example.com"}, "port": {"465"},
		"tls": {"true"}, "username": {"ada"}, "password": {"hunter2"}, "auth_method": {"PLAIN"}, "local_name": {""}},
	"spam": {"min_seconds": {"5"}, "max_links": {"4"}, "block": {"casino\n192.0.2.0/24"}, "disposable": {""}, "akismet_key": {"sesame"}},
}

// with is a form with one field changed.
func with(name, field, value string) url.Values {
	form := url.Values{}
	for k, v := range forms[name] {
		form[k] = v
	}
	form.Set(field, value)
	return form
}

func TestEveryPageIsDrawnAndSaved(t *testing.T) {
	t.Parallel()
	app, cookie := owner(t)
	_, index := app.Desk(cookie, "/desk/settings/", "")
	for name, form := range forms {
		path := "/desk/settings/" + name + "/"
		if !strings.Contains(index, `href="`+path+`"`) {
			t.Errorf("the index does not lead to %s", path)
		}
		res, body := app.Desk(cookie, path, "")
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%s answers %d %s", path, res.StatusCode, body)
		}
		for field := range form {
			if !strings.Contains(body, `name="`+field+`"`) || !strings.Contains(body, `for="f-`+field+`"`) {
				t.Errorf("%s does not draw %s with a label", path, field)
			}
		}
		if res, body := app.Desk(cookie, path, form.Encode()); res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != path {
			t.Errorf("saving %s answers %d %s", path, res.StatusCode, body)
		}
		if _, body := app.Desk(cookie, path, ""); name != "visitors" && strings.Contains(body, "hunter2") || strings.Contains(body, "sesame") {
			t.Errorf("%s shows a secret", path)
		}
	}
	site, err := settings.LoadSite(app)
	if err != nil || site.Title != "Corner" || site.Currency != "USD" || site.Accent != "#334455" || !site.ComingSoon || strings.Join(site.Locales, " ") != "de fr" {
		t.Errorf("%+v, %v", site, err)
	}
	s := app.Settings()
	if s.Meta.AppURL != "https://example.com" || s.Meta.AppName != "Corner" || !s.SMTP.Enabled || s.SMTP.Password != "hunter2" || s.SMTP.Port != 465 {
		t.Errorf("PocketBase has %+v %+v", s.Meta, s.SMTP)
	}
	if o, err := settings.Load(app, spam.Feature, spam.Defaults()); err != nil || o.AkismetKey != "sesame" || o.MinSeconds != 5 || len(o.Block) != 2 {
		t.Errorf("%+v, %v", o, err)
	}
	if res, _ := app.JSON(http.MethodPost, "/api/collections/users/records", "", `{"email":"v@example.com","password":"12345678","passwordConfirm":"12345678"}`); res.StatusCode != http.StatusOK {
		t.Errorf("signing up answers %d", res.StatusCode)
	}
}

func TestWhatCantBeUsedIsToldBesideItsField(t *testing.T) {
	t.Parallel()
	app, cookie := owner(t)
	for _, c := range []struct{ page, field, value, says string }{
		{"site", "title", "  ", "at least 1"},
		{"site", "title", strings.Repeat("x", 101), "at most 100"},
		{"site", "locale", "English", "language code"},
		{"site", "locales", "de\nDE", "language code"},
		{"site", "time_zone", "Mars/Base", "time zone"},
		{"site", "currency", "€", "at least 3"},
		{"site", "currency", "12a", "three capital letters"},
		{"site", "posts_per_page", "0", "from 1 to 100"},
		{"site", "posts_per_page", "many", "whole number"},
		{"site", "posts_per_page", "1e300", "whole number"},
		{"site", "address", "example.com", "https://"},
		{"site", "address", "javascript:alert(1)", "https://"},
		{"appearance", "accent", "red", "#rrggbb"},
		{"appearance", "logo", "nosuchpicture", "no picture"},
		{"mail", "host", "", "Name the mail server"},
		{"mail", "port", "70000", "from 1 to 65535"},
		{"mail", "sender_address", "Ada <a@b.c>", "not an e-mail address"},
		{"mail", "way", "pigeon", "values of the list"},
		{"spam", "min_seconds", "61", "from 0 to 60"},
		{"spam", "block", "300.1.1.1/99", "block of addresses"},
	} {
		path := "/desk/settings/" + c.page + "/"
		res, body := app.Desk(cookie, path, with(c.page, c.field, c.value).Encode())
		if res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, c.says) || !strings.Contains(body, `id="f-`+c.field+`-error"`) {
			t.Errorf("%s %s=%q answers %d, says %q: %v", c.page, c.field, c.value, res.StatusCode, c.says, strings.Contains(body, c.says))
		}
	}
	// What was typed is there again, a secret is not.
	form := with("mail", "port", "x")
	if _, body := app.Desk(cookie, "/desk/settings/mail/", form.Encode()); !strings.Contains(body, `value="smtp.example.com"`) || strings.Contains(body, "hunter2") {
		t.Error("the form is not as it was sent")
	}
	if n, _ := app.CountRecords(schema.Audit); n != 0 {
		t.Errorf("%d lines in the audit, and nothing was changed", n)
	}
}

func TestASecretStaysUntilItIsReplacedOrRemoved(t *testing.T) {
	t.Parallel()
	app, cookie := owner(t)
	key := func() string {
		o, err := settings.Load(app, spam.Feature, spam.Defaults())
		if err != nil {
			t.Fatal(err)
		}
		return o.AkismetKey
	}
	app.Desk(cookie, "/desk/settings/spam/", forms["spam"].Encode())
	app.Desk(cookie, "/desk/settings/spam/", with("spam", "akismet_key", "").Encode())
	if key() != "sesame" {
		t.Errorf("left empty, it is %q", key())
	}
	form := with("spam", "akismet_key", "")
	form.Set("akismet_key_remove", "true")
	app.Desk(cookie, "/desk/settings/spam/", form.Encode())
	if key() != "" {
		t.Errorf("removed, it is %q", key())
	}
}

func TestTheAuditHasTheFieldsAndNoValues(t *testing.T) {
	t.Parallel()
	app, cookie := owner(t)
	app.Desk(cookie, "/desk/settings/mail/", forms["mail"].Encode())
	line, err := app.FindFirstRecordByData(schema.Audit, "action", "settings.save")
	if err != nil {
		t.Fatal(err)
	}
	if d := line.GetString("detail"); line.GetString("record") != "mail" || !strings.Contains(d, `"password"`) || strings.Contains(d, "hunter2") || strings.Contains(d, "example.com") {
		t.Errorf("%s %s", line.GetString("record"), d)
	}
	app.Desk(cookie, "/desk/settings/mail/", with("mail", "password", "").Encode())
	if n, _ := app.CountRecords(schema.Audit); n != 1 {
		t.Errorf("%d lines after a save that changed nothing", n)
	}
}

func TestUnknownKeysStay(t *testing.T) {
	t.Parallel()
	app, cookie := owner(t)
	sitetest.Make(t, app, schema.Settings, map[string]any{"feature": "site", "value": map[string]any{"title": "A", "of_a_newer_build": 7}})
	app.Desk(cookie, "/desk/settings/site/", forms["site"].Encode())
	record, err := app.FindFirstRecordByData(schema.Settings, "feature", "site")
	if err != nil || !strings.Contains(record.GetString("value"), `"of_a_newer_build":7`) || !strings.Contains(record.GetString("value"), "Corner") {
		t.Errorf("%v, %v", record.GetString("value"), err)
	}
}

func TestARuleOfTheOwnersOwnStays(t *testing.T) {
	t.Parallel()
	app, cookie := owner(t)
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		t.Fatal(err)
	}
	rule := `email ~ "@example.com"`
	users.CreateRule = &rule
	if err := app.Save(users); err != nil {
		t.Fatal(err)
	}
	app.Desk(cookie, "/desk/settings/visitors/", forms["visitors"].Encode())
	if users, _ = app.FindCollectionByNameOrId("users"); users.CreateRule == nil || *users.CreateRule != rule {
		t.Errorf("the rule is %v", users.CreateRule)
	}
	form := with("visitors", "sign_up", "")
	app.Desk(cookie, "/desk/settings/visitors/", form.Encode())
	if users, _ = app.FindCollectionByNameOrId("users"); users.CreateRule != nil {
		t.Error("sign-up is still open")
	}
}

func TestSettingsAreTheOwners(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	editor, _ := sitetest.Staff(t, app, roles.Editor)
	cookie := sitetest.Cookie(t, app, editor)
	for name, form := range forms {
		if res, _ := app.Desk(cookie, "/desk/settings/"+name+"/", ""); res.StatusCode != http.StatusForbidden {
			t.Errorf("an editor sees %s: %d", name, res.StatusCode)
		}
		if res, _ := app.Desk(cookie, "/desk/settings/"+name+"/", form.Encode()); res.StatusCode != http.StatusForbidden {
			t.Errorf("an editor changes %s: %d", name, res.StatusCode)
		}
	}
	if res, _ := app.Desk(cookie, "/desk/settings/nowhere/", ""); res.StatusCode != http.StatusNotFound {
		t.Errorf("a setting that is not there answers %d", res.StatusCode)
	}
}

func TestATestMailIsQueued(t *testing.T) {
	t.Parallel()
	app, cookie := owner(t)
	res, _ := app.Desk(cookie, "/desk/settings/mail/test/", "x=1")
	var n int
	if err := app.DB().NewQuery("SELECT count(*) FROM _mails WHERE template = 'test'").Row(&n); err != nil || n != 1 || res.StatusCode != http.StatusSeeOther {
		t.Errorf("%d mails, %d, %v", n, res.StatusCode, err)
	}
}
