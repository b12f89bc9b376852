package media

import (
	"bytes"
	"encoding/binary"
)

// Markers of ITU-T T.81, table B.1.
const (
	markerSOF0  = 0xC0
	markerSOF2  = 0xC2
	markerSOF15 = 0xCF
	markerDHT   = 0xC4
	markerJPG   = 0xC8
	markerDAC   = 0xCC
	markerRST0  = 0xD0
	markerRST7  = 0xD7
	markerSOI   = 0xD8
	markerEOI   = 0xD9
	markerSOS   = 0xDA
	markerAPP0  = 0xE0
	markerAPP1  = 0xE1
	markerAPP2  = 0xE2
	markerAPP14 = 0xEE
	markerAPP15 = 0xEF
	markerCOM   = 0xFE
	markerTEM   = 0x01
)

// maxScans bounds the passes of a progressive picture. Encoders write about
// ten; thousands of empty ones in a small file would keep a decoder busy for
// hours.
const maxScans = 100

// readJPEG walks the segments up to EOI. Only the segments that draw the
// picture stay, with JFIF, the ICC profile and Adobe's colour transform.
func readJPEG(data []byte) (layout, error) {
	l := layout{Info: Info{Format: JPEG, Orientation: 1}}
	head := &layout{} // JFIF must come first, then our EXIF
	body := &layout{}
	turned, scans := false, 0
	for i := 2; ; {
		marker, end, err := segment(data, i)
		if err != nil {
			return l, err
		}
		seg := data[i:end]
		switch {
		case marker == 0xFF: // a fill byte
		case marker == markerEOI:
			if l.Width == 0 {
				return l, ErrBroken
			}
			body.keep(seg)
			l.keep(data[:2])
			l.parts = append(l.parts, head.parts...)
			if l.Orientation != 1 {
				l.keep(exifSegment(l.Orientation))
			}
			l.parts = append(l.parts, body.parts...)
			return l, nil
		case marker == markerSOI || marker == 0x00:
			return l, ErrBroken
		case isFrame(marker):
			if err := l.frame(marker, seg); err != nil {
				return l, err
			}
			body.keep(seg)
		case marker == markerAPP0:
			if jfif := jfifSegment(seg); jfif != nil {
				head.keep(jfif)
			}
		case marker == markerAPP1:
			if tiff, ok := bytes.CutPrefix(seg[4:], []byte("Exif\x00\x00")); ok && !turned {
				turned, l.Orientation = true, orientationOf(tiff)
			}
		case marker == markerAPP2 && bytes.HasPrefix(seg[4:], []byte("ICC_PROFILE\x00")):
			head.keep(seg)
			if len(seg) > 18 {
				l.icc = append(l.icc, seg[18:]...)
			}
		case marker == markerAPP14 && bytes.HasPrefix(seg[4:], []byte("Adobe")):
			head.keep(seg)
		case marker >= markerAPP0 && marker <= markerAPP15, marker == markerCOM:
		case marker == markerSOS:
			if scans++; scans > maxScans {
				return l, ErrBroken
			}
			scan, err := entropyEnd(data, end)
			if err != nil {
				return l, err
			}
			end = scan
			body.keep(data[i:end])
		default:
			body.keep(seg)
		}
		i = end
	}
}

// segment returns the marker at i and the end of its segment.
func segment(data []byte, i int) (marker byte, end int, err error) {
	if i+2 > len(data) {
		return 0, 0, ErrTruncated
	}
	if data[i] != 0xFF {
		return 0, 0, ErrBroken
	}
	marker = data[i+1]
	switch {
	case marker == 0xFF:
		return marker, i + 1, nil
	case marker == markerTEM, marker >= markerRST0 && marker <= markerEOI, marker == 0x00:
		return marker, i + 2, nil
	}
	if i+4 > len(data) {
		return 0, 0, ErrTruncated
	}
	n := int(binary.BigEndian.Uint16(data[i+2:]))
	if n < 2 {
		return 0, 0, ErrBroken
	}
	if end = i + 2 + n; end > len(data) {
		return 0, 0, ErrTruncated
	}
	return marker, end, nil
}

func isFrame(marker byte) bool {
	return marker >= markerSOF0 && marker <= markerSOF15 &&
		marker != markerDHT && marker != markerJPG && marker != markerDAC
}

// frame reads the size. Browsers show 8-bit baseline and progressive only.
func (l *layout) frame(marker byte, seg []byte) error {
	if marker > markerSOF2 || len(seg) < 10 || seg[4] != 8 {
		return ErrFormat
	}
	if l.Width != 0 {
		return ErrBroken
	}
	l.Height = int(binary.BigEndian.Uint16(seg[5:]))
	l.Width = int(binary.BigEndian.Uint16(seg[7:]))
	if l.Width == 0 || l.Height == 0 {
		return ErrBroken
	}
	l.memory = int64(l.Width) * int64(l.Height) * int64(samples(seg)) / 64
	if marker == markerSOF2 {
		l.memory *= 5 // each coefficient waits as an int32 for the last scan
	}
	return nil
}

// samples returns how many samples an 8 × 8 block of pixels has in all of the
// components of a frame header, with chroma subsampling.
func samples(seg []byte) int {
	most, sum := 1, 0
	for c := 10; c+3 <= len(seg); c += 3 {
		area := int(seg[c+1]>>4) * int(seg[c+1]&15)
		most, sum = max(most, area), sum+area
	}
	return 64 * sum / most
}

// entropyEnd returns where the entropy-coded data that begins at i ends.
func entropyEnd(data []byte, i int) (int, error) {
	for {
		n := bytes.IndexByte(data[i:], 0xFF)
		if n < 0 || i+n+1 >= len(data) {
			return 0, ErrTruncated
		}
		i += n
		if next := data[i+1]; next != 0 && (next < markerRST0 || next > markerRST7) {
			return i, nil
		}
		i += 2
	}
}

// jfifSegment returns the JFIF segment without its thumbnail, which may show
// what was cropped away, or nil for another APP0.
func jfifSegment(seg []byte) []byte {
	if len(seg) < 18 || string(seg[4:9]) != "JFIF\x00" {
		return nil
	}
	out := append([]byte(nil), seg[:18]...)
	out[2], out[3], out[16], out[17] = 0, 16, 0, 0
	return out
}

func exifSegment(orientation int) []byte {
	block := append([]byte("Exif\x00\x00"), orientationBlock(orientation)...)
	seg := binary.BigEndian.AppendUint16([]byte{0xFF, markerAPP1}, uint16(len(block)+2))
	return append(seg, block...)
}
