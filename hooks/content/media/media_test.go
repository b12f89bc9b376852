package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"io"
	"strings"
	"testing"
)

func TestProbeReadsTheHeader(t *testing.T) {
	t.Parallel()
	img := corners(60, 40, 1)
	tests := []struct {
		name string
		data []byte
		want Info
	}{
		{"jpeg", jpegWith(t, img, 0, ""), Info{JPEG, 60, 40, 1, 0, false}},
		{"jpeg turned", jpegWith(t, img, 6, ""), Info{JPEG, 40, 60, 6, 0, false}},
		{"png", pngWith(t, img, 1), Info{PNG, 60, 40, 1, 0, false}},
		{"png turned", pngWith(t, img, 8), Info{PNG, 40, 60, 8, 0, false}},
		{"gif", gifWith(t, 1), Info{GIF, 40, 30, 1, 0, false}},
		{"gif that moves", gifWith(t, 3), Info{GIF, 40, 30, 1, 0, true}},
		{"webp", webpWith(t, img, 3), Info{WebP, 60, 40, 3, 0, false}},
		{"svg", []byte(`<?xml version="1.0"?><!-- x --><svg xmlns="http://www.w3.org/2000/svg" width="12px" height="8"/>`), Info{SVG, 12, 8, 1, 0, false}},
		{"svg with a view box", []byte("\xef\xbb\xbf <svg width='100%' viewBox='0 0 30.4,20'>"), Info{SVG, 30, 20, 1, 0, false}},
		{"svg without a size", []byte("<svg/>"), Info{SVG, 0, 0, 1, 0, false}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.want.Bytes = len(tt.data)
			got, err := Probe(bytes.NewReader(tt.data))
			if err != nil || got != tt.want {
				t.Errorf("Probe = %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

// hugePNG is a bomb: 69 bytes that announce the given size.
func hugePNG(width, height uint32) []byte {
	header := binary.BigEndian.AppendUint32(nil, width)
	header = append(binary.BigEndian.AppendUint32(header, height), 8, 6, 0, 0, 0)
	return bytes.Join([][]byte{[]byte(pngSignature), makeChunk("IHDR", header), makeChunk("IDAT", []byte{1}), makeChunk("IEND", nil)}, nil)
}

func TestProbeRefuses(t *testing.T) {
	t.Parallel()
	img := corners(60, 40, 1)
	jpg, webp := jpegWith(t, img, 0, ""), webpWith(t, img, 1)
	patched := func(data []byte, find string, offset int, value ...byte) []byte {
		out := append([]byte(nil), data...)
		copy(out[bytes.Index(out, []byte(find))+offset:], value)
		return out
	}
	tests := []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, ErrFormat},
		{"text", []byte("hello"), ErrFormat},
		{"html", []byte("<!doctype html><html><svg></svg></html>"), ErrFormat},
		{"html that calls itself gif", []byte("GIF89a=1;/*<script>alert(1)</script>*/"), ErrBroken},
		{"png bomb", hugePNG(60_000, 60_000), ErrTooManyPixels},
		{"png ribbon", hugePNG(MaxSide+1, 1), ErrTooManyPixels},
		{"png just too large", hugePNG(10_000, 5_001), ErrTooManyPixels},
		{"png without size", hugePNG(0, 5), ErrBroken},
		{"png with a negative size", hugePNG(1<<31, 1<<31), ErrBroken},
		{"png with a false header sum", patched(hugePNG(5, 5), "IHDR", 4, 0, 0, 0, 9), ErrBroken},
		{"jpeg bomb", patched(jpg, "\xff\xc0", 5, 0xFF, 0xFF, 0xFF, 0xFF), ErrTooManyPixels},
		{"jpeg without height", patched(jpg, "\xff\xc0", 5, 0, 0), ErrBroken},
		{"lossless jpeg", patched(jpg, "\xff\xc0", 1, 0xC3), ErrFormat},
		{"12-bit jpeg", patched(jpg, "\xff\xc0", 4, 12), ErrFormat},
		{"gif bomb", patched(gifWith(t, 1), "GIF89a", 6, 0xFF, 0xFF, 0xFF, 0xFF), ErrTooManyPixels},
		{"webp with a small header before a huge frame", patched(webp, "\x9d\x01\x2a", 3, 0xFF, 0x3F, 0xFF, 0x3F), ErrBroken},
		{"heic", []byte("\x00\x00\x00\x18ftypheic"), ErrFormat},
		{"too many bytes", append(hugePNG(5, 5), make([]byte, MaxBytes)...), ErrTooManyBytes},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := Probe(bytes.NewReader(tt.data)); !errors.Is(err, tt.want) {
				t.Errorf("Probe: %v, want %v", err, tt.want)
			}
			if _, _, err := StripMetadata(tt.data); !errors.Is(err, tt.want) {
				t.Errorf("StripMetadata: %v, want %v", err, tt.want)
			}
		})
	}
}

func TestACutFileIsRefusedWhereverItIsCut(t *testing.T) {
	t.Parallel()
	img := corners(24, 16, 1)
	for name, data := range map[string][]byte{
		"jpeg": jpegWith(t, img, 0, ""), "png": pngWith(t, img, 1), "webp": webpWith(t, img, 1), "gif": gifWith(t, 2),
	} {
		clean, _, err := StripMetadata(data)
		if err != nil {
			t.Fatal(name, err)
		}
		for n := 12; n < len(clean)-1; n++ { // a GIF may lack its last byte
			if info, err := Probe(bytes.NewReader(clean[:n])); err == nil && !(name == "gif" && info.Format == GIF) {
				t.Fatalf("%s of %d bytes cut at %d is accepted", name, len(clean), n)
			}
		}
	}
}

func TestProbeGivesTheReadersError(t *testing.T) {
	t.Parallel()
	want := errors.New("the disk is gone")
	if _, err := Probe(io.MultiReader(strings.NewReader("\xff\xd8"), failing{want})); !errors.Is(err, want) {
		t.Errorf("got %v", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestStripMetadataLeavesOnlyThePicture(t *testing.T) {
	t.Parallel()
	icc := profile("RGB ")
	tests := map[string][]byte{"gif": gifWith(t, 1), "gif that moves": gifWith(t, 3)}
	for o := 1; o <= 8; o++ {
		img := corners(32, 24, o)
		tests[fmt.Sprint("jpeg ", o)] = jpegWith(t, img, o, icc)
		tests[fmt.Sprint("png ", o)] = pngWith(t, img, o)
		tests[fmt.Sprint("webp ", o)] = webpWith(t, img, o)
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before, err := Probe(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			clean, info, err := StripMetadata(data)
			if err != nil {
				t.Fatal(err)
			}
			if bytes.Contains(clean, []byte(gps)) || bytes.Contains(clean, []byte("<script>")) {
				t.Error("metadata is left")
			}
			before.Bytes = len(clean)
			if info != before {
				t.Errorf("info %+v, want %+v", info, before)
			}
			if after, err := Probe(bytes.NewReader(clean)); err != nil || after != info {
				t.Errorf("after: %+v, %v; want %+v", after, err, info)
			}
			if strings.HasPrefix(name, "jpeg") && !bytes.Contains(clean, []byte(icc)) {
				t.Error("the colour profile is gone")
			}
			again, _, err := StripMetadata(clean)
			if err != nil || !bytes.Equal(again, clean) {
				t.Errorf("a second pass changes the file: %v", err)
			}
			samePixels(t, info.Format, data, clean)
		})
	}
}

// samePixels holds that stripping is lossless. Go's decoders don't turn.
func samePixels(t *testing.T, format Format, a, b []byte) {
	t.Helper()
	one, err := decode(a, format)
	if err != nil {
		t.Fatal(err)
	}
	two, err := decode(b, format)
	if err != nil {
		t.Fatal(err)
	}
	if one.Bounds() != two.Bounds() {
		t.Fatalf("%v became %v", one.Bounds(), two.Bounds())
	}
	for y := range one.Bounds().Dy() {
		for x := range one.Bounds().Dx() {
			if one.At(x, y) != two.At(x, y) {
				t.Fatalf("pixel %d,%d changed", x, y)
			}
		}
	}
}

func TestAPictureOfEndlessScansIsRefused(t *testing.T) {
	t.Parallel()
	base := jpegWith(t, corners(16, 16, 1), 1, "")
	clean, _, err := StripMetadata(base)
	if err != nil {
		t.Fatal(err)
	}
	scan := append(jpegSegment(markerSOS, "\x01\x01\x00\x00\x00\x00"), 0)
	for n, want := range map[int]error{maxScans - 1: nil, maxScans: ErrBroken} {
		data := append([]byte(nil), clean[:len(clean)-2]...)
		data = append(append(data, bytes.Repeat(scan, n)...), 0xFF, markerEOI)
		if _, err := Probe(bytes.NewReader(data)); !errors.Is(err, want) {
			t.Errorf("%d more scans: %v, want %v", n, err, want)
		}
	}
}

func TestProgressiveScansAndRestartsAreWalked(t *testing.T) {
	t.Parallel()
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, image.NewGray(image.Rect(0, 0, 16, 16)), nil); err != nil {
		t.Fatal(err)
	}
	end := buf.Len() - 2
	data := append([]byte(nil), buf.Bytes()[:end]...)
	data = append(data, 0xFF, markerRST0, 1, 2, 0xFF, 0x00, 3)
	data = append(data, jpegSegment(markerCOM, gps)...)
	data = append(data, jpegSegment(markerDHT, "table")...)
	data = append(data, jpegSegment(markerSOS, "\x01\x01\x00\x00\x3f\x00")...)
	data = append(data, 4, 5, 6, 0xFF, 0xFF, markerEOI)
	clean, _, err := StripMetadata(data)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(clean, []byte(gps)) || !bytes.Contains(clean, []byte("table")) || !bytes.HasSuffix(clean, []byte{6, 0xFF, markerEOI}) && !bytes.HasSuffix(clean, []byte{6, 0xFF, 0xFF, markerEOI}) {
		t.Errorf("walked wrongly: % x", clean[end:])
	}
}
