package cache

import (
	"bytes"
	"compress/gzip"
	"mime"
	"net/http"
	"strings"
	"sync"

	"github.com/andybalholm/brotli"
)

// negotiate reads Accept-Encoding (RFC 9110, 12.5.3) into weights from 0
// (refused) to 1000. What is not named gets the weight of "*"; identity, where
// nothing speaks of it, is accepted last.
func negotiate(header []string) (brotli, gzip, identity int) {
	const unnamed = -1
	br, gz, id, star := unnamed, unnamed, unnamed, unnamed
	for _, list := range header {
		for list != "" {
			one := list
			if i := strings.IndexByte(list, ','); i >= 0 {
				one, list = list[:i], list[i+1:]
			} else {
				list = ""
			}
			name, params, _ := strings.Cut(one, ";")
			name = strings.Trim(name, " \t")
			switch q := weight(params); {
			case strings.EqualFold(name, "br"):
				br = q
			case strings.EqualFold(name, "gzip"):
				gz = q
			case strings.EqualFold(name, "identity"):
				id = q
			case name == "*":
				star = q
			}
		}
	}
	or := func(q, other int) int {
		if q == unnamed {
			return max(other, 0)
		}
		return q
	}
	return or(br, star), or(gz, star), or(id, 0)
}

// weight reads "q=0.5" in thousandths; without q it is 1000, and 0 where q is
// not a number that the standard allows.
func weight(params string) int {
	for params != "" {
		var one string
		one, params, _ = strings.Cut(params, ";")
		name, value, _ := strings.Cut(one, "=")
		if !strings.EqualFold(strings.Trim(name, " \t"), "q") {
			continue
		}
		value = strings.Trim(value, " \t")
		whole, digits, _ := strings.Cut(value, ".")
		if whole != "0" && whole != "1" || len(digits) > 3 {
			return 0
		}
		q := 1000 * int(whole[0]-'0')
		for i, unit := 0, 100; i < len(digits); i, unit = i+1, unit/10 {
			if digits[i] < '0' || digits[i] > '9' {
				return 0
			}
			q += int(digits[i]-'0') * unit
		}
		if q > 1000 {
			return 0
		}
		return q
	}
	return 1000
}

// compressible reports whether bodies of this content type shrink.
func compressible(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		t, _, _ = strings.Cut(strings.ToLower(contentType), ";")
	}
	if strings.HasPrefix(t, "text/") && t != "text/event-stream" {
		return true
	}
	if strings.HasSuffix(t, "+json") || strings.HasSuffix(t, "+xml") {
		return true
	}
	switch t {
	case "application/json", "application/javascript", "application/xml", "application/wasm",
		"application/x-javascript", "application/x-ndjson", "application/yaml", "application/sql",
		"font/ttf", "font/otf", "application/vnd.ms-fontobject", "image/bmp", "image/vnd.microsoft.icon", "image/x-icon":
		return true
	}
	return false
}

// The encoders are pooled because each holds a megabyte of tables.
var (
	brotliWriters = sync.Pool{New: func() any {
		// Level 5 gains about 15 % on gzip for a millisecond a page; a window
		// of 256 KiB holds any page whole.
		return brotli.NewWriterOptions(nil, brotli.WriterOptions{Quality: 5, LGWin: 18})
	}}
	gzipWriters = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}
)

func packBrotli(body []byte) []byte {
	w := brotliWriters.Get().(*brotli.Writer)
	defer brotliWriters.Put(w)
	var out bytes.Buffer
	w.Reset(&out)
	// Writing to a buffer cannot fail.
	_, _ = w.Write(body)
	_ = w.Close()
	return bytes.Clone(out.Bytes())
}

func packGzip(body []byte) []byte {
	w := gzipWriters.Get().(*gzip.Writer)
	defer gzipWriters.Put(w)
	var out bytes.Buffer
	w.Reset(&out)
	_, _ = w.Write(body)
	_ = w.Close()
	return bytes.Clone(out.Bytes())
}

// Accepts reports whether the request prefers encoding ("br" or "gzip") to the
// plain body.
func Accepts(r *http.Request, encoding string) bool {
	br, gz, identity := negotiate(r.Header["Accept-Encoding"])
	switch encoding {
	case "br":
		return br > 0 && br >= identity
	case "gzip":
		return gz > 0 && gz >= identity
	}
	return false
}
