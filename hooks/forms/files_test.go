package forms_test

import (
	"archive/zip"
	"bytes"
	"fmt"
	"image"
	"image/png"
	"io"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/forms"
	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/sitetest"
)

// sendFiles posts a form with files.
func sendFiles(t testing.TB, app *sitetest.Site, slug string, values map[string]string, files map[string][]byte, names map[string]string) (*http.Response, string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for name, v := range values {
		_ = w.WriteField(name, v)
	}
	for name, content := range files {
		in, err := w.CreateFormFile(name, names[name])
		if err != nil {
			t.Fatal(err)
		}
		_, _ = in.Write(content)
	}
	_ = w.Close()
	return app.Do("POST", "/f/"+slug, out.String(), "Content-Type", w.FormDataContentType())
}

const withFile = `[{"name":"name","type":"text","required":true},{"name":"photo","type":"file","accept":["image","pdf"],"max_size":1},{"name":"any","type":"file","multiple":true,"max":2,"accept":["zip","text"]}]`

func picture(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// bomb is a small archive that would unpack to a hundred times its size and more.
func bomb(t testing.TB) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	in, err := w.Create("zeros.bin")
	if err != nil {
		t.Fatal(err)
	}
	_, _ = io.CopyN(in, zeros{}, 50<<20)
	_ = w.Close()
	return out.Bytes()
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func TestFilesAreTakenByTheirContent(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	makeForm(t, app, "files", withFile, nil)
	html := []byte("<!doctype html><html><script>alert(1)</script></html>")
	polyglot := append([]byte("GIF89a/*"), html...)
	for n, c := range []struct {
		field, name string
		content     []byte
		status      int
		says        string
	}{
		{"photo", "photo.png", picture(t), 201, ""},
		{"photo", "photo.exe", picture(t), 201, ""},
		{"photo", "page.png", html, 422, "validation_file_type"},
		{"photo", "run.png", []byte("MZ\x90\x00\x03"), 422, "validation_file_type"},
		{"photo", "drawing.svg", []byte(`<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>`), 422, "validation_file_type"},
		{"photo", "both.gif", polyglot, 201, ""},
		{"photo", "large.png", append(picture(t), make([]byte, 1_000_001)...), 422, "validation_file_size"},
		{"photo", "empty.png", nil, 422, "validation_file_empty"},
		{"any", "bomb.zip", bomb(t), 201, ""},
		{"any", "page.txt", html, 422, "validation_file_type"},
		{"other", "a.png", picture(t), 422, "validation_unknown_file"},
	} {
		res, body := sendFiles(t, app, "files", map[string]string{"name": fmt.Sprint("Ada ", n)}, map[string][]byte{c.field: c.content}, map[string]string{c.field: c.name})
		if res.StatusCode != c.status || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d %s, want %d %q", c.name, res.StatusCode, body, c.status, c.says)
		}
	}
	left, err := filepath.Glob(filepath.Join(app.DataDir(), ".pb_temp_to_delete", "form-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files stay: %v %v", left, err)
	}
}

// until waits for a condition that others bring about.
func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("it never came true that %s", what)
		}
	}
}

func TestFilesAreForStaffAlone(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	makeForm(t, app, "files", withFile, nil)
	polyglot := []byte("GIF89a/*<script>alert(1)</script>*/")
	_, body := sendFiles(t, app, "files", map[string]string{"name": "Ada"}, map[string][]byte{"photo": polyglot}, map[string]string{"photo": "a \"b\" ü.gif"})
	r, err := app.FindRecordById(schema.Submissions, idOf(t, body))
	if err != nil {
		t.Fatal(err)
	}
	names := r.GetStringSlice("files")
	if len(names) != 1 || !strings.HasSuffix(names[0], ".gif") || strings.ContainsAny(names[0], "\" ") {
		t.Fatalf("stored as %v", names)
	}
	kept, err := os.ReadFile(filepath.Join(app.DataDir(), "storage", r.BaseFilesPath(), names[0]))
	if err != nil || !bytes.Equal(kept, polyglot) {
		t.Errorf("the file in the storage: %q %v", kept, err)
	}
	public := "/api/files/" + r.Collection().Id + "/" + r.Id + "/" + names[0]
	if res, _ := app.Get(public); res.StatusCode/100 == 2 {
		t.Errorf("a stranger gets the file: %d", res.StatusCode)
	}
	desk := forms.FilePath(r.Id, names[0])
	if res, _ := app.Get(desk); res.StatusCode/100 == 2 {
		t.Errorf("a stranger gets the file at the desk: %d", res.StatusCode)
	}
	editor, _ := sitetest.Staff(t, app, roles.Editor)
	if res, _ := app.Desk(sitetest.Cookie(t, app, editor), desk, ""); res.StatusCode != http.StatusForbidden {
		t.Errorf("an editor: %d", res.StatusCode)
	}
	person, _ := sitetest.Staff(t, app, roles.Moderator)
	moderator := sitetest.Cookie(t, app, person)
	if _, page := app.Desk(moderator, "/desk/inbox/"+r.GetString("conversation")+"/", ""); !strings.Contains(page, `href="`+desk+`"`) {
		t.Errorf("the conversation does not lead to the file at %s", desk)
	}
	res, got := app.Desk(moderator, desk, "")
	h := res.Header
	if res.StatusCode != 200 || got != string(polyglot) || !strings.HasPrefix(h.Get("Content-Disposition"), "attachment") || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") ||
		strings.Contains(h.Get("Content-Security-Policy"), "allow") || h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Content-Type") != "image/gif" {
		t.Errorf("%d %v", res.StatusCode, h)
	}
	if res, _ := app.Desk(moderator, "/desk/submissions/"+r.Id+"/files/other.gif/", ""); res.StatusCode != 404 {
		t.Errorf("another name: %d", res.StatusCode)
	}
	if err := app.Delete(r); err != nil {
		t.Fatal(err)
	}
	until(t, "the file goes with its submission", func() bool {
		_, err := os.Stat(filepath.Join(app.DataDir(), "storage", r.BaseFilesPath(), names[0]))
		return os.IsNotExist(err)
	})
}

func TestAnUploadTwiceIsStoredOnce(t *testing.T) {
	t.Parallel()
	app := sitetest.New(t)
	makeForm(t, app, "files", withFile, nil)
	var first string
	for range 2 {
		_, body := sendFiles(t, app, "files", map[string]string{"name": "Ada"}, map[string][]byte{"photo": picture(t)}, map[string]string{"photo": "a.png"})
		if id := idOf(t, body); first == "" {
			first = id
		} else if id != first {
			t.Errorf("%s and %s", first, id)
		}
	}
	r, err := app.FindRecordById(schema.Submissions, first)
	if err != nil {
		t.Fatal(err)
	}
	folders, err := os.ReadDir(filepath.Join(app.DataDir(), "storage", r.Collection().Id))
	if err != nil || len(folders) != 1 {
		t.Errorf("%v %v", folders, err)
	}
}
