package library_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

type answer struct {
	ID, URL, Alt, Name, Error, Kind string
	Width, Height                   int
	Bytes                           int64
}

func TestAScriptUploadsManyFilesAtOnce(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Author)
	res, body := ada.sendFiles("/desk/media/upload/", "application/json",
		files{"Sea View.png", picture(t, 40, 30), "broken.jpg", "no picture", "notes.txt", "hello"}, "alt", "The sea")
	var got []answer
	if err := json.Unmarshal([]byte(body), &got); err != nil || res.StatusCode != http.StatusOK || len(got) != 3 {
		t.Fatalf("%d %s %v", res.StatusCode, body, err)
	}
	if sea := got[0]; sea.ID == "" || sea.Width != 40 || sea.Height != 30 || sea.Name != "sea_view.png" || sea.Alt != "The sea" || sea.Kind != "image" || !strings.HasPrefix(sea.URL, "/media/"+sea.ID+"/") {
		t.Errorf("the picture is %+v", sea)
	}
	if b := got[1]; b.ID != "" || b.Name != "broken.jpg" || !strings.Contains(b.Error, "JPEG, PNG") {
		t.Errorf("what is no picture is %+v", b)
	}
	if n := got[2]; n.Kind != "document" || n.Bytes != 5 || n.Error != "" {
		t.Errorf("the text is %+v", n)
	}
	stored, err := app.FindRecordById(schema.Media, got[0].ID)
	if err != nil || stored.GetString("owner") != ada.Person.Id || audited(t, app, "media.upload", got[0].ID) != 1 {
		t.Errorf("stored %v, %v", stored, err)
	}
	if res, _ := app.Get(got[0].URL); res.StatusCode != http.StatusOK {
		t.Errorf("its address answers %d", res.StatusCode)
	}
}

func TestAPlainFormUploadsWithoutJavaScript(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Editor)
	res, _ := ada.sendFiles("/desk/media/upload/", "text/html", files{"lake.png", picture(t, 9, 9), "b.png", "x"})
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/desk/media/" {
		t.Fatalf("%d %s", res.StatusCode, res.Header.Get("Location"))
	}
	_, page := app.Do(http.MethodGet, "/desk/media/", "", "Accept", "text/html", "Cookie", ada.cookie+"; "+res.Cookies()[0].Name+"="+res.Cookies()[0].Value)
	has(t, page, "The file is here.", "b.png: ", "lake.png")
	for name, in := range map[string]files{"none": {}, "nothing but faults": {"b.png", "x"}} {
		if res, body := ada.sendFiles("/desk/media/upload/", "application/json", in); res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d %s", name, res.StatusCode, body)
		}
	}
}

func TestTooManyFilesAreRefusedAtOnce(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Author)
	many := files{}
	for range 51 {
		many = append(many, "a.txt", "a")
	}
	res, body := ada.sendFiles("/desk/media/upload/", "application/json", many)
	if n, _ := app.CountRecords(schema.Media); res.StatusCode != http.StatusUnprocessableEntity || n != 0 {
		t.Errorf("%d files, %d %s", n, res.StatusCode, body)
	}
}

// A picture of 40,000 × 40,000 pixels in a few bytes: its header says so.
func TestABombIsRefusedBeforeItIsDecoded(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Author)
	bomb := picture(t, 2, 2)
	copy(bomb[16:], []byte{0, 0, 0x9c, 0x40, 0, 0, 0x9c, 0x40})
	res, body := ada.sendFiles("/desk/media/upload/", "application/json", files{"bomb.png", bomb})
	if res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestAScriptInAnSVGCantRun(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada := as(t, app, roles.Author)
	_, body := ada.sendFiles("/desk/media/upload/", "application/json", files{"x.svg", `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9"><script>alert(1)</script></svg>`})
	var got []answer
	if err := json.Unmarshal([]byte(body), &got); err != nil || len(got) != 1 || got[0].Error != "" {
		t.Fatalf("%s %v", body, err)
	}
	if res, _ := app.Get(got[0].URL); !strings.Contains(res.Header.Get("Content-Security-Policy"), "sandbox") || !strings.Contains(res.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("served with %q", res.Header.Get("Content-Security-Policy"))
	}
}

func TestThePickerOffersOwnPictures(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, bob, editor := as(t, app, roles.Author), as(t, app, roles.Author), as(t, app, roles.Editor)
	mine := media(t, app, ada.Person, "mine.png", picture(t, 5, 5))
	his := media(t, app, bob.Person, "his.png", picture(t, 6, 6))
	text := media(t, app, ada.Person, "text.txt", []byte("text"))
	page := ada.see("/desk/media/pick/", 200)
	has(t, page, `data-id="`+mine.Id+`"`, `data-url="/media/`+mine.Id)
	hasNot(t, page, his.Id, text.Id, "<html")
	has(t, ada.see("/desk/media/pick/?kind=all", 200), text.Id, mine.Id)
	hasNot(t, ada.see("/desk/media/pick/?q=his", 200), his.Id)
	has(t, editor.see("/desk/media/pick/?q=his&page=7", 200), his.Id)
	has(t, ada.see("/desk/media/", 200), "mine.png", "text.txt")
	hasNot(t, ada.see("/desk/media/?kind=document", 200), "mine.png")
}
