package demo_test

import (
	"bytes"
	"image/jpeg"
	"regexp"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/content/demo"
	"bungalow/hooks/content/media"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

func seeded(t *testing.T) *sitetest.Site {
	t.Helper()
	s := sitetest.New(t)
	start := time.Now()
	if err := demo.Seed(s.TestApp); err != nil {
		t.Fatal(err)
	}
	t.Logf("the sample site was written in %v", time.Since(start).Round(time.Millisecond))
	return s
}

func all(t *testing.T, s *sitetest.Site, collection string) []*core.Record {
	t.Helper()
	records, err := s.FindAllRecords(collection)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

// TestTheSample looks at one sample site from several sides.
func TestTheSample(t *testing.T) {
	t.Parallel()
	s := seeded(t)
	for name, look := range map[string]func(*testing.T, *sitetest.Site){
		"is rich and whole":          richAndWhole,
		"shows what Markdown can do": showsMarkdown,
		"links lead somewhere":       linksLead,
		"pictures are served":        picturesAreServed,
		"is the same everywhere":     sameEverywhere,
		"is not written twice":       notTwice,
	} {
		t.Run(name, func(t *testing.T) { look(t, s) })
	}
}

func richAndWhole(t *testing.T, s *sitetest.Site) {
	least := map[string]int{schema.Posts: 50, schema.Pages: 9, schema.Tags: 12, schema.Authors: 4, schema.Menus: 4, schema.Redirects: 5, schema.Media: 50}
	for collection, n := range least {
		if got := len(all(t, s, collection)); got < n {
			t.Errorf("%d %s, want at least %d", got, collection, n)
		}
	}
	status, locales, bodies := map[string]int{}, map[string]int{}, map[string]bool{}
	featured, open := 0, 0
	for _, p := range all(t, s, schema.Posts) {
		status[p.GetString("status")]++
		locales[p.GetString("locale")]++
		if bodies[p.GetString("body")] || len(p.GetString("body")) < 200 {
			t.Errorf("the text of %q is doubled or short", p.GetString("title"))
		}
		bodies[p.GetString("body")] = true
		if p.GetBool("featured") {
			featured++
		}
		if p.GetBool("comments_open") {
			open++
		}
		if p.GetString("status") == schema.StatusPublished && p.GetDateTime("published_at").Time().After(time.Now()) {
			t.Errorf("%q lies in the future", p.GetString("title"))
		}
		if p.GetString("html") == "" || p.GetString("summary") == "" || len(p.GetStringSlice("tags")) == 0 || len(p.GetStringSlice("authors")) != 1 {
			t.Errorf("%q lacks something", p.GetString("title"))
		}
	}
	if status[schema.StatusScheduled] != 1 || status[schema.StatusDraft] != 1 || status[schema.StatusPublished] < 40 || locales["de"] != 4 || featured < 4 || open < 30 {
		t.Errorf("status %v, locales %v, %d featured, %d open", status, locales, featured, open)
	}
}

func showsMarkdown(t *testing.T, s *sitetest.Site) {
	var whole strings.Builder
	for _, c := range []string{schema.Posts, schema.Pages} {
		for _, r := range all(t, s, c) {
			whole.WriteString(r.GetString("html"))
			if left := regexp.MustCompile(`media:|\(/media`).FindString(r.GetString("html")); left != "" {
				t.Errorf("%q has %q left", r.GetString("title"), left)
			}
		}
	}
	for _, want := range []string{"<table", "<blockquote", "<pre", "checkbox", "footnote", "<img", "<ol", "<dl", "<h3", "/media/"} {
		if !strings.Contains(whole.String(), want) {
			t.Errorf("nothing shows %s", want)
		}
	}
}

func linksLead(t *testing.T, s *sitetest.Site) {
	known := map[string]bool{"/blog/": true, "/de/blog/": true, "/archive/": true, "/de/archive/": true, "/de/search/": true, "/feed.xml": true, "/de/feed.xml": true}
	for _, p := range all(t, s, schema.Posts) {
		if p.GetString("status") == schema.StatusPublished {
			known["/blog/"+p.GetString("slug")+"/"] = true
		}
	}
	for _, p := range all(t, s, schema.Pages) {
		known["/"+p.GetString("path")+"/"] = true
		if p.GetString("locale") == "de" {
			known["/de/"+p.GetString("path")+"/"] = true
		}
	}
	for _, m := range all(t, s, schema.Media) {
		known[media.Address(m)] = true
	}
	link := regexp.MustCompile(`(?:\]\(|"url":"|src=")(/[^)"]*)`)
	for _, c := range []struct{ collection, field string }{{schema.Posts, "body"}, {schema.Pages, "body"}, {schema.Menus, "items"}} {
		for _, r := range all(t, s, c.collection) {
			for _, m := range link.FindAllStringSubmatch(r.GetString(c.field), -1) {
				if !known[m[1]] && !strings.HasPrefix(m[1], "/f/") {
					t.Errorf("%s %s leads to %s, which is not there", c.collection, r.GetString("title"), m[1])
				}
			}
		}
	}
}

func sameEverywhere(t *testing.T, one *sitetest.Site) {
	two := seeded(t)
	for _, c := range []string{schema.Posts, schema.Pages, schema.Media, schema.Authors, schema.Tags} {
		a, b := all(t, one, c), all(t, two, c)
		if len(a) != len(b) {
			t.Fatalf("%d and %d %s", len(a), len(b), c)
		}
		other := map[string]*core.Record{}
		for _, r := range b {
			other[r.Id] = r
		}
		for _, r := range a {
			o := other[r.Id]
			if o == nil || o.GetString("html") != r.GetString("html") || o.GetString("file") != r.GetString("file") || o.GetString("published_at") != r.GetString("published_at") {
				t.Errorf("%s %s differs", c, r.GetString("source_key"))
			}
		}
	}
}

func notTwice(t *testing.T, s *sitetest.Site) {
	before := len(all(t, s, schema.Media))
	if err := demo.Seed(s.TestApp); err == nil {
		t.Error("it was written twice")
	}
	if after := len(all(t, s, schema.Media)); after != before {
		t.Errorf("%d media, then %d", before, after)
	}
}

func picturesAreServed(t *testing.T, s *sitetest.Site) {
	post, err := s.FindFirstRecordByData(schema.Posts, "slug", "how-we-price-a-loaf")
	if err != nil {
		t.Fatal(err)
	}
	cover, err := s.FindRecordById(schema.Media, post.GetString("cover"))
	if err != nil {
		t.Fatal(err)
	}
	if cover.GetInt("width") != 1280 || cover.GetInt("height") != 720 || cover.GetString("alt") == "" {
		t.Errorf("cover %v", cover)
	}
	res, body := s.Get(media.Address(cover))
	if _, err := jpeg.Decode(bytes.NewReader([]byte(body))); res.StatusCode != 200 || err != nil {
		t.Errorf("%d %v", res.StatusCode, err)
	}
}

func TestTheStarterSite(t *testing.T) {
	t.Parallel()
	s := sitetest.New(t)
	start := time.Now()
	if err := demo.Starter(s.TestApp); err != nil {
		t.Fatal(err)
	}
	t.Logf("the starter site was written in %v", time.Since(start).Round(time.Millisecond))
	for collection, want := range map[string]int{schema.Posts: 1, schema.Pages: 2, schema.Authors: 1, schema.Menus: 1} {
		if got := len(all(t, s, collection)); got != want {
			t.Errorf("%d %s, want %d", got, collection, want)
		}
	}
	post := all(t, s, schema.Posts)[0]
	if !post.GetBool("comments_open") || post.GetString("status") != schema.StatusPublished || len(post.GetStringSlice("authors")) != 1 {
		t.Errorf("first post %v", post)
	}
	if n, err := s.CountRecords(schema.Settings); err != nil || n == 0 {
		t.Errorf("no settings: %v", err)
	}
	if site, err := settings.LoadSite(s.TestApp); err != nil || site.Title == "" {
		t.Errorf("site %+v %v", site, err)
	}
	if err := demo.Starter(s.TestApp); err == nil {
		t.Error("it was written twice")
	}
}
