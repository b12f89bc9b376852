package hooks_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/settings"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

func comingSoon(t *testing.T, app core.App, on bool) {
	t.Helper()
	s, err := settings.LoadSite(app)
	if err != nil {
		t.Fatal(err)
	}
	s.ComingSoon = on
	if err := settings.Save(app, settings.SiteFeature, s); err != nil {
		t.Fatal(err)
	}
}

// Before the site opens a stranger learns of its content by no door; the staff
// work as always, and afterwards everything is as it was.
func TestNobodyReadsASiteThatHasNotOpened(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	tag := sitetest.Make(t, app, schema.Tags, map[string]any{"name": secret})
	author := sitetest.Make(t, app, schema.Authors, map[string]any{"name": secret})
	post := sitetest.Make(t, app, schema.Posts, map[string]any{"title": secret, "slug": "known", "body": secret, "status": "published", "comments_open": true, "tags": []string{tag.Id}, "authors": []string{author.Id}})
	sitetest.Make(t, app, schema.Pages, map[string]any{"title": secret, "body": secret, "status": "published"})
	sitetest.Make(t, app, schema.Menus, map[string]any{"name": "main", "items": []any{map[string]any{"label": secret, "url": "/"}}})
	sitetest.Make(t, app, schema.Comments, map[string]any{"thread": "/blog/known/", "author": secret, "body": secret, "html": secret, "status": "approved"})
	doors := []string{
		"/", "/blog/", "/blog/known/", "/feed.xml", "/rss.xml", "/feed.json", "/sitemap.xml", "/search/?q=" + secret, "/api/site/search?q=" + secret,
		"/comments.xml", "/comments.xml?thread=/blog/known/", "/blog/known/comments.xml", "/api/site/comments?thread=/blog/known/",
		"/api/collections/posts/records/" + post.Id, "/api/collections/posts/records?expand=tags,authors",
	}
	for _, c := range []string{schema.Posts, schema.Pages, schema.Tags, schema.Authors, schema.Menus, schema.Comments} {
		doors = append(doors, "/api/collections/"+c+"/records")
	}
	rules := rulesOf(t, app)
	learns := func(path, token string) bool {
		_, body := app.JSON(http.MethodGet, path, token, "")
		return strings.Contains(strings.ReplaceAll(body, `value="`+secret+`"`, ""), secret)
	}
	for _, path := range doors { // twice, so that it is in memory
		if !learns(path, "") || !learns(path, "") {
			t.Errorf("an open site tells nothing at %s", path)
		}
	}
	comingSoon(t, app, true)
	comingSoon(t, app, true) // as often as one likes
	visitor := tokenOf(t, sitetest.Make(t, app, "users", map[string]any{"email": "v@example.com", "password": sitetest.Password}))
	for who, token := range map[string]string{"a stranger": "", "a visitor's account": visitor} {
		for _, path := range doors {
			if learns(path, token) || learns(path, token) {
				t.Errorf("%s learns from %s", who, path)
			}
		}
		for word, want := range map[string]string{secret: `"totalItems":0`, "nonsense": `"totalItems":0`} {
			if _, body := app.JSON(http.MethodGet, "/api/collections/posts/records?filter="+url.QueryEscape(`title ~ "`+word+`"`), token, ""); !strings.Contains(body, want) {
				t.Errorf("%s asks for %s: %s", who, word, body)
			}
		}
		if _, body := app.JSON(http.MethodGet, "/api/site/comments/counts?threads=/blog/known/", token, ""); strings.Contains(body, ":1") {
			t.Errorf("%s counts comments: %s", who, body)
		}
		if res, _ := app.JSON(http.MethodPost, "/api/site/comments", token, `{"thread":"/blog/known/","author":"A","email":"a@example.com","body":"Hello"}`); res.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("%s comments: %d", who, res.StatusCode)
		}
	}
	_, editor := sitetest.Staff(t, app, roles.Editor)
	_, moderator := sitetest.Staff(t, app, roles.Moderator)
	for _, token := range []string{editor, moderator, sitetest.Superuser(t, app)} {
		for _, path := range doors {
			if !learns(path, token) {
				t.Errorf("the staff see nothing at %s", path)
			}
		}
	}
	comingSoon(t, app, false)
	if now := rulesOf(t, app); now != rules {
		t.Errorf("the rules were\n%s\nand are\n%s", rules, now)
	}
	for _, path := range doors {
		if !learns(path, "") {
			t.Errorf("opened again, %s tells nothing", path)
		}
	}
}

// rulesOf writes down who may read what.
func rulesOf(t *testing.T, app core.App) string {
	t.Helper()
	var all []string
	for _, name := range collections(t, app) {
		c, err := app.FindCollectionByNameOrId(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, rule := range []*string{c.ListRule, c.ViewRule} {
			text := "nobody"
			if rule != nil {
				text = "'" + *rule + "'"
			}
			all = append(all, name+" "+text)
		}
	}
	return strings.Join(all, "\n")
}

// A rule that the owner changes meanwhile is the owner's.
func TestARuleChangedBeforeTheOpeningStays(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	comingSoon(t, app, true)
	tags, err := app.FindCollectionByNameOrId(schema.Tags)
	if err != nil {
		t.Fatal(err)
	}
	mine := `name != "hidden"`
	tags.ListRule, tags.ViewRule = &mine, nil
	if err := app.Save(tags); err != nil {
		t.Fatal(err)
	}
	comingSoon(t, app, false)
	if tags, _ = app.FindCollectionByNameOrId(schema.Tags); tags.ListRule == nil || *tags.ListRule != mine || tags.ViewRule != nil {
		t.Errorf("the rules are %v, %v", tags.ListRule, tags.ViewRule)
	}
	// What is rolled back changes no rule.
	before := rulesOf(t, app)
	_ = app.RunInTransaction(func(tx core.App) error {
		comingSoon(t, tx, true)
		return http.ErrAbortHandler
	})
	if now := rulesOf(t, app); now != before {
		t.Errorf("after a rollback the rules are\n%s", now)
	}
	if res, _ := app.Get("/api/collections/posts/records"); res.StatusCode != http.StatusOK {
		t.Errorf("the posts answer %d", res.StatusCode)
	}
}
