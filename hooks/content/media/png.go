package media

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

const pngSignature = "\x89PNG\r\n\x1a\n"

// pngKeep lists the chunks that draw the picture (PNG third edition, 11).
// Text, times, EXIF and every private chunk are left out.
var pngKeep = map[string]bool{
	"IHDR": true, "PLTE": true, "IDAT": true, "IEND": true,
	"tRNS": true, "cHRM": true, "gAMA": true, "iCCP": true, "sBIT": true, "sRGB": true, "cICP": true,
	"bKGD": true, "pHYs": true, "acTL": true, "fcTL": true, "fdAT": true,
}

// readPNG walks the chunks up to IEND.
func readPNG(data []byte) (layout, error) {
	l := layout{Info: Info{Format: PNG, Orientation: 1}}
	l.keep(data[:8])
	pixels := false
	for i := 8; ; {
		kind, body, end, err := pngChunk(data, i)
		if err != nil {
			return l, err
		}
		if (kind == "IHDR") != (i == 8) {
			return l, ErrBroken
		}
		switch kind {
		case "IHDR":
			if err := l.header(data[i:end], body); err != nil {
				return l, err
			}
		case "acTL":
			l.Animated = len(body) == 8 && binary.BigEndian.Uint32(body) > 1
		case "iCCP":
			if _, packed, ok := bytes.Cut(body, []byte{0}); ok && len(packed) > 1 {
				l.icc = inflate(packed[1:])
			}
		case "eXIf":
			l.Orientation = orientationOf(body)
		case "IDAT":
			pixels = true
		}
		if pngKeep[kind] {
			l.keep(data[i:end])
		}
		if kind == "IEND" {
			break
		}
		i = end
	}
	if !pixels {
		return l, ErrBroken
	}
	if l.Orientation != 1 {
		exif := makeChunk("eXIf", orientationBlock(l.Orientation))
		l.parts = append(l.parts[:2], append([][]byte{exif}, l.parts[2:]...)...)
	}
	return l, nil
}

func pngChunk(data []byte, i int) (kind string, body []byte, end int, err error) {
	if i+12 > len(data) {
		return "", nil, 0, ErrTruncated
	}
	n := int64(binary.BigEndian.Uint32(data[i:]))
	if n > 1<<31-1 {
		return "", nil, 0, ErrBroken
	}
	if int64(i)+12+n > int64(len(data)) {
		return "", nil, 0, ErrTruncated
	}
	end = i + 12 + int(n)
	return string(data[i+4 : i+8]), data[i+8 : end-4], end, nil
}

func (l *layout) header(chunk, body []byte) error {
	if len(body) != 13 || crc32.ChecksumIEEE(chunk[4:21]) != binary.BigEndian.Uint32(chunk[21:]) {
		return ErrBroken
	}
	width, height := binary.BigEndian.Uint32(body), binary.BigEndian.Uint32(body[4:])
	if width == 0 || height == 0 || width > 1<<31-1 || height > 1<<31-1 {
		return ErrBroken
	}
	l.Width, l.Height = int(width), int(height)
	l.memory = int64(width) * int64(height) * 4
	if body[8] == 16 {
		l.memory *= 2
	}
	return nil
}

func makeChunk(kind string, body []byte) []byte {
	c := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	c = append(append(c, kind...), body...)
	return binary.BigEndian.AppendUint32(c, crc32.ChecksumIEEE(c[4:]))
}
