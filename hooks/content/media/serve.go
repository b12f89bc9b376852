package media

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"bungalow/hooks/kit/schema"
	"bungalow/hooks/kit/web"
	"github.com/pocketbase/pocketbase/apis"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

// How long an answer may be kept. A stored file never changes under its name,
// so its address is good for a year. While a size is not made yet the original
// stands in for a minute; an address of a replaced file leads to its successor
// and is asked for again after five.
const (
	cacheForever = "public, max-age=31536000, immutable"
	cacheUnmade  = "public, max-age=60"
	cacheFormer  = "public, max-age=300"
)

// sandbox lets nothing in a file run, load or navigate. SVG needs its styles.
const sandbox = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"

// Routes are the doors of the package.
func Routes() []web.Route {
	return []web.Route{{Method: http.MethodGet, Path: "/media/{id}/{name}", Access: web.Public, Do: serve}}
}

// serve answers /media/{id}/{name}?w=&f=. Other parameters are ignored.
func serve(e *core.RequestEvent) error {
	_ = apis.SkipSuccessActivityLog().Func(e) // only marks the event
	size, format, ok := wanted(e.Request.URL.Query())
	if !ok {
		return e.NotFoundError("There is no such size: w is 320, 640, 960, 1280 or 1920, f is jpeg, png or webp.", nil)
	}
	record, err := e.App.FindRecordById(schema.Media, e.Request.PathValue("id"))
	if err != nil {
		return web.Refuse(e, err)
	}
	if Binned(record) {
		return e.NotFoundError("", nil)
	}
	s, name := stateOf(record), e.Request.PathValue("name")
	former := slices.Contains(s.Former, name)
	if s.File == "" || name != s.File && !former {
		return e.NotFoundError("", nil)
	}
	variant, policy := "", cacheForever
	if (size > 0 || format != "") && s.Format.Raster() && !s.Animated {
		if s.sizable() {
			variant = s.find(size, format)
		}
		if variant == "" {
			policy = cacheUnmade
			askFor(e.App, record.Id, s, format)
		}
	}
	if former && policy == cacheForever {
		policy = cacheFormer
	}
	return web.Refuse(e, send(e, record, s, variant, policy))
}

// Show answers with a small picture of a file, or with the file itself, to
// somebody who may see it even in the bin. Nobody else may keep the answer.
func Show(e *core.RequestEvent, record *core.Record) error {
	s := stateOf(record)
	if s.File == "" {
		return e.NotFoundError("", nil)
	}
	return send(e, record, s, s.find(Widths[0], ""), "private, no-store")
}

// wanted reads the size and the format, zero where the visitor doesn't care.
func wanted(q url.Values) (size int, format Format, ok bool) {
	if w := q.Get("w"); w != "" {
		n, err := strconv.Atoi(w)
		if err != nil || strconv.Itoa(n) != w || !slices.Contains(Widths, n) {
			return 0, "", false
		}
		size = n
	}
	switch format = Format(q.Get("f")); format {
	case "", JPEG, PNG, WebP:
		return size, format, true
	}
	return 0, "", false
}

// send streams the variant, or the original, with ranges and conditions.
func send(e *core.RequestEvent, record *core.Record, s state, variant, policy string) error {
	fsys, err := e.App.NewFilesystem()
	if err != nil {
		return fmt.Errorf("open storage: %w", err)
	}
	defer fsys.Close()
	key := record.BaseFilesPath() + "/" + s.File
	if variant != "" {
		key = variantKey(record, s.File, variant)
	}
	file, err := fsys.GetReader(key)
	if errors.Is(err, filesystem.ErrNotFound) && variant != "" {
		return send(e, record, s, "", cacheUnmade)
	}
	if errors.Is(err, filesystem.ErrNotFound) {
		return e.NotFoundError("", err)
	}
	if err != nil {
		return fmt.Errorf("open file: %w", err)
	}
	defer file.Close()
	h := e.Response.Header()
	h.Set("Cache-Control", policy)
	h.Set("ETag", tag(s.File, variant))
	kind, inline := kindOf(s, variant, file.ContentType())
	h.Set("Content-Type", kind)
	h.Set("Content-Security-Policy", sandbox)
	if !inline {
		h.Set("Content-Disposition", "attachment; filename="+strconv.Quote(s.File))
	}
	http.ServeContent(e.Response, e.Request, "", file.ModTime(), file)
	return nil
}

// kindOf names the media type by what was found in the file, never by its
// name, and whether a browser may show it.
func kindOf(s state, variant, stored string) (mime string, inline bool) {
	if _, format, ok := strings.Cut(variant, "."); ok {
		return Format(format).MIME(), true
	}
	if s.Format != "" {
		return s.Format.MIME(), true
	}
	if strings.HasPrefix(stored, "video/") || strings.HasPrefix(stored, "audio/") {
		return stored, true
	}
	return stored, false
}

// tag is strong: a file never changes under its name, nor does its variant.
func tag(file, variant string) string {
	h := fnv.New64a()
	_, _ = h.Write([]byte(file + "\x00" + variant))
	return fmt.Sprintf("%q", strconv.FormatUint(h.Sum64(), 36))
}

// asked remembers which formats were ordered, so that a stranger who repeats
// an address costs one write, not one for each request.
type asked struct {
	sync.Mutex
	orders map[string]bool
}

// maxAsked bounds that memory; beyond it the queue's own uniqueness holds.
const maxAsked = 10_000

// askFor orders the sizes of a format that nobody made yet: each picture has
// at most three formats of five sizes.
func askFor(app core.App, id string, s state, format Format) {
	if format == "" || !s.sizable() || slices.Contains(s.Formats, format) || slices.Contains(s.formats(), format) {
		return
	}
	a := app.Store().GetOrSet("bungalow.media.asked", func() any { return &asked{orders: map[string]bool{}} }).(*asked)
	key := id + "/" + s.File + "." + string(format)
	a.Lock()
	known := a.orders[key]
	if len(a.orders) >= maxAsked {
		clear(a.orders)
	}
	a.orders[key] = true
	a.Unlock()
	if known {
		return
	}
	if err := enqueue(app, order{ID: id, File: s.File, Formats: []Format{format}}); err != nil {
		app.Logger().Warn("sizes can't be ordered", "media", id, "error", err)
	}
}
