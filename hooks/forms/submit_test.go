package forms_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"bungalow/hooks/forms"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

// contact is a site with the starter's form.
func contact(t testing.TB, without ...string) *sitetest.Site {
	t.Helper()
	app := sitetest.New(t, without...)
	if err := forms.Starter(app); err != nil {
		t.Fatal(err)
	}
	return app
}

const encoded = "application/x-www-form-urlencoded"

func TestAPostIsStoredAndAcknowledged(t *testing.T) {
	t.Parallel()
	app := contact(t)
	res, body := app.Do("POST", "/f/contact", "name=Ada+Lovelace&email=Ada@Example.com&message=Hello%0D%0Athere&utm=x", "Content-Type", encoded)
	var receipt struct{ ID string }
	if err := json.Unmarshal([]byte(body), &receipt); err != nil || res.StatusCode != 201 || receipt.ID == "" {
		t.Fatalf("%d %s", res.StatusCode, body)
	}
	r, err := app.FindRecordById(schema.Submissions, receipt.ID)
	if err != nil {
		t.Fatal(err)
	}
	if r.GetString("email") != "ada@example.com" || r.GetString("name") != "Ada Lovelace" || r.GetString("status") != "ok" ||
		r.GetString("subject") != "Contact: Ada Lovelace" || r.GetString("extra") != `{"utm":["x"]}` ||
		r.GetString("data") != `{"name":"Ada Lovelace","email":"Ada@Example.com","message":"Hello\nthere"}` {
		t.Errorf("stored %v", r.FieldsData())
	}
}

func TestABrowserIsSentToTheThanks(t *testing.T) {
	t.Parallel()
	app := contact(t)
	res, _ := app.Do("POST", "/f/contact", "name=Ada&email=ada@example.com&message=Hello", "Content-Type", encoded, "Accept", "text/html,*/*")
	if res.StatusCode != 303 || res.Header.Get("Location") != "/f/contact?notice=sent" {
		t.Fatalf("%d %v", res.StatusCode, res.Header)
	}
	res, page := app.Get("/f/contact?notice=sent")
	if res.StatusCode != 200 || !strings.Contains(page, "Thank you for writing") || !strings.Contains(res.Header.Get("Cache-Control"), "no-store") {
		t.Errorf("%d %v %s", res.StatusCode, res.Header, page)
	}
}

func TestAFormWithErrorsIsShownAgainFilled(t *testing.T) {
	t.Parallel()
	app := contact(t)
	res, page := app.Do("POST", "/f/contact", "name=Ada+%3Cb%3E&email=nonsense&message=", "Content-Type", encoded, "Accept", "text/html")
	if res.StatusCode != http.StatusUnprocessableEntity {
		t.Fatalf("%d %s", res.StatusCode, page)
	}
	for _, want := range []string{`value="Ada &lt;b&gt;"`, `value="nonsense"`, "Please write an e-mail address", "Please fill this in", `aria-invalid="true"`, "<h1>Contact</h1>", `href="#form-contact-email"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	res, body := app.JSON("POST", "/f/contact", "", `{"name":"Ada","email":"nonsense"}`)
	if res.StatusCode != 422 || !strings.Contains(body, `"email":{"code":"validation_invalid_email"`) || !strings.Contains(body, `"message":{"code":"validation_required"`) {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}
