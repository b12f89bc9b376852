package media_test

import (
	"os"
	"strings"
	"testing"

	"bungalow/hooks/content/media"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

func TestFocalPoints(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]struct {
		class string
		ok    bool
	}{
		"": {"", true}, "50 50": {"", true}, "30 75": {"focal-x-30 focal-y-75", true}, " 0  100 ": {"focal-x-0 focal-y-100", true},
		"48 52": {"", true}, "47 53": {"focal-x-45 focal-y-55", true},
		"30": {"", false}, "30 75 1": {"", false}, "-1 5": {"", false}, "5 101": {"", false}, `1" 5`: {"", false},
	} {
		_, ok := media.ParseFocal(field)
		if class := media.FocalClass(field); class != want.class || ok != want.ok {
			t.Errorf("%q: %q, %v; want %+v", field, class, ok, want)
		}
	}
}

// Every class that a picture can get is in the theme's style sheet.
func TestTheThemeKnowsEveryFocalClass(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("../../../pb_public/assets/css/site.css")
	if err != nil {
		t.Fatal(err)
	}
	for at := range 101 {
		f := media.Focal{X: at, Y: 100 - at}
		for _, class := range strings.Fields(media.FocalClass(f.String())) {
			if !strings.Contains(string(css), "."+class+" {") {
				t.Errorf("the style sheet has no .%s", class)
			}
		}
	}
}

func TestTheFocalPointReachesThePage(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	cover := sitetest.Make(t, app, schema.Media, map[string]any{"source_url": "https://example.com/a.jpg", "focal": "20  80"})
	if cover.GetString("focal") != "20 80" {
		t.Errorf("stored as %q", cover.GetString("focal"))
	}
	if _, err := sitetest.TryMake(app, schema.Media, map[string]any{"focal": "left"}); err == nil || !strings.Contains(err.Error(), "0 to 100") {
		t.Errorf("a wrong point: %v", err)
	}
	sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Sea", "body": "x", "status": "published", "cover": cover.Id})
	if _, body := app.Get("/blog/sea/"); !strings.Contains(body, `class="focal-x-20 focal-y-80"`) {
		t.Errorf("no class on %s", body)
	}
}

func TestTheBinIsServedToNobody(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	r := withFile(t, app, "notes.txt", "hello")
	addresses := []string{media.Address(r), "/api/files/media/" + r.Id + "/" + r.GetString("file")}
	post := sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Sea", "body": "x", "status": "published", "cover": r.Id})
	want := func(status int) {
		t.Helper()
		for _, at := range addresses {
			if res, _ := app.Get(at); res.StatusCode != status {
				t.Errorf("%s answers %d, want %d", at, res.StatusCode, status)
			}
		}
		if res, _ := app.Get("/api/collections/media/records/" + r.Id); res.StatusCode != status {
			t.Errorf("its record answers %d, want %d", res.StatusCode, status)
		}
	}
	want(200)
	r.Set("trashed_at", "2026-01-01 00:00:00.000Z")
	if err := app.Save(r); err != nil {
		t.Fatal(err)
	}
	want(404)
	if res, body := app.Get("/blog/sea/"); res.StatusCode != 200 || strings.Contains(body, r.Id) {
		t.Errorf("the page of %s answers %d %s", post.Id, res.StatusCode, body)
	}
	if p := media.Image(r, "100vw"); p != (media.Picture{}) {
		t.Errorf("a page would show %+v", p)
	}
	r.Set("trashed_at", "")
	if err := app.Save(r); err != nil {
		t.Fatal(err)
	}
	want(200)
}

// The API lets authors have their own files and no others.
func TestAuthorsHaveTheirOwnFilesOnly(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, adas := sitetest.Staff(t, app, "author")
	bob, bobs := sitetest.Staff(t, app, "author")
	_, editors := sitetest.Staff(t, app, "editor")
	_, body := app.JSON("POST", "/api/collections/media/records", adas, `{"alt":"Mine","owner":"`+bob.Id+`"}`)
	made, err := app.FindFirstRecordByData(schema.Media, "alt", "Mine")
	if err != nil || made.GetString("owner") != ada.Id {
		t.Fatalf("%s, %v", body, err)
	}
	path := "/api/collections/media/records/" + made.Id
	for token, want := range map[string]int{adas: 200, bobs: 404, "": 404, editors: 200} {
		if res, _ := app.JSON("GET", path, token, ""); res.StatusCode != want {
			t.Errorf("reading answers %d, want %d", res.StatusCode, want)
		}
		if res, _ := app.JSON("PATCH", path, token, `{"alt":"Changed"}`); res.StatusCode != want {
			t.Errorf("writing answers %d, want %d", res.StatusCode, want)
		}
	}
	if app.JSON("PATCH", path, adas, `{"owner":"`+bob.Id+`"}`); ownerOf(t, app, made.Id) != ada.Id {
		t.Error("an author gave a file away")
	}
	if app.JSON("PATCH", path, editors, `{"owner":"`+bob.Id+`"}`); ownerOf(t, app, made.Id) != bob.Id {
		t.Error("an editor could not")
	}
}

func ownerOf(t *testing.T, app core.App, id string) string {
	t.Helper()
	r, err := app.FindRecordById(schema.Media, id)
	if err != nil {
		t.Fatal(err)
	}
	return r.GetString("owner")
}
