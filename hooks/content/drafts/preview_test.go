package drafts_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/content/drafts"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
)

func TestAPreviewShowsTheNextVersionToWhoeverHasTheLink(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := person(t, app, roles.Author)
	p, b := live(t, app, ada, "First.")
	if _, _, err := drafts.Autosave(app, ada, schema.Posts, p.Id, b, body("Secret next version.")); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	token, err := drafts.PreviewToken(app, ada.Person, p, now)
	if err != nil {
		t.Fatal(err)
	}
	link := "/blog/a-title/?preview=" + token
	res, text := app.Get(link)
	if res.StatusCode != 200 || !strings.Contains(text, "Secret next version.") {
		t.Fatalf("it answers %d", res.StatusCode)
	}
	for name, want := range map[string]string{"Cache-Control": "private, no-store", "X-Robots-Tag": "noindex, nofollow", "Referrer-Policy": "no-referrer"} {
		if got := res.Header.Get(name); got != want {
			t.Errorf("%s: %q", name, got)
		}
	}
	if _, text := app.Get("/blog/a-title/"); strings.Contains(text, "Secret") {
		t.Error("visitors see the next version")
	}
	if _, err := drafts.Preview(app, token, now.Add(drafts.PreviewDays*24*time.Hour-time.Minute)); err != nil {
		t.Errorf("on the last day: %v", err)
	}
	if _, err := drafts.Preview(app, token, now.Add(drafts.PreviewDays*24*time.Hour+time.Minute)); !errors.Is(err, drafts.ErrMissing) {
		t.Errorf("on the eighth day: %v", err)
	}
	flipped := []byte(token)
	flipped[len(flipped)-3] ^= 1
	for _, forged := range []string{"", "x", "!", string(flipped), token[4:], token + "AAAA", strings.Repeat("A", 5000)} {
		if _, err := drafts.Preview(app, forged, now); !errors.Is(err, drafts.ErrMissing) {
			t.Errorf("%.20q: %v", forged, err)
		}
	}
	if res, text := app.Get("/blog/a-title/?preview=" + string(flipped)); res.StatusCode != 410 || strings.Contains(text, "Secret") {
		t.Errorf("a forged link answers %d", res.StatusCode)
	}
	// Who may not edit any more has no working links either.
	ada.Person.Set("active", false)
	if err := app.Save(ada.Person); err != nil {
		t.Fatal(err)
	}
	if res, _ := app.Get(link); res.StatusCode != 410 {
		t.Errorf("the link of an inactive account answers %d", res.StatusCode)
	}
}

func TestPreviewsOfPagesAndNewPosts(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	by := person(t, app, roles.Editor)
	for _, collection := range []string{schema.Posts, schema.Pages} {
		r, err := drafts.Create(app, by, collection, drafts.Version{"title": "Not yet", "body": "Words *to come*."})
		if err != nil {
			t.Fatal(err)
		}
		token, err := drafts.PreviewToken(app, by.Person, r, time.Now())
		if err != nil {
			t.Fatal(err)
		}
		res, text := app.Get("/?preview=" + token)
		if res.StatusCode != 200 || !strings.Contains(text, "<em>to come</em>") || strings.Contains(text, "0001") {
			t.Errorf("a draft of %s answers %d", collection, res.StatusCode)
		}
	}
}

func TestAClosedSiteShowsPreviewsAndNothingElse(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	by := person(t, app, roles.Editor)
	r, err := drafts.Create(app, by, schema.Posts, body("Secret words."))
	if err != nil {
		t.Fatal(err)
	}
	token, err := drafts.PreviewToken(app, by.Person, r, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	site := settings.SiteDefaults()
	site.ComingSoon = true
	if err := settings.Save(app, settings.SiteFeature, site); err != nil {
		t.Fatal(err)
	}
	if res, text := app.Get("/blog/a-title/?preview=" + token); res.StatusCode != 200 || !strings.Contains(text, "Secret words.") {
		t.Errorf("a preview of a closed site answers %d", res.StatusCode)
	}
	if res, text := app.Get("/blog/a-title/?preview=AAAA"); res.StatusCode != 503 || strings.Contains(text, "Secret") {
		t.Errorf("a forged link to a closed site answers %d", res.StatusCode)
	}
}

func FuzzPreview(f *testing.F) {
	app := sitetest.New(f)
	f.Add("")
	f.Add("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := drafts.Preview(app, token, time.Now()); !errors.Is(err, drafts.ErrMissing) {
			t.Fatalf("%q: %v", token, err)
		}
	})
}
