package media

import "encoding/binary"

// Flags of the VP8X chunk (RFC 9649, 2.7).
const (
	vp8xAnimation = 0x02
	vp8xXMP       = 0x04
	vp8xEXIF      = 0x08
	vp8xAlpha     = 0x10
	vp8xICC       = 0x20
)

// readWebP walks the RIFF chunks. A still picture inside an extended file must
// have the size that the file announces: no small header before a huge frame.
func readWebP(data []byte) (layout, error) {
	l := layout{Info: Info{Format: WebP, Orientation: 1}}
	size := int64(binary.LittleEndian.Uint32(data[4:])) + 8
	if size < 12 {
		return l, ErrBroken
	}
	if size > int64(len(data)) {
		return l, ErrTruncated
	}
	data = data[:size]
	l.keep(append([]byte(nil), data[:12]...))
	var extended []byte
	frame := false
	for i := 12; i < len(data); {
		kind, body, end, err := riffChunk(data, i)
		if err != nil {
			return l, err
		}
		switch kind {
		case "VP8X":
			if len(body) < 10 || i != 12 {
				return l, ErrBroken
			}
			extended = append([]byte(nil), data[i:end]...)
			l.Width, l.Height = 1+uint24(body[4:]), 1+uint24(body[7:])
			l.Animated = body[0]&vp8xAnimation != 0
			l.keep(extended)
		case "VP8 ", "VP8L":
			width, height, ok := frameSize(kind, body)
			if !ok || l.Animated || l.Width != 0 && (width != l.Width || height != l.Height) {
				return l, ErrBroken
			}
			l.Width, l.Height, frame = width, height, true
			l.keep(data[i:end])
		case "ANMF":
			frame = true
			l.keep(data[i:end])
		case "ICCP":
			l.icc = body
			l.keep(data[i:end])
		case "ALPH", "ANIM":
			l.keep(data[i:end])
		case "EXIF":
			l.Orientation = webpOrientation(body)
		}
		i = end
	}
	if !frame {
		return l, ErrTruncated
	}
	l.finish(extended)
	return l, nil
}

// finish mends the flags, the total size and the orientation of what is kept.
func (l *layout) finish(extended []byte) {
	if extended == nil {
		l.Orientation = 1 // a simple file has no place for it
	} else {
		extended[8] &^= vp8xXMP | vp8xEXIF
		if l.Orientation != 1 {
			extended[8] |= vp8xEXIF
			l.keep(makeRIFF("EXIF", orientationBlock(l.Orientation)))
		}
	}
	total := 0
	for _, part := range l.parts {
		total += len(part)
	}
	binary.LittleEndian.PutUint32(l.parts[0][4:], uint32(total-8))
}

func riffChunk(data []byte, i int) (kind string, body []byte, end int, err error) {
	if i+8 > len(data) {
		return "", nil, 0, ErrTruncated
	}
	n := int64(binary.LittleEndian.Uint32(data[i+4:]))
	if int64(i)+8+n+n&1 > int64(len(data)) {
		return "", nil, 0, ErrTruncated
	}
	stop := i + 8 + int(n)
	return string(data[i : i+4]), data[i+8 : stop], stop + int(n&1), nil
}

func makeRIFF(kind string, body []byte) []byte {
	c := binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(body)))
	c = append(c, body...)
	if len(body)&1 == 1 {
		c = append(c, 0)
	}
	return c
}

// frameSize reads the size of a lossy (RFC 6386, 9.1) or lossless frame.
func frameSize(kind string, b []byte) (width, height int, ok bool) {
	if kind == "VP8L" {
		if len(b) < 5 || b[0] != 0x2F {
			return 0, 0, false
		}
		bits := binary.LittleEndian.Uint32(b[1:])
		return int(bits&0x3FFF) + 1, int(bits>>14&0x3FFF) + 1, true
	}
	if len(b) < 10 || b[0]&1 != 0 || string(b[3:6]) != "\x9d\x01\x2a" {
		return 0, 0, false
	}
	return int(binary.LittleEndian.Uint16(b[6:]) & 0x3FFF), int(binary.LittleEndian.Uint16(b[8:]) & 0x3FFF), true
}

func webpOrientation(body []byte) int {
	if len(body) > 6 && string(body[:6]) == "Exif\x00\x00" {
		body = body[6:]
	}
	return orientationOf(body)
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }
