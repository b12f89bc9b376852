package library_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// picture is a PNG of the size, of one colour.
func picture(t testing.TB, width, height int) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range img.Pix {
		img.Pix[i] = 200
	}
	img.Set(0, 0, color.Black)
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// desk is one person at the desk of a site.
type desk struct {
	*sitetest.Site
	t      testing.TB
	Person *core.Record
	Token  string
	cookie string
}

// as signs a new member of staff in.
func as(t testing.TB, app *sitetest.Site, role roles.Role) *desk {
	t.Helper()
	person, token := sitetest.Staff(t, app, role)
	return &desk{Site: app, t: t, Person: person, Token: token, cookie: sitetest.Cookie(t, app, person)}
}

// see asks for a page and wants the status.
func (d *desk) see(path string, status int) string {
	d.t.Helper()
	res, body := d.Desk(d.cookie, path, "")
	if res.StatusCode != status {
		d.t.Fatalf("%s answers %d, want %d: %.1500s", path, res.StatusCode, status, mainOf(body))
	}
	return body
}

// send posts a form and wants the status; the answer's address is returned.
func (d *desk) send(path string, form url.Values, status int) (location, body string) {
	d.t.Helper()
	encoded := form.Encode()
	if encoded == "" {
		encoded = "_=1"
	}
	res, body := d.Desk(d.cookie, path, encoded)
	if res.StatusCode != status {
		d.t.Fatalf("a form to %s answers %d, want %d: %.1500s", path, res.StatusCode, status, mainOf(body))
	}
	return res.Header.Get("Location"), body
}

// files is what a multipart form holds: names and contents in turn.
type files []any

// sendFiles posts files as a script does (accept JSON) or as a browser does.
func (d *desk) sendFiles(path, accept string, in files, fields ...string) (*http.Response, string) {
	d.t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for i := 0; i+1 < len(fields); i += 2 {
		_ = w.WriteField(fields[i], fields[i+1])
	}
	for i := 0; i+1 < len(in); i += 2 {
		part, err := w.CreateFormFile("files", in[i].(string))
		if err != nil {
			d.t.Fatal(err)
		}
		switch content := in[i+1].(type) {
		case string:
			_, _ = part.Write([]byte(content))
		case []byte:
			_, _ = part.Write(content)
		}
	}
	_ = w.Close()
	return d.Do(http.MethodPost, path, body.String(), "Cookie", d.cookie, "Accept", accept, "Content-Type", w.FormDataContentType(), "Sec-Fetch-Site", "same-origin")
}

// media makes a file of an owner, nil for nobody's.
func media(t testing.TB, app core.App, owner *core.Record, name string, content []byte) *core.Record {
	t.Helper()
	file, err := filesystem.NewFileFromBytes(content, name)
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string]any{"file": file}
	if owner != nil {
		fields["owner"] = owner.Id
	}
	return sitetest.Make(t, app, schema.Media, fields)
}

// audited counts the lines of an action on a record.
func audited(t testing.TB, app core.App, action, record string) int {
	t.Helper()
	lines, err := app.FindRecordsByFilter(schema.Audit, "action = {:a} && (record = {:r} || {:r} = '')", "", 0, 0, map[string]any{"a": action, "r": record})
	if err != nil {
		t.Fatal(err)
	}
	return len(lines)
}

// mainOf is what a page has besides the frame of the desk.
func mainOf(body string) string {
	if _, main, found := strings.Cut(body, "<main"); found {
		return main
	}
	return body
}

func has(t testing.TB, body string, wanted ...string) {
	t.Helper()
	body = mainOf(body)
	for _, w := range wanted {
		if !strings.Contains(body, w) {
			t.Errorf("there is no %q in %.1500s", w, body)
		}
	}
}

func hasNot(t testing.TB, body string, unwanted ...string) {
	t.Helper()
	body = mainOf(body)
	for _, w := range unwanted {
		if strings.Contains(body, w) {
			t.Errorf("there is %q in %.1500s", w, body)
		}
	}
}

// undoAfter posts a form and gives where it leads and the address of the
// button that takes it back.
func (d *desk) undoAfter(path string, form url.Values) (location, undo string) {
	d.t.Helper()
	res, body := d.Desk(d.cookie, path, form.Encode())
	if res.StatusCode != http.StatusSeeOther || len(res.Cookies()) == 0 {
		d.t.Fatalf("a form to %s answers %d: %.1000s", path, res.StatusCode, body)
	}
	raw, err := base64.RawURLEncoding.DecodeString(res.Cookies()[0].Value)
	var notice struct {
		U string `json:"u"`
	}
	if err != nil || json.Unmarshal(raw, &notice) != nil {
		d.t.Fatalf("the notice after %s is %q, %v", path, raw, err)
	}
	return res.Header.Get("Location"), notice.U
}
