package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Entry is a finished answer. Fill the exported fields, then hand it to a
// cache or serve it: from then on it is shared and nothing of it may change.
type Entry struct {
	Status int // 0 means 200
	Header http.Header
	Body   []byte
	// Label is what the one who made the entry calls it; it is never sent.
	Label string
	// Gzip and Brotli may hold Body compressed beforehand. What is missing is
	// made when first asked for, if the type and the size are worth it.
	Gzip, Brotli []byte

	owner    atomic.Pointer[item]
	prepared sync.Once
	status   int
	hash     string
	modified time.Time
	packable bool
	plain    form
	gzip     form
	brotli   form
}

// form is one representation of the body with all its headers, made once.
type form struct {
	made   sync.Once
	etag   string
	body   []byte
	fields []field // of a whole answer
	kept   []field // of a 304
}

type field struct {
	key    string
	values []string
}

// minPacked is the smallest body that is worth compressing, in bytes.
const minPacked = 1 << 10

// size is what the entry holds before anything is prepared.
func (e *Entry) size() int64 {
	n := len(e.Body) + len(e.Gzip) + len(e.Brotli)
	for k, vs := range e.Header {
		n += len(k) + 64
		for _, v := range vs {
			n += len(v) + 16
		}
	}
	return int64(n)
}

// Hash is the SHA-256 of the body in hex.
func (e *Entry) Hash() string {
	e.prepared.Do(e.prepare)
	return e.hash
}

// ETag is the strong validator of the uncompressed body, with its quotes.
func (e *Entry) ETag() string {
	e.prepared.Do(e.prepare)
	return e.plain.etag
}

func (e *Entry) prepare() {
	sum := sha256.Sum256(e.Body)
	e.hash = hex.EncodeToString(sum[:])
	e.status = e.Status
	if e.status == 0 {
		e.status = http.StatusOK
	}
	h := make(http.Header, len(e.Header)+4)
	for k, v := range e.Header {
		h[http.CanonicalHeaderKey(k)] = slices.Clip(slices.Clone(v))
	}
	if h.Get("Content-Type") == "" && len(e.Body) > 0 {
		h.Set("Content-Type", http.DetectContentType(e.Body))
	}
	e.modified, _ = http.ParseTime(h.Get("Last-Modified"))
	e.packable = h.Get("Content-Encoding") == "" &&
		!strings.Contains(h.Get("Cache-Control"), "no-transform") &&
		(len(e.Gzip) > 0 || len(e.Brotli) > 0 || len(e.Body) > minPacked && compressible(h.Get("Content-Type")))
	if e.packable && !strings.Contains(strings.ToLower(strings.Join(h["Vary"], ",")), "accept-encoding") {
		h.Add("Vary", "Accept-Encoding")
	}
	e.plain.fill(h, e.hash, "", e.Body)
}

// fill lays out the headers of one representation; h is copied.
func (f *form) fill(h http.Header, hash, encoding string, body []byte) {
	f.body = body
	f.etag = `"` + hash[:32] + `"`
	h = maps.Clone(h)
	if encoding != "" {
		f.etag = `"` + hash[:32] + "-" + encoding + `"`
		h.Set("Content-Encoding", encoding)
	}
	h["Etag"] = []string{f.etag}
	h["Content-Length"] = []string{strconv.Itoa(len(body))}
	for _, k := range slices.Sorted(maps.Keys(h)) {
		one := field{k, slices.Clip(h[k])}
		f.fields = append(f.fields, one)
		switch k {
		case "Content-Type", "Content-Length", "Content-Encoding", "Content-Language":
		default:
			f.kept = append(f.kept, one)
		}
	}
}

// Serve writes the answer: the best encoding that the request accepts, 304
// where the client has it already, no body for HEAD.
func (e *Entry) Serve(w http.ResponseWriter, r *http.Request) {
	e.prepared.Do(e.prepare)
	f := &e.plain
	if e.packable {
		f = e.choose(r.Header["Accept-Encoding"])
	}
	h := w.Header()
	if e.status == http.StatusOK {
		if etag, same := e.unchanged(r, f); same {
			write(h, f.kept)
			if etag != f.etag {
				h["Etag"] = []string{etag}
			}
			w.WriteHeader(http.StatusNotModified)
			return
		}
	}
	write(h, f.fields)
	w.WriteHeader(e.status)
	if r.Method != http.MethodHead {
		// An error here is the client's connection: there is no one to tell.
		_, _ = w.Write(f.body)
	}
}

func write(h http.Header, fields []field) {
	for i := range fields {
		f := &fields[i]
		if f.key == "Vary" {
			if old := h["Vary"]; len(old) > 0 { // CORS said Origin before us
				h["Vary"] = append(slices.Clip(old), f.values...)
				continue
			}
		}
		h[f.key] = f.values
	}
}

// choose returns the representation that accept prefers, making it if this is
// the first time that it is wanted.
func (e *Entry) choose(accept []string) *form {
	brotli, gzip, identity := negotiate(accept)
	if brotli > 0 && brotli >= gzip && brotli >= identity {
		if f := e.packed(&e.brotli, "br", e.Brotli, packBrotli); f != nil {
			return f
		}
	}
	if gzip > 0 && gzip >= identity {
		if f := e.packed(&e.gzip, "gzip", e.Gzip, packGzip); f != nil {
			return f
		}
	}
	return &e.plain
}

// packed returns nil where compressing gains nothing.
func (e *Entry) packed(f *form, encoding string, given []byte, pack func([]byte) []byte) *form {
	f.made.Do(func() {
		body := given
		if len(body) == 0 {
			if body = pack(e.Body); len(body) >= len(e.Body) {
				return
			}
			if it := e.owner.Load(); it != nil {
				it.grow(int64(len(body)))
			}
		}
		h := make(http.Header, len(e.plain.fields))
		for _, one := range e.plain.fields {
			h[one.key] = one.values
		}
		f.fill(h, e.hash, encoding, body)
	})
	if f.body == nil {
		return nil
	}
	return f
}

// unchanged reports whether the client holds this body, and under which tag.
// Any encoding's tag counts: all of them decode to the same bytes, and a
// client's copy keeps its own encoding.
func (e *Entry) unchanged(r *http.Request, f *form) (etag string, same bool) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return "", false
	}
	if tags := r.Header["If-None-Match"]; len(tags) > 0 {
		for _, list := range tags {
			if tag, ok := match(list, e.hash[:32], f.etag); ok {
				return tag, true
			}
		}
		return "", false // RFC 9110, 13.1.3: If-Modified-Since is then ignored
	}
	if since := r.Header["If-Modified-Since"]; len(since) > 0 && !e.modified.IsZero() {
		t, err := http.ParseTime(since[0])
		return f.etag, err == nil && !e.modified.After(t)
	}
	return "", false
}

// match looks for one of our tags of hash in the list of an If-None-Match
// header, by weak comparison (RFC 9110, 13.1.2).
func match(list, hash, current string) (string, bool) {
	for list != "" {
		one := list
		if i := strings.IndexByte(list, ','); i >= 0 { // our tags hold no comma
			one, list = list[:i], list[i+1:]
		} else {
			list = ""
		}
		one = strings.TrimPrefix(strings.Trim(one, " \t"), "W/")
		if one == "*" || one == current {
			return current, true
		}
		if len(one) < 2 || one[0] != '"' || one[len(one)-1] != '"' {
			continue
		}
		rest, ours := strings.CutPrefix(one[1:len(one)-1], hash)
		if ours && (rest == "" || rest == "-br" || rest == "-gzip") {
			return one, true
		}
	}
	return "", false
}
