package hooks_test

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"bungalow/hooks"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"bungalow/pb_migrations"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

// open starts an app on a folder with our hooks, or without as plain PocketBase.
func open(t *testing.T, dir string, cfg *hooks.Config) (*core.BaseApp, error) {
	t.Helper()
	app := core.NewBaseApp(core.BaseAppConfig{DataDir: dir})
	if cfg != nil {
		if err := hooks.Register(app, nil, *cfg); err != nil {
			t.Fatal(err)
		}
	}
	err := app.Bootstrap()
	t.Cleanup(func() { _ = app.ClearBootstrap() })
	if err == nil {
		err = app.RunAllMigrations()
	}
	return app, err
}

func mustOpen(t *testing.T, dir string, cfg *hooks.Config) *core.BaseApp {
	t.Helper()
	app, err := open(t, dir, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

func TestANewDatabaseIsClosedToStrangers(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pb_data")
	app := mustOpen(t, dir, &hooks.Config{})
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil || users.CreateRule != nil {
		t.Errorf("strangers can sign up: %v, %v", users, err)
	}
	if limits := app.Settings().RateLimits; !limits.Enabled || len(limits.Rules) == 0 {
		t.Errorf("no rate limits: %+v", limits)
	}
	if err := app.ClearBootstrap(); err != nil {
		t.Fatal(err)
	}
	// The owner's choice stays at the second start.
	users.CreateRule = types.Pointer("")
	again := mustOpen(t, dir, nil)
	if err := again.Save(users); err != nil {
		t.Fatal(err)
	}
	_ = again.ClearBootstrap()
	third := mustOpen(t, dir, &hooks.Config{})
	if users, _ := third.FindCollectionByNameOrId("users"); users.CreateRule == nil {
		t.Error("the second start undid the owner's choice")
	}
}

func TestAnExistingPocketBaseFolderKeepsItsSettings(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pb_data")
	plain := mustOpen(t, dir, nil)
	mine := core.NewBaseCollection("recipes")
	mine.Fields.Add(&core.TextField{Name: "title"})
	if err := plain.Save(mine); err != nil {
		t.Fatal(err)
	}
	_ = plain.ClearBootstrap()
	app := mustOpen(t, dir, &hooks.Config{})
	if app.Settings().RateLimits.Enabled {
		t.Error("the rate limiter was switched on")
	}
	if users, _ := app.FindCollectionByNameOrId("users"); users.CreateRule == nil {
		t.Error("sign-up was closed")
	}
	for _, name := range []string{"recipes", schema.Posts, schema.Staff} {
		if _, err := app.FindCollectionByNameOrId(name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAClashIsNamedBeforeAnythingIsWritten(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{schema.Posts: "--without content", schema.Comments: "--without comments", schema.Staff: "rename it"} {
		dir := filepath.Join(t.TempDir(), "pb_data")
		plain := mustOpen(t, dir, nil)
		if err := plain.Save(core.NewBaseCollection(name)); err != nil {
			t.Fatal(err)
		}
		_ = plain.ClearBootstrap()
		app, err := open(t, dir, &hooks.Config{})
		if err == nil || !strings.Contains(err.Error(), `"`+name+`"`) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", name, err, want)
		}
		if _, err := app.FindCollectionByNameOrId(schema.Settings); err == nil {
			t.Errorf("%s: our tables were made all the same", name)
		}
	}
}

func TestAFeatureSwitchedOnLaterFindsItsTables(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "pb_data")
	_ = mustOpen(t, dir, &hooks.Config{Without: []string{"content", "comments"}}).ClearBootstrap()
	app := mustOpen(t, dir, &hooks.Config{})
	if _, err := app.FindCollectionByNameOrId(schema.Posts); err != nil {
		t.Error(err)
	}
}

func TestMigrationsGoDownAndUpAgain(t *testing.T) {
	t.Parallel()
	app := mustOpen(t, filepath.Join(t.TempDir(), "pb_data"), &hooks.Config{})
	lists := []core.MigrationsList{pb_migrations.Core, pb_migrations.Content, pb_migrations.Comments, pb_migrations.Forms, pb_migrations.Inbox, pb_migrations.Desk}
	for i := len(lists) - 1; i >= 0; i-- {
		if _, err := core.NewMigrationsRunner(app, lists[i]).Down(len(lists[i].Items())); err != nil {
			t.Fatalf("down %d: %v", i, err)
		}
	}
	if app.HasTable(schema.Posts) || app.HasTable(schema.Staff) || app.HasTable("content_search") {
		t.Error("tables are left")
	}
	for i, list := range lists {
		for range 2 { // the second time there is nothing to do
			if _, err := core.NewMigrationsRunner(app, list).Up(); err != nil {
				t.Fatalf("up %d: %v", i, err)
			}
		}
	}
	if !app.HasTable(schema.Posts) || !app.HasTable("content_search") {
		t.Error("tables are missing")
	}
}

func TestRegisterOnAForeignAppWritesNothing(t *testing.T) {
	t.Parallel()
	app := mustOpen(t, filepath.Join(t.TempDir(), "pb_data"), nil)
	if err := hooks.Register(app, nil, hooks.Config{}); err != nil {
		t.Fatal(err)
	}
	if app.HasTable(schema.Settings) {
		t.Error("a table of ours appeared")
	}
}

func TestCollectionsOfAFeatureThatIsOffAreAbsent(t *testing.T) {
	t.Parallel()
	site := sitetest.SwitchedOff(t, "content", "comments")
	token := sitetest.Superuser(t, site)
	for method, path := range map[string]string{
		http.MethodGet: "/api/collections/posts/records", http.MethodPost: "/api/collections/pages/records", http.MethodPatch: "/api/collections/posts/records/x",
	} {
		if res, body := site.JSON(method, path, token, `{"title":"x"}`); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s %s answers %d %s", method, path, res.StatusCode, body)
		}
	}
	if res, _ := site.JSON(http.MethodGet, "/api/collections/staff/records", token, ""); res.StatusCode != http.StatusOK {
		t.Errorf("the staff answers %d", res.StatusCode)
	}
}

func TestACollectionOfTheSameNameIsLeftAloneWhereTheFeatureIsOff(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t, "content", "comments")
	posts := core.NewBaseCollection(schema.Posts)
	posts.ListRule = types.Pointer("")
	if err := site.Save(posts); err != nil {
		t.Fatal(err)
	}
	if res, body := site.Get("/api/collections/posts/records"); res.StatusCode != http.StatusOK {
		t.Errorf("it answers %d %s", res.StatusCode, body)
	}
}

func TestAStrangerSeesThePictureOfAPublishedPostOnly(t *testing.T) {
	t.Parallel()
	site := sitetest.New(t)
	picture := func() string {
		return sitetest.Make(t, site, schema.Media, map[string]any{"alt": "x", "source_url": "https://example.com/x.jpg"}).Id
	}
	shown, hidden, face := picture(), picture(), picture()
	sitetest.Make(t, site, schema.Posts, map[string]any{"title": "Out", "status": "published", "cover": shown})
	sitetest.Make(t, site, schema.Posts, map[string]any{"title": "In", "status": "draft", "cover": hidden})
	sitetest.Make(t, site, schema.Authors, map[string]any{"name": "Ada", "avatar": face})
	for id, want := range map[string]int{shown: http.StatusOK, face: http.StatusOK, hidden: http.StatusNotFound} {
		if res, body := site.Get("/api/collections/media/records/" + id); res.StatusCode != want {
			t.Errorf("a picture answers %d, want %d: %s", res.StatusCode, want, body)
		}
	}
	if _, body := site.Get("/api/collections/posts/records?expand=cover"); !strings.Contains(body, `"expand":{"cover"`) {
		t.Errorf("the list does not expand: %s", body)
	}
	if _, body := site.Get("/api/collections/media/records"); strings.Contains(body, shown) {
		t.Errorf("a stranger lists the media: %s", body)
	}
}
