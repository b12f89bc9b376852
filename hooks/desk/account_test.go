package desk_test

import (
	"bytes"
	"image"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/desk"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

// profile posts the form of the profile with a picture.
func profile(t *testing.T, app *sitetest.Site, cookie string, picture []byte, fields map[string]string) (*http.Response, string) {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range fields {
		_ = w.WriteField(name, value)
	}
	if picture != nil {
		part, _ := w.CreateFormFile("avatar", "me.png")
		_, _ = part.Write(picture)
	}
	_ = w.Close()
	return app.Do(http.MethodPost, "/desk/account/profile/", body.String(), "Cookie", cookie, "Content-Type", w.FormDataContentType(), "Accept", "text/html")
}

func TestTheOwnProfile(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Author)
	cookie := sitetest.Cookie(t, app, ada)
	var picture bytes.Buffer
	_ = png.Encode(&picture, image.NewGray(image.Rect(0, 0, 600, 300)))
	res, body := profile(t, app, cookie, picture.Bytes(), map[string]string{"name": "Ada", "locale": "de", "theme": "dark", "role": "owner"})
	now := reload(t, app, ada)
	if res.StatusCode != http.StatusSeeOther || now.GetString("name") != "Ada" || now.GetString("locale") != "de" || now.GetString("avatar") == "" || now.GetString("role") != "author" {
		t.Fatalf("%d %v %s", res.StatusCode, now, body)
	}
	did(t, app, "account.change")
	if res, _ := app.Get("/api/files/staff/" + ada.Id + "/" + now.GetString("avatar")); res.StatusCode != http.StatusOK || res.Header.Get("Content-Type") != "image/jpeg" {
		t.Errorf("the picture: %d %s", res.StatusCode, res.Header.Get("Content-Type"))
	}
	if _, body := app.Desk(cookie, "/desk/account/", ""); !strings.Contains(body, `data-theme="dark"`) || !strings.Contains(body, `lang="de"`) || !strings.Contains(body, now.GetString("avatar")) {
		t.Error("the account's page does not follow the account")
	}
	bomb := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR\x00\x01\x00\x00\x00\x01\x00\x00\x08\x00\x00\x00\x00"), 0x3a, 0x0f, 0x6d, 0x9e)
	for name, bad := range map[string][]byte{"a bomb": bomb, "no picture": []byte("<svg/>"), "too large": make([]byte, 5<<20+1)} {
		if res, _ := profile(t, app, cookie, bad, map[string]string{"name": "Ada"}); res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, res.StatusCode)
		}
	}
	if res, _ := profile(t, app, cookie, nil, map[string]string{"name": "", "locale": "xx", "theme": "pink"}); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("nonsense: %d", res.StatusCode)
	}
	if res, _ := profile(t, app, cookie, nil, map[string]string{"name": "Ada", "no_avatar": "true"}); res.StatusCode != http.StatusSeeOther || reload(t, app, ada).GetString("avatar") != "" {
		t.Errorf("without a picture: %d", res.StatusCode)
	}
}

func TestANewPasswordEndsTheOtherSessions(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Author)
	here, there := sitetest.Cookie(t, app, ada), sitetest.Cookie(t, app, ada)
	form := url.Values{"current": {"wrong"}, "password": {"three quiet herons"}}
	if res, body := app.Desk(here, "/desk/account/password/", form.Encode()); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "not your password") {
		t.Errorf("a wrong one: %d", res.StatusCode)
	}
	form.Set("current", sitetest.Password)
	if res, _ := app.Desk(here, "/desk/account/password/", form.Encode()); res.StatusCode != http.StatusSeeOther {
		t.Fatalf("the right one: %d", res.StatusCode)
	}
	for cookie, want := range map[string]int{here: http.StatusOK, there: http.StatusSeeOther} {
		if res, _ := app.Desk(cookie, "/desk/", ""); res.StatusCode != want {
			t.Errorf("a session answers %d, want %d", res.StatusCode, want)
		}
	}
}

func TestANewAddressIsConfirmed(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Author)
	cookie, before := sitetest.Cookie(t, app, ada), ada.Email()
	res, _ := app.Desk(cookie, "/desk/account/email/", url.Values{"email": {"new@example.com"}, "confirm": {sitetest.Password}}.Encode())
	if res.StatusCode != http.StatusSeeOther || reload(t, app, ada).Email() != before {
		t.Fatalf("asking: %d", res.StatusCode)
	}
	var to, text string
	if err := app.DB().NewQuery("SELECT to_address, text FROM _mails WHERE template = 'desk-email'").Row(&to, &text); err != nil {
		if err := app.DB().NewQuery("SELECT text FROM _mails WHERE template = 'desk-email'").Row(&text); err != nil {
			t.Fatal(err)
		}
	}
	link := tokenLink.FindString(text)
	_, token, _ := strings.Cut(link, "token=")
	if res, body := app.Desk("", link, ""); res.StatusCode != http.StatusOK || !strings.Contains(body, "new@example.com") {
		t.Fatalf("the link %q: %d", link, res.StatusCode)
	}
	if res, _ := app.Desk("", "/desk/account/email/confirm/", "token="+token); res.StatusCode != http.StatusSeeOther || reload(t, app, ada).Email() != "new@example.com" {
		t.Errorf("confirming: %d", res.StatusCode)
	}
	did(t, app, "account.email")
	if res, _ := app.Desk("", "/desk/account/email/confirm/", "token="+token); res.StatusCode != http.StatusNotFound {
		t.Errorf("confirming twice: %d", res.StatusCode)
	}
}

func TestSigningOutElsewhere(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, token := sitetest.Staff(t, app, roles.Author)
	bob, _ := sitetest.Staff(t, app, roles.Author)
	here, there, bobs := sitetest.Cookie(t, app, ada), sitetest.Cookie(t, app, ada), sitetest.Cookie(t, app, bob)
	theirs, err := desk.Sessions(app, bob, time.Now())
	if err != nil || len(theirs) != 1 {
		t.Fatal(theirs, err)
	}
	if res, _ := app.Desk(here, "/desk/account/sessions/"+theirs[0].ID+"/end/", "x=1"); res.StatusCode != http.StatusNotFound {
		t.Errorf("somebody else's session: %d", res.StatusCode)
	}
	own, _, err := desk.FindSession(app, strings.TrimPrefix(there, "session="), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if res, _ := app.Desk(here, "/desk/account/sessions/"+own.ID+"/end/", "x=1"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("the other session: %d", res.StatusCode)
	}
	if res, _ := app.Desk(here, "/desk/account/sessions/end/", "x=1"); res.StatusCode != http.StatusSeeOther {
		t.Errorf("everywhere: %d", res.StatusCode)
	}
	for cookie, want := range map[string]int{here: http.StatusSeeOther, there: http.StatusSeeOther, bobs: http.StatusOK} {
		if res, _ := app.Desk(cookie, "/desk/", ""); res.StatusCode != want {
			t.Errorf("a session answers %d, want %d", res.StatusCode, want)
		}
	}
	if res, _ := app.JSON(http.MethodPost, "/api/collections/"+schema.Staff+"/auth-refresh", token, ""); res.StatusCode == http.StatusOK {
		t.Error("a token of the API lives")
	}
	if factor, err := people.HasFactor(app, ada.Id); err != nil || factor {
		t.Error(factor, err)
	}
}
