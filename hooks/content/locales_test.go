package content_test

import (
	"net/http"
	"strings"
	"testing"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
)

// speak changes the languages of the site.
func speak(t *testing.T, app *sitetest.Site, locale string, others ...string) error {
	t.Helper()
	s, err := settings.LoadSite(app)
	if err != nil {
		t.Fatal(err)
	}
	s.Locale, s.Locales = locale, others
	return settings.Save(app, settings.SiteFeature, s)
}

func answers(t *testing.T, app *sitetest.Site, path string, status int, location string) {
	t.Helper()
	if res, _ := app.Get(path); res.StatusCode != status || res.Header.Get("Location") != location {
		t.Errorf("%s answers %d %s, want %d %s", path, res.StatusCode, res.Header.Get("Location"), status, location)
	}
}

func TestASiteThatTurnsToAnotherLanguageKeepsItsAddresses(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	sitetest.Make(t, app, schema.Posts, post("Hello"))
	about := sitetest.Make(t, app, schema.Pages, post("About"))
	sitetest.Make(t, app, schema.Pages, post("Team", "parent", about.Id))
	if err := speak(t, app, "de"); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/blog/hello/", "/about/", "/about/team/"} {
		answers(t, app, path, http.StatusOK, "")
	}
	if _, body := app.Get("/blog/hello/"); !strings.Contains(body, `<html lang="de"`) {
		t.Error("the post is not German")
	}
	if res, body := app.Get("/api/site/search?q=hello"); res.StatusCode != 200 || !strings.Contains(body, `"totalItems":1`) {
		t.Errorf("the search finds %s", body)
	}
}

func TestTwoLanguagesChangePlaces(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	if err := speak(t, app, "en", "de"); err != nil {
		t.Fatal(err)
	}
	sitetest.Make(t, app, schema.Posts, post("Hello"))
	sitetest.Make(t, app, schema.Posts, post("Hallo", "locale", "de"))
	if err := speak(t, app, "de", "en"); err != nil {
		t.Fatal(err)
	}
	answers(t, app, "/en/blog/hello/", http.StatusOK, "")
	answers(t, app, "/blog/hallo/", http.StatusOK, "")
	answers(t, app, "/blog/hello/", http.StatusMovedPermanently, "/en/blog/hello/")
	answers(t, app, "/de/blog/hallo/", http.StatusMovedPermanently, "/blog/hallo/")
}

func TestALanguageDoesNotHideAPage(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	sitetest.Make(t, app, schema.Pages, post("Italy", "slug", "it"))
	if err := speak(t, app, "en", "it"); err == nil || !strings.Contains(err.Error(), "/it/") {
		t.Errorf("got %v", err)
	}
	answers(t, app, "/it/", http.StatusOK, "")
}
