package forms_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
)

// makeForm saves a form of fields in JSON; more are other fields of the record.
func makeForm(t testing.TB, app core.App, slug, fields string, more map[string]any) *core.Record {
	t.Helper()
	values := map[string]any{"slug": slug, "title": "A " + slug, "open": true, "fields": fields}
	for name, v := range more {
		values[name] = v
	}
	return sitetest.Make(t, app, schema.Forms, values)
}

const short = `[{"name":"name","type":"text","required":true},{"name":"email","type":"email"},{"name":"message","type":"textarea"}]`

func total(t testing.TB, app core.App) int {
	t.Helper()
	n, err := app.CountRecords(schema.Submissions)
	if err != nil {
		t.Fatal(err)
	}
	return int(n)
}

func idOf(t testing.TB, body string) string {
	t.Helper()
	var receipt struct{ ID string }
	if err := json.Unmarshal([]byte(body), &receipt); err != nil || receipt.ID == "" {
		t.Fatalf("no receipt: %s", body)
	}
	return receipt.ID
}

func TestADoubleClickIsStoredOnce(t *testing.T) {
	t.Parallel()
	app := contact(t)
	var mu sync.Mutex
	ids := map[string]int{}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			_, body := app.JSON("POST", "/f/contact", "", `{"name":"Ada","email":"ada@example.com","message":"Hello"}`)
			mu.Lock()
			defer mu.Unlock()
			ids[idOf(t, body)]++
		})
	}
	all.Wait()
	if len(ids) != 1 || total(t, app) != 1 {
		t.Errorf("%v, %d stored", ids, total(t, app))
	}
	if res, body := app.JSON("POST", "/f/contact", "", `{"name":"Ada","email":"ada@example.com","message":"Another"}`); res.StatusCode != 201 || total(t, app) != 2 {
		t.Errorf("something else: %d %s", res.StatusCode, body)
	}
}

func TestAnIdempotencyKeyHoldsForADay(t *testing.T) {
	t.Parallel()
	app := contact(t)
	post := func(message string) (*http.Response, string) {
		return app.Do("POST", "/f/contact", `{"name":"Ada","email":"ada@example.com","message":"`+message+`"}`, "Content-Type", "application/json", "Idempotency-Key", "k-1")
	}
	_, first := post("Hello")
	res, second := post("Hello")
	if res.StatusCode != 201 || idOf(t, first) != idOf(t, second) || total(t, app) != 1 {
		t.Errorf("%d %s %s", res.StatusCode, first, second)
	}
	if res, body := post("Other"); res.StatusCode != 422 || !strings.Contains(body, "Idempotency-Key") {
		t.Errorf("another body: %d %s", res.StatusCode, body)
	}
	_, err := app.NonconcurrentDB().NewQuery(`UPDATE submissions SET created = '2020-01-01 00:00:00.000Z'`).Execute()
	if err != nil {
		t.Fatal(err)
	}
	if res, body := post("Other"); res.StatusCode != 201 || total(t, app) != 2 {
		t.Errorf("after a day: %d %s", res.StatusCode, body)
	}
	if res, _ := app.Do("POST", "/f/contact", `{}`, "Content-Type", "application/json", "Idempotency-Key", strings.Repeat("k", 201)); res.StatusCode != 400 {
		t.Errorf("a long key: %d", res.StatusCode)
	}
}

func TestUnknownFieldsAreKeptApartUpToALimit(t *testing.T) {
	t.Parallel()
	app := contact(t)
	base := url.Values{"name": {"Ada"}, "email": {"ada@example.com"}, "message": {"Hello"}, "_t": {"x"}, "_other": {"y"}}
	with := func(n, size int) string {
		v := url.Values{}
		for k, list := range base {
			v[k] = list
		}
		for i := range n {
			v.Set(fmt.Sprintf("x%d", i), strings.Repeat("v", size))
		}
		return v.Encode()
	}
	for _, c := range []struct{ n, size, status int }{{30, 10, 201}, {31, 10, 422}, {1, 2000, 201}, {1, 2001, 422}, {9, 1900, 422}} {
		if res, body := app.Do("POST", "/f/contact", with(c.n, c.size), "Content-Type", encoded); res.StatusCode != c.status {
			t.Errorf("%d of %d: %d %.200s, want %d", c.n, c.size, res.StatusCode, body, c.status)
		}
	}
	r, err := app.FindFirstRecordByFilter(schema.Submissions, "extra != ''")
	if err != nil || strings.Contains(r.GetString("extra"), "_other") || strings.Contains(r.GetString("data"), "_t") {
		t.Errorf("%v %v", r, err)
	}
}

func TestEachRefusalIsItsOwn(t *testing.T) {
	t.Parallel()
	app := contact(t)
	makeForm(t, app, "closed", short, map[string]any{"open": false, "closed_message": "Back in May."})
	makeForm(t, app, "listed", short, map[string]any{"origins": "https://static.example"})
	good := `{"name":"Ada","email":"ada@example.com","message":"Hello"}`
	for _, c := range []struct {
		slug, origin, body string
		status             int
		says               string
	}{
		{"closed", "", good, 409, "closed"},
		{"missing", "", good, 404, "no such form"},
		{"listed", "https://evil.example", good, 403, "site that you are on"},
		{"listed", "null", good, 403, "site that you are on"},
		{"listed", "https://static.example.evil.example", good, 403, "site that you are on"},
		{"listed", "https://static.example", good, 201, `"id"`},
		{"listed", "http://example.com", good, 201, `"id"`}, // httptest's own host
		{"contact", "https://static.example", good, 403, "site that you are on"},
		{"contact", "", `{"name":"A\u0000da","email":"ada@example.com","message":"x"}`, 422, "validation_invalid_text"},
		{"contact", "", `{"name":"Ada\r\nBcc: eve@example.com","email":"ada@example.com","message":"x"}`, 422, "validation_single_line"},
		{"contact", "", `{"name":"Ada","email":"ada@example.com\r\nBcc: eve@example.com","message":"x"}`, 422, "validation_single_line"},
		{"contact", "", `{"name":"Ada","email":"ada@example.com","message":"` + strings.Repeat("x", 10_001) + `"}`, 422, "validation_too_long"},
		{"contact", "", `{"name":"Ada","email":"ada@example.com","message":"` + strings.Repeat("x", 10<<20) + `"}`, 413, "too much"},
		{"contact", "", `{"name":`, 400, "could not be read"},
		{"contact", "", `{"name":{"a":1}}`, 400, "must be a text"},
		{"contact", "", `{"name":"Ada","email":"ada@example.com","message":"x","extra":"a\u0001b"}`, 422, "validation_invalid_text"},
	} {
		header := []string{"Content-Type", "application/json"}
		if c.origin != "" {
			header = append(header, "Origin", c.origin)
		}
		res, body := app.Do("POST", "/f/"+c.slug, c.body, header...)
		if res.StatusCode != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s from %q %.60s: %d %.200s, want %d %q", c.slug, c.origin, c.body, res.StatusCode, body, c.status, c.says)
		}
		if c.origin == "https://static.example" && c.status == 201 && res.Header.Get("Access-Control-Allow-Origin") == "" {
			t.Error("the listed site's script can't read the answer")
		}
	}
	if res, page := app.Get("/f/closed"); res.StatusCode != 200 || !strings.Contains(page, "Back in May.") || strings.Contains(page, "<textarea") {
		t.Errorf("the page of a closed form: %d", res.StatusCode)
	}
	if res, page := app.Get("/f/missing", "Accept", "text/html"); res.StatusCode != 404 || !strings.Contains(page, "<html") {
		t.Errorf("the page of no form: %d %.100s", res.StatusCode, page)
	}
	if res, page := app.Do("POST", "/f/closed", good, "Content-Type", "application/json", "Accept", "text/html"); res.StatusCode != 409 || !strings.Contains(page, "Back in May.") {
		t.Errorf("a browser's post to a closed form: %d", res.StatusCode)
	}
}

func TestADayHasAnEnd(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	makeForm(t, app, "short", short, map[string]any{"max_per_day": 2})
	for n, want := range []int{201, 201, 429} {
		res, body := app.JSON("POST", "/f/short", "", fmt.Sprintf(`{"name":"Ada %d"}`, n))
		if res.StatusCode != want || want == 429 && (res.Header.Get("Retry-After") == "" || !strings.Contains(body, "tomorrow")) {
			t.Errorf("number %d: %d %v %s", n, res.StatusCode, res.Header, body)
		}
	}
	if res, page := app.Do("POST", "/f/short", "name=Grace", "Content-Type", encoded, "Accept", "text/html"); res.StatusCode != 429 || !strings.Contains(page, `value="Grace"`) {
		t.Errorf("a browser loses what was written: %d", res.StatusCode)
	}
}

func TestAVisitorMayPostTenTimesAMinuteAndNotForever(t *testing.T) {
	t.Parallel()
	app := contact(t)
	accepted := 0
	for n := range 40 {
		res, _ := app.JSON("POST", "/f/contact", "", fmt.Sprintf(`{"name":"Ada","email":"ada@example.com","message":"Number %d"}`, n))
		switch res.StatusCode {
		case 201:
			accepted++
		case 429:
			if res.Header.Get("Retry-After") == "" {
				t.Fatal("no Retry-After")
			}
		default:
			t.Fatalf("number %d answers %d", n, res.StatusCode)
		}
	}
	if accepted < 10 || accepted > 30 {
		t.Errorf("%d accepted", accepted)
	}
}

func TestHooksChangeScoreAndRefuse(t *testing.T) {
	t.Parallel()
	app := contact(t)
	events.OnFormSubmit(app).BindFunc(func(e *events.SubmitEvent) error {
		switch e.Values["message"][0] {
		case "refuse":
			return apis.NewBadRequestError("Not today.", nil)
		case "break":
			return errors.New("a secret of ours")
		case "spam":
			e.Score(100, "It says so.")
		}
		e.Values["name"] = []string{strings.ToUpper(e.Values["name"][0])}
		return e.Next()
	})
	post := func(message string) (*http.Response, string) {
		return app.JSON("POST", "/f/contact", "", `{"name":"Ada","email":"ada@example.com","message":"`+message+`"}`)
	}
	if res, body := post("refuse"); res.StatusCode != 400 || !strings.Contains(body, "Not today.") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if res, body := post("break"); res.StatusCode != 500 || strings.Contains(body, "secret") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
	if total(t, app) != 0 {
		t.Error("a refused submission is stored")
	}
	_, body := post("spam")
	r, err := app.FindRecordById(schema.Submissions, idOf(t, body))
	if err != nil || r.GetString("status") != "spam" || r.GetString("name") != "ADA" || !strings.Contains(r.GetString("reasons"), "It says so.") || !strings.Contains(r.GetString("data"), `"name":"ADA"`) {
		t.Errorf("%v %v", r.FieldsData(), err)
	}
}

func TestWhatLooksLikeSpamIsFiledAndNotDropped(t *testing.T) {
	t.Parallel()
	app := contact(t)
	makeForm(t, app, "strict", short, map[string]any{"spam_policy": "strict"})
	makeForm(t, app, "off", short, map[string]any{"spam_policy": "off"})
	for n, c := range []struct{ slug, extra, status string }{
		{"contact", "", "ok"}, {"contact", `,"_hp":"x"`, "spam"}, {"strict", "", "spam"}, {"off", `,"_hp":"x"`, "ok"},
	} {
		res, body := app.JSON("POST", "/f/"+c.slug, "", fmt.Sprintf(`{"name":"Ada","email":"ada@example.com","message":"A message to %s, number %d"%s}`, c.slug, n, c.extra))
		if res.StatusCode != 201 {
			t.Fatalf("%s%s: %d %s", c.slug, c.extra, res.StatusCode, body)
		}
		r, err := app.FindRecordById(schema.Submissions, idOf(t, body))
		if err != nil || r.GetString("status") != c.status {
			t.Errorf("%s%s is %s: %s", c.slug, c.extra, r.GetString("status"), r.GetString("reasons"))
		}
		talk, err := app.FindRecordById(schema.Conversations, r.GetString("conversation"))
		if err != nil || (talk.GetString("status") == schema.ConversationSpam) != (c.status == "spam") {
			t.Errorf("%s%s: the conversation is %v, %v", c.slug, c.extra, talk, err)
		}
	}
}

func TestPeopleWhoWriteTwiceWithoutScriptsAreNoSpam(t *testing.T) {
	t.Parallel()
	app := contact(t)
	for _, email := range []string{"ada@example.com", "grace@example.com"} {
		_, body := app.JSON("POST", "/f/contact", "", `{"name":"Ada","email":"`+email+`","message":"I would like to know whether the veranda is open on the first Sunday of May."}`)
		r, err := app.FindRecordById(schema.Submissions, idOf(t, body))
		if err != nil || r.GetString("status") != "ok" {
			t.Errorf("%s: %s %s", email, r.GetString("status"), r.GetString("reasons"))
		}
	}
}

func TestWithoutTheInboxNothingIsLost(t *testing.T) {
	t.Parallel()
	app := contact(t, "inbox")
	res, body := app.JSON("POST", "/f/contact", "", `{"name":"Ada","email":"ada@example.com","message":"Hello"}`)
	r, err := app.FindRecordById(schema.Submissions, idOf(t, body))
	if err != nil || res.StatusCode != 201 || r.GetString("conversation") != "" {
		t.Errorf("%d %v %v", res.StatusCode, r, err)
	}
}

func TestWithoutTheSiteAFormStandsAlone(t *testing.T) {
	t.Parallel()
	app := contact(t, "site")
	if res, page := app.Get("/f/contact"); res.StatusCode != 200 || !strings.Contains(page, "<h1>Contact</h1>") || !strings.Contains(page, `action="/f/contact"`) {
		t.Errorf("%d %.300s", res.StatusCode, page)
	}
	if res, page := app.Do("POST", "/f/contact", "name=Ada", "Content-Type", encoded, "Accept", "text/html"); res.StatusCode != 422 || !strings.Contains(page, `value="Ada"`) {
		t.Errorf("%d %.300s", res.StatusCode, page)
	}
}

func TestTheNextPageIsOneOfOurs(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	makeForm(t, app, "x", short, map[string]any{"origins": "https://static.example", "success_url": "/thanks/"})
	for n, c := range []struct{ next, want string }{
		{"", "/thanks/"}, {"https://static.example/done", "https://static.example/done"}, {"/blog/", "/blog/"},
		{"https://evil.example/", "/thanks/"}, {"//evil.example", "/thanks/"}, {`/\evil.example`, "/thanks/"}, {"javascript:alert(1)", "/thanks/"}, {"https://static.example@evil.example/", "/thanks/"},
	} {
		form := url.Values{"name": {fmt.Sprint("Ada ", n)}, "_next": {c.next}}
		res, _ := app.Do("POST", "/f/x", form.Encode(), "Content-Type", encoded, "Accept", "text/html")
		if res.StatusCode != 303 || res.Header.Get("Location") != c.want {
			t.Errorf("%q leads to %d %q, want %q", c.next, res.StatusCode, res.Header.Get("Location"), c.want)
		}
	}
}

func TestAFormThatCannotWorkIsNotSaved(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	for name, more := range map[string]map[string]any{
		"slug": {"slug": "Two Words"}, "fields": {"fields": `[{"name":"_x"}]`}, "recipients": {"recipients": "nobody"}, "origins": {"origins": "https://a.example/path"},
		"success_url": {"success_url": "javascript:alert(1)"}, "reply_body": {"reply_on": true}, "locale": {"locale": "English"},
		"reply_on": {"reply_on": true, "reply_body": "x", "fields": `[{"name":"a"}]`},
	} {
		values := map[string]any{"slug": "x", "title": "X", "fields": short}
		for k, v := range more {
			values[k] = v
		}
		if _, err := sitetest.TryMake(app, schema.Forms, values); err == nil || !strings.Contains(err.Error(), name+":") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestWhatIsShownFollowsTheForm(t *testing.T) {
	t.Parallel()
	app := contact(t)
	sitetest.Make(t, app, schema.Pages, map[string]any{"title": "Write", "slug": "write", "status": "published", "format": "markdown", "body": "Before.\n\n{{ form \"contact\" }}\n\nAfter."})
	for _, path := range []string{"/f/contact", "/write/"} {
		if res, page := app.Get(path); res.StatusCode != 200 || !strings.Contains(page, "Your message") || res.Header.Get("Cache-Control") != "no-cache" {
			t.Fatalf("%s: %d %v", path, res.StatusCode, res.Header)
		}
	}
	r, err := app.FindFirstRecordByData(schema.Forms, "slug", "contact")
	if err != nil {
		t.Fatal(err)
	}
	r.Set("fields", strings.ReplaceAll(r.GetString("fields"), "Your message", "What is it?"))
	if err := app.Save(r); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/f/contact", "/write/"} {
		if _, page := app.Get(path); !strings.Contains(page, "What is it?") || strings.Contains(page, "Your message") {
			t.Errorf("%s shows the old form", path)
		}
	}
	if res, body := app.JSON("POST", "/f/contact", "", `{"name":"Ada","email":"ada@example.com"}`); res.StatusCode != 422 || !strings.Contains(body, "message") {
		t.Errorf("%d %s", res.StatusCode, body)
	}
}

func TestAPageShowsNothingWhereFormsAreOff(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t, "forms")
	sitetest.Make(t, app, schema.Pages, map[string]any{"title": "Write", "slug": "write", "status": "published", "format": "markdown", "body": "Before.\n\n{{ form \"contact\" }}\n\nAfter."})
	if res, page := app.Get("/write/"); res.StatusCode != 200 || strings.Contains(page, "{{") || !strings.Contains(page, "After.") {
		t.Errorf("%d %s", res.StatusCode, page)
	}
	if res, _ := app.Get("/f/contact"); res.StatusCode != 404 {
		t.Errorf("the form's own page: %d", res.StatusCode)
	}
}
