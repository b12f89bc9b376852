package web_test

import (
	"bytes"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"bungalow/hooks/kit/roles"
	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	validation "github.com/pocketbase/ozzo-validation/v4"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/router"
)

func person(role roles.Role, active bool) *core.Record {
	c := core.NewAuthCollection(schema.Staff)
	c.Fields.Add(&core.TextField{Name: "role"}, &core.BoolField{Name: "active"})
	r := core.NewRecord(c)
	r.Set("role", string(role))
	r.Set("active", active)
	return r
}

func TestWhoPasses(t *testing.T) {
	t.Parallel()
	visitor := core.NewRecord(core.NewAuthCollection("users"))
	cases := []struct {
		who    *core.Record
		access web.Access
		want   bool
	}{
		{nil, web.Public, true},
		{nil, web.Owner, false},
		{nil, web.Staff, false},
		{nil, "content.edit", false},
		{visitor, web.Staff, false},
		{visitor, "content.edit", false},
		{person(roles.Owner, true), web.Owner, true},
		{person(roles.Owner, false), web.Owner, false},
		{person(roles.Editor, true), web.Owner, false},
		{person(roles.Editor, true), web.Staff, true},
		{person(roles.Editor, true), "content.edit", true},
		{person(roles.Editor, false), "content.edit", false},
		{person(roles.Author, true), "content.edit", false},
		{person(roles.Author, true), "content.write", true},
		{person("made up", true), "content.write", false},
		{person(roles.Owner, true), "made.up", true},
	}
	for i, c := range cases {
		if got := web.Allowed(c.who, c.access); got != c.want {
			t.Errorf("case %d: access %q is %v", i, c.access, got)
		}
	}
}

func event(r *http.Request) *core.RequestEvent {
	e := &core.RequestEvent{}
	e.Request, e.Response = r, httptest.NewRecorder()
	return e
}

func TestReadTakesEveryFormOfAForm(t *testing.T) {
	t.Parallel()
	var multi bytes.Buffer
	w := multipart.NewWriter(&multi)
	_ = w.WriteField("name", "Ada")
	_ = w.WriteField("tags", "a")
	_ = w.WriteField("tags", "b")
	_ = w.Close()
	for contentType, body := range map[string]string{
		"application/x-www-form-urlencoded": "name=Ada&tags=a&tags=b",
		"application/json; charset=utf-8":   `{"name":"Ada","tags":["a","b"]}`,
		w.FormDataContentType():             multi.String(),
	} {
		r := httptest.NewRequest(http.MethodPost, "/f/x?name=Mallory", strings.NewReader(body))
		r.Header.Set("Content-Type", contentType)
		v, err := web.Read(event(r))
		if err != nil || v.Get("name") != "Ada" || strings.Join(v["tags"], "") != "ab" || v.Get("none") != "" {
			t.Errorf("%s: %v, %v", contentType, v, err)
		}
	}
}

func TestReadRefusesWithAStatus(t *testing.T) {
	t.Parallel()
	cases := []struct {
		contentType, body string
		status            int
	}{
		{"text/xml", "<a/>", 415},
		{"application/json", `{"a":`, 400},
		{"application/json", `{"a":{"b":1}}`, 400},
		{"application/json", `[1]`, 400},
		{"multipart/form-data", "x", 400},
		{"multipart/form-data; boundary=x", "--x\r\nbroken", 400},
		{";;", "", 400},
		{"application/x-www-form-urlencoded", "a=%zz", 400},
		{"application/x-www-form-urlencoded", strings.Repeat("x", 200) + "=1", 400},
		{"application/x-www-form-urlencoded", "a=" + strings.Repeat("x", 5000), 413},
	}
	for _, c := range cases {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.contentType)
		r.Body = http.MaxBytesReader(httptest.NewRecorder(), r.Body, 4096)
		_, err := web.Read(event(r))
		var api *router.ApiError
		if !errors.As(err, &api) || api.Status != c.status {
			t.Errorf("%s %.40q: %v, want %d", c.contentType, c.body, err, c.status)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("application/json", []byte(`{"a":[1,true,null,"x"]}`))
	f.Add("application/x-www-form-urlencoded", []byte("a=1&b=%00"))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n--b--"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body))
		r.Header["Content-Type"] = []string{contentType}
		values, err := web.Read(event(r))
		var api *router.ApiError
		if err != nil && (!errors.As(err, &api) || api.Status < 400 || api.Status > 499) {
			t.Fatalf("%v is no clear refusal", err)
		}
		for name, list := range values {
			if strings.Contains(name+strings.Join(list, ""), "\x00") {
				t.Fatalf("%q: %q kept a NUL", name, list)
			}
		}
	})
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	for want, err := range map[int]error{
		422: validation.Errors{"email": validation.NewError("x", "y")},
		404: router.NewNotFoundError("", nil),
		500: io.ErrUnexpectedEOF,
	} {
		var api *router.ApiError
		if got := web.Refuse(event(httptest.NewRequest(http.MethodGet, "/", nil)), err); !errors.As(got, &api) || api.Status != want {
			t.Errorf("%v became %v, want %d", err, got, want)
		}
	}
	if web.Refuse(nil, nil) != nil {
		t.Error("nil became an error")
	}
}
