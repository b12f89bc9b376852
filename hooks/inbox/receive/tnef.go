package receive

import (
	"bytes"
	"encoding/binary"
	"path"
	"strings"
	"unicode/utf16"
)

// Attributes and properties of a winmail.dat that hold what somebody wrote or
// attached ([MS-OXTNEF], sections 2.1.3 and 2.1.4).
const (
	tnefSignature  = 0x223e9f78
	attRenderData  = 0x9002
	attTitle       = 0x8010
	attData        = 0x800f
	attMAPI        = 0x9005
	msgMAPI        = 0x9003
	msgBody        = 0x800c
	propBody       = 0x1000
	propHTML       = 0x1013
	propLongName   = 0x3707
	propName       = 0x3704
	propContentID  = 0x3712
	propMimeTag    = 0x370e
	propAttachData = 0x3701
	maxProps       = 2000
)

type winmail struct {
	text, html string
	files      []File
}

func isTNEF(f File) bool {
	return f.Type == "application/ms-tnef" || f.Type == "application/vnd.ms-tnef" || strings.EqualFold(path.Base(f.Name), "winmail.dat")
}

// tnef reads what Outlook packs into a winmail.dat. What it can't read it
// leaves; it never reads past the end and copies nothing twice.
func tnef(data []byte) (out winmail) {
	if len(data) < 6 || binary.LittleEndian.Uint32(data) != tnefSignature {
		return out
	}
	data = data[6:]
	var current *File
	for len(data) >= 9 {
		id := binary.LittleEndian.Uint32(data[1:]) & 0xffff
		length := int(binary.LittleEndian.Uint32(data[5:]))
		if length < 0 || length > len(data)-9-2 {
			break
		}
		value := data[9 : 9+length]
		data = data[9+length+2:] // with its checksum
		switch id {
		case attRenderData:
			if len(out.files) >= MaxFiles+1 {
				return out
			}
			out.files = append(out.files, File{Name: "file", Type: "application/octet-stream"})
			current = &out.files[len(out.files)-1]
		case attTitle:
			if current != nil && current.Name == "file" {
				current.Name = fileName(latin(value), "", len(out.files))
			}
		case attData:
			if current != nil {
				current.Data = value
			}
		case attMAPI:
			if current != nil {
				properties(value, current.property(len(out.files)))
			}
		case msgMAPI:
			properties(value, out.property)
		case msgBody:
			if out.text == "" {
				out.text = latin(value)
			}
		}
	}
	return out
}

func (f *File) property(n int) func(id uint16, value []byte, text string) {
	return func(id uint16, value []byte, text string) {
		switch id {
		case propLongName:
			f.Name = fileName(text, "", n)
		case propName:
			if f.Name == "file" {
				f.Name = fileName(text, "", n)
			}
		case propContentID:
			f.CID = line(text, 200)
		case propMimeTag:
			f.Type = line(text, 100)
		case propAttachData:
			if len(f.Data) == 0 {
				f.Data = value
			}
		}
	}
}

func (w *winmail) property(id uint16, value []byte, text string) {
	switch id {
	case propBody:
		w.text = text
	case propHTML:
		w.html = strings.ToValidUTF8(string(value), "\uFFFD")
	}
}

// properties calls do for each property with its bytes, and with its text where
// it is one.
func properties(data []byte, do func(id uint16, value []byte, text string)) {
	r := &tnefReader{data: data}
	n := int(r.uint32())
	for range min(n, maxProps) {
		kind, id := r.uint16(), r.uint16()
		if id >= 0x8000 { // a named property: a GUID and a number or a name
			r.next(16)
			if r.uint32() == 0 {
				r.next(4)
			} else {
				r.padded(int(r.uint32()))
			}
		}
		count := 1
		if kind&0x1000 != 0 || kind == 0x1e || kind == 0x1f || kind == 0x102 || kind == 0x0d {
			count = int(r.uint32())
		}
		for range min(count, maxProps) {
			value, ok := r.value(kind &^ 0x1000)
			if !ok || r.failed {
				return
			}
			text := latin(value)
			if kind&^0x1000 == 0x1f {
				text = wide(value)
			}
			do(id, value, text)
		}
		if r.failed {
			return
		}
	}
}

type tnefReader struct {
	data   []byte
	failed bool
}

func (r *tnefReader) next(n int) []byte {
	if n < 0 || n > len(r.data) {
		r.failed, r.data = true, nil
		return nil
	}
	out := r.data[:n]
	r.data = r.data[n:]
	return out
}

func (r *tnefReader) padded(n int) []byte {
	out := r.next(n)
	if pad := (4 - n%4) % 4; n >= 0 && pad <= len(r.data) {
		r.next(pad)
	}
	return out
}

func (r *tnefReader) uint16() uint16 {
	if b := r.next(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (r *tnefReader) uint32() uint32 {
	if b := r.next(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (r *tnefReader) value(kind uint16) ([]byte, bool) {
	switch kind {
	case 0x02, 0x0b, 0x03, 0x04, 0x0a, 0x01:
		return r.next(4), true
	case 0x05, 0x06, 0x07, 0x14, 0x40:
		return r.next(8), true
	case 0x48:
		return r.next(16), true
	case 0x1e, 0x1f, 0x102, 0x0d:
		return r.padded(int(r.uint32())), true
	}
	return nil, false
}

// latin reads a text of one byte a character; most are ASCII or UTF-8.
func latin(b []byte) string {
	b = bytes.TrimRight(b, "\x00")
	s := string(b)
	if strings.ToValidUTF8(s, "") == s {
		return s
	}
	var out strings.Builder
	for _, c := range b {
		out.WriteRune(rune(c))
	}
	return out.String()
}

func wide(b []byte) string {
	units := make([]uint16, len(b)/2)
	for i := range units {
		units[i] = binary.LittleEndian.Uint16(b[2*i:])
	}
	return strings.TrimRight(string(utf16.Decode(units)), "\x00")
}
