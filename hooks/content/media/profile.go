package media

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"io"
)

// maxProfile bounds a colour profile: what cameras write has under 4 KB, and a
// print profile of megabytes in every small size would serve nobody.
const maxProfile = 32 << 10

// withProfile puts the original's colour profile into an encoded variant, so
// that a wide-gamut photo keeps its colours.
func withProfile(body []byte, format Format, icc []byte, img *image.NRGBA) []byte {
	if len(icc) < 20 || len(icc) > maxProfile || string(icc[16:20]) != "RGB " || len(body) < 33 {
		return body // variants are RGB: a profile for ink or grey would not fit
	}
	switch format {
	case JPEG:
		seg := binary.BigEndian.AppendUint16([]byte{0xFF, markerAPP2}, uint16(len(icc)+16))
		seg = append(append(seg, "ICC_PROFILE\x00\x01\x01"...), icc...)
		return bytes.Join([][]byte{body[:2], seg, body[2:]}, nil)
	case PNG:
		chunk := append([]byte("icc\x00\x00"), deflate(icc)...)
		const header = 8 + 25 // signature and IHDR
		return bytes.Join([][]byte{body[:header], makeChunk("iCCP", chunk), body[header:]}, nil)
	case WebP:
		return webpProfile(body, icc, img)
	}
	return body
}

// webpProfile wraps a simple WebP file into an extended one, or adds to one
// that the encoder already made for its alpha channel.
func webpProfile(body, icc []byte, img *image.NRGBA) []byte {
	var extended, rest []byte
	if string(body[12:16]) == "VP8X" {
		extended, rest = append(extended, body[12:30]...), body[30:]
		extended[8] |= vp8xICC
	} else {
		flags := make([]byte, 10)
		flags[0] = vp8xICC
		if !img.Opaque() {
			flags[0] |= vp8xAlpha
		}
		putUint24(flags[4:], img.Rect.Dx()-1)
		putUint24(flags[7:], img.Rect.Dy()-1)
		extended, rest = makeRIFF("VP8X", flags), body[12:]
	}
	out := bytes.Join([][]byte{body[:12], extended, makeRIFF("ICCP", icc), rest}, nil)
	binary.LittleEndian.PutUint32(out[4:], uint32(len(out)-8))
	return out
}

func putUint24(b []byte, v int) { b[0], b[1], b[2] = byte(v), byte(v>>8), byte(v>>16) }

func deflate(b []byte) []byte {
	var buf bytes.Buffer
	w := zlib.NewWriter(&buf)
	_, _ = w.Write(b) // a bytes.Buffer takes everything
	_ = w.Close()
	return buf.Bytes()
}

// inflate reads a compressed profile, nil when it is damaged or too large.
func inflate(b []byte) []byte {
	r, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil
	}
	defer r.Close()
	var buf bytes.Buffer
	if n, err := buf.ReadFrom(io.LimitReader(r, maxProfile+1)); err != nil || n > maxProfile {
		return nil
	}
	return buf.Bytes()
}
