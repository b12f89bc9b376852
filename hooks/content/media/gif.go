package media

import (
	"bytes"
	"encoding/binary"
)

// Block introducers and labels of GIF89a, appendix A.
const (
	gifExtension   = 0x21
	gifImage       = 0x2C
	gifTrailer     = 0x3B
	gifControl     = 0xF9
	gifApplication = 0xFF
)

// readGIF walks the blocks. Comments, XMP and other applications' data go;
// the loop count stays. A missing trailer is common and is added.
func readGIF(data []byte) (layout, error) {
	l := layout{Info: Info{Format: GIF, Orientation: 1}}
	if len(data) < 13 {
		return l, ErrTruncated
	}
	l.Width = int(binary.LittleEndian.Uint16(data[6:]))
	l.Height = int(binary.LittleEndian.Uint16(data[8:]))
	i := 13 + colorTable(data[10])
	if i > len(data) {
		return l, ErrTruncated
	}
	l.keep(data[:i])
	for frames := 0; ; {
		if i == len(data) && frames > 0 || i < len(data) && data[i] == gifTrailer {
			if frames == 0 {
				return l, ErrBroken
			}
			l.keep([]byte{gifTrailer})
			l.Animated = frames > 1
			return l, nil
		}
		if i+2 > len(data) {
			return l, ErrTruncated
		}
		end, stays, err := gifBlock(data, i)
		if err != nil {
			return l, err
		}
		if data[i] == gifImage {
			frames++
		}
		if stays {
			l.keep(data[i:end])
		}
		i = end
	}
}

// gifBlock returns the end of the block at i and whether it stays.
func gifBlock(data []byte, i int) (end int, stays bool, err error) {
	switch data[i] {
	case gifImage:
		if i+11 > len(data) {
			return 0, false, ErrTruncated
		}
		end, err = subBlocks(data, i+11+colorTable(data[i+9]))
		return end, true, err
	case gifExtension:
		end, err = subBlocks(data, i+2)
		return end, err == nil && (data[i+1] == gifControl || loops(data[i:end])), err
	}
	return 0, false, ErrBroken
}

// loops tells whether the extension holds an animation's loop count.
func loops(ext []byte) bool {
	if len(ext) < 14 || ext[1] != gifApplication || ext[2] != 11 {
		return false
	}
	return bytes.Equal(ext[3:14], []byte("NETSCAPE2.0")) || bytes.Equal(ext[3:14], []byte("ANIMEXTS1.0"))
}

// subBlocks returns the end of the chain of data sub-blocks that begins at i.
func subBlocks(data []byte, i int) (int, error) {
	for i < len(data) {
		if data[i] == 0 {
			return i + 1, nil
		}
		i += 1 + int(data[i])
	}
	return 0, ErrTruncated
}

// colorTable returns the bytes of the colour table that the flags announce.
func colorTable(flags byte) int {
	if flags&0x80 == 0 {
		return 0
	}
	return 3 << (flags&7 + 1)
}
