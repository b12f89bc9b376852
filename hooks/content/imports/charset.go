package imports

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

var encodingPattern = regexp.MustCompile(`(?i)^\s*<\?xml[^>]*\bencoding\s*=\s*["']([A-Za-z0-9._:-]+)["']`)

// utf8Reader gives a file as clean UTF-8: its byte order mark or XML
// declaration says how it is written, bytes that are not UTF-8 in a file that
// says it is are read as Windows-1252, and control characters are left out.
func utf8Reader(r io.Reader) (io.Reader, error) {
	br := bufio.NewReaderSize(r, 64<<10)
	head, err := br.Peek(512)
	if err != nil && err != io.EOF && err != bufio.ErrBufferFull {
		return nil, fmt.Errorf("read the beginning of the file: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		br.Discard(3)
		head = head[3:]
	case bytes.HasPrefix(head, []byte("\xff\xfe")), bytes.HasPrefix(head, []byte("\xfe\xff")):
		return &cleaner{r: bufio.NewReader(transform.NewReader(br, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()))}, nil
	}
	if m := encodingPattern.FindSubmatch(head); m != nil {
		label := strings.ToLower(string(m[1]))
		if enc, name := charset.Lookup(label); enc != nil && name != "utf-8" && !strings.HasPrefix(name, "utf-16") {
			return &cleaner{r: bufio.NewReader(transform.NewReader(br, enc.NewDecoder()))}, nil
		}
	}
	return &cleaner{r: br}, nil
}

// cleaner drops control characters and repairs bytes that are not UTF-8.
type cleaner struct {
	r    *bufio.Reader
	rest []byte
}

// Read implements io.Reader.
func (c *cleaner) Read(p []byte) (int, error) {
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	for n < len(p) && len(c.rest) == 0 {
		r, size, err := c.r.ReadRune()
		if err != nil {
			if n > 0 {
				return n, nil
			}
			return 0, err
		}
		if r == utf8.RuneError && size == 1 {
			c.r.UnreadRune()
			b, _ := c.r.ReadByte()
			r = charmap.Windows1252.DecodeByte(b)
		}
		if r < 0x20 && r != '\n' && r != '\t' || r == 0x7f || r == 0xfeff {
			continue
		}
		var buf [utf8.UTFMax]byte
		enc := buf[:utf8.EncodeRune(buf[:], r)]
		m := copy(p[n:], enc)
		n += m
		c.rest = append(c.rest[:0], enc[m:]...)
	}
	return n, nil
}
