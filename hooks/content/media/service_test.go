package media

import (
	"bytes"
	"context"
	"image"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"bungalow/hooks/kit/queue"
	"bungalow/hooks/kit/schema"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/filesystem"
)

func TestAPhotoIsCleanedMeasuredAndServedInAllSizes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.mustUpload("Mein Foto.jpg", jpegWith(t, corners(700, 350, 6), 6, ""))
	if r.GetInt("width") != 700 || r.GetInt("height") != 350 {
		t.Errorf("size %d×%d", r.GetInt("width"), r.GetInt("height"))
	}
	if set := Image(r, "100vw").SrcSet; set != "" {
		t.Errorf("srcset before the sizes are made: %s", set)
	}
	original := s.get(Address(r))
	if b := body(t, original); original.StatusCode != 200 || bytes.Contains(b, []byte(gps)) || original.Header.Get("Cache-Control") != cacheForever {
		t.Errorf("original: %d, %s", original.StatusCode, original.Header.Get("Cache-Control"))
	}
	early := s.get(Address(r) + "?w=320&f=webp")
	if early.StatusCode != 200 || early.Header.Get("Content-Type") != "image/jpeg" || early.Header.Get("Cache-Control") != cacheUnmade {
		t.Errorf("a size not made yet: %d %v", early.StatusCode, early.Header)
	}
	s.startQueue()
	r = s.made(r)
	for query, want := range map[string]struct {
		kind  string
		width int
	}{
		"?w=320&f=webp": {"image/webp", 320}, "?w=640&f=jpeg": {"image/jpeg", 640}, "?w=640": {"image/jpeg", 640},
		"?w=960&f=webp": {"image/webp", 700}, "?w=1920&f=webp&utm=x": {"image/webp", 700}, "?f=webp": {"image/webp", 700},
	} {
		res := s.get(Address(r) + query)
		info, err := Probe(res.Body)
		if err != nil || res.StatusCode != 200 || info.Width != want.width || info.Height != want.width/2 ||
			res.Header.Get("Content-Type") != want.kind || info.Format.MIME() != want.kind || res.Header.Get("Cache-Control") != cacheForever {
			t.Errorf("%s: %d %+v %v %v", query, res.StatusCode, info, res.Header, err)
		}
	}
	p := Image(r, "100vw")
	if want := Address(r) + "?w=320&f=webp 320w, " + Address(r) + "?w=640&f=webp 640w, " + Address(r) + "?w=960&f=webp 700w"; p.SrcSet != want || p.Src != Address(r)+"?w=1280" {
		t.Errorf("picture %+v", p)
	}
}

func TestAFormatThatIsNotUsualIsMadeWhenAskedFor(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.startQueue()
	r := s.made(s.mustUpload("a.jpg", jpegWith(t, corners(400, 200, 1), 1, "")))
	for range 3 {
		if res := s.get(Address(r) + "?w=320&f=png"); res.StatusCode != 200 {
			t.Fatal(res.Status)
		}
	}
	r = s.waitFor(r, "png", func(st state) bool { return slices.Contains(st.Made, "320.png") })
	if res := s.get(Address(r) + "?w=320&f=png"); res.Header.Get("Content-Type") != "image/png" {
		t.Error(res.Header)
	}
}

func TestUnknownAddressesAreNotFound(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.mustUpload("a.png", pngWith(t, corners(40, 20, 1), 1))
	a := Address(r)
	for _, address := range []string{
		a + "?w=321", a + "?w=0320", a + "?w=-320", a + "?w=x", a + "?w=320&f=gif", a + "?f=avif", a + "?w=99999999999999999999",
		"/media/" + r.Id + "/other.png", "/media/nosuchrecord123/" + r.GetString("file"), "/media/" + r.Id + "/..%2f" + r.GetString("file"),
		"/media/%27%20or%201=1/x.png", a + "/x",
	} {
		if res := s.get(address); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", address, res.StatusCode)
		}
	}
}

func TestConditionsAndRanges(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.mustUpload("a.png", pngWith(t, corners(40, 20, 1), 1))
	first := s.get(Address(r))
	whole := body(t, first)
	if res := s.get(Address(r), "If-None-Match", first.Header.Get("ETag")); res.StatusCode != http.StatusNotModified {
		t.Errorf("conditional: %d", res.StatusCode)
	}
	if res := s.get(Address(r), "Range", "bytes=1-3"); res.StatusCode != http.StatusPartialContent || string(body(t, res)) != "PNG" {
		t.Errorf("range: %d", res.StatusCode)
	}
	head := httptest.NewRecorder()
	s.ServeHTTP(head, httptest.NewRequest(http.MethodHead, Address(r), nil))
	if head.Code != 200 || head.Body.Len() != 0 || head.Header().Get("Content-Length") == "" || len(whole) == 0 {
		t.Errorf("head: %d %v", head.Code, head.Header())
	}
	if first.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Error("nosniff is missing")
	}
}

func TestARefusedFileIsSaidBesideTheField(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for name, data := range map[string][]byte{
		"bomb.png": hugePNG(60_000, 60_000), "page.jpg": []byte("<html>"), "photo.heic": []byte("\x00\x00\x00\x18ftypheic0000"),
		"cut.png": pngWith(t, corners(40, 20, 1), 1)[:90], "large.jpg": make([]byte, MaxBytes+1), "no-name": []byte("GIF89a"),
		"bitmap.bmp": []byte("BM0000000000000000000000000000"),
	} {
		r, err := s.upload(name, data)
		if err == nil || !strings.HasPrefix(err.Error(), "file: ") {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := s.FindRecordById(schema.Media, r.Id); err == nil {
			t.Errorf("%s is stored", name)
		}
	}
}

func TestWhatIsNoRasterPictureIsServedInASandbox(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	tests := []struct {
		name, data, kind string
		inline           bool
	}{
		{"drawing.svg", `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="7"><script>alert(1)</script></svg>`, "image/svg+xml", true},
		{"page.html", `<!doctype html><script>alert(1)</script>`, "text/html", false},
		{"paper.pdf", "%PDF-1.4\n%%EOF\n", "application/pdf", false},
		{"script.js", "alert(1)", "text/plain", false},
	}
	for _, tt := range tests {
		r := s.mustUpload(tt.name, []byte(tt.data))
		res := s.get(Address(r) + "?w=320&f=webp")
		h := res.Header
		if res.StatusCode != 200 || !strings.HasPrefix(h.Get("Content-Type"), tt.kind) || !strings.Contains(h.Get("Content-Security-Policy"), "sandbox") ||
			!strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || (h.Get("Content-Disposition") == "") != tt.inline || string(body(t, res)) != tt.data {
			t.Errorf("%s: %d %v", tt.name, res.StatusCode, h)
		}
	}
}

// A GIF that is a script as well is shown as a picture whatever it is called.
func TestAPolyglotIsWhatItsBytesSay(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.mustUpload("evil.html", append(gifWith(t, 1), "*/=1;alert(1)"...))
	if !strings.HasSuffix(r.GetString("file"), ".gif") {
		t.Errorf("it is still called %s", r.GetString("file"))
	}
	res := s.get(Address(r))
	if b := body(t, res); res.Header.Get("Content-Type") != "image/gif" || bytes.Contains(b, []byte("alert")) {
		t.Errorf("%v", res.Header)
	}
}

func TestReplacingKeepsTheOldAddressAndDropsTheOldFiles(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.startQueue()
	r := s.made(s.mustUpload("old.jpg", jpegWith(t, corners(400, 200, 1), 1, "")))
	old, oldFile := Address(r), r.GetString("file")
	f, err := filesystem.NewFileFromBytes(pngWith(t, corners(50, 90, 1), 1), "new.png")
	if err != nil {
		t.Fatal(err)
	}
	stale := s.reload(r)
	r.Set("file", f)
	if err := s.Save(r); err != nil {
		t.Fatal(err)
	}
	r = s.made(r)
	for _, address := range []string{old, Address(r)} {
		res := s.get(address + "?w=320&f=png")
		if info, err := Probe(res.Body); err != nil || info.Width != 50 || info.Height != 90 {
			t.Errorf("%s: %+v %v", address, info, err)
		}
	}
	if got := s.get(old).Header.Get("Cache-Control"); got != cacheFormer {
		t.Errorf("the old address may be kept: %s", got)
	}
	fsys, err := s.NewFilesystem()
	if err != nil {
		t.Fatal(err)
	}
	defer fsys.Close()
	if left, err := fsys.List(variantFolder(r, oldFile)); err != nil || len(left) > 0 {
		t.Errorf("old sizes are left: %v %v", left, err)
	}
	stale.Set("alt", "written by someone who loaded the record before")
	stale.Set("sizes", map[string]any{"made": []string{"1920.webp"}})
	stale.Set("width", 7)
	stale.SetRaw("file", r.GetString("file"))
	if err := s.Save(stale); err != nil {
		t.Fatal(err)
	}
	if again := s.reload(r); again.GetInt("width") != 50 || again.GetString("sizes") != r.GetString("sizes") || again.GetString("alt") == "" {
		t.Errorf("facts were overwritten: %s, was %s", again.GetString("sizes"), r.GetString("sizes"))
	}
}

func TestDeletingLeavesNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.mustUpload("a.jpg", jpegWith(t, corners(400, 200, 1), 1, ""))
	o := order{ID: r.Id, File: r.GetString("file")}
	if err := makeSizes(t.Context(), s.TestApp, o); err != nil {
		t.Fatal(err)
	}
	fsys, err := s.NewFilesystem()
	if err != nil {
		t.Fatal(err)
	}
	defer fsys.Close()
	if stored, err := fsys.List(r.BaseFilesPath() + "/"); err != nil || len(stored) < 5 {
		t.Fatalf("stored: %v %v", len(stored), err)
	}
	if err := s.Delete(r); err != nil {
		t.Fatal(err)
	}
	gone := func() bool { return fsys.IsEmptyDir(r.BaseFilesPath()) }
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !gone() { // PocketBase removes the folder in the background
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("files are left")
		}
	}
	if err := makeSizes(t.Context(), s.TestApp, o); err != nil {
		t.Errorf("a job of a deleted record: %v", err)
	}
	// The record vanishes while its sizes are being made.
	if err := fsys.Upload([]byte("x"), variantKey(r, o.File, "320.webp")); err != nil {
		t.Fatal(err)
	}
	if err := note(s.TestApp, fsys, r, o, []string{"320.webp"}, ""); err != nil || !gone() {
		t.Errorf("an orphan is left: %v", err)
	}
}

func TestAPictureThatCanNotBeDecodedKeepsItsOriginal(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	data := pngWith(t, corners(400, 200, 1), 1)
	at := bytes.Index(data, []byte("IDAT"))
	data[at+20] ^= 0xFF
	s.startQueue()
	r := s.waitFor(s.mustUpload("a.png", data), "the fault", func(st state) bool { return st.Error != "" })
	if res := s.get(Address(r) + "?w=320"); res.StatusCode != 200 || res.Header.Get("Content-Type") != "image/png" {
		t.Errorf("%d %v", res.StatusCode, res.Header)
	}
	if p := Image(r, ""); p.SrcSet != "" || p.Src != Address(r) {
		t.Errorf("%+v", p)
	}
	jobs, err := queue.List(s.TestApp, queue.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	for _, j := range jobs {
		if j.Error != "" {
			t.Errorf("the job failed instead: %+v", j)
		}
	}
}

func TestARolledBackRecordLeavesNoJob(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	_ = s.RunInTransaction(func(tx core.App) error {
		c, _ := tx.FindCollectionByNameOrId(schema.Media)
		r := core.NewRecord(c)
		f, _ := filesystem.NewFileFromBytes(pngWith(t, image.NewNRGBA(image.Rect(0, 0, 9, 9)), 1), "a.png")
		r.Set("file", f)
		if err := tx.Save(r); err != nil {
			t.Error(err)
		}
		return context.Canceled
	})
	if jobs, err := queue.List(s.TestApp, queue.Filter{}); err != nil || len(jobs) != 0 {
		t.Errorf("jobs %v %v", jobs, err)
	}
}

// Sizes that a job noted between the reading of the state and the saving of a
// description were once lost, for good.
func TestADescriptionIsSavedInOneTransactionWithTheState(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	r := s.mustUpload("a.jpg", jpegWith(t, corners(400, 200, 1), 1, ""))
	together := false
	s.OnRecordUpdate(schema.Media).BindFunc(func(e *core.RecordEvent) error {
		together = e.App.IsTransactional()
		return e.Next()
	})
	r.Set("alt", "A hill")
	if err := s.Save(r); err != nil {
		t.Fatal(err)
	}
	if !together {
		t.Error("a job may write between the two")
	}
}
