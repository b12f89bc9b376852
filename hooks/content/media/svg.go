package media

import (
	"bytes"
	"encoding/xml"
	"io"
	"math"
	"strconv"
	"strings"
)

// readSVG accepts a file whose first element is <svg>. The file stays as it
// is: it is only ever served in a sandbox, where nothing in it can run.
func readSVG(data []byte) (layout, error) {
	l := layout{Info: Info{Orientation: 1}}
	trimmed := bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf")), " \t\r\n")
	if !bytes.HasPrefix(trimmed, []byte("<")) {
		return l, ErrFormat
	}
	root, ok := firstElement(trimmed)
	if !ok || !strings.EqualFold(root.Name.Local, "svg") {
		return l, ErrFormat
	}
	l.Format = SVG
	l.keep(data)
	var box string
	for _, a := range root.Attr {
		switch a.Name.Local {
		case "width":
			l.Width = pixels(a.Value)
		case "height":
			l.Height = pixels(a.Value)
		case "viewBox":
			box = a.Value
		}
	}
	if l.Width == 0 || l.Height == 0 {
		l.Width, l.Height = 0, 0
		if f := strings.FieldsFunc(box, func(r rune) bool { return r == ' ' || r == ',' }); len(f) == 4 {
			l.Width, l.Height = pixels(f[2]), pixels(f[3])
		}
	}
	return l, nil
}

// firstElement looks for the root within the first 64 KB.
func firstElement(data []byte) (xml.StartElement, bool) {
	d := xml.NewDecoder(bytes.NewReader(data[:min(len(data), 64<<10)]))
	d.Strict = false
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for {
		t, err := d.RawToken()
		if err != nil {
			return xml.StartElement{}, false
		}
		if e, ok := t.(xml.StartElement); ok {
			return e, true
		}
	}
}

// pixels reads a length in pixels; anything else (%, em, mm) is 0.
func pixels(s string) int {
	f, err := strconv.ParseFloat(strings.TrimSuffix(strings.TrimSpace(s), "px"), 64)
	if err != nil || !(f >= 1 && f <= MaxSide) {
		return 0
	}
	return int(math.Round(f))
}
