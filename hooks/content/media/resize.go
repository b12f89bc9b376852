package media

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"slices"

	"github.com/disintegration/imaging"
	encoder "github.com/gen2brain/webp"
	decoder "golang.org/x/image/webp"
)

// Widths are the sizes that are made and may be asked for, in pixels.
var Widths = []int{320, 640, 960, 1280, 1920}

// Qualities of variants, 0 to 100. WebP's method 2 costs a third of the time
// of the usual 4 for files that are 4 % larger; see docs/decisions/003-webp.md.
const (
	qualityJPEG = 82
	qualityWebP = 80
	methodWebP  = 2
	maxSideWebP = 16383
)

// maxMemory bounds what decoding one picture may take, in bytes. Within the
// limit of pixels only large progressive JPEGs without subsampling exceed it.
const maxMemory = 512 << 20

// decoding lets one picture at a time through, in the whole process: memory
// belongs to the process, not to one app.
var decoding = make(chan struct{}, 1)

// Variant is one size of a picture in one format.
type Variant struct {
	Size   int // one of Widths: the name under which it is asked for
	Format Format
	Width  int // pixels; less than Size where the picture is narrower
	Height int
	Body   []byte
}

// SizesFor returns which of Widths are made of a picture that is width pixels
// wide: all that are narrower, and one more that holds it at its own width.
func SizesFor(width int) []int {
	var sizes []int
	for _, w := range Widths {
		sizes = append(sizes, w)
		if w >= width {
			break
		}
	}
	return sizes
}

// Resize decodes the picture in data once and hands each of its sizes in each
// of the formats to emit, upright, widest first and never enlarged. It waits
// for other pictures of this process, until ctx ends. A picture that moves
// gives no sizes. One that would take more than 512 MB to decode is
// ErrTooManyPixels. The other errors are those of Probe, of ctx and of emit.
func Resize(ctx context.Context, data []byte, formats []Format, emit func(Variant) error) error {
	l, err := read(data)
	if err != nil {
		return err
	}
	if !l.Format.Raster() || l.Animated || len(formats) == 0 {
		return nil
	}
	if l.memory > maxMemory {
		return ErrTooManyPixels
	}
	select {
	case decoding <- struct{}{}:
		defer func() { <-decoding }()
	case <-ctx.Done():
		return ctx.Err()
	}
	sizes := SizesFor(l.Width)
	img, err := decodeTo(data, l, sizes[len(sizes)-1])
	if err != nil {
		return err
	}
	for _, size := range slices.Backward(sizes) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if size < img.Rect.Dx() {
			img = imaging.Resize(img, size, 0, imaging.Lanczos)
		}
		for _, format := range formats {
			v := Variant{Size: size, Format: format, Width: img.Rect.Dx(), Height: img.Rect.Dy()}
			if format == WebP && v.Height > maxSideWebP {
				continue
			}
			if v.Body, err = encode(img, format, l.icc); err != nil {
				return err
			}
			if err := emit(v); err != nil {
				return err
			}
		}
	}
	return nil
}

// decodeTo decodes the picture, upright and at most width pixels wide. It
// shrinks before it turns, so that the full size is held once only.
func decodeTo(data []byte, l layout, width int) (*image.NRGBA, error) {
	src, err := decode(data, l.Format)
	if err != nil {
		return nil, err
	}
	width = min(width, l.Width)
	if l.Orientation >= 5 {
		return turn(imaging.Resize(src, 0, width, imaging.Lanczos), l.Orientation), nil
	}
	return turn(imaging.Resize(src, width, 0, imaging.Lanczos), l.Orientation), nil
}

// decode asks the decoder itself for the size once more, so that no file can
// say one size to us and another to it. A panic of a codec is a broken file.
func decode(data []byte, format Format) (img image.Image, err error) {
	defer func() {
		if recover() != nil {
			img, err = nil, ErrBroken
		}
	}()
	size, full := jpeg.DecodeConfig, jpeg.Decode
	switch format {
	case PNG:
		size, full = png.DecodeConfig, png.Decode
	case GIF:
		size, full = gif.DecodeConfig, gif.Decode
	case WebP:
		size, full = decoder.DecodeConfig, decoder.Decode
	}
	config, err := size(bytes.NewReader(data))
	if err != nil {
		return nil, broken(err)
	}
	if err := withinLimits(config.Width, config.Height); err != nil {
		return nil, err
	}
	if img, err = full(bytes.NewReader(data)); err != nil {
		return nil, broken(err)
	}
	return img, nil
}

func broken(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) {
		return fmt.Errorf("%w (%v)", ErrTruncated, err)
	}
	return fmt.Errorf("%w (%v)", ErrBroken, err)
}

// turn applies an EXIF orientation (Exif 2.32, 4.6.4 A).
func turn(img *image.NRGBA, orientation int) *image.NRGBA {
	switch orientation {
	case 2:
		return imaging.FlipH(img)
	case 3:
		return imaging.Rotate180(img)
	case 4:
		return imaging.FlipV(img)
	case 5:
		return imaging.Transpose(img)
	case 6:
		return imaging.Rotate270(img)
	case 7:
		return imaging.Transverse(img)
	case 8:
		return imaging.Rotate90(img)
	}
	return img
}

func encode(img *image.NRGBA, format Format, icc []byte) (body []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			body, err = nil, fmt.Errorf("encode %s: %v", format, p)
		}
	}()
	var buf bytes.Buffer
	switch format {
	case JPEG:
		err = jpeg.Encode(&buf, flatten(img), &jpeg.Options{Quality: qualityJPEG})
	case PNG:
		err = png.Encode(&buf, img)
	case WebP:
		err = encoder.Encode(&buf, img, encoder.Options{Quality: qualityWebP, Method: methodWebP})
	default:
		return nil, fmt.Errorf("encode %s: no such format", format)
	}
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", format, err)
	}
	return withProfile(buf.Bytes(), format, icc, img), nil
}

// flatten lays the picture on white. An opaque one is shared, not copied: its
// bytes mean the same in both models, and the JPEG encoder is fast with RGBA.
func flatten(img *image.NRGBA) *image.RGBA {
	if img.Opaque() {
		return &image.RGBA{Pix: img.Pix, Stride: img.Stride, Rect: img.Rect}
	}
	out := image.NewRGBA(img.Rect)
	draw.Draw(out, out.Rect, image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(out, out.Rect, img, img.Rect.Min, draw.Over)
	return out
}
