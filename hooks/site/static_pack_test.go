package site

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/andybalholm/brotli"
)

func pack(t testing.TB, encoding, content string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser = gzip.NewWriter(&b)
	if encoding == "br" {
		w = brotli.NewWriter(&b)
	}
	_, err := io.WriteString(w, content)
	if err := errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func unpacked(t testing.TB, w *httptest.ResponseRecorder) string {
	t.Helper()
	var r io.Reader = w.Body
	switch w.Header().Get("Content-Encoding") {
	case "br":
		r = brotli.NewReader(r)
	case "gzip":
		r, _ = gzip.NewReader(r)
	}
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestStaticCompression(t *testing.T) {
	t.Parallel()
	s, dir := newStatic(t)
	text, large := strings.Repeat("compress me ", 500), strings.Repeat("large text ", inMemory/8)
	put(t, dir, "made.css", text)
	put(t, dir, "found.css", text)
	put(t, dir, "found.css.br", pack(t, "br", text))
	put(t, dir, "found.css.gz", pack(t, "gzip", text))
	put(t, dir, "stale.css", text)
	putAt(t, dir, "stale.css.br", pack(t, "br", "what it was before"), calm.Add(-time.Second))
	put(t, dir, "large.txt", large)
	put(t, dir, "large.txt.br", pack(t, "br", large))
	put(t, dir, "large.txt.gz", pack(t, "gzip", large))
	put(t, dir, "photo.jpg", text)
	for _, tt := range []struct{ target, accept, want, body string }{
		{"/made.css", "", "", text},
		{"/made.css", "gzip, br", "br", text},
		{"/made.css", "gzip", "gzip", text},
		{"/found.css", "br", "br", text},
		{"/found.css", "gzip, br;q=0", "gzip", text},
		{"/stale.css", "br", "br", text},
		{"/large.txt", "br, gzip", "br", large},
		{"/large.txt", "gzip", "gzip", large},
		{"/large.txt", "", "", large},
		{"/photo.jpg", "br, gzip", "", text},
	} {
		w := fetch(t, s, "GET", tt.target, "Accept-Encoding", tt.accept)
		if got := w.Header().Get("Content-Encoding"); got != tt.want || unpacked(t, w) != tt.body {
			t.Errorf("%s, %q: encoding %q, want %q, or another body", tt.target, tt.accept, got, tt.want)
		}
		if vary := w.Header().Get("Vary"); (vary == "Accept-Encoding") != (tt.target != "/photo.jpg") {
			t.Errorf("%s: Vary %q", tt.target, vary)
		}
	}
	if w := fetch(t, s, "GET", "/found.css", "Range", "bytes=0-3", "Accept-Encoding", "br"); w.Code != 206 || w.Body.String() != text[:4] {
		t.Errorf("a range of a compressed file: %d %q", w.Code, w.Body)
	}
}
