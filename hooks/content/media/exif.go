package media

import "encoding/binary"

// Exif 2.32, 4.6: tag and type of the one field that is read and written.
const (
	tagOrientation = 0x0112
	typeShort      = 3
)

// orientationOf returns the orientation that a TIFF block names, or 1.
func orientationOf(tiff []byte) int {
	if len(tiff) < 8 {
		return 1
	}
	var order binary.ByteOrder
	switch string(tiff[:4]) {
	case "II*\x00":
		order = binary.LittleEndian
	case "MM\x00*":
		order = binary.BigEndian
	default:
		return 1
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 1
	}
	fields := int64(order.Uint16(tiff[at:]))
	for i := range fields {
		field := at + 2 + i*12
		if field+12 > int64(len(tiff)) {
			return 1
		}
		f := tiff[field : field+12]
		if order.Uint16(f) != tagOrientation {
			continue
		}
		if v := int(order.Uint16(f[8:])); order.Uint16(f[2:]) == typeShort && v >= 1 && v <= 8 {
			return v
		}
		return 1
	}
	return 1
}

// orientationBlock is the smallest TIFF block that names an orientation.
func orientationBlock(orientation int) []byte {
	b := []byte("MM\x00*\x00\x00\x00\x08\x00\x01")
	b = binary.BigEndian.AppendUint16(b, tagOrientation)
	b = binary.BigEndian.AppendUint16(b, typeShort)
	b = binary.BigEndian.AppendUint32(b, 1)
	b = binary.BigEndian.AppendUint16(b, uint16(orientation))
	return append(b, 0, 0, 0, 0, 0, 0)
}
