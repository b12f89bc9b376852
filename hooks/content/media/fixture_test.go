package media

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"testing"

	encoder "github.com/gen2brain/webp"
)

// gps is what must never survive: a fixture hides it in every kind of metadata.
const gps = "N 48 12 30 E 16 22 21"

// corners paints a picture whose upright form has a red top left, a green top
// right and a blue bottom left quarter, and returns it stored for orientation.
func corners(width, height, orientation int) *image.NRGBA {
	img := image.NewNRGBA(image.Rect(0, 0, width, height))
	if orientation >= 5 {
		img = image.NewNRGBA(image.Rect(0, 0, height, width))
	}
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			ux, uy := x, y
			switch orientation {
			case 2:
				ux = width - 1 - x
			case 3:
				ux, uy = width-1-x, height-1-y
			case 4:
				uy = height - 1 - y
			case 5:
				ux, uy = y, x
			case 6:
				ux, uy = width-1-y, x
			case 7:
				ux, uy = width-1-y, height-1-x
			case 8:
				ux, uy = y, height-1-x
			}
			c := color.NRGBA{A: 255}
			switch left, top := ux < width/2, uy < height/2; {
			case left && top:
				c.R = 255
			case top:
				c.G = 255
			case left:
				c.B = 255
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

// exifBlock is a TIFF block with an orientation, a maker and a GPS directory.
func exifBlock(order binary.AppendByteOrder, orientation int) []byte {
	b := []byte("II*\x00")
	if order == binary.AppendByteOrder(binary.BigEndian) {
		b = []byte("MM\x00*")
	}
	b = order.AppendUint32(b, 8)
	b = order.AppendUint16(b, 3)
	field := func(tag, kind uint16, count, value uint32) {
		b = order.AppendUint32(order.AppendUint32(order.AppendUint16(order.AppendUint16(b, tag), kind), count), value)
	}
	field(0x010F, 2, uint32(len(gps)), 50)
	b = order.AppendUint16(order.AppendUint16(b, tagOrientation), typeShort)
	b = order.AppendUint16(order.AppendUint16(order.AppendUint32(b, 1), uint16(orientation)), 0)
	field(0x8825, 4, 1, 50)
	b = order.AppendUint32(b, 0)
	return append(b, gps...)
}

func jpegSegment(marker byte, body string) []byte {
	return append(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(body)+2)), body...)
}

// jpegWith encodes img and puts metadata of every kind around it.
func jpegWith(t testing.TB, img image.Image, orientation int, icc string) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := jpeg.Encode(&buf, img, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	out := append([]byte(nil), buf.Bytes()[:2]...)
	out = append(out, jpegSegment(markerAPP0, "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x01\x01RGB")...)
	if orientation != 0 {
		out = append(out, jpegSegment(markerAPP1, "Exif\x00\x00"+string(exifBlock(binary.LittleEndian, orientation)))...)
	}
	out = append(out, jpegSegment(markerAPP1, "http://ns.adobe.com/xap/1.0/\x00<x>"+gps+"</x>")...)
	out = append(out, jpegSegment(0xED, "Photoshop 3.0\x008BIM"+gps)...)
	out = append(out, jpegSegment(markerAPP2, "MPF\x00"+gps)...)
	if icc != "" {
		out = append(out, jpegSegment(markerAPP2, "ICC_PROFILE\x00\x01\x01"+icc)...)
	}
	out = append(out, jpegSegment(markerCOM, gps)...)
	out = append(out, buf.Bytes()[2:]...)
	return append(out, "a second picture "+gps...)
}

func pngWith(t testing.TB, img image.Image, orientation int) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := png.Encode(&buf, img); err != nil {
		t.Fatal(err)
	}
	b := buf.Bytes()
	return bytes.Join([][]byte{
		b[:33], makeChunk("tEXt", []byte("Location\x00"+gps)), makeChunk("iTXt", []byte(gps)), makeChunk("zTXt", []byte(gps)),
		makeChunk("tIME", []byte("1234567")), makeChunk("prVt", []byte(gps)),
		makeChunk("eXIf", exifBlock(binary.BigEndian, orientation)), b[33:], []byte("<script>" + gps),
	}, nil)
}

func gifWith(t testing.TB, frames int) []byte {
	t.Helper()
	g := &gif.GIF{}
	palette := color.Palette{color.Black, color.White, color.NRGBA{R: 255, A: 255}}
	for i := range frames {
		img := image.NewPaletted(image.Rect(0, 0, 40, 30), palette)
		img.SetColorIndex(i, i, 2)
		g.Image, g.Delay = append(g.Image, img), append(g.Delay, 10)
	}
	var buf bytes.Buffer
	if err := gif.EncodeAll(&buf, g); err != nil {
		t.Fatal(err)
	}
	b := buf.Bytes()
	at := 13 + colorTable(b[10])
	comment := append([]byte{gifExtension, 0xFE, byte(len(gps))}, gps+"\x00"...)
	xmp := append([]byte{gifExtension, gifApplication, 11}, "XMP DataXMP"...)
	xmp = append(append(xmp, byte(len(gps))), gps+"\x00"...)
	return bytes.Join([][]byte{b[:at], comment, xmp, b[at:], []byte(gps)}, nil)
}

func webpWith(t testing.TB, img *image.NRGBA, orientation int) []byte {
	t.Helper()
	var buf bytes.Buffer
	if err := encoder.Encode(&buf, img, encoder.Options{Quality: 90, Method: 0}); err != nil {
		t.Fatal(err)
	}
	b := buf.Bytes()
	flags := make([]byte, 10)
	flags[0] = vp8xEXIF | vp8xXMP
	putUint24(flags[4:], img.Rect.Dx()-1)
	putUint24(flags[7:], img.Rect.Dy()-1)
	exif := append([]byte("Exif\x00\x00"), exifBlock(binary.LittleEndian, orientation)...)
	out := bytes.Join([][]byte{b[:12], makeRIFF("VP8X", flags), b[12:], makeRIFF("EXIF", exif),
		makeRIFF("XMP ", []byte(gps)), makeRIFF("priv", []byte(gps))}, nil)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return append(out, gps...)
}

// profile is a colour profile as far as this package looks into one.
func profile(space string) string {
	return "0000appl00000000"[:16] + space + "mntr, a profile for tests"
}
