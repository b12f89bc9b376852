// Package media reads, cleans, resizes and serves the pictures of a site.
//
// It promises that a picture is judged by its header before one pixel of it is
// decoded, that a stored original carries no metadata but its colour profile
// and its orientation, that the process decodes one picture at a time, and
// that a visitor can only ask for a fixed, small set of sizes.
//
// It never re-encodes an original, never makes a picture larger than it is,
// and never lets a browser run anything that a stored file contains.
package media

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Limits of one picture. They are checked from the header, before decoding.
const (
	MaxBytes  = 20 << 20   // bytes of the file
	MaxPixels = 50_000_000 // width × height
	MaxSide   = 30_000     // pixels of the longer side
)

// Format is the kind of an image file, named as in the f parameter of an
// address.
type Format string

// The formats that are read. Variants are written as JPEG, PNG or WebP.
const (
	JPEG Format = "jpeg"
	PNG  Format = "png"
	GIF  Format = "gif"
	WebP Format = "webp"
	SVG  Format = "svg"
)

// Raster reports whether f is made of pixels, so that sizes can be made of it.
func (f Format) Raster() bool { return f == JPEG || f == PNG || f == GIF || f == WebP }

// MIME returns the media type of f, or application/octet-stream.
func (f Format) MIME() string {
	switch f {
	case JPEG, PNG, GIF, WebP:
		return "image/" + string(f)
	case SVG:
		return "image/svg+xml"
	}
	return "application/octet-stream"
}

// Extension returns the file name's ending for f, with the dot.
func (f Format) Extension() string {
	if f == JPEG {
		return ".jpg"
	}
	return "." + string(f)
}

// Errors of a picture that is refused. Their text may be shown to people.
var (
	ErrFormat        = errors.New("this is not a picture that can be shown: use JPEG, PNG, GIF, WebP or SVG")
	ErrBroken        = errors.New("the picture is damaged: open it in an image program and save it again")
	ErrTruncated     = errors.New("the picture is cut off, the file ends too early: upload it again")
	ErrTooManyBytes  = fmt.Errorf("the file is larger than %d MB: make it smaller first", MaxBytes>>20)
	ErrTooManyPixels = fmt.Errorf("the picture has more than %d megapixels or a side longer than %d pixels: make it smaller first",
		MaxPixels/1_000_000, MaxSide)
)

// Info is what the header of a picture says.
type Info struct {
	Format      Format
	Width       int // pixels, as shown: upright
	Height      int // pixels, as shown: upright
	Orientation int // EXIF orientation, 1 to 8
	Bytes       int // size of the file
	Animated    bool
}

// Probe reads the header of the picture in r and decodes none of its pixels.
// An SVG without a size has Width and Height 0. It returns ErrFormat,
// ErrBroken, ErrTruncated, ErrTooManyBytes, ErrTooManyPixels or r's error.
func Probe(r io.Reader) (Info, error) {
	data, err := readAll(r)
	if err != nil {
		return Info{}, err
	}
	l, err := read(data)
	return l.Info, err
}

// StripMetadata returns the picture without anything that tells of its maker:
// EXIF, GPS, XMP, IPTC, comments, thumbnails and whatever follows its end.
// Pixels, colour profile and animation are untouched; an orientation other
// than 1 stays as a minimal EXIF block, so nothing is re-encoded. An SVG is
// returned as it is. The errors are those of Probe.
func StripMetadata(data []byte) ([]byte, Info, error) {
	if len(data) > MaxBytes {
		return nil, Info{}, ErrTooManyBytes
	}
	l, err := read(data)
	if err != nil {
		return nil, l.Info, err
	}
	out := l.bytes(data)
	l.Bytes = len(out)
	return out, l.Info, nil
}

// layout is one walk over a file: what it says and which parts stay.
type layout struct {
	Info
	parts [][]byte // pieces of the cleaned file, in order
	icc   []byte   // colour profile, nil when there is none or sRGB is meant

	memory int64 // bytes that decoding takes, where the header tells
}

func (l *layout) keep(part []byte) { l.parts = append(l.parts, part) }

// bytes returns the cleaned file, the input itself where nothing was dropped.
func (l *layout) bytes(data []byte) []byte {
	out := bytes.Join(l.parts, nil)
	if bytes.Equal(out, data) {
		return data
	}
	return out
}

// read walks data by the format that its first bytes name and holds the limits.
func read(data []byte) (layout, error) {
	var l layout
	var err error
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xd8\xff")):
		l, err = readJPEG(data)
	case bytes.HasPrefix(data, []byte(pngSignature)):
		l, err = readPNG(data)
	case bytes.HasPrefix(data, []byte("GIF87a")), bytes.HasPrefix(data, []byte("GIF89a")):
		l, err = readGIF(data)
	case len(data) >= 12 && string(data[:4]) == "RIFF" && string(data[8:12]) == "WEBP":
		l, err = readWebP(data)
	default:
		l, err = readSVG(data)
	}
	if err != nil {
		return layout{Info: Info{Format: l.Format}}, err
	}
	l.Bytes = len(data)
	if l.Format.Raster() && (l.Width <= 0 || l.Height <= 0) {
		return l, ErrBroken
	}
	if err := withinLimits(l.Width, l.Height); l.Format.Raster() && err != nil {
		return l, err
	}
	if l.Orientation >= 5 {
		l.Width, l.Height = l.Height, l.Width
	}
	return l, nil
}

func withinLimits(width, height int) error {
	if width > MaxSide || height > MaxSide || int64(width)*int64(height) > MaxPixels {
		return ErrTooManyPixels
	}
	return nil
}

func readAll(r io.Reader) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("read picture: %w", err)
	}
	if len(data) > MaxBytes {
		return nil, ErrTooManyBytes
	}
	return data, nil
}
