package content_test

import (
	"errors"
	"testing"

	"bungalow/hooks/content"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	validation "github.com/pocketbase/ozzo-validation/v4"
)

func TestRedirectsThatWouldCircleAreRefused(t *testing.T) {
	t.Parallel()
	type redirect struct {
		from, to string
		prefix   bool
	}
	cases := []struct {
		name     string
		standing []redirect
		adding   redirect
		refused  bool
	}{
		{"there and back", []redirect{{"/a", "/b", false}}, redirect{"/b", "/a", false}, true},
		{"round three corners", []redirect{{"/a", "/b", false}, {"/b", "/c", false}}, redirect{"/c", "/a/", false}, true},
		{"back below a standing prefix", []redirect{{"/a", "/b", true}}, redirect{"/b/x", "/a/x", false}, true},
		{"a prefix over one that leads back", []redirect{{"/b/x", "/a/x", false}}, redirect{"/a", "/b", true}, true},
		{"a prefix against a longer one", []redirect{{"/b/x", "/a/x", true}}, redirect{"/a", "/b", true}, true},
		{"two prefixes that grow", []redirect{{"/b", "/a", true}}, redirect{"/a", "/b/x", true}, true},
		{"a prefix with a way round", []redirect{{"/b/x", "/a", false}}, redirect{"/a", "/b", true}, false},
		{"one that an exact one goes before", []redirect{{"/a/x", "/c", false}, {"/b/x", "/a/x", false}}, redirect{"/a", "/b", true}, false},
		{"a chain", []redirect{{"/b", "/c", false}, {"/c", "/d", false}}, redirect{"/a", "/b", false}, false},
		{"elsewhere and back in name only", []redirect{{"/b", "https://other.example/a", false}}, redirect{"/a", "/b", false}, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			app := sitetest.New(t)
			add := func(r redirect) error {
				_, err := sitetest.TryMake(app, schema.Redirects, map[string]any{"from": r.from, "to": r.to, "prefix": r.prefix})
				return err
			}
			for _, r := range c.standing {
				if err := add(r); err != nil {
					t.Fatal(err)
				}
			}
			var fields validation.Errors
			if err := add(c.adding); c.refused != errors.As(err, &fields) || c.refused != (fields["to"] != nil) {
				t.Errorf("got %v, refused should be %v", err, c.refused)
			}
		})
	}
}

func TestAMovedPageLeavesRedirectsForItselfAndItsChildren(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	about := sitetest.Make(t, app, schema.Pages, post("About"))
	sitetest.Make(t, app, schema.Pages, post("Team", "parent", about.Id))
	move := func(slug string) {
		t.Helper()
		about.Set("slug", slug)
		if err := app.Save(about); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(from, want string) {
		t.Helper()
		r, found, err := content.FindRedirect(app, from, "")
		if err != nil || (want == "") == found || r.To != want {
			t.Errorf("%s leads to %q (found %v, error %v), want %q", from, r.To, found, err, want)
		}
	}
	move("company")
	expect("/about/", "/company/")
	expect("/about/team/", "/company/team/")
	move("firm") // no chain grows
	expect("/about/", "/firm/")
	expect("/company/team/", "/firm/team/")
	move("about") // back again: the first address is live, the others lead here
	expect("/about/", "")
	expect("/firm/team/", "/about/team/")
}

func TestAPageMayMoveToWhereAPrefixLedToIt(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	about := sitetest.Make(t, app, schema.Pages, post("About"))
	sitetest.Make(t, app, schema.Redirects, map[string]any{"from": "/docs", "to": "/about/", "prefix": true})
	about.Set("slug", "docs")
	if err := app.Save(about); err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{"/about/": "/docs/", "/docs/x/": ""} {
		if r, found, err := content.FindRedirect(app, from, ""); err != nil || r.To != want || found != (want != "") {
			t.Errorf("%s leads to %q, %v", from, r.To, err)
		}
	}
}

func TestTagsAndAuthorsKeepTheirOldAddresses(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	tag := sitetest.Make(t, app, schema.Tags, map[string]any{"name": "Bread"})
	tag.Set("slug", "baking")
	if err := app.Save(tag); err != nil {
		t.Fatal(err)
	}
	if r, _, err := content.FindRedirect(app, "/tag/bread/", ""); err != nil || r.To != "/tag/baking/" {
		t.Errorf("/tag/bread/ leads to %q, %v", r.To, err)
	}
}

func TestRedirects(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	for _, fields := range []map[string]any{
		{"from": "/old/", "to": "/new/"},
		{"from": "/docs", "to": "https://docs.example.com/v2/", "prefix": true, "status": "302"},
		{"from": "/docs/secret", "status": "410", "prefix": true},
		{"from": "/?p=12", "to": "/blog/twelve/"},
	} {
		sitetest.Make(t, app, schema.Redirects, fields)
	}
	cases := []struct {
		path, query, to string
		status          int
	}{
		{"/old", "", "/new/", 301},
		{"/old/", "utm_source=x", "/new/", 301},
		{"/docs/", "", "https://docs.example.com/v2/", 302},
		{"/docs/a b/c", "", "https://docs.example.com/v2/a%20b/c/", 302},
		{"/docs/file.pdf", "", "https://docs.example.com/v2/file.pdf", 302},
		{"/docs//evil.example", "", "https://docs.example.com/v2/evil.example", 302},
		{"/docs/secret/x/", "", "/", 410},
		{"/", "p=12", "/blog/twelve/", 301},
		{"/", "p=13", "", 0},
		{"/", "", "", 0},
		{"/docsx/", "", "", 0},
	}
	for _, c := range cases {
		r, found, err := content.FindRedirect(app, c.path, c.query)
		if err != nil || found != (c.status != 0) || r.Status != c.status || c.status != 410 && r.To != c.to {
			t.Errorf("%s?%s gives %+v, %v, %v", c.path, c.query, r, found, err)
		}
	}
	r, _, _ := content.FindRedirect(app, "/old", "")
	for range 3 {
		content.CountHit(app, r.ID)
	}
	if err := content.FlushHits(app); err != nil {
		t.Fatal(err)
	}
	record, err := app.FindRecordById(schema.Redirects, r.ID)
	if err != nil || record.GetInt("hits") != 3 {
		t.Errorf("hits are %v, %v", record.GetInt("hits"), err)
	}
}
