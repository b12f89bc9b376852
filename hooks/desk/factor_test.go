package desk_test

import (
	"errors"
	"html"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/kit/events"
	"bungalow/hooks/kit/people"
	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pquerna/otp/totp"
)

var (
	hiddenToken = regexp.MustCompile(`name="token" value="([^"]+)"`)
	shownSecret = regexp.MustCompile(`<code>([A-Z2-7]{16,})</code>`)
	shownCode   = regexp.MustCompile(`<li>([a-z2-9]{5}-[a-z2-9]{5})`)
)

// secured switches the second step on for a person, by the pages, and gives the
// cookie that goes on, the secret and the recovery codes.
func secured(t *testing.T, app *sitetest.Site, person *core.Record) (cookie, secret string, codes []string) {
	t.Helper()
	cookie = sitetest.Cookie(t, app, person)
	res, body := app.Desk(cookie, "/desk/account/factor/start/", url.Values{"factor_password": {sitetest.Password}}.Encode())
	token, key := hiddenToken.FindStringSubmatch(body), shownSecret.FindStringSubmatch(body)
	if res.StatusCode != http.StatusOK || token == nil || key == nil {
		t.Fatalf("beginning: %d %s", res.StatusCode, body)
	}
	if res, picture := app.Desk(cookie, "/desk/account/factor.png?token="+token[1], ""); res.StatusCode != http.StatusOK || !strings.HasPrefix(picture, "\x89PNG") {
		t.Errorf("the picture: %d", res.StatusCode)
	}
	if res, _ := app.Desk(cookie, "/desk/account/factor/", url.Values{"token": {token[1]}, "code": {"000000"}}.Encode()); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a wrong code: %d", res.StatusCode)
	}
	code, err := totp.GenerateCode(key[1], time.Now())
	if err != nil {
		t.Fatal(err)
	}
	res, body = app.Desk(cookie, "/desk/account/factor/", url.Values{"token": {token[1]}, "code": {code}}.Encode())
	for _, found := range shownCode.FindAllStringSubmatch(body, -1) {
		codes = append(codes, found[1])
	}
	if res.StatusCode != http.StatusOK || len(codes) != 10 {
		t.Fatalf("switching on: %d %s", res.StatusCode, body)
	}
	return cookie, key[1], codes
}

// halfWay signs in with the password and gives the cookie of the second step.
func halfWay(t *testing.T, app *sitetest.Site, email string) string {
	t.Helper()
	res, body := app.Desk("", "/desk/sign-in/", url.Values{"email": {email}, "password": {sitetest.Password}, "next": {"/desk/account/"}}.Encode())
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/desk/sign-in/factor/" || cookieNamed(res, "session") != "" {
		t.Fatalf("the first step: %d %s %s", res.StatusCode, res.Header.Get("Location"), body)
	}
	return cookieNamed(res, "desk_step")
}

func TestTheSecondStep(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, token := sitetest.Staff(t, app, roles.Editor)
	other := sitetest.Cookie(t, app, ada)
	cookie, _, codes := secured(t, app, ada)
	did(t, app, "account.factor_on")
	if res, _ := app.Desk(cookie, "/desk/", ""); res.StatusCode != http.StatusOK {
		t.Errorf("the session that switched it on: %d", res.StatusCode)
	}
	if res, _ := app.Desk(other, "/desk/", ""); res.StatusCode != http.StatusSeeOther {
		t.Errorf("a session from before: %d", res.StatusCode)
	}
	for path, body := range map[string]string{
		"auth-with-password": `{"identity":"` + ada.Email() + `","password":"` + sitetest.Password + `"}`, "auth-refresh": "",
	} {
		res, answer := app.JSON(http.MethodPost, "/api/collections/staff/"+path, token, body)
		if res.StatusCode/100 == 2 || strings.Contains(answer, `"token":`) {
			t.Errorf("the API's %s gives %d %s", path, res.StatusCode, answer)
		}
	}
	step := halfWay(t, app, ada.Email())
	if res, body := app.Desk(step, "/desk/sign-in/factor/", "code=123456"); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "not right") {
		t.Errorf("a wrong code: %d", res.StatusCode)
	}
	code := strings.ToUpper(strings.ReplaceAll(codes[3], "-", " "))
	res, _ := app.Desk(step, "/desk/sign-in/factor/", url.Values{"code": {code}}.Encode())
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/desk/account/" {
		t.Fatalf("a recovery code: %d", res.StatusCode)
	}
	if res, body := app.Desk(cookieOf(t, res), "/desk/account/", ""); res.StatusCode != http.StatusOK || !strings.Contains(body, "9 recovery codes are left") {
		t.Errorf("the account: %d", res.StatusCode)
	}
	if res, _ := app.Desk(step, "/desk/sign-in/factor/", url.Values{"code": {codes[4]}}.Encode()); res.StatusCode == http.StatusOK || cookieNamed(res, "session") != "" {
		t.Errorf("a second step used twice: %d", res.StatusCode)
	}
	step = halfWay(t, app, ada.Email())
	if res, _ := app.Desk(step, "/desk/sign-in/factor/", url.Values{"code": {codes[3]}}.Encode()); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("a recovery code used twice: %d", res.StatusCode)
	}
	res, _ = app.Desk(cookie, "/desk/account/factor/off/", url.Values{"factor_password": {sitetest.Password}}.Encode())
	if factor, _ := people.HasFactor(app, ada.Id); res.StatusCode != http.StatusSeeOther || factor {
		t.Errorf("switching off: %d", res.StatusCode)
	}
}

func TestACodeOfTheAppWorksOnce(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	_, secret, _ := secured(t, app, ada)
	at := time.Now().Add(2 * time.Minute)
	code, _ := totp.GenerateCode(secret, at)
	if kind, err := people.CheckFactor(app, ada.Id, code[:3]+" "+code[3:], at); err != nil || kind != "totp" {
		t.Errorf("%s, %v", kind, err)
	}
	before, _ := totp.GenerateCode(secret, at.Add(-30*time.Second))
	for name, c := range map[string]string{"the same": code, "an earlier one": before, "none": "", "too long": code + "1"} {
		if _, err := people.CheckFactor(app, ada.Id, c, at); !errors.Is(err, people.ErrWrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestTheSecondStepCantBeGuessed(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	secured(t, app, ada)
	step, wrong := halfWay(t, app, ada.Email()), 0
	for range 8 {
		if res, _ := app.Desk(step, "/desk/sign-in/factor/", "code=111111"); res.StatusCode == http.StatusUnprocessableEntity {
			wrong++
		}
	}
	if wrong != 5 {
		t.Errorf("%d guesses in one sign-in", wrong)
	}
	tooMany := false
	for range 3 {
		step = halfWay(t, app, ada.Email())
		for range 5 {
			res, _ := app.Desk(step, "/desk/sign-in/factor/", "code=111111")
			tooMany = tooMany || res.StatusCode == http.StatusTooManyRequests
		}
	}
	if !tooMany {
		t.Error("beginning again and again gives more guesses")
	}
}

func TestAnOwnersSecondStepGuardsTheDashboardToo(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Owner)
	super, err := people.EnsureSuperuser(app, ada)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := super.NewAuthToken()
	secured(t, app, ada)
	if res, _ := app.JSON(http.MethodGet, "/api/settings", old, ""); res.StatusCode == http.StatusOK {
		t.Error("the superuser's token from before lives")
	}
	res, body := app.JSON(http.MethodPost, "/api/collections/_superusers/auth-with-password", "", `{"identity":"`+ada.Email()+`","password":"`+sitetest.Password+`"}`)
	if res.StatusCode == http.StatusOK || !strings.Contains(body, "second factor") {
		t.Errorf("the superuser signs in with the password alone: %d %s", res.StatusCode, body)
	}
}

func TestACodeByMail(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Editor)
	ask := func(email string) (step, body string) {
		res, body := app.Desk("", "/desk/sign-in/code/", url.Values{"email": {email}, "next": {"/desk/account/"}}.Encode())
		if res.StatusCode != http.StatusOK {
			t.Fatalf("%d %s", res.StatusCode, body)
		}
		return cookieNamed(res, "desk_step"), strings.ReplaceAll(html.UnescapeString(body), email, "x")
	}
	step, known := ask(ada.Email())
	nobody, unknown := ask("nobody@example.com")
	if known != unknown || step == "" || nobody == "" {
		t.Error("the answers differ")
	}
	if err := queue.Start(app); err != nil {
		t.Fatal(err)
	}
	code, deadline := "", time.Now().Add(20*time.Second)
	for code == "" && time.Now().Before(deadline) {
		var text string
		_ = app.DB().NewQuery("SELECT text FROM _mails WHERE template = 'desk-code'").Row(&text)
		code = regexp.MustCompile(`\d{4} \d{4}`).FindString(text)
	}
	_ = queue.Stop(t.Context(), app)
	for _, wrong := range []string{step, nobody} {
		if res, _ := app.Desk(wrong, "/desk/sign-in/code/check/", "code=0000+0000"); res.StatusCode != http.StatusUnprocessableEntity {
			t.Errorf("a wrong code: %d", res.StatusCode)
		}
	}
	if res, _ := app.Desk(nobody, "/desk/sign-in/code/check/", url.Values{"code": {code}}.Encode()); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("the code in another browser: %d", res.StatusCode)
	}
	res, _ := app.Desk(step, "/desk/sign-in/code/check/", url.Values{"code": {code}}.Encode())
	if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/desk/account/" {
		t.Fatalf("the right code %q: %d", code, res.StatusCode)
	}
	if res, _ := app.Desk(cookieOf(t, res), "/desk/", ""); res.StatusCode != http.StatusOK {
		t.Errorf("the desk: %d", res.StatusCode)
	}
	if res, _ := app.Desk(step, "/desk/sign-in/code/check/", url.Values{"code": {code}}.Encode()); res.StatusCode != http.StatusUnprocessableEntity {
		t.Errorf("the code twice: %d", res.StatusCode)
	}
}

func TestTheSiteMayRefuseASignIn(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	ada, _ := sitetest.Staff(t, app, roles.Analyst)
	var seen []string
	events.OnSignIn(app).BindFunc(func(e *events.SignInEvent) error {
		seen = append(seen, e.Method)
		return (&core.RequestEvent{}).ForbiddenError("Sign in from the office.", nil)
	})
	form := url.Values{"email": {ada.Email()}, "password": {sitetest.Password}}.Encode()
	if res, body := app.Desk("", "/desk/sign-in/", form); res.StatusCode != http.StatusForbidden || !strings.Contains(body, "from the office") || cookieNamed(res, "session") != "" {
		t.Errorf("the desk: %d %s", res.StatusCode, body)
	}
	res, body := app.JSON(http.MethodPost, "/api/collections/staff/auth-with-password", "", `{"identity":"`+ada.Email()+`","password":"`+sitetest.Password+`"}`)
	if res.StatusCode != http.StatusForbidden || strings.Contains(body, `"token"`) || strings.Join(seen, " ") != "password api" {
		t.Errorf("the API: %d %s %v", res.StatusCode, body, seen)
	}
}
