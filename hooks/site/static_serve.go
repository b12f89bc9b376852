package site

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"bungalow/hooks/kit/cache"
	"bungalow/hooks/kit/theme"
)

// A change must be this old before the file is kept in memory: until then
// another change may leave it with the same time and size, because some file
// systems count in steps of two seconds. Where a time has a part finer than a
// millisecond, the steps are those of the kernel's clock, ten milliseconds at most.
const (
	settled     = 2 * time.Second
	settledFine = 50 * time.Millisecond
)

func settles(modified time.Time) time.Duration {
	if modified.Nanosecond()%int(time.Millisecond) != 0 {
		return settledFine
	}
	return settled
}

// Values of Cache-Control. Without a hash in the address a client asks each
// time whether its copy is still good, so a change shows at once.
const (
	forever = "public, max-age=31536000, immutable"
	askEach = "no-cache"
)

// Serve answers with what Find found. Only GET and HEAD are answered. The
// error is fs.ErrNotExist where the file went away since; nothing is written
// then.
func (s *Static) Serve(w http.ResponseWriter, r *http.Request, file staticFile) error {
	h := w.Header()
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "This address can only be read.", http.StatusMethodNotAllowed)
		return nil
	}
	if file.redirect != "" {
		to := url.URL{Path: file.redirect, RawQuery: r.URL.RawQuery}
		h["Cache-Control"] = []string{askEach} // the folder may become a file
		http.Redirect(w, r, to.String(), http.StatusPermanentRedirect)
		return nil
	}
	if file.size > inMemory {
		return s.serveLarge(w, r, file)
	}
	e := file.entry
	if e == nil {
		var err error
		if e, err = s.load(r.Context(), file); err != nil {
			return err
		}
	}
	s.secure(h, file, e.Header.Get("Content-Type"))
	h["Cache-Control"] = cacheControl(r, e.Hash())
	if r.Header["Range"] == nil {
		e.Serve(w, r)
		return nil
	}
	h["Etag"] = []string{e.ETag()}
	h["Content-Type"] = e.Header["Content-Type"]
	h.Add("Vary", "Accept-Encoding")
	http.ServeContent(w, r, file.name, file.modified, bytes.NewReader(e.Body))
	return nil
}

var nosniff, referrer = []string{"nosniff"}, []string{"strict-origin-when-cross-origin"}

// secure sets the headers that hold for every file. The policy that our own
// pages have would stop the scripts of the owner's.
func (s *Static) secure(h http.Header, file staticFile, contentType string) {
	h["X-Content-Type-Options"] = nosniff
	if strings.HasPrefix(contentType, "text/html") {
		h["Referrer-Policy"] = referrer
		if file.onDisk {
			delete(h, "Content-Security-Policy")
		}
	}
}

var cacheControls = [2][]string{{askEach}, {forever}}

// cacheControl allows a client to keep the file for ever if its address has
// the hash of this very content.
func cacheControl(r *http.Request, hash string) []string {
	v, ok := strings.CutPrefix(r.URL.RawQuery, "v=")
	if ok && len(v) == theme.HashLength && strings.HasPrefix(hash, v) {
		return cacheControls[1]
	}
	return cacheControls[0]
}

// load reads a small file into memory, with its compressed siblings.
func (s *Static) load(ctx context.Context, file staticFile) (*cache.Entry, error) {
	return s.cache.Do(ctx, file.key(), func(d *cache.Deps) (*cache.Entry, error) {
		body, info, err := s.read(file)
		if err != nil {
			return nil, fmt.Errorf("read a static file: %w", err)
		}
		e := &cache.Entry{Header: http.Header{"Content-Type": {contentType(file.name, body)}}, Body: body}
		if file.onDisk {
			e.Header.Set("Last-Modified", info.ModTime().UTC().Format(http.TimeFormat))
			age := s.now().Sub(info.ModTime())
			same := info.Size() == file.size && info.ModTime().Equal(file.modified) && int64(len(body)) == file.size
			if wait := settles(info.ModTime()); !same || -wait < age && age < wait {
				d.NoStore()
			}
		}
		e.Brotli, e.Gzip = s.sibling(file, info, ".br"), s.sibling(file, info, ".gz")
		return e, nil
	})
}

// read returns the whole file, and what it was after it had been read.
func (s *Static) read(file staticFile) ([]byte, fs.FileInfo, error) {
	f, _, err := s.open(file)
	if err != nil {
		return nil, nil, err
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, 2*inMemory)) // it may be growing
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	return body, info, err
}

// sibling reads the compressed form that a build tool left beside a file. One
// that is older than the file belongs to what the file was before.
func (s *Static) sibling(file staticFile, info fs.FileInfo, ending string) []byte {
	packed, ok := s.siblingFile(file, info.ModTime(), ending)
	if !ok || packed.size > inMemory {
		return nil
	}
	body, _, err := s.read(packed)
	if err != nil {
		return nil
	}
	return body
}

func (s *Static) siblingFile(file staticFile, modified time.Time, ending string) (staticFile, bool) {
	packed, ok := s.lookup(file.name + ending)
	return packed, ok && packed.onDisk == file.onDisk && packed.size > 0 && (!file.onDisk || !packed.modified.Before(modified))
}

// serveLarge streams a file, or its compressed sibling.
func (s *Static) serveLarge(w http.ResponseWriter, r *http.Request, file staticFile) error {
	f, info, err := s.open(file)
	if err != nil {
		return fmt.Errorf("open a static file: %w", err)
	}
	defer func() { _ = f.Close() }()
	var start [512]byte
	n, _ := io.ReadFull(f, start[:])
	kind, hash := contentType(file.name, start[:n]), ""
	if !file.onDisk || strings.HasPrefix(r.URL.RawQuery, "v=") {
		if hash, err = s.hash(r.Context(), file); err != nil {
			return err
		}
	}
	tag := strconv.FormatInt(info.Size(), 36) + "-" + strconv.FormatInt(info.ModTime().UnixNano(), 36)
	if !file.onDisk {
		tag = hash[:32]
	}
	h := w.Header()
	packed, encoding, choice := s.packed(r, file, info)
	if choice {
		h.Add("Vary", "Accept-Encoding")
	}
	if encoding != "" {
		_ = f.Close()
		f, tag = packed, tag+"-"+encoding
		h["Content-Encoding"] = []string{encoding}
	}
	content, ok := f.(io.ReadSeeker)
	if !ok {
		return fmt.Errorf("serve %s: the file cannot be read from its middle", file.name)
	}
	s.secure(h, file, kind)
	h["Cache-Control"] = cacheControl(r, hash)
	h["Content-Type"] = []string{kind}
	h["Etag"] = []string{`"` + tag + `"`}
	http.ServeContent(w, r, file.name, file.modified, content)
	return nil
}

// packed opens the compressed sibling that the request prefers; choice says
// that there is any, so that the answer depends on what the request accepts.
func (s *Static) packed(r *http.Request, file staticFile, info fs.FileInfo) (f fs.File, encoding string, choice bool) {
	for _, form := range [...]struct{ ending, encoding string }{{".br", "br"}, {".gz", "gzip"}} {
		sibling, ok := s.siblingFile(file, info.ModTime(), form.ending)
		if !ok {
			continue
		}
		choice = true
		if !cache.Accepts(r, form.encoding) {
			continue
		}
		if f, _, err := s.open(sibling); err == nil {
			return f, form.encoding, choice
		}
	}
	return nil, "", choice
}

// hash returns the SHA-256 of a large file, which is worked out once for each
// version of it.
func (s *Static) hash(ctx context.Context, file staticFile) (string, error) {
	e, err := s.cache.Do(ctx, "hash:"+file.key(), func(d *cache.Deps) (*cache.Entry, error) {
		f, info, err := s.open(file)
		if err != nil {
			return nil, fmt.Errorf("hash a static file: %w", err)
		}
		defer f.Close()
		sum := sha256.New()
		if _, err := io.Copy(sum, f); err != nil {
			return nil, fmt.Errorf("hash a static file: %w", err)
		}
		if file.onDisk && (info.Size() != file.size || !info.ModTime().Equal(file.modified)) {
			d.NoStore()
		}
		return &cache.Entry{Body: []byte(hex.EncodeToString(sum.Sum(nil)))}, nil
	})
	if err != nil {
		return "", err
	}
	return string(e.Body), nil
}

// contentTypes are the same on every machine, whatever its own table says.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".htm": "text/html; charset=utf-8",
	".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".json": "application/json", ".map": "application/json", ".webmanifest": "application/manifest+json",
	".txt": "text/plain; charset=utf-8", ".md": "text/markdown; charset=utf-8", ".csv": "text/csv; charset=utf-8",
	".xml": "application/xml", ".svg": "image/svg+xml", ".ico": "image/x-icon",
	".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".avif": "image/avif",
	".woff": "font/woff", ".woff2": "font/woff2", ".ttf": "font/ttf", ".otf": "font/otf",
	".mp4": "video/mp4", ".webm": "video/webm", ".mp3": "audio/mpeg", ".ogg": "audio/ogg",
	".pdf": "application/pdf", ".wasm": "application/wasm", ".zip": "application/zip",
	".gz": "application/gzip", ".br": "application/octet-stream",
}

// contentType goes by the ending; start is the file's beginning, which decides
// where the ending says nothing.
func contentType(name string, start []byte) string {
	ending := strings.ToLower(path.Ext(name))
	if known := contentTypes[ending]; known != "" {
		return known
	}
	if known := mime.TypeByExtension(ending); known != "" {
		return known
	}
	return http.DetectContentType(start)
}
