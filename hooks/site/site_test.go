package site_test

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bungalow/hooks"
	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// furnished is a site with a little of everything.
func furnished(t testing.TB, without ...string) *sitetest.Site {
	t.Helper()
	app := sitetest.New(t, without...)
	s := settings.SiteDefaults()
	s.Title, s.Tagline, s.Locales, s.PostsPerPage = "Corner Bakery", "Bread & books", []string{"de"}, 3
	if err := settings.Save(app, settings.SiteFeature, s); err != nil {
		t.Fatal(err)
	}
	tag := sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Bread"})
	ada := sitetest.Make(t, app, schema.Authors, map[string]any{"name": "Ada Miller", "bio": "Bakes."})
	for i := range 8 {
		sitetest.Make(t, app, schema.Posts, map[string]any{
			"title": fmt.Sprintf("Post %d", i), "body": "Hello [world](/about/).\n\n## One\n\n## Two\n\n## Three\n\n" + strings.Repeat("word ", 700),
			"status": "published", "published_at": fmt.Sprintf("2026-01-0%d 10:00:00.000Z", i+1),
			"tags": []string{tag.Id}, "authors": []string{ada.Id}, "translation_group": fmt.Sprintf("g%d", i),
		})
	}
	sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Beitrag", "slug": "beitrag", "locale": "de", "body": "Guten Tag.", "status": "published", "translation_group": "g0"})
	sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Draft", "body": "Not yet.", "status": "draft"})
	about := sitetest.Make(t, app, schema.Pages, map[string]any{"title": "About", "body": "We bake.", "status": "published"})
	sitetest.Make(t, app, schema.Pages, map[string]any{"title": "Team", "body": "All of us.", "status": "published", "parent": about.Id})
	sitetest.Make(t, app, schema.Menus, map[string]any{"name": "main", "items": []any{map[string]any{"label": "About us", "url": "/about/"}}})
	sitetest.Make(t, app, schema.Redirects, map[string]any{"from": "/gone", "status": "410"})
	sitetest.Make(t, app, schema.Redirects, map[string]any{"from": "/old.php", "to": "/about/"})
	return app
}

func TestEveryAddress(t *testing.T) {
	t.Parallel()
	app := furnished(t)
	cases := []struct {
		path   string
		status int
		want   string // in the body, or the Location
	}{
		{"/", 200, "<title>Corner Bakery – Bread &amp; books</title>"},
		{"/blog/", 200, "Post 7"},
		{"/blog/page/2/", 200, "Post 4"},
		{"/blog/page/3/", 200, "Post 0"},
		{"/blog/page/4/", 404, ""},
		{"/blog/page/1/", 404, ""},
		{"/blog/page/02/", 404, ""},
		{"/blog/page/99999999999999999999/", 404, ""},
		{"/blog/post-3/", 200, "<h1>Post 3</h1>"},
		{"/blog/draft/", 404, ""},
		{"/blog/post-3", 308, "/blog/post-3/"},
		{"//blog//post-3", 307, "/blog/post-3"}, // net/http's own, before any handler
		{"/blog/post-3/x/", 404, ""},
		{"/nothing", 404, "Corner Bakery"}, // no detour over /nothing/
		{"/blog/draft", 404, ""}, {"/metrics", 404, ""}, {"/f/contact", 404, ""}, {"/embed/x", 404, ""},
		{"/gone/", 410, ""}, {"/gone", 410, ""}, {"/about", 308, "/about/"}, {"/sitemap.xml/", 308, "/sitemap.xml"},
		{"/assets/css/site.css/", 308, "/assets/css/site.css"}, {"/search?q=hello", 308, "/search/?q=hello"},
		{"/tag/bread/", 200, "Post 7"},
		{"/tag/nothing/", 404, ""},
		{"/tag/bread/page/2/", 200, "Post 4"},
		{"/author/ada-miller/", 200, "Bakes."},
		{"/archive/", 200, "January"},
		{"/about/", 200, "We bake."},
		{"/about/team/", 200, "All of us."},
		{"/team/", 404, ""},
		{"/de/", 200, "Beitrag"},
		{"/de", 308, "/de/"},
		{"/de/blog/beitrag/", 200, `<html lang="de"`},
		{"/blog/beitrag/", 404, ""},
		{"/de/about/", 404, ""},
		{"/search/", 200, "<form"},
		{"/search/?q=hello", 200, "<mark>Hello</mark>"},
		{"/search/?q=hello&page=2", 200, ""},
		{"/search/?q=%22%00*)(&page=-1", 200, ""},
		{"/old.php", 301, "/about/"},
		{"/nothing/", 404, "Corner Bakery"},
		{"/nothing.html", 404, ""},
		{"/assets/css/site.css", 200, "--accent"},
		{"/_theme/layouts/base.html", 404, ""},
		{"/assets/accent.css?c=ff0000", 200, "#ff0000"},
		{"/assets/accent.css?c=red;}", 404, ""},
		{"/" + strings.Repeat("a/", 3000), 404, ""},
		{"/feed.xml", 200, "<feed"}, {"/rss.xml", 200, "<rss"}, {"/feed.json", 200, "jsonfeed.org"},
		{"/de/feed.xml", 200, "Beitrag"}, {"/tag/bread/feed.xml", 200, "<feed"},
		{"/sitemap.xml", 200, "/blog/post-3/"}, {"/sitemap-1.xml", 200, "<urlset"}, {"/sitemap-2.xml", 404, ""},
		{"/robots.txt", 200, "Sitemap: http://example.com/sitemap.xml"},
		{"/healthz", 200, "ok"}, {"/readyz", 200, "ready"},
		{"/api/nothing", 404, `"status":404`},
	}
	for _, c := range cases {
		for range 2 { // made, then from memory
			res, body := app.Get(c.path)
			if res.StatusCode != c.status {
				t.Errorf("%.60s answers %d, want %d\n%.300s", c.path, res.StatusCode, c.status, body)
				break
			}
			if location := res.Header.Get("Location"); res.StatusCode/100 == 3 && location != c.want {
				t.Errorf("%s leads to %q, want %q", c.path, location, c.want)
			} else if res.StatusCode/100 != 3 && !strings.Contains(body, c.want) {
				t.Errorf("%s has no %q:\n%.2000s", c.path, c.want, body)
			}
		}
	}
}

func TestHeadersOfAPage(t *testing.T) {
	t.Parallel()
	app := furnished(t)
	for _, path := range []string{"/", "/blog/post-1/", "/nothing/", "/search/?q=x"} {
		res, body := app.Get(path)
		for name, want := range map[string]string{
			"Content-Security-Policy": "script-src 'self'", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "origin",
			"Permissions-Policy": "camera=()", "X-Frame-Options": "SAMEORIGIN", "Content-Type": "text/html", "Content-Language": "en",
		} {
			if !strings.Contains(res.Header.Get(name), want) {
				t.Errorf("%s: %s is %q", path, name, res.Header.Get(name))
			}
		}
		if strings.Contains(res.Header.Get("Content-Security-Policy"), "unsafe") {
			t.Errorf("%s allows something unsafe", path)
		}
		if strings.Contains(body, " style=") || strings.Contains(body, "<style") || strings.Contains(body, " onclick=") {
			t.Errorf("%s has something inline", path)
		}
	}
}

func TestAChangeShowsOnTheNextRequest(t *testing.T) {
	t.Parallel()
	app := furnished(t)
	see := func(path, want string, there bool) {
		t.Helper()
		_, body := app.Get(path)
		if strings.Contains(body, want) != there {
			t.Errorf("%s: %q there is %v, want %v", path, want, !there, there)
		}
	}
	edit := func(collection, field, value, newField string, newValue any) {
		t.Helper()
		r, err := app.FindFirstRecordByData(collection, field, value)
		if err != nil {
			t.Fatal(err)
		}
		r.Set(newField, newValue)
		if err := app.Save(r); err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range []string{"/", "/blog/", "/blog/post-7/", "/tag/bread/", "/feed.xml", "/archive/", "/about/"} {
		app.Get(path)
	}
	edit(schema.Posts, "slug", "post-7", "title", "Renamed")
	for _, path := range []string{"/", "/blog/", "/blog/post-7/", "/tag/bread/", "/feed.xml", "/archive/", "/blog/post-6/"} {
		see(path, "Renamed", true)
	}
	edit(schema.Tags, "slug", "bread", "name", "Loaves")
	see("/blog/post-7/", "Loaves", true)
	edit(schema.Menus, "name", "main", "items", []any{map[string]any{"label": "Who we are", "url": "/about/"}})
	see("/blog/post-7/", "Who we are", true)
	see("/nothing/", "Who we are", true)
	edit(schema.Posts, "slug", "post-7", "status", "draft")
	see("/", "Renamed", false)
	if res, _ := app.Get("/blog/post-7/"); res.StatusCode != http.StatusNotFound {
		t.Errorf("a withdrawn post answers %d", res.StatusCode)
	}
	s, _ := settings.LoadSite(app)
	s.Title, s.Accent = "Bakery & Books", "#aa3366"
	if err := settings.Save(app, settings.SiteFeature, s); err != nil {
		t.Fatal(err)
	}
	see("/blog/post-6/", "Bakery &amp; Books", true)
	see("/blog/post-6/", "/assets/accent.css?c=aa3366", true)
}

func TestConditionalAndCompressed(t *testing.T) {
	t.Parallel()
	app := furnished(t)
	for _, path := range []string{"/blog/post-1/", "/feed.xml", "/rss.xml", "/feed.json"} {
		res, body := app.Get(path)
		tag := res.Header.Get("ETag")
		if tag == "" || body == "" {
			t.Errorf("%s has no ETag", path)
		}
		if again, body := app.Get(path, "If-None-Match", tag); again.StatusCode != http.StatusNotModified || body != "" {
			t.Errorf("%s asked again answers %d", path, again.StatusCode)
		}
		if head, body := app.Do(http.MethodHead, path, ""); head.StatusCode != http.StatusOK || body != "" {
			t.Errorf("HEAD %s answers %d with %d bytes", path, head.StatusCode, len(body))
		}
	}
	for _, encoding := range []string{"gzip", "br"} {
		if res, _ := app.Get("/blog/post-1/", "Accept-Encoding", encoding); res.Header.Get("Content-Encoding") != encoding {
			t.Errorf("asked for %s, got %q", encoding, res.Header.Get("Content-Encoding"))
		}
	}
}

func TestFeedsAreWellFormedAndAbsolute(t *testing.T) {
	t.Parallel()
	app := furnished(t)
	for _, path := range []string{"/feed.xml", "/rss.xml", "/tag/bread/feed.xml", "/sitemap.xml"} {
		_, body := app.Get(path)
		if err := xml.Unmarshal([]byte(body), new(struct{ XMLName xml.Name })); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if path != "/sitemap.xml" && !strings.Contains(body, "http://example.com/about/") {
			t.Errorf("%s keeps a relative link", path)
		}
	}
	_, body := app.Get("/feed.json")
	var feed struct {
		Items []struct {
			ID, URL string
			HTML    string `json:"content_html"`
		}
	}
	if err := json.Unmarshal([]byte(body), &feed); err != nil || len(feed.Items) != 8 {
		t.Fatalf("%v, %d items", err, len(feed.Items))
	}
	if feed.Items[0].URL != "http://example.com/blog/post-7/" || !strings.Contains(feed.Items[0].HTML, `href="http://example.com/about/"`) {
		t.Errorf("%+v", feed.Items[0])
	}
}

func TestSearchEnginesAreTold(t *testing.T) {
	t.Parallel()
	app := furnished(t)
	_, body := app.Get("/blog/post-0/")
	for _, want := range []string{
		`<link rel="canonical" href="http://example.com/blog/post-0/">`,
		`<meta property="og:type" content="article">`, `"@type":"Article"`, `"@type":"BreadcrumbList"`,
		`hreflang="de" href="http://example.com/de/blog/beitrag/"`, `hreflang="x-default"`,
		`type="application/atom&#43;xml"`, `rel="next" href="/blog/post-1/"`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %s in\n%.3000s", want, body)
		}
	}
	if _, body := app.Get("/search/?q=x"); !strings.Contains(body, `content="noindex"`) {
		t.Error("the search asks to be indexed")
	}
}

func TestOnRenderAndOnServed(t *testing.T) {
	t.Parallel()
	// The engine drops pages once more a moment after each commit, which this counts.
	app := furnished(t, "engine")
	var served []events.Served
	events.OnServed(app).BindFunc(func(e *events.ServedEvent) error {
		served = append(served, e.Served)
		return e.Next()
	})
	renders := 0
	events.OnRender(app).BindFunc(func(e *events.RenderEvent) error {
		renders++
		if e.Page == "post" && e.Record.GetString("slug") == "post-1" {
			e.NoStore()
		}
		return e.Next()
	})
	for range 2 {
		app.Get("/about/", "User-Agent", "Test/1", "Referer", "https://example.org/")
		app.Get("/blog/post-1/")
	}
	if renders != 3 || len(served) != 4 {
		t.Fatalf("%d renders, %d served", renders, len(served))
	}
	if s := served[2]; s.Path != "/about/" || !s.Cached || s.Status != 200 || s.UserAgent != "Test/1" || s.Referrer != "https://example.org/" || s.Page != "page" {
		t.Errorf("%+v", s)
	}
}

func TestMemoryAnswersOnlyWhatTheRouterWould(t *testing.T) {
	t.Parallel()
	// The engine drops pages once more a moment after each commit, which this counts.
	app := furnished(t, "engine")
	app.Get("/about/")
	cached := func(path string, header ...string) bool {
		t.Helper()
		was := false
		id := events.OnServed(app).BindFunc(func(e *events.ServedEvent) error {
			was = e.Cached
			return e.Next()
		})
		defer events.OnServed(app).Unbind(id)
		app.Get(path, header...)
		return was
	}
	if !cached("/about/") {
		t.Error("a stranger's second request was not answered from memory")
	}
	if token := sitetest.Superuser(t, app); cached("/about/", "Authorization", token) {
		t.Error("a superuser got the strangers' page")
	}
	app.Settings().Meta.AppURL = "https://bakery.example"
	if err := app.Save(app.Settings()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, body := app.Get("/about/"); !strings.Contains(body, `href="https://bakery.example/about/"`) {
			t.Error("the canonical address is not the site's own")
		}
	}
}

func TestAFileOfTheOwnerWinsOverAPageInMemory(t *testing.T) {
	t.Parallel()
	app := furnished(t)
	app.Get("/about/")
	file := filepath.Join(app.DataDir(), "pb_public", "about", "index.html")
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("my own page"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, body := app.Get("/about/"); body != "my own page" {
		t.Errorf("got %.100s", body)
	}
}

func TestWithoutContentTheSiteStands(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t, "content", "comments")
	for path, status := range map[string]int{"/": 200, "/blog/": 404, "/x/": 404, "/search/?q=a": 404, "/sitemap.xml": 200, "/robots.txt": 200, "/feed.xml": 404} {
		if res, body := app.Get(path); res.StatusCode != status {
			t.Errorf("%s answers %d\n%.300s", path, res.StatusCode, body)
		}
	}
}

func TestStrangersNeverGetAServerError(t *testing.T) {
	t.Parallel()
	app := furnished(t)
	for _, path := range []string{"/%00", "/%ff%fe", "/..%2f..%2fetc/passwd", "/a%0d%0ab", "/?p=%00", "/?notice=<x>", "/blog/%E2%80%AE/", "/_theme/", "/.git/config", "/%5c%5cevil", "/search/?q=%ff&page=99999999999999"} {
		res, body := app.Get(path)
		if res.StatusCode >= 500 {
			t.Errorf("%s answers %d\n%.300s", path, res.StatusCode, body)
		}
	}
}

func TestAFailureShowsThePageOfFailures(t *testing.T) {
	t.Parallel()
	app := furnished(t)
	fails := true
	events.OnRender(app).BindFunc(func(e *events.RenderEvent) error {
		if fails && e.Page == "page" {
			return errors.New("secret detail")
		}
		return e.Next()
	})
	res, body := app.Get("/about/")
	if res.StatusCode != http.StatusInternalServerError || !strings.Contains(body, "<h1") || strings.Contains(body, "secret detail") {
		t.Errorf("%d %.300s", res.StatusCode, body)
	}
	if res.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("a failure may be kept: %s", res.Header.Get("Cache-Control"))
	}
	fails = false
	if res, _ := app.Get("/about/"); res.StatusCode != http.StatusOK {
		t.Errorf("after the failure it answers %d", res.StatusCode)
	}
}

func TestASinglePageAppGetsItsIndex(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "index.html"), []byte("the app"), 0o600); err != nil {
		t.Fatal(err)
	}
	for fallback, want := range map[bool]int{true: http.StatusOK, false: http.StatusNotFound} {
		app := sitetest.NewWith(t, hooks.Config{PublicDir: dir, IndexFallback: fallback})
		for _, path := range []string{"/some/state/", "/some/state"} {
			if res, body := app.Get(path); res.StatusCode != want || fallback != (body == "the app") {
				t.Errorf("fallback %v, %s: %d %.100s", fallback, path, res.StatusCode, body)
			}
		}
		if _, body := app.Get("/"); body != "the app" {
			t.Errorf("the home page is %.100s", body)
		}
		if res, _ := app.Get("/api/nothing"); res.StatusCode != http.StatusNotFound {
			t.Errorf("the API answers %d", res.StatusCode)
		}
	}
}

func TestTooManyRequestsSaysWhenToComeBack(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	s := app.Settings()
	s.RateLimits.Enabled = true
	s.RateLimits.Rules = []core.RateLimitRule{{Label: "/api/", MaxRequests: 2, Duration: 60}}
	if err := app.Save(s); err != nil {
		t.Fatal(err)
	}
	for n := range 4 {
		res, _ := app.Get("/api/site/search?q=x")
		if limited := n >= 2; limited != (res.StatusCode == http.StatusTooManyRequests) || limited != (res.Header.Get("Retry-After") != "") {
			t.Errorf("request %d: %d, Retry-After %q", n, res.StatusCode, res.Header.Get("Retry-After"))
		}
	}
}

// A post once stood in the sitemap at an address that answered 404.
func TestTheSitemapHasNoLanguageThatTheSiteLacks(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Bonjour", "locale": "fr", "status": "published"})
	sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Hello", "status": "published"})
	if _, body := app.Get("/sitemap.xml"); strings.Contains(body, "bonjour") || !strings.Contains(body, "/blog/hello/") {
		t.Errorf("the sitemap is %s", body)
	}
}

func TestALargeSitemapIsSplit(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	_, err := app.NonconcurrentDB().NewQuery(`INSERT INTO posts (id, title, slug, locale, status, published_at, updated)
		SELECT printf('p%014d', value), 'x', 'p' || value, 'en', 'published', '2026-01-01 00:00:00.000Z', '2026-01-01 00:00:00.000Z'
		FROM (WITH RECURSIVE n(value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 50010) SELECT value FROM n)`).Execute()
	if err != nil {
		t.Fatal(err)
	}
	_, index := app.Get("/sitemap.xml")
	if strings.Count(index, "<sitemap>") != 2 || !strings.Contains(index, "http://example.com/sitemap-2.xml") {
		t.Fatalf("the index is %.500s", index)
	}
	_, first := app.Get("/sitemap-1.xml")
	_, second := app.Get("/sitemap-2.xml")
	if a, b := strings.Count(first, "<url>"), strings.Count(second, "<url>"); a != 50_000 || a+b != 50_011 {
		t.Errorf("the parts hold %d and %d addresses", a, b)
	}
}

// A search that is given up says so: what it would find is not "nothing".
func TestASlowSearchIsNotAnEmptyOne(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Bread", "body": "Flour.", "status": schema.StatusPublished})
	for _, query := range []string{
		"ALTER TABLE content_search_docs RENAME TO _docs",
		`CREATE VIEW content_search_docs AS WITH RECURSIVE forever(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM forever)
			SELECT _docs.* FROM _docs JOIN forever`,
	} {
		if _, err := app.NonconcurrentDB().NewQuery(query).Execute(); err != nil {
			t.Fatal(err)
		}
	}
	res, body := app.Get("/search/?q=bread")
	if res.StatusCode != http.StatusServiceUnavailable || !strings.Contains(body, "took too long") || strings.Contains(body, "Nothing found") {
		t.Errorf("%d\n%s", res.StatusCode, body)
	}
}
