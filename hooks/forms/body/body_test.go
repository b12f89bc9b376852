package body_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"os"
	"strings"
	"testing"

	"bungalow/hooks/forms/body"
	"github.com/pocketbase/pocketbase/tools/router"
)

// photos takes two files of at most 1,000 bytes in the field photo.
func photos(field string) (int64, int, bool) { return 1000, 2, field == "photo" }

func read(t testing.TB, contentType, raw string) (*body.Body, error) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, "/f/x", strings.NewReader(raw))
	r.Header.Set("Content-Type", contentType)
	b, err := body.Read(httptest.NewRecorder(), r, t.TempDir(), true, photos)
	t.Cleanup(b.Close)
	return b, err
}

// part is one part of a multipart body; an empty Name is a value.
type part struct{ Field, Name, Content string }

func multi(t testing.TB, parts ...part) (contentType, raw string) {
	t.Helper()
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	for _, p := range parts {
		header := textproto.MIMEHeader{}
		if p.Name == "" {
			header.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q`, p.Field))
		} else {
			header.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q; filename=%q`, p.Field, strings.TrimSpace(p.Name)))
			header.Set("Content-Type", "image/png")
		}
		in, err := w.CreatePart(header)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(in, p.Content)
	}
	_ = w.Close()
	return w.FormDataContentType(), out.String()
}

func TestEveryFormOfABodySaysTheSame(t *testing.T) {
	t.Parallel()
	kind, raw := multi(t, part{"name", "", "Ada"}, part{"tags", "", "a"}, part{"tags", "", "b\r\nc"})
	for contentType, raw := range map[string]string{
		"application/x-www-form-urlencoded": "name=Ada&tags=a&tags=b%0D%0Ac",
		"application/json":                  `{"name":"Ada","tags":["a","b\r\nc"]}`,
		kind:                                raw,
	} {
		b, err := read(t, contentType, raw)
		if err != nil || b.Values["name"][0] != "Ada" || strings.Join(b.Values["tags"], "|") != "a|b\r\nc" || b.JSON != strings.Contains(contentType, "json") {
			t.Errorf("%s: %+v, %v", contentType, b, err)
		}
	}
}

func TestNothingIsDroppedSilently(t *testing.T) {
	t.Parallel()
	b, err := read(t, "application/x-www-form-urlencoded", "a=x%00y&b=%FF")
	if err != nil || b.Values["a"][0] != "x\x00y" || b.Values["b"][0] != "\xff" {
		t.Errorf("%+v, %v", b, err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	large, rawLarge := multi(t, part{"message", "", strings.Repeat("x", 10<<20)})
	manyFiles := make([]part, body.MaxFiles+1)
	for i := range manyFiles {
		manyFiles[i] = part{"photo", "a.png", "x"}
	}
	many, rawMany := multi(t, manyFiles...)
	const form = "application/x-www-form-urlencoded"
	for _, c := range []struct {
		contentType, raw string
		status           int
	}{
		{"text/xml", "<a/>", 415}, {";;", "", 400}, {"multipart/form-data", "x", 400}, {"multipart/form-data; boundary=x", "--x\r\nbroken", 400},
		{"application/json", `{"a":`, 400}, {"application/json", `[1]`, 400}, {"application/json", `{"a":{"b":1}}`, 400}, {"application/json", `{"a":1,"a":2}`, 400},
		{form, "a=%zz", 400}, {form, "a=1;b=2", 400}, {form, strings.Repeat("x", 101) + "=1", 400}, {form, strings.Repeat("a=1&", 600), 400},
		{form, "a=" + strings.Repeat("x", body.MaxText), 413}, {form, "message=" + strings.Repeat("x", 10<<20), 413},
		{"application/json", `{"a":"` + strings.Repeat("x", 10<<20) + `"}`, 413},
		{large, rawLarge, 413}, {many, rawMany, 400},
	} {
		_, err := read(t, c.contentType, c.raw)
		var api *router.ApiError
		if !errors.As(err, &api) || api.Status != c.status {
			t.Errorf("%s, %d bytes %.30q: %v, want %d", c.contentType, len(c.raw), c.raw, err, c.status)
		}
	}
}

func TestAFormWithoutFilesTakesNoLargeBody(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader("a="+strings.Repeat("x", 3_000_000)))
	r.ContentLength = -1 // chunked
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, err := body.Read(httptest.NewRecorder(), r, t.TempDir(), false, photos)
	var api *router.ApiError
	if !errors.As(err, &api) || api.Status != 413 {
		t.Errorf("%v", err)
	}
}

func TestFilesAreKeptUntilTheEnd(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("p", 900)
	kind, raw := multi(t, part{"photo", "C:\\Users\\ada\\my photo.png", content}, part{"photo", " ", ""}, part{"name", "", "Ada"})
	b, err := read(t, kind, raw)
	if err != nil || len(b.Files) != 1 {
		t.Fatalf("%+v, %v", b, err)
	}
	f := b.Files[0]
	kept, err := os.ReadFile(f.Path)
	if err != nil || string(kept) != content || f.Name != "my photo.png" || f.Size != 900 || f.Sum != sha256.Sum256([]byte(content)) || len(f.Head) != 900 || f.Fault != "" {
		t.Errorf("%+v, %v", f, err)
	}
	b.Close()
	if _, err := os.Stat(f.Path); err == nil {
		t.Error("the temporary file stayed")
	}
}

func TestFilesThatAreNotKeptSayWhy(t *testing.T) {
	t.Parallel()
	for want, parts := range map[string][]part{
		body.TooLarge: {{"photo", "a.png", strings.Repeat("x", 1001)}},
		body.TooMany:  {{"photo", "a.png", "1"}, {"photo", "b.png", "2"}, {"photo", "c.png", "3"}},
		body.Unasked:  {{"other", "a.png", "1"}},
		body.Empty:    {{"photo", "a.png", ""}},
	} {
		kind, raw := multi(t, append(parts, part{"name", "", "Ada"})...)
		b, err := read(t, kind, raw)
		if err != nil || b.Values["name"][0] != "Ada" {
			t.Fatalf("%s: %v", want, err)
		}
		if last := b.Files[len(b.Files)-1]; last.Fault != want {
			t.Errorf("%s: %+v", want, last)
		}
	}
}

func TestNamesOfFilesAreHarmless(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"../../etc/passwd": "passwd", `..\..\x.png`: "x.png", "a\r\nb.png": "ab.png", "abc\u202egnp.exe": "abcgnp.exe", ".": "", "..": "", "": "",
		strings.Repeat("ä", 300) + ".png": strings.Repeat("ä", 180) + "….png",
	} {
		if got := body.FileName(name); got != want {
			t.Errorf("%.20q became %q", name, got)
		}
	}
}

func TestADiskThatFailsIsNotTheVisitorsFault(t *testing.T) {
	t.Parallel()
	kind, raw := multi(t, part{"photo", "a.png", "x"})
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(raw))
	r.Header.Set("Content-Type", kind)
	file := t.TempDir() + "/file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := body.Read(httptest.NewRecorder(), r, file+"/below", true, photos)
	var api *router.ApiError
	if err == nil || errors.As(err, &api) {
		t.Errorf("%v", err)
	}
}

func FuzzRead(f *testing.F) {
	kind, raw := multi(f, part{"photo", "a.png", "\x89PNG"}, part{"name", "", "Ada"})
	f.Add(kind, []byte(raw))
	f.Add("application/json", []byte(`{"a":[1,true,null,"x"]}`))
	f.Add("application/x-www-form-urlencoded", []byte("a=1&b=%00&=x"))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"photo\"; filename*=utf-8''%2e%2e%2fx\r\n\r\nx\r\n--b--"))
	f.Fuzz(func(t *testing.T, contentType string, raw []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(raw))
		r.Header["Content-Type"] = []string{contentType}
		b, err := body.Read(httptest.NewRecorder(), r, t.TempDir(), true, photos)
		defer b.Close()
		if err != nil {
			var api *router.ApiError
			if !errors.As(err, &api) || api.Status < 400 || api.Status > 499 {
				t.Fatalf("%v is no clear refusal", err)
			}
			return
		}
		for _, file := range b.Files {
			if strings.ContainsAny(file.Name, "/\\\r\n\x00") || file.Fault == "" && (file.Size == 0 || file.Size > 1000 || file.Field != "photo") {
				t.Fatalf("kept %+v", file)
			}
		}
	})
}
