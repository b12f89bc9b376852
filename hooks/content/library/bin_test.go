package library_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/content/library"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/tools/types"
)

func TestTheBinKeepsFilesForThirtyDays(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, bob := as(t, app, roles.Author), as(t, app, roles.Author)
	mine := media(t, app, ada.Person, "mine.png", picture(t, 5, 5))
	also := media(t, app, ada.Person, "also.txt", []byte("x"))
	his := media(t, app, bob.Person, "his.png", picture(t, 6, 6))
	to, _ := ada.send("/desk/media/bin/", url.Values{"id": {mine.Id, also.Id, his.Id, "nothing"}}, http.StatusSeeOther)
	if to != "/desk/media/" || audited(t, app, "media.bin", "") != 2 {
		t.Fatalf("to %s, %d lines", to, audited(t, app, "media.bin", ""))
	}
	if res, _ := app.Get("/media/" + mine.Id + "/" + mine.GetString("file")); res.StatusCode != http.StatusNotFound {
		t.Errorf("a file in the bin answers %d", res.StatusCode)
	}
	if res, _ := app.Get("/media/" + his.Id + "/" + his.GetString("file")); res.StatusCode != http.StatusOK {
		t.Errorf("somebody else's file answers %d", res.StatusCode)
	}
	hasNot(t, ada.see("/desk/media/", 200), mine.Id)
	has(t, ada.see("/desk/media/?bin=1", 200), mine.Id, also.Id, "30 days left", "/desk/media/"+mine.Id+"/file/")
	has(t, ada.see("/desk/media/"+mine.Id+"/", 200), "in the bin")
	ada.see("/desk/media/"+mine.Id+"/file/", 200)
	bob.see("/desk/media/"+mine.Id+"/file/", 404)
	ada.send("/desk/media/restore/?ids="+mine.Id+","+his.Id, nil, http.StatusSeeOther)
	if res, _ := app.Get("/media/" + mine.Id + "/" + mine.GetString("file")); res.StatusCode != http.StatusOK {
		t.Errorf("a file that is back answers %d", res.StatusCode)
	}
	for _, after := range []struct{ days, left int64 }{{29, 3}, {31, 2}} {
		if err := library.EmptyBin(app, time.Now().AddDate(0, 0, int(after.days))); err != nil {
			t.Fatal(err)
		}
		if n, _ := app.CountRecords(schema.Media); n != after.left {
			t.Errorf("after %d days %d files are there, want %d", after.days, n, after.left)
		}
	}
}

func TestOnlyTheBinIsDeletedForGood(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Author)
	live := media(t, app, ada.Person, "live.png", picture(t, 5, 5))
	gone := media(t, app, ada.Person, "gone.png", picture(t, 5, 5))
	gone.Set("trashed_at", types.NowDateTime())
	if err := app.Save(gone); err != nil {
		t.Fatal(err)
	}
	ada.send("/desk/media/delete/", url.Values{"id": {live.Id, gone.Id}}, http.StatusSeeOther)
	if _, err := app.FindRecordById(schema.Media, live.Id); err != nil {
		t.Error("a file in use was deleted")
	}
	if _, err := app.FindRecordById(schema.Media, gone.Id); err == nil || audited(t, app, "media.delete", gone.Id) != 1 {
		t.Error("the file in the bin is still there")
	}
}

func TestAFilesWordsAreWrittenAndHeldToTheirLimits(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, bob := as(t, app, roles.Author), as(t, app, roles.Author)
	mine := media(t, app, ada.Person, "mine.png", picture(t, 5, 5))
	path := "/desk/media/" + mine.Id + "/"
	ada.send(path, url.Values{"alt": {" The sea "}, "caption": {"At <b>noon</b>"}, "focal_x": {"20"}, "focal_y": {"80"}}, http.StatusSeeOther)
	stored, err := app.FindRecordById(schema.Media, mine.Id)
	if err != nil || stored.GetString("alt") != "The sea" || stored.GetString("focal") != "20 80" || audited(t, app, "media.edit", mine.Id) != 1 {
		t.Errorf("%v, %v", stored, err)
	}
	has(t, ada.see(path, 200), "The sea", "At &lt;b&gt;noon", `name="focal_x" min="0" max="100" step="5" value="20"`, "Not used")
	_, body := ada.send(path, url.Values{"alt": {strings.Repeat("a", 1001)}}, http.StatusUnprocessableEntity)
	has(t, body, `aria-invalid="true"`)
	_, body = ada.send(path, url.Values{"focal_x": {"101"}, "focal_y": {"4"}}, http.StatusUnprocessableEntity)
	has(t, body, "0 to 100")
	bob.see(path, 404)
	bob.send(path, url.Values{"alt": {"x"}}, 404)
	bob.send(path+"replace/", url.Values{"alt": {"x"}}, 404)
}

func TestAReplacedFileKeepsItsAddress(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Author)
	mine := media(t, app, ada.Person, "mine.png", picture(t, 5, 5))
	old := "/media/" + mine.Id + "/" + mine.GetString("file")
	sitetest.Make(t, app, schema.Posts, map[string]any{"title": "Sea", "body": "![x](" + old + ")", "status": "published"})
	if _, body := app.Get("/blog/sea/"); !strings.Contains(body, `width="5"`) {
		t.Fatalf("the page shows %s", body)
	}
	path := "/desk/media/" + mine.Id + "/"
	for range 12 {
		if res, body := ada.sendFiles(path+"replace/", "text/html", files{"other.png", picture(t, 8, 4)}); res.StatusCode != http.StatusSeeOther {
			t.Fatalf("%d %s", res.StatusCode, body)
		}
	}
	res, body := app.Get(old)
	if res.StatusCode != http.StatusOK || !strings.Contains(body[16:24], "\x00\x00\x00\x08\x00\x00\x00\x04") {
		t.Errorf("the first address answers %d with %d bytes", res.StatusCode, len(body))
	}
	if _, body := app.Get("/blog/sea/"); !strings.Contains(body, `width="8" height="4"`) {
		t.Errorf("the page shows %s", body)
	}
	if audited(t, app, "media.replace", mine.Id) != 12 {
		t.Error("the audit misses a replacement")
	}
	for name, in := range map[string]files{"broken": {"a.png", "none"}, "none": {}, "two": {"a.txt", "a", "b.txt", "b"}} {
		if res, body := ada.sendFiles(path+"replace/", "text/html", in); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "aria-invalid") {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
}

func TestUsesAreShownToThoseWhoMayReadThem(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, editor := as(t, app, roles.Author), as(t, app, roles.Editor)
	mine := media(t, app, ada.Person, "mine.png", picture(t, 5, 5))
	me := sitetest.Make(t, app, schema.Authors, map[string]any{"name": "Ada Lovelace", "avatar": mine.Id, "staff": ada.Person.Id})
	sitetest.Make(t, app, schema.Posts, map[string]any{"title": "My draft", "body": "x", "cover": mine.Id, "status": "draft", "authors": []string{me.Id}})
	sitetest.Make(t, app, schema.Posts, map[string]any{"title": "A secret draft", "body": "x", "cover": mine.Id, "status": "draft"})
	sitetest.Make(t, app, schema.Pages, map[string]any{"title": "An open page", "body": "![x](/media/" + mine.Id + "/a.png)", "status": "published"})
	sitetest.Make(t, app, schema.Settings, map[string]any{"feature": "site", "value": map[string]any{"title": "Mine", "logo": mine.Id}})
	path := "/desk/media/" + mine.Id + "/"
	body := ada.see(path, 200)
	has(t, body, "Used in 5 places", "My draft", "Somebody else&#39;s text", `href="/an-open-page/"`, "Ada Lovelace", "The site")
	hasNot(t, body, "A secret draft")
	has(t, editor.see(path, 200), "A secret draft", "/desk/pages/", "/desk/authors/"+me.Id+"/")
	has(t, ada.see("/desk/media/?view=list", 200), "in 5 places")
	hasNot(t, ada.see("/desk/media/?unused=1", 200), mine.Id)
}
