package media

import (
	"bytes"
	"testing"
)

func seeds(f *testing.F) {
	img := corners(16, 12, 1)
	f.Add(jpegWith(f, img, 6, profile("RGB ")))
	f.Add(pngWith(f, img, 3))
	f.Add(gifWith(f, 2))
	f.Add(webpWith(f, img, 8))
	f.Add(hugePNG(60_000, 60_000))
	f.Add([]byte("<svg width='3' viewBox='0 0 1 1'>"))
	f.Add([]byte("\xff\xd8\xff"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBP"))
}

func FuzzProbe(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		info, err := Probe(bytes.NewReader(data))
		if err != nil {
			return
		}
		if info.Width < 0 || info.Height < 0 || withinLimits(info.Width, info.Height) != nil {
			t.Errorf("accepted %+v", info)
		}
		if info.Orientation < 1 || info.Orientation > 8 || info.Bytes != len(data) {
			t.Errorf("impossible %+v", info)
		}
	})
}

// FuzzStripMetadata holds that a cleaned file says the same, is clean already,
// and that no small picture makes a decoder panic.
func FuzzStripMetadata(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		clean, info, err := StripMetadata(data)
		if err != nil {
			return
		}
		again, second, err := StripMetadata(clean)
		if err != nil || second != info || !bytes.Equal(again, clean) {
			t.Fatalf("second pass: %+v, %v; first %+v", second, err, info)
		}
		if info.Format.Raster() && info.Width*info.Height < 1<<16 {
			_, _ = decode(clean, info.Format)
		}
	})
}
