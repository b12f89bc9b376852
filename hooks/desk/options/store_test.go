package options_test

import (
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"bungalow/hooks/kit/spam"
)

var seen = regexp.MustCompile(`name="_seen" value="([^"]*)"`)

// seenOn is what a page says that it was drawn from.
func seenOn(t *testing.T, body string) string {
	t.Helper()
	found := seen.FindStringSubmatch(body)
	if found == nil {
		t.Fatal("the form does not say what it was drawn from")
	}
	return html.UnescapeString(found[1])
}

func TestTwoWhoSaveTheSamePageLoseNothing(t *testing.T) {
	t.Parallel()
	app, ada := owner(t)
	second, _ := sitetest.Staff(t, app, roles.Owner)
	bob := sitetest.Cookie(t, app, second)
	const path = "/desk/settings/site/"
	app.Desk(ada, path, forms["site"].Encode())
	_, drawn := app.Desk(ada, path, "")
	form := func(title, tagline, from string) string {
		f := with("site", "title", title)
		f.Set("tagline", tagline)
		f.Set("_seen", from)
		return f.Encode()
	}
	// Bob changes the title, Ada the tagline: both stand.
	if res, _ := app.Desk(bob, path, form("Bob's corner", "x", seenOn(t, drawn))); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("Bob's answers %d", res.StatusCode)
	}
	if res, body := app.Desk(ada, path, form("Corner", "Ada's line", seenOn(t, drawn))); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("Ada's answers %d %s", res.StatusCode, body)
	}
	if s, _ := settings.LoadSite(app); s.Title != "Bob's corner" || s.Tagline != "Ada's line" {
		t.Errorf("stored are %q and %q", s.Title, s.Tagline)
	}
	// Both change the title, and Bob something that Ada does not.
	_, drawn = app.Desk(ada, path, "")
	app.Desk(bob, path, form("Bob's house", "Bob's line", seenOn(t, drawn)))
	res, body := app.Desk(ada, path, form("Ada's house", "Ada's line", seenOn(t, drawn)))
	if res.StatusCode != http.StatusConflict || !strings.Contains(body, "Bob&#39;s house") || !strings.Contains(body, `value="Ada&#39;s house"`) || strings.Contains(body, `id="f-tagline-error"`) {
		t.Fatalf("a clash answers %d, and shows theirs: %v, mine: %v", res.StatusCode, strings.Contains(body, "Bob&#39;s house"), strings.Contains(body, `value="Ada&#39;s house"`))
	}
	if s, _ := settings.LoadSite(app); s.Title != "Bob's house" {
		t.Errorf("the clash stored %q", s.Title)
	}
	// Having seen it, Ada decides; what only Bob changed stays Bob's.
	if res, _ := app.Desk(ada, path, form("Ada's house", "Ada's line", seenOn(t, body))); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the second time answers %d", res.StatusCode)
	}
	if s, _ := settings.LoadSite(app); s.Title != "Ada's house" || s.Tagline != "Bob's line" {
		t.Errorf("stored are %q and %q", s.Title, s.Tagline)
	}
	if n, _ := app.CountRecords(schema.Audit); n != 5 {
		t.Errorf("%d lines in the audit", n)
	}
}

func TestASecretClashesWithoutBeingShown(t *testing.T) {
	t.Parallel()
	app, cookie := owner(t)
	const path = "/desk/settings/spam/"
	_, drawn := app.Desk(cookie, path, "")
	form := func(key, from string) string {
		f := with("spam", "akismet_key", key)
		f.Set("_seen", from)
		return f.Encode()
	}
	app.Desk(cookie, path, form("theirs", seenOn(t, drawn)))
	res, body := app.Desk(cookie, path, form("mine", seenOn(t, drawn)))
	if res.StatusCode != http.StatusConflict || strings.Contains(body, "theirs\"") || strings.Contains(body, `value="mine"`) || !strings.Contains(body, `id="f-akismet_key-error"`) {
		t.Errorf("a clash answers %d", res.StatusCode)
	}
	for typed, want := range map[string]string{"": "theirs", "mine": "mine"} {
		app.Desk(cookie, path, form("theirs", "{}"))
		app.Desk(cookie, path, form(typed, seenOn(t, body)))
		if o, err := settings.Load(app, spam.Feature, spam.Defaults()); err != nil || o.AkismetKey != want {
			t.Errorf("having typed %q it is %q, %v", typed, o.AkismetKey, err)
		}
	}
}

// Whatever a form says that it was drawn from, the page answers.
func TestADamagedMarkIsNone(t *testing.T) {
	t.Parallel()
	app, cookie := owner(t)
	for _, from := range []string{"x", "null", "[]", `{"title":7}`, `{"title":"zz","nowhere":"y"}`, strings.Repeat("{", 10000)} {
		f := url.Values{}
		for k, v := range forms["site"] {
			f[k] = v
		}
		f.Set("_seen", from)
		if res, _ := app.Desk(cookie, "/desk/settings/site/", f.Encode()); res.StatusCode != http.StatusSeeOther && res.StatusCode != http.StatusConflict {
			t.Errorf("%.40q answers %d", from, res.StatusCode)
		}
	}
}
