package content_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bungalow/hooks/content"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

func FuzzSearch(f *testing.F) {
	app := sitetest.New(f)
	sitetest.Make(f, app, schema.Posts, post("Rye bread", "body", "Flour, water, salt and \x02time\x03."))
	for _, q := range []string{"rye", `"`, "a* OR b", "NEAR(a b, 3)", "title:x", "\x00", "ﬁ", "日本語", "e\u0301", "-", strings.Repeat("w ", 300)} {
		f.Add(q)
	}
	f.Fuzz(func(t *testing.T, q string) {
		found, err := content.Search(app, "en", q, 1, 10)
		if err != nil {
			t.Fatalf("%q: %v", q, err)
		}
		for _, i := range found.Items {
			rest := strings.NewReplacer("<mark>", "", "</mark>", "").Replace(i.Snippet)
			if strings.ContainsAny(rest, "<>") {
				t.Fatalf("%q gives the snippet %q", q, i.Snippet)
			}
		}
		res, body := app.Get("/search/?" + url.Values{"q": {q}}.Encode())
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%q answers %d %.200s", q, res.StatusCode, body)
		}
	})
}

func FuzzFindRedirect(f *testing.F) {
	app := sitetest.New(f)
	sitetest.Make(f, app, schema.Redirects, map[string]any{"from": "/old", "to": "/new/", "prefix": true})
	sitetest.Make(f, app, schema.Redirects, map[string]any{"from": "/?p=1", "to": "/one/"})
	for _, p := range []string{"/old/x", "/old//evil.example/", "/old/..//..", "/", "//", "/old/%2e%2e", "/old/\\x", "/old/\r\nSet-Cookie: x"} {
		f.Add(p, "p=1")
	}
	f.Fuzz(func(t *testing.T, path, query string) {
		r, found, err := content.FindRedirect(app, path, query)
		if err != nil {
			t.Fatal(err)
		}
		if found && (!strings.HasPrefix(r.To, "/new/") && r.To != "/one/" || strings.ContainsAny(r.To, "\r\n\\")) {
			t.Fatalf("%q?%q leads to %q", path, query, r.To)
		}
	})
}

func FuzzRedirectRecord(f *testing.F) {
	app := sitetest.New(f)
	f.Add("/a", "/b", true)
	f.Add("/a/", "https://example.com", false)
	f.Add("/a", "//example.com", false)
	f.Add("/x", "java\tscript:alert(1)", false)
	f.Fuzz(func(t *testing.T, from, to string, prefix bool) {
		r, err := sitetest.TryMake(app, schema.Redirects, map[string]any{"from": from, "to": to, "prefix": prefix})
		if err != nil {
			return
		}
		defer func() { _ = app.Delete(r) }()
		u, err := url.Parse(r.GetString("to"))
		if err != nil || u.Scheme != "" && u.Scheme != "http" && u.Scheme != "https" || u.Scheme == "" && u.Host != "" {
			t.Fatalf("a redirect to %q was let in", r.GetString("to"))
		}
		// It must not lead to itself.
		next, found, err := content.FindRedirect(app, u.Path, u.RawQuery)
		if err != nil || found && u.Host == "" && next.ID == r.Id {
			t.Fatalf("%q leads to %q and back (%v)", from, to, err)
		}
	})
}
