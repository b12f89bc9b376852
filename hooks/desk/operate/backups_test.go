package operate_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
)

// upload sends a file as the form does.
func upload(t *testing.T, app *sitetest.Site, cookie, name string, raw []byte) *http.Response {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	part, err := w.CreateFormFile("file", name)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = part.Write(raw)
	_ = w.Close()
	res, _ := app.Do(http.MethodPost, "/desk/backups/upload/", body.String(), "Cookie", cookie, "Content-Type", w.FormDataContentType(), "Accept", "text/html", "Sec-Fetch-Site", "same-origin")
	return res
}

func TestABackupFromElsewhereIsLookedThroughFirst(t *testing.T) {
	t.Parallel()
	app, cookie := as(t, roles.Owner)
	if err := app.CreateBackup(t.Context(), "made.zip"); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(app.DataDir(), core.LocalBackupsDirName)
	sound, err := os.ReadFile(filepath.Join(dir, "made.zip"))
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		raw  []byte
		kept bool
	}{
		"sound.zip": {sound, true}, "cut.zip": {sound[:len(sound)-100], false}, "text.zip": {[]byte("hello"), false},
		"made.zip": {[]byte("over another"), false}, "page.html": {sound, false}, "sp ace.zip": {sound, false}, ".hidden.zip": {sound, false},
	} {
		if res := upload(t, app, cookie, name, c.raw); res.StatusCode != http.StatusSeeOther {
			t.Errorf("%s answers %d", name, res.StatusCode)
		}
		now, err := os.ReadFile(filepath.Join(dir, name))
		if kept := err == nil && bytes.Equal(now, c.raw); kept != c.kept {
			t.Errorf("%s is kept: %v", name, kept)
		}
	}
	audited(t, app, "backup.upload")
	if res := upload(t, app, cookie, "", nil); res.StatusCode != http.StatusSeeOther {
		t.Errorf("no file answers %d", res.StatusCode)
	}
}

func TestADamagedBackupIsNotRestored(t *testing.T) {
	t.Parallel()
	app, cookie := as(t, roles.Owner)
	dir := filepath.Join(app.DataDir(), core.LocalBackupsDirName)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bad.zip"), []byte("no"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, form := range []string{"x=1", "sure=true"} {
		res, _ := app.Desk(cookie, "/desk/backups/bad.zip/restore/", form)
		if res.StatusCode != http.StatusSeeOther || res.Header.Get("Location") != "/desk/backups/bad.zip/" {
			t.Errorf("%s answers %d %s", form, res.StatusCode, res.Header.Get("Location"))
		}
	}
	if n, _ := app.CountRecords("audit"); n != 0 {
		t.Errorf("%d lines of what was not done", n)
	}
	for _, name := range []string{"none.zip", "..%2fdata.db", "%2e%2e%2fsecret.key", "x"} {
		for _, path := range []string{"", "file/"} {
			if res, _ := app.Desk(cookie, "/desk/backups/"+name+"/"+path, ""); res.StatusCode != http.StatusNotFound {
				t.Errorf("%s%s answers %d", name, path, res.StatusCode)
			}
		}
	}
}

func TestTheClockOfBackups(t *testing.T) {
	t.Parallel()
	app, cookie := as(t, roles.Owner)
	form := url.Values{"every": {"day"}, "hour": {"4"}, "keep": {"9"}, "cron": {""}}
	for _, c := range []struct{ field, value, line string }{
		{"every", "day", "0 4 * * *"}, {"every", "week", "0 4 * * 1"}, {"cron", "30 2 * * 1-5", "0 4 * * 1"}, {"every", "own", "30 2 * * 1-5"}, {"every", "never", ""},
	} {
		form.Set(c.field, c.value)
		if res, body := app.Desk(cookie, "/desk/settings/backups/", form.Encode()); res.StatusCode != http.StatusSeeOther {
			t.Fatalf("%v answers %d %s", form, res.StatusCode, body)
		}
		if b := app.Settings().Backups; b.Cron != c.line || b.CronMaxKeep != 9 {
			t.Errorf("%v: %+v", form, b)
		}
		see(t, app, cookie, "/desk/settings/backups/", `value="`+form.Get("every")+`" selected`)
	}
	form.Set("every", "own")
	form.Set("cron", "now and then")
	if res, body := app.Desk(cookie, "/desk/settings/backups/", form.Encode()); res.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(body, "no line of cron") {
		t.Errorf("%d", res.StatusCode)
	}
}
