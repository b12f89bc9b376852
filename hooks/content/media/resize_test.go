package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"runtime"
	"slices"
	"testing"
	"time"

	encoder "github.com/gen2brain/webp"
)

// resized returns every variant by "640.webp", decoded.
func resized(t *testing.T, data []byte, formats ...Format) map[string]image.Image {
	t.Helper()
	out := map[string]image.Image{}
	err := Resize(t.Context(), data, formats, func(v Variant) error {
		img, err := decode(v.Body, v.Format)
		if err != nil {
			return fmt.Errorf("%d %s: %w", v.Size, v.Format, err)
		}
		if b := img.Bounds(); b.Dx() != v.Width || b.Dy() != v.Height {
			return fmt.Errorf("%d %s says %d×%d and is %v", v.Size, v.Format, v.Width, v.Height, b)
		}
		out[fmt.Sprint(v.Size, ".", v.Format)] = img
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSizesFor(t *testing.T) {
	t.Parallel()
	for width, want := range map[int][]int{
		1: {320}, 320: {320}, 321: {320, 640}, 1280: {320, 640, 960, 1280}, 1920: Widths, 9000: Widths,
	} {
		if got := SizesFor(width); !slices.Equal(got, want) {
			t.Errorf("SizesFor(%d) = %v, want %v", width, got, want)
		}
	}
}

func TestEveryOrientationComesOutUpright(t *testing.T) {
	t.Parallel()
	for o := 1; o <= 8; o++ {
		img := corners(400, 200, o)
		for name, data := range map[string][]byte{"jpeg": jpegWith(t, img, o, ""), "png": pngWith(t, img, o), "webp": webpWith(t, img, o)} {
			t.Run(fmt.Sprint(name, " ", o), func(t *testing.T) {
				t.Parallel()
				clean, _, err := StripMetadata(data)
				if err != nil {
					t.Fatal(err)
				}
				got := resized(t, clean, PNG, WebP)
				if len(got) != 4 {
					t.Fatalf("%d variants", len(got))
				}
				for name, img := range got {
					b := img.Bounds()
					if want := map[string]int{"320.png": 320, "320.webp": 320, "640.png": 400, "640.webp": 400}[name]; b.Dx() != want || b.Dy() != want/2 {
						t.Errorf("%s is %v", name, b)
					}
					near(t, name, img, b.Dx()/4, b.Dy()/4, color.NRGBA{R: 255, A: 255})
					near(t, name, img, b.Dx()*3/4, b.Dy()/4, color.NRGBA{G: 255, A: 255})
					near(t, name, img, b.Dx()/4, b.Dy()*3/4, color.NRGBA{B: 255, A: 255})
				}
			})
		}
	}
}

func near(t *testing.T, name string, img image.Image, x, y int, want color.NRGBA) {
	t.Helper()
	got := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
	far := func(a, b uint8) bool { return int(a)-int(b) > 40 || int(b)-int(a) > 40 }
	if far(got.R, want.R) || far(got.G, want.G) || far(got.B, want.B) || far(got.A, want.A) {
		t.Errorf("%s at %d,%d is %v, want %v", name, x, y, got, want)
	}
}

func TestTransparencyStaysOrBecomesWhite(t *testing.T) {
	t.Parallel()
	data := pngWith(t, image.NewNRGBA(image.Rect(0, 0, 64, 64)), 1)
	got := resized(t, data, JPEG, PNG, WebP)
	near(t, "jpeg", got["320.jpeg"], 30, 30, color.NRGBA{R: 255, G: 255, B: 255, A: 255})
	near(t, "png", got["320.png"], 30, 30, color.NRGBA{})
	near(t, "webp", got["320.webp"], 30, 30, color.NRGBA{})
}

func TestAMovingPictureHasNoSizes(t *testing.T) {
	t.Parallel()
	if got := resized(t, gifWith(t, 3), WebP); len(got) != 0 {
		t.Errorf("got %d", len(got))
	}
	if got := resized(t, gifWith(t, 1), WebP); len(got) != 1 {
		t.Errorf("a still GIF has %d", len(got))
	}
}

func TestVariantsKeepAnRGBProfileAndNoOther(t *testing.T) {
	t.Parallel()
	for space, want := range map[string]bool{"RGB ": true, "CMYK": false, "GRAY": false} {
		for _, alpha := range []uint8{255, 100} {
			img := image.NewNRGBA(image.Rect(0, 0, 40, 30))
			for i := range img.Pix {
				img.Pix[i] = alpha
			}
			for _, format := range []Format{JPEG, PNG, WebP} {
				icc := []byte(profile(space))
				body, err := encode(img, format, icc)
				if err != nil {
					t.Fatal(err)
				}
				l, err := read(body)
				if err != nil || l.Width != 40 || (string(l.icc) == string(icc)) != want {
					t.Errorf("%s %s %d: profile %q, %v", format, space, alpha, l.icc, err)
				}
				if _, err := decode(body, format); err != nil {
					t.Errorf("%s %s %d: %v", format, space, alpha, err)
				}
			}
		}
	}
}

func TestResizeRefusesWhatTheDecoderSeesDifferently(t *testing.T) {
	t.Parallel()
	if _, err := decode(hugePNG(60_000, 60_000), PNG); !errors.Is(err, ErrTooManyPixels) {
		t.Errorf("the decoder's own header is not checked: %v", err)
	}
	cut := hugePNG(50, 50)
	if err := Resize(t.Context(), cut, []Format{PNG}, nil); !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrBroken) {
		t.Errorf("broken pixels: %v", err)
	}
	stop := errors.New("stop")
	if err := Resize(t.Context(), gifWith(t, 1), []Format{PNG}, func(Variant) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("emit's error: %v", err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Resize(ended, gifWith(t, 1), []Format{PNG}, func(Variant) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("an ended context: %v", err)
	}
}

func TestTheMemoryOfDecodingIsKnownBeforehand(t *testing.T) {
	t.Parallel()
	frame := func(marker byte, sampling ...byte) []byte {
		b := []byte{0xFF, marker, 0, 0, 8, 0x1B, 0x58, 0x1B, 0x58, byte(len(sampling))} // 7000 × 7000
		for i, s := range sampling {
			b = append(b, byte(i+1), s, 0)
		}
		return b
	}
	for _, tt := range []struct {
		name string
		seg  []byte
		want int64 // in millions of bytes
	}{
		{"grey", frame(0xC0, 0x11), 49},
		{"4:2:0", frame(0xC0, 0x22, 0x11, 0x11), 73},
		{"4:4:4", frame(0xC0, 0x11, 0x11, 0x11), 147},
		{"progressive 4:2:0", frame(0xC2, 0x22, 0x11, 0x11), 367},
		{"progressive 4:4:4", frame(0xC2, 0x11, 0x11, 0x11), 735},
	} {
		l := &layout{}
		if err := l.frame(tt.seg[1], tt.seg); err != nil || l.memory/1_000_000 != tt.want {
			t.Errorf("%s: %d %v, want %d", tt.name, l.memory, err, tt.want)
		}
	}
	// Nothing but the header is there: it is refused before the decoder looks.
	data := append([]byte{0xFF, 0xD8}, frame(0xC2, 0x11, 0x11, 0x11)...)
	data[2+3] = byte(len(data) - 4)
	data = append(append(data, jpegSegment(markerSOS, "\x01\x01\x00\x00\x00\x00")...), 1, 2, 0xFF, markerEOI)
	if err := Resize(t.Context(), data, []Format{WebP}, nil); !errors.Is(err, ErrTooManyPixels) {
		t.Errorf("got %v", err)
	}
}

func TestTheWebPEncoderLoadsNothing(t *testing.T) {
	t.Parallel()
	if err := encoder.Dynamic(); err == nil {
		t.Error("libwebp was loaded from this machine")
	}
}

// BenchmarkTwelveMegapixels prints what one camera photo costs: a figure, not
// a bound.
func BenchmarkTwelveMegapixels(b *testing.B) {
	img := image.NewRGBA(image.Rect(0, 0, 4000, 3000))
	for y := range 3000 {
		for x := range 4000 {
			i := img.PixOffset(x, y)
			img.Pix[i], img.Pix[i+1], img.Pix[i+2], img.Pix[i+3] = byte(x/16+x*y%7), byte(y/12+x*7%5), byte((x^y)/20), 255
		}
	}
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: 90}); err != nil {
		b.Fatal(err)
	}
	img = nil
	for b.Loop() {
		runtime.GC()
		var before runtime.MemStats
		runtime.ReadMemStats(&before)
		peak, done := watchHeap()
		if err := Resize(b.Context(), buf.Bytes(), []Format{JPEG, WebP}, func(Variant) error { return nil }); err != nil {
			b.Fatal(err)
		}
		close(done)
		b.ReportMetric(float64(<-peak-before.HeapAlloc)/(1<<20), "MB-peak")
	}
}

// watchHeap reports the largest heap between now and the closing of done.
func watchHeap() (<-chan uint64, chan<- struct{}) {
	peak, done := make(chan uint64, 1), make(chan struct{})
	go func() {
		var top uint64
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			top = max(top, m.HeapAlloc)
			select {
			case <-tick.C:
			case <-done:
				peak <- top
				return
			}
		}
	}()
	return peak, done
}
