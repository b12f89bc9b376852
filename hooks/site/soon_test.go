package site_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bungalow/hooks"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

func comingSoon(t *testing.T, app core.App, on bool, text string) {
	t.Helper()
	s, err := settings.LoadSite(app)
	if err != nil {
		t.Fatal(err)
	}
	s.ComingSoon, s.ComingSoonText = on, text
	if err := settings.Save(app, settings.SiteFeature, s); err != nil {
		t.Fatal(err)
	}
}

var publicPages = []string{"/", "/blog/", "/blog/post-1/", "/blog/post-1", "/about/", "/de/", "/feed.xml", "/rss.xml", "/feed.json", "/sitemap.xml", "/robots.txt", "/search/?q=post", "/nowhere/", "/old.php", "/blog/?notice=sent", "/?preview=x"}

func TestAClosedSiteShowsOnePageToVisitors(t *testing.T) {
	t.Parallel()
	app := furnished(t)
	for _, path := range publicPages { // so that they are in memory
		app.Get(path)
	}
	comingSoon(t, app, true, "In <May>.")
	for round := range 2 { // made, and then from memory
		for _, path := range publicPages {
			res, body := app.Get(path)
			if res.StatusCode != http.StatusServiceUnavailable || res.Header.Get("Retry-After") == "" || res.Header.Get("Cache-Control") != "no-store" ||
				!strings.Contains(body, "In &lt;May&gt;.") || strings.Contains(body, "Post 1") {
				t.Errorf("round %d: %s answers %d %v %.200s", round, path, res.StatusCode, res.Header, body)
			}
		}
	}
	if res, _ := app.Get("/assets/css/site.css"); res.StatusCode != http.StatusOK {
		t.Errorf("the style sheet of the page answers %d", res.StatusCode)
	}
	if res, _ := app.Get("/healthz"); res.StatusCode != http.StatusOK {
		t.Errorf("the process is alive and answers %d", res.StatusCode)
	}
	comingSoon(t, app, false, "")
	for path, want := range map[string]int{"/": 200, "/blog/post-1/": 200, "/blog/post-1": 308, "/feed.xml": 200, "/sitemap.xml": 200, "/nowhere/": 404} {
		if res, _ := app.Get(path); res.StatusCode != want {
			t.Errorf("opened, %s answers %d, want %d", path, res.StatusCode, want)
		}
	}
}

func TestStaffSeeAClosedSiteAndLeaveNothingInMemory(t *testing.T) {
	t.Parallel()
	app := furnished(t)
	comingSoon(t, app, true, "")
	author, token := sitetest.Staff(t, app, roles.Author)
	cookie := sitetest.Cookie(t, app, author)
	for path, want := range map[string]int{"/": 200, "/blog/post-1/": 200, "/blog/post-1": 308, "/feed.xml": 200, "/nowhere/": 404, "/search/?q=post": 200} {
		for _, header := range [][]string{{"Cookie", cookie}, {"Authorization", token}} {
			res, _ := app.Get(path, header...)
			if res.StatusCode != want || want == 200 && res.Header.Get("Cache-Control") != "private, no-store" {
				t.Errorf("to staff %s answers %d %q, want %d", path, res.StatusCode, res.Header.Get("Cache-Control"), want)
			}
		}
		if res, body := app.Get(path); res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a visitor then gets %d %.100s", res.StatusCode, body)
		}
	}
	for _, forged := range []string{"session=x", "session=" + strings.Repeat("a", 43)} {
		if res, _ := app.Get("/", "Cookie", forged); res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("a made-up session opens the site: %d", res.StatusCode)
		}
	}
	author.Set("active", false)
	if err := app.Save(author); err != nil {
		t.Fatal(err)
	}
	if res, _ := app.Get("/", "Cookie", cookie); res.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("somebody who left still sees the site: %d", res.StatusCode)
	}
}

func TestAClosedSiteHidesTheOwnersPagesToo(t *testing.T) {
	t.Parallel()
	public := t.TempDir()
	for name, text := range map[string]string{"index.html": "mine", "app.js": "1", "docs/index.html": "mine", "page.html": "mine"} {
		path := filepath.Join(public, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	app := sitetest.NewWith(t, hooks.Config{PublicDir: public, IndexFallback: true})
	comingSoon(t, app, true, "")
	for _, path := range []string{"/", "/docs/", "/docs", "/page.html", "/elsewhere/"} {
		if res, body := app.Get(path); res.StatusCode != http.StatusServiceUnavailable || strings.Contains(body, "mine") {
			t.Errorf("%s answers %d %.80s", path, res.StatusCode, body)
		}
	}
	if res, _ := app.Get("/app.js"); res.StatusCode != http.StatusOK {
		t.Errorf("a script answers %d", res.StatusCode)
	}
}

func TestTheOwnersSmallPicture(t *testing.T) {
	t.Parallel()
	app := furnished(t)
	if _, body := app.Get("/"); !strings.Contains(body, `rel="icon" href="/assets/img/favicon.svg`) {
		t.Error("the theme's own is missing")
	}
}
